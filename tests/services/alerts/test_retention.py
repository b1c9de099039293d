"""Old deliveries go only when their archive was written and read again (API contract, retention)."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from console.domain.archives.archives import ALERT_RETENTION
from console.models.alerts import AlertAttempt, AlertDelivery
from console.models.archives import StoredFile
from console.services.alerts import outbox as alerts
from console.services.alerts import retention
from tests.services.alerts.test_outbox import outbox, receiver

__all__ = ["outbox", "receiver"]


@pytest.fixture
def aged(outbox, receiver, clock):
    """Three old deliveries, of which one still waits, and a young one."""
    for number in range(3):
        outbox.raise_one(number=number, text='=변전실, "3"')
    outbox.deliver()
    with outbox.work() as ctx:
        ids = list(ctx.session.scalars(select(AlertDelivery.id).order_by(AlertDelivery.id)))
        waits = update(AlertDelivery).where(AlertDelivery.id == ids[2])
        ctx.session.execute(waits.values(status="failed", next_attempt_at=clock.now()))
    clock.advance(timedelta(days=40))
    outbox.raise_one(number=9)
    return ids


def run(outbox, **options):
    with outbox.work() as ctx:
        return retention.retain(ctx, days=7, **{"most": None, "write_archive": None, **options})


def left(outbox):
    with outbox.work() as ctx:
        return ctx.session.scalar(select(func.count()).select_from(AlertDelivery))


def test_old_deliveries_go_into_an_archive_and_what_waits_stays(outbox, aged, clock):
    done = run(outbox)

    made = done.detail
    stamp = f"{clock.now():%Y%m%dT%H%M%SZ}"
    assert (done.status, made["candidate_count"], made["deleted_count"], left(outbox)) == ("success", 2, 2, 2)
    assert made["archive_file"] == f"alert-deliveries-{stamp}-{aged[0]}-{aged[1]}.csv"
    content = (outbox.config.path(ALERT_RETENTION.path) / made["archive_file"]).read_bytes().decode()
    head, first, *_more = content.split("\r\n")
    assert head == "id,event_type,target,status,error,attempt_count,last_attempt_at,created_at,updated_at,payload_json"
    assert first.startswith(f"{aged[0]},test_event,")
    assert "변전실" in first
    assert "secret" not in content
    with outbox.work() as ctx:
        assert ctx.session.scalars(select(AlertAttempt.delivery_id)).all() == [aged[2]]
        kept = ctx.session.scalars(select(StoredFile)).one()
        assert (kept.kind, kept.filed) == ("alert_retention", True)


def test_without_its_archive_nothing_goes(outbox, aged):
    folder = outbox.config.path(ALERT_RETENTION.path)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in the way")
    done = run(outbox)

    assert (done.status, done.detail["deleted_count"], left(outbox)) == ("warning", 0, 4)
    assert done.detail["archive_error"]
    assert done.detail["archive_file"] is None


def test_an_archive_that_reads_otherwise_than_it_was_written_keeps_the_rows(outbox, aged, monkeypatch):
    monkeypatch.setattr(retention.files, "state_of", lambda *_args, **_more: "changed")

    done = run(outbox)

    assert (done.status, done.detail["archive_error"], left(outbox)) == ("warning", "archive is changed", 4)


def test_bounds_and_the_way_without_archive(outbox, aged):
    assert run(outbox, most=1, write_archive=False).detail["archive_file"] is None
    assert left(outbox) == 3
    assert run(outbox, write_archive=False).detail["deleted_count"] == 1
    assert run(outbox).detail == {**run(outbox).detail, "candidate_count": 0, "archive_file": None}


def test_thousands_go_in_pieces(outbox, clock, make_ctx):
    with outbox.work() as ctx:
        for _number in range(1200):
            alerts.raise_alert(ctx, "test_event", {})
        ctx.session.execute(update(AlertDelivery).values(next_attempt_at=None, status="dead"))
    clock.advance(timedelta(days=8))

    assert run(outbox).detail["deleted_count"] == 1200
