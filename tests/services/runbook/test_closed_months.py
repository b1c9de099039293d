"""Closed months in the nightly reading: whatever of one is changed behind the product is found, and told once."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from console.domain.audit.archive import sealed
from console.domain.audit.entry import canonical_json
from console.domain.jobs import names as job_names
from console.models.alerts import AlertDelivery
from console.models.monthly_reports import MonthlyReportVersion
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.services.runbook import integrity, integrity_page
from tests.services.reports.test_months import SITE, close, february, writing

__all__ = ["february", "writing"]
HOOK = {"ALERT_WEBHOOK_URLS": "https://hooks.example/a"}


@pytest.fixture
def closed(writing, february):
    close(writing)


@pytest.fixture
def night(make_ctx, clock, closed):
    """Return `night()`: the reading of the next night, with what it found of closed months."""

    def read():
        clock.advance(timedelta(days=1))
        ctx = make_ctx()
        ctx.config = ctx.config.replaced(**HOOK)
        ctx.session.rollback()
        detail = run_engine.execute(ctx, registry.get(job_names.EVIDENCE_INTEGRITY), {}, trigger="cron").run.detail
        (found,) = (one for one in detail["stored"] if one["kind"] == "closed_month")
        return detail["status"], found["checked_count"], found["changed_count"]

    return read


def stored(session):
    session.rollback()
    return json.loads(session.scalar(select(MonthlyReportVersion.document)))


def change(session, **values):
    session.rollback()
    session.execute(update(MonthlyReportVersion).values(**values))
    session.commit()


def told(session):
    session.rollback()
    wanted = AlertDelivery.event_type == "closed_month_changed"
    return [(row.site, row.payload_json["month"]) for row in session.scalars(select(AlertDelivery).where(wanted))]


def test_a_month_that_is_what_was_closed_is_fine(night, session):
    assert night() == ("ok", 1, 0)
    assert told(session) == []


def _words(document):
    document["figures"]["completed"] += 1
    return {"document": canonical_json(document)}


def _sealed_anew(document):
    document["figures"]["completed"] += 1
    plain = {name: one for name, one in document.items() if not name.startswith(("archive_sha", "signature"))}
    made = sealed(plain, "")
    kept = {"document": canonical_json(made), "archive_sha256": made["archive_sha256"]}
    return {**kept, "figures": {**stored_figures(made)}}


def stored_figures(document):
    names = ("inspections", "work_orders", "figures", "time_zone", "period_start", "period_end", "generated_at")
    return {name: document[name] for name in names}


def _figures(document):
    return {"figures": {**stored_figures(document), "inspections": {"total": 99}}}


def _broken(_document):
    return {"document": "{"}


@pytest.mark.parametrize("forge", [_words, _sealed_anew, _figures, _broken])
def test_whatever_is_changed_is_found_every_night_and_told_once(night, session, make_ctx, forge):
    document = stored(session)
    good = {"document": canonical_json(document), "archive_sha256": document["archive_sha256"]}
    good["figures"] = stored_figures(document)
    change(session, **forge(stored(session)))

    assert night() == ("critical", 1, 1)
    assert night() == ("critical", 1, 1)
    assert told(session) == [(SITE, "2026-02")]
    page = integrity_page.page_data(make_ctx())
    assert [(one.shelf, one.name, one.site) for one in page.broken] == [("closed_month", "2026-02 v1", SITE)]
    assert page.broken_count == 1
    assert not integrity_page.page_data(make_ctx("manager", ("별관",), permissions=("audit:read",))).broken

    change(session, **good)
    assert night() == ("ok", 1, 0)
    change(session, document="{")
    assert night() == ("critical", 1, 1)
    assert len(told(session)) == 2


def test_a_reader_of_another_site_hears_nothing_of_it(make_ctx, closed, session):
    change(session, document="{")
    for sites, count in (((SITE,), 1), (("별관",), 0)):
        ctx = make_ctx("auditor", sites)
        ctx.begin_write()
        made = integrity.batch(ctx)
        assert sum(one.changed_count for one in made.stored) == count
        ctx.rollback()
