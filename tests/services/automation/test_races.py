"""What happens at the same moment: two runs, a person beside the machine, a policy changed in between."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import unit_of_work
from console.domain.errors import Conflict
from console.models.alerts import AlertDelivery
from console.models.automation import ItemEscalation, RunFact
from console.models.jobs import JobRun
from console.models.tracker import TrackerItem
from console.services.automation import latest as automation_runs
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.services.tracker import items as tracker_items
from console.services.tracker.change import ItemChange
from tests.conftest import START, actor_of
from tests.services.automation.automation_support import (
    AUTO_ASSIGN,
    AUTOPILOT,
    ESCALATION,
    HOOK,
    events_of,
    item,
    people,
    set_policy,
)

ROUNDS = 20 if os.environ.get("SOAK") else 2


@pytest.fixture
def ctx(make_ctx, session, clock):
    people(session, clock)
    session.commit()
    made = make_ctx()
    set_policy(made, sync_before_run=False, cooldown_minutes=0)
    return made


class Place:
    """One caller with a session of its own."""

    def __init__(self, engine, minutes=0):
        self.factory = sessionmaker(engine)
        self.clock = FixedClock(START + timedelta(minutes=minutes))
        self.config = Config.for_tests(ALERT_WEBHOOK_URL=HOOK)

    def use(self, write, **actor):
        return unit_of_work(self.factory, actor=actor_of(**actor), clock=self.clock, config=self.config, write=write)

    def run(self, name, options=None):
        with self.use(False) as ctx:
            return run_engine.execute(ctx, registry.get(name), options or {}, trigger="cron").run

    def ask(self, name):
        with self.use(False) as ctx:
            return automation_runs.run(ctx, registry.get(name), {})


def together(*works):
    """Start all at the same moment; give results, or the refusals."""
    ready = threading.Barrier(len(works))

    def go(work):
        ready.wait()
        try:
            return work()
        except Conflict as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(go, work) for work in works]]


@pytest.mark.parametrize("number", range(ROUNDS))
def test_of_two_autopilot_runs_at_once_one_acts(ctx, session, clock, engine, number):
    for one in range(1, 6):
        item(session, clock, one, -1)
    session.commit()

    results = together(*(lambda: Place(engine).ask(AUTOPILOT) for _caller in range(3)))

    acted = [made for made in results if not made["skipped"]]
    # A caller who came after the first had ended found nothing more to assign or tell.
    assert len(acted) >= 1
    assert sum(len(made["auto_assign"]["updated_ids"]) for made in acted if made["auto_assign"]) == 5
    assert sum(made["escalation"]["notified_count"] for made in acted if made["escalation"]) == 5
    assert {made["skip_reason"] for made in results} <= {None, "already_running"}
    session.rollback()
    assert len(events_of(session, "auto_assigned")) == len(events_of(session, "escalated")) == 5
    kinds = session.scalars(select(AlertDelivery.event_type)).all()
    assert sorted(kinds) == ["ops_governance_remediation_assigned", "ops_governance_remediation_escalation"]
    running = select(func.count()).select_from(JobRun).where(JobRun.state == "running")
    assert session.scalar(running) == 0


@pytest.mark.parametrize("number", range(ROUNDS))
def test_the_hourly_escalation_beside_the_autopilot_tells_everybody_once(ctx, session, clock, engine, number):
    for one in range(1, 31):
        item(session, clock, one, -1, assignee="kim")
    session.commit()

    together(lambda: Place(engine).run(ESCALATION), lambda: Place(engine).run(AUTOPILOT, {"force": True}))

    session.rollback()
    assert session.scalar(select(func.sum(ItemEscalation.count))) == 30
    assert len(events_of(session, "escalated")) == 30
    notified = session.scalars(select(RunFact.notified_count).where(RunFact.job_name == ESCALATION)).all()
    assert sorted(notified) == [0, 30]


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_person_who_is_faster_keeps_the_item(ctx, session, clock, engine, number):
    ids = [item(session, clock, one, one).id for one in range(1, 41)]
    session.commit()

    def by_hand():
        place, mine = Place(engine), []
        for item_id in ids[::3]:
            try:
                with place.use(True, username="somebody") as other:
                    tracker_items.claim(other, item_id)
            except Conflict:
                continue
            mine.append(item_id)
        return mine

    mine, run = together(by_hand, lambda: Place(engine).run(AUTO_ASSIGN, {"limit": 500}))

    session.rollback()
    rows = {row.id: row for row in session.scalars(select(TrackerItem))}
    given = set(run.detail["updated_ids"])
    assert not given & set(mine)
    assert all(rows[item_id].assignee == "somebody" for item_id in mine)
    assert all(rows[item_id].assignee != "somebody" for item_id in given)
    assert len(given) + run.detail["skipped_count"] <= 40
    assert len(events_of(session, "auto_assigned")) == len(given)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_changes_by_hand_beside_an_assignment_are_all_kept(ctx, session, clock, engine, number):
    ids = [item(session, clock, one, one).id for one in range(1, 21)]
    session.commit()

    def by_hand():
        place = Place(engine)
        for item_id in ids:
            with place.use(True, username="somebody") as other:
                tracker_items.change(other, item_id, ItemChange(completion_note=f"note {item_id}"))

    together(by_hand, lambda: Place(engine).run(AUTO_ASSIGN, {"limit": 500}))

    session.rollback()
    rows = {row.id: row for row in session.scalars(select(TrackerItem))}
    assert [rows[item_id].completion_note for item_id in ids] == [f"note {item_id}" for item_id in ids]
    assert all(row.assignee and row.assignment_source == "auto" for row in rows.values())
    assert all(row.version == 3 for row in rows.values())
