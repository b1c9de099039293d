"""The comparison of what should have been told with what was: clean histories, and one thing broken at a time."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, func, select, update

from console.domain.alerts.alerts import ESCALATED
from console.domain.jobs import names as job_names
from console.domain.tracker.tracker import REMEDIATION
from console.models.alerts import AlertDelivery
from console.models.jobs import JobRun
from console.models.tracker import TrackerEvent, TrackerItem
from console.services.alerts import accuracy
from console.services.alerts import channels as alert_channels
from console.services.alerts.channels import Wish
from tests.factories.alert_history import KPI, LINES, History, Thing, run_of

NOW = datetime(2026, 3, 20, 0, 35, tzinfo=UTC)
START = NOW - timedelta(days=20)
HOUR = timedelta(hours=1)
URLS = "https://a.example/hook; https://b.example/hook"


@pytest.fixture
def told(make_ctx, clock, config):
    """A context at the end of the history, with two channels."""
    clock.set(NOW)
    made = make_ctx()
    made.config = config.replaced(ALERT_WEBHOOK_URLS=URLS)
    return made


@pytest.fixture
def history(session, told):
    channels = [one.key for one in alert_channels.built_in(told.config)]
    made = History(session, START, NOW, channels)
    made.write(
        [
            Thing(NOW - timedelta(days=6), NOW - timedelta(days=5)),
            Thing(NOW - timedelta(days=3), NOW - timedelta(days=1), required=True, rule_status="fail"),
            Thing(NOW - timedelta(hours=30), NOW + timedelta(hours=4), sla_hours=24),
        ]
    )
    return made


def labels(ctx):
    found = accuracy.measure(ctx, LINES)
    return {label: count for label, count in found.accuracy.labels.items() if count}


def test_a_console_that_keeps_its_promises_is_found_right(told, history):
    found = accuracy.measure(told, LINES).accuracy

    assert {label: count for label, count in found.labels.items() if count} == {}
    assert (found.missed_count, found.missed_percent, found.false_percent) == (0, 0.0, 0.0)
    assert found.incident_count == 5  # soon and late, soon and critically late, soon
    assert found.alert_count > 20
    assert found.standing == "ok"


def test_a_channel_that_chooses_and_a_trial_that_failed_prove_nothing(told, history, session):
    made = alert_channels.create(told, Wish("급한 것만", "mail", "night@example.com", least_level="critical"))
    told.commit()
    before, middle, after = session.scalars(
        select(AlertDelivery).where(AlertDelivery.event_type == ESCALATED).order_by(AlertDelivery.id).offset(2).limit(3)
    ).all()
    same = {"event_type", "site", "created_at", "last_attempt_at", "updated_at", "payload_json"}
    for number, (row, event_type, probe) in enumerate(
        ((before, ESCALATED, False), (after, ESCALATED, False), (middle, "alert_guard_recover", True))
    ):
        values = {name: getattr(row, name) for name in same} | {"event_type": event_type, "probe": probe}
        status = "failed" if probe else "success"
        session.add(AlertDelivery(message_id=f"own_{number}", channel=made.key, target="n", status=status, **values))
    session.commit()

    assert labels(told) == {}


def test_a_lost_job_is_found(told, history, session):
    lost = session.scalar(select(JobRun).where(JobRun.job_name == KPI.job).order_by(JobRun.id.desc()).offset(3))
    at = lost.scheduled_for
    session.delete(lost)
    session.commit()

    found = accuracy.measure(told, LINES)

    assert labels(told) == {"lost_job": 1}
    assert [(one.label, one.job_name, one.at) for one in found.findings] == [("lost_job", job_names.KPI, at)]


def test_a_run_whose_worker_went_away_and_that_nobody_repeated_is_lost(told, history, session):
    run = session.scalar(select(JobRun).where(JobRun.job_name == KPI.job).order_by(JobRun.id.desc()).offset(2))
    run.status, run.error_code = "critical", "worker_lost"
    session.commit()

    assert labels(told) == {"lost_job": 1}

    session.add(run_of(KPI.job, NOW - HOUR / 6, scheduled_for=None, retry_of=run.id))
    session.commit()

    assert labels(told) == {}


def test_a_doubled_job_is_found(told, history, session):
    session.add(run_of(KPI.job, NOW - timedelta(minutes=10)))
    session.commit()

    assert labels(told) == {"doubled_job": 1}


def test_a_late_job_is_found(told, history, session):
    run = session.scalar(select(JobRun).where(JobRun.job_name == KPI.job).order_by(JobRun.id.desc()).offset(2))
    run.started_at, run.finished_at = run.started_at + HOUR / 4, run.finished_at + HOUR / 4
    session.commit()

    assert labels(told) == {"late_job": 1}


def test_instants_that_one_run_stood_in_for_were_late_and_are_one_finding(told, history, session):
    runs = session.scalars(select(JobRun).where(JobRun.job_name == KPI.job).order_by(JobRun.id.desc()).limit(4)).all()
    runs[0].missed_count, runs[0].catch_up = 3, True
    for run in runs[1:]:
        session.delete(run)
    session.commit()

    found = accuracy.measure(told, LINES)

    assert labels(told) == {"late_job": 1}
    assert found.findings[0].detail == {"instants": 3, "caught_up": True}


def test_a_clock_that_was_set_back_is_found(told, history, session):
    at = NOW - timedelta(minutes=20)
    session.add(run_of("alert_delivery", at - 2 * HOUR, scheduled_for=None, requested_by="system"))
    session.commit()

    assert labels(told) == {"clock_jump": 1}


def test_a_dead_channel_is_found(told, history, session):
    dead = alert_channels.built_in(told.config)[1].key
    recent = (AlertDelivery.channel == dead, AlertDelivery.created_at > NOW - timedelta(days=2))
    changed = session.execute(update(AlertDelivery).where(*recent).values(status="dead"))
    session.commit()

    assert labels(told) == {"dead_channel": changed.rowcount}


def test_alerts_that_reached_nobody_are_missed(told, history, session):
    session.execute(
        update(AlertDelivery).where(AlertDelivery.created_at > NOW - timedelta(hours=20)).values(status="dead")
    )
    session.commit()

    found = labels(told)

    assert set(found) == {"dead_channel", "missed_alert"}
    assert accuracy.measure(told, LINES).accuracy.missed_percent > 0


@pytest.mark.parametrize("whole", [True, False])
def test_a_deleted_delivery_is_found(told, history, session, whole):
    at = session.scalar(select(AlertDelivery.created_at).order_by(AlertDelivery.created_at.desc()).offset(12))
    doomed = delete(AlertDelivery).where(AlertDelivery.created_at == at)
    session.execute(doomed if whole else doomed.where(AlertDelivery.channel == history.channels[0]))
    session.commit()

    assert labels(told) == {"deleted_delivery": 1}


def test_an_alert_that_came_twice_is_found(told, history, session):
    event = session.scalar(
        select(TrackerEvent)
        .where(TrackerEvent.kind == "escalated", TrackerEvent.at > NOW - timedelta(days=3))
        .order_by(TrackerEvent.id)
    )
    again = event.at + HOUR
    session.add(
        TrackerEvent(
            item_id=event.item_id, tracker=event.tracker, at=again, actor="system", kind="escalated", new=event.new
        )
    )
    if not session.scalar(select(func.count()).where(AlertDelivery.created_at.between(again, again + HOUR / 60))):
        history.alert(again + timedelta(milliseconds=20))
    session.commit()

    assert labels(told) == {"doubled_alert": 1}


def test_an_alert_without_a_cause_is_false(told, history, session):
    history.alert(NOW - timedelta(hours=2, minutes=5))
    session.commit()

    assert labels(told) == {"alert_without_cause": 1}


def test_an_escalation_that_nobody_got_is_lost(told, history, session):
    item_id = max(history.items) - 1  # critical, and late since a day
    session.execute(delete(TrackerEvent).where(TrackerEvent.kind == "escalated", TrackerEvent.item_id == item_id))
    session.commit()

    found = accuracy.measure(told, LINES)

    assert found.accuracy.labels["lost_escalation"] == 2
    assert {one.item_id for one in found.findings if one.label == "lost_escalation"} == {item_id}
    assert found.accuracy.standing == "warning"


def test_without_a_channel_it_is_said_that_nobody_could_be_told(told, history, session, config):
    told.config = config
    session.execute(delete(TrackerEvent).where(TrackerEvent.kind == "escalated"))
    session.execute(delete(AlertDelivery))
    session.commit()

    assert set(labels(told)) == {"no_channel"}


def test_no_repeat_is_expected_while_a_person_put_the_reminders_off(told, history, session):
    item_id = session.scalar(select(TrackerItem.id).where(TrackerItem.required.is_(True)))
    mine, since = TrackerEvent.item_id == item_id, NOW - 10 * HOUR
    session.execute(delete(TrackerEvent).where(mine, TrackerEvent.kind == "escalated", TrackerEvent.at > since))
    session.commit()
    assert labels(told)["lost_repeat"] >= 1
    told.rollback()

    new = {"until": (NOW + HOUR).isoformat(), "reason": "the vendor comes"}
    values = {"tracker": REMEDIATION.key, "actor": "kim", "kind": "snoozed", "new": new}
    session.add(TrackerEvent(item_id=item_id, at=since, **values))
    session.commit()

    assert "lost_repeat" not in labels(told)
