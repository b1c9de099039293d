"""Whatever the board and the policy are: a run does exactly what the preview of that moment promised.

The short form tries six boards; SOAK=1 a hundred.
"""

import os
import random
from datetime import timedelta

from sqlalchemy import select

from console.core.config import Config
from console.models.automation import ItemEscalation
from console.models.tracker import TrackerEvent
from console.services.automation import preview as autopilot
from tests.services.automation.automation_support import AUTOPILOT, HOOK, item, people, run, set_policy

BOARDS = 100 if os.environ.get("SOAK") == "1" else 6
DUE = (None, -200, -30, -2, -0.5, 0.5, 2, 5, 11, 30, 200)
HOLDERS = (None, None, None, "bora", "dong", "kim", "gone")


def board(session, clock, chance, first):
    """Add items in every state, to nobody, to people, to somebody who was switched off."""
    for number in range(first, first + chance.randint(1, 25)):
        status = chance.choice(("pending", "pending", "in_progress", "blocked", "done"))
        item(
            session,
            clock,
            number,
            chance.choice(DUE),
            status=status,
            critical=chance.random() < 0.3,
            assignee=chance.choice(HOLDERS),
            sla_hours=chance.choice((1, 4, 24, 72)),
            priority=chance.randint(1, 9),
            is_active=chance.random() < 0.9,
            owner_role=chance.choice(("Ops Manager", "Security Manager", "Anybody")),
            site=chance.choice((None, None, "한빛마을 3단지")),
        )
    session.commit()


def policy(chance):
    """Return values that plan much, little or nothing."""
    return {
        "sync_before_run": False,
        "cooldown_minutes": 0,
        "unassigned_trigger": chance.choice((0, 1, 3)),
        "overdue_trigger": chance.choice((0, 1, 3)),
        "auto_assign_max_items": chance.choice((1, 3, 500)),
        "escalation_due_soon_hours": chance.choice((0, 12, 168)),
        "escalation_repeat_hours": chance.choice((0, 4)),
        "escalation_half_sla": chance.random() < 0.5,
        "notify_enabled": chance.random() < 0.8,
        "skip_if_no_action": chance.random() < 0.5,
    }


def done_by(session, run_id):
    """Return what a run did: who got which item, and which item was told at which level."""
    session.rollback()
    given = select(TrackerEvent.item_id, TrackerEvent.new).where(
        TrackerEvent.kind == "auto_assigned", TrackerEvent.run_id.is_not(None)
    )
    nested = {row.item_id: row.new["assignee"] for row in session.execute(given.where(TrackerEvent.run_id >= run_id))}
    told = select(ItemEscalation.item_id, ItemEscalation.level).where(ItemEscalation.run_id >= run_id)
    return nested, dict(session.execute(told).all())


def test_a_run_does_what_its_preview_promised(make_ctx, session, clock, engine):
    chance = random.Random(engine.dialect.name)
    people(session, clock)
    session.commit()
    ctx = make_ctx()
    ctx.config = Config.for_tests(ALERT_WEBHOOK_URL=HOOK)
    acted = 0
    for number in range(BOARDS):
        session.rollback()
        board(session, clock, chance, 100 * number + 1)
        set_policy(ctx, **policy(chance))
        force = chance.random() < 0.2
        promised = autopilot.preview(ctx, force=force)
        ctx.rollback()

        found = run(ctx, AUTOPILOT, {"force": force, "fingerprint": promised.fingerprint})

        seen = f"board {number}"
        detail, lines = found.detail, promised.plan.lines
        assert detail["fingerprint"] == promised.fingerprint, seen
        assert tuple(detail["planned_actions"]) == promised.planned_actions, seen
        assert detail["skip_reason"] == promised.guard.would_skip_reason, seen
        assert detail["errors"] == [], seen
        assigned, told = done_by(session, found.run.id)
        if detail["skipped"]:
            assert (assigned, told) == ({}, {}), seen
        else:
            assert assigned == {line.id: line.targets[0] for line in lines if line.action == "auto_assign"}, seen
            shown = {line.id: line.level for line in lines if line.action == "escalation"}
            assert shown.items() <= told.items(), seen
            assert (len(told), len(shown)) == (count := promised.plan.count("escalation"), min(count, 50)), seen
            acted += bool(assigned or told)
        clock.advance(timedelta(hours=chance.choice((1, 5))))
    assert acted >= BOARDS / 2
