"""What happens at the same moment: two approvers, two passes of the escalation, a worker that dies inside of one."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import sessionmaker

from console.core.context import Context, start_writing
from console.domain.errors import Conflict
from console.domain.facility_sla.policy import HOURS, SlaPolicy
from console.models.alerts import AlertDelivery
from console.models.audit import AuditLog
from console.models.policies import PolicyRevision
from console.models.work_orders import SlaPass, WorkOrder, WorkOrderEvent
from console.services.facility_sla import policies, proposals
from console.services.facility_sla.whatif import Wish
from console.services.work_orders import actions, escalation
from tests.conftest import actor_of
from tests.factories.work_orders import add_order

MINUTE = timedelta(minutes=1)


def as_person(ctx, name):
    return replace(ctx, actor=actor_of("owner", username=name))


@pytest.fixture
def waiting(ctx):
    """The id of a proposal that waits."""
    made = proposals.propose(as_person(ctx, "kim"), SlaPolicy(HOURS, 30), Wish())
    ctx.commit()
    return made.id


def approve(name, proposal_id):
    return lambda ctx: proposals.approve(as_person(ctx, name), proposal_id)


def test_of_two_approvers_one_wins_and_the_other_is_told_who_was_first(waiting, at_once, session):
    results = at_once(approve("park", waiting), approve("choi", waiting))

    won = [one for one in results if not isinstance(one, Exception)]
    lost = [one for one in results if isinstance(one, Conflict)]
    assert (len(won), len(lost)) == (1, 1)
    assert lost[0].detail == "Only pending proposal can be approved"
    assert won[0].decided_by in str(lost[0].told)
    assert session.scalar(select(func.count()).select_from(PolicyRevision)) == 1


def test_a_rejection_beside_an_approval_leaves_one_of_them(waiting, at_once, session, make_ctx):
    def reject(ctx):
        return proposals.reject(as_person(ctx, "choi"), waiting)

    results = at_once(approve("park", waiting), reject)
    assert sum(isinstance(one, Conflict) for one in results) == 1
    state = proposals.get(make_ctx(), waiting).status
    revisions = session.scalar(select(func.count()).select_from(PolicyRevision))
    assert (state, revisions) in {("approved", 1), ("rejected", 0)}


def test_a_first_write_of_two_at_once_makes_one_row_and_two_revisions(engine, at_once, session):
    results = at_once(*(lambda ctx, grace=grace: policies.put(ctx, SlaPolicy(HOURS, grace)) for grace in (10, 20)))

    assert not [one for one in results if isinstance(one, Exception)]
    numbers = session.scalars(select(PolicyRevision.revision).order_by(PolicyRevision.revision)).all()
    assert numbers == [1, 2]


@pytest.fixture
def late(session, clock):
    """Twelve orders that are late."""
    for minutes in range(12):
        add_order(session, clock.now(), due_at=clock.now() - (minutes + 1) * MINUTE)
    session.commit()


def escalate(ctx):
    ctx.config = ctx.config.replaced(ALERT_WEBHOOK_URLS="https://hooks.example/a")
    return escalation.escalate(ctx, limit=8)


def test_two_passes_at_once_flag_each_order_once(late, at_once, session):
    results = at_once(escalate, escalate)

    assert not [one for one in results if isinstance(one, Exception)]
    ids = [number for one in results for number in one.work_order_ids]
    assert len(ids) == len(set(ids))
    told = session.scalars(select(WorkOrderEvent.work_order_id).where(WorkOrderEvent.event_type == "escalated")).all()
    assert sorted(told) == sorted(ids)
    flagged = session.scalar(select(func.count()).select_from(WorkOrder).where(WorkOrder.is_escalated))
    assert flagged == len(ids)
    assert session.scalar(select(func.count()).select_from(AlertDelivery)) == sum(
        bool(r.work_order_ids) for r in results
    )


def test_an_order_that_is_completed_meanwhile_is_escalated_before_or_not_at_all(late, at_once, session):
    number = session.scalar(select(func.max(WorkOrder.id)))
    session.rollback()
    results = at_once(escalate, lambda ctx: actions.complete(ctx, number, "done"))

    assert not [one for one in results if isinstance(one, Exception)]
    row = session.get(WorkOrder, number)
    told = session.scalars(select(WorkOrderEvent.event_type).where(WorkOrderEvent.work_order_id == number)).all()
    assert row.status == "completed"
    assert row.is_escalated == ("escalated" in told)


class Died(BaseException):
    """The end of a worker."""


# To die behind a statement is to die before the next one.
MOMENTS = ("before_cursor_execute", "commit")


def test_a_worker_that_dies_anywhere_inside_leaves_nothing_and_the_next_one_does_it_all(
    late, engine, clock, config, session
):
    def dies(death):
        """Tell whether a worker came to the moment with this number, and died there."""
        told = []

        def tick(*_args):
            told.append(1)
            if len(told) == death:
                raise Died

        with sessionmaker(engine)() as own:
            ctx = Context(own, clock, actor_of(), config)
            start_writing(own)
            for moment in MOMENTS:
                event.listen(engine, moment, tick)
            try:
                escalate(ctx)
                ctx.commit()
            except Died:
                # With the process goes its connection.
                own.invalidate()
                return True
            finally:
                for moment in MOMENTS:
                    event.remove(engine, moment, tick)
        return False

    death = 1
    while dies(death):
        death += 1
        for model in (SlaPass, AlertDelivery, WorkOrderEvent, AuditLog):
            assert session.scalar(select(func.count()).select_from(model)) == 0
        assert session.scalar(select(func.count()).select_from(WorkOrder).where(WorkOrder.is_escalated)) == 0
        session.rollback()

    assert death > 10
    told = session.scalars(select(WorkOrderEvent.work_order_id).where(WorkOrderEvent.event_type == "escalated")).all()
    assert len(told) == len(set(told)) == 8
    assert session.scalar(select(func.count()).select_from(AlertDelivery)) == 1
