"""The comparison over histories by chance in a real database: clean ones are found clean, each fault under its name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import SYSTEM, Context
from console.core.database import make_engine
from console.domain.alerts.accuracy import REACHED_WITHIN
from console.models.alerts import AlertDelivery
from console.models.base import Base
from console.models.jobs import JobRun
from console.models.tracker import TrackerEvent
from console.services.alerts import accuracy
from console.services.alerts import channels as alert_channels
from tests.conftest import empty
from tests.factories.alert_history import KPI, LINES, History, Thing, run_of

NOW = datetime(2026, 3, 20, 0, 35, tzinfo=UTC)
START = NOW - timedelta(days=16)
HOUR = timedelta(hours=1)
CONFIG = Config.for_tests(ALERT_WEBHOOK_URLS="https://a.example/hook; https://b.example/hook")

CHANGES = st.lists(
    st.tuples(
        st.integers(1, 300),
        st.integers(0, 59),
        st.sampled_from(
            [{"status": "done"}, {"status": "in_progress"}, {"rule_status": "fail"}, {"assignee": "lee"}, {"due_at": 0}]
        ),
        st.integers(-48, 96),
    ),
    max_size=4,
)
THINGS = st.lists(
    st.tuples(st.integers(1, 15 * 24), st.sampled_from([1, 4, 24, 72]), st.booleans(), CHANGES), min_size=1, max_size=4
)
POLICIES = st.lists(
    st.tuples(
        st.integers(0, 15 * 24),
        st.fixed_dictionaries(
            {
                "paused": st.booleans(),
                "escalation_due_soon_hours": st.sampled_from([0, 6, 24]),
                "escalation_half_sla": st.booleans(),
                "escalation_repeat_hours": st.sampled_from([0, 2, 8]),
            }
        ),
    ),
    max_size=2,
)


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory):
    engine = make_engine(f"sqlite:///{tmp_path_factory.mktemp('histories')}/facility.db")
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


def thing(hours, sla_hours, required, changes):
    """Return an item that was opened so many hours ago, with those of its changes that lie behind us."""
    opened = NOW - hours * HOUR
    made = {}
    for after, minute, values, by in changes:
        at = (opened + after * HOUR).replace(minute=minute)
        if opened < at < NOW:
            made[at] = {name: at + by * HOUR if name == "due_at" else value for name, value in values.items()}
    return Thing(
        opened,
        opened + sla_hours * HOUR,
        sla_hours,
        required,
        changes=[(at, "changed", values) for at, values in sorted(made.items())],
    )


def written(session, things, policies=()):
    """Write the history that a console leaves that keeps every promise; returns it with a context at its end."""
    ctx = Context(session, FixedClock(NOW), SYSTEM, CONFIG)
    revisions = sorted({START + hour * HOUR: values for hour, values in policies}.items())
    history = History(session, START, NOW, [one.key for one in alert_channels.built_in(CONFIG)], revisions)
    history.write([thing(*one) for one in things])
    return ctx, history


def labels(ctx):
    found = accuracy.measure(ctx, LINES).accuracy
    ctx.session.rollback()
    return {label for label, count in found.labels.items() if count}


@settings(max_examples=12)
@given(THINGS, POLICIES)
def test_a_history_that_kept_every_promise_is_found_clean(sqlite, things, policies):
    empty(sqlite)
    with Session(sqlite) as session:
        ctx, _history = written(session, things, policies)

        assert labels(ctx) == set()


def lost_job(session, _history, chance):
    session.delete(_kpi_run(session, chance))


def doubled_job(session, _history, chance):
    # Since the last run that was asked for: a row that comes later and is older would be a clock that was set back.
    session.add(run_of(KPI.job, NOW - timedelta(minutes=chance.randint(10, 14))))


def late_job(session, _history, chance):
    run, late = _kpi_run(session, chance), timedelta(minutes=chance.randint(15, 90))
    run.started_at, run.finished_at = run.started_at + late, run.finished_at + late


def clock_jump(session, _history, chance):
    at = NOW - timedelta(minutes=chance.randint(11, 19))
    session.add(run_of("alert_delivery", at - chance.randint(2, 9) * HOUR, scheduled_for=None, requested_by="system"))


def deleted_delivery(session, _history, chance):
    one = _delivery(session, chance)
    whole = chance.random() < 0.5
    doomed = delete(AlertDelivery).where(AlertDelivery.created_at == one.created_at)
    session.execute(doomed if whole else doomed.where(AlertDelivery.channel == one.channel))


def dead_channel(session, _history, chance):
    # What was raised a moment ago may still be on its way.
    one = _delivery(session, chance, NOW - REACHED_WITHIN)
    since = (AlertDelivery.channel == one.channel, AlertDelivery.created_at >= one.created_at)
    session.execute(update(AlertDelivery).where(*since).values(status="dead"))


def alert_without_cause(_session, history, chance):
    history.alert((NOW - chance.randint(2, 200) * HOUR).replace(minute=chance.randint(40, 59)))


def lost_escalation(session, history, _chance):
    session.execute(delete(TrackerEvent).where(TrackerEvent.kind == "escalated"))
    session.execute(delete(AlertDelivery))


FAULTS = (
    *(lost_job, doubled_job, late_job, clock_jump, deleted_delivery),
    *(dead_channel, alert_without_cause, lost_escalation),
)


def _kpi_run(session, chance):
    runs = select(JobRun).where(JobRun.job_name == KPI.job).order_by(JobRun.id.desc())
    return session.scalars(runs.offset(chance.randint(2, 12)).limit(1)).one()


def _delivery(session, chance, before=NOW):
    recent = AlertDelivery.created_at > NOW - timedelta(days=13), AlertDelivery.created_at < before
    return chance.choice(session.scalars(select(AlertDelivery).where(*recent).order_by(AlertDelivery.id)).all())


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.__name__)
@settings(max_examples=3)
@given(THINGS, st.integers(0, 2**32))
def test_one_fault_in_any_history_is_found_under_its_name(sqlite, fault, things, seed):
    empty(sqlite)
    with Session(sqlite) as session:
        # One item that is late since long ago, so that there is something to lose.
        ctx, history = written(session, [(10 * 24, 24, True, []), *things])
        fault(session, history, Random(seed))
        session.commit()
        found = labels(ctx)

        assert fault.__name__ in found
        assert found <= {fault.__name__, "lost_repeat", "late_escalation"}
