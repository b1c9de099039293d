"""What a run tells while it goes on: how far it is, that it lives, and whether somebody wants it to stop."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from console.domain.text import T
from console.services.jobs import engine as run_engine
from console.services.jobs import progress, runs
from console.services.jobs import requests as run_requests
from tests.services.jobs.run_support import job_of, open_sites
from tests.support.runs import opened, run_of


def test_a_run_stops_at_its_next_report_when_asked_to(ctx, other, session, monkeypatch):
    monkeypatch.setattr(progress, "LOOK_EVERY", timedelta(milliseconds=10))
    before = opened(session)

    def work(ctx, options):
        run_requests.cancel(other, 1)
        other.commit()
        ctx.begin_write()
        open_sites(ctx, options)
        for step in range(1000):
            progress.progress(ctx, step, 1000)
            threading.Event().wait(0.01)
        pytest.fail("nobody stopped it")

    found = run_engine.execute(ctx, job_of(work, reads_first=True))

    assert (found.run.status, found.run.error_code, found.run.cancelled_by) == ("warning", "cancelled", "system")
    assert not found.run.executed
    assert opened(session) == before


def test_progress_and_log_lines_are_seen_while_the_work_goes_on(ctx, other, session, monkeypatch):
    monkeypatch.setattr(progress, "LOOK_EVERY", timedelta(milliseconds=10))
    seen = []

    def work(ctx, options):
        progress.log(ctx, T("Reading %(count)s items", count=7))
        progress.progress(ctx, 3, 7, "halfway")
        for _ in range(500):
            row = run_of(other.session, 1)
            if row.progress_done:
                seen.append(
                    (row.progress_done, row.progress_total, row.progress_json["msgid"], row.log_json[0]["params"])
                )
                break
            threading.Event().wait(0.01)
        return {}

    found = run_engine.execute(ctx, job_of(work, reads_first=True))

    assert seen == [(3, 7, "halfway", {"count": 7})]
    assert found.run.progress == {"done": 3, "total": 7, "message": {"msgid": "halfway", "params": {}}}
    assert [line["msgid"] for line in runs.get(ctx, 1).log] == ["Reading %(count)s items"]


def test_reports_outside_a_run_do_nothing(ctx):
    progress.progress(ctx, 1, 2)
    progress.log(ctx, "x")

    assert progress.current(ctx) is None
    assert not ctx.dry_run


def test_the_heartbeat_of_a_long_run_moves_on(ctx, clock, session, monkeypatch):
    monkeypatch.setattr(progress, "LOOK_EVERY", timedelta(milliseconds=10))
    beats = set()

    def work(ctx, options):
        for _ in range(300):
            clock.advance(timedelta(seconds=1))
            beats.add(run_of(session, 1).heartbeat_at)
            if len(beats) > 2:
                break
            threading.Event().wait(0.02)
        return {}

    run_engine.execute(ctx, job_of(work, reads_first=True, lease_seconds=1))

    assert len(beats) > 2
