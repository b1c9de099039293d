"""Taking a step for many orders back."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from console.domain.errors import Conflict, Gone, NotFound
from console.domain.facility_sla.policy import HOURS, SlaPolicy
from console.domain.tracker.requests import Selection
from console.domain.work_orders.requests import NewOrder, OrderBulk
from console.models.audit import AuditLog
from console.models.work_orders import WorkOrder, WorkOrderEvent
from console.services.facility_sla import policies
from console.services.tracker import undo as board
from console.services.work_orders import actions, bulk, create, events, undo
from tests.factories import make_user

HOUR = timedelta(hours=1)


@pytest.fixture
def person(session, clock, make_ctx):
    """A manager of 본관 with three orders there: of nobody, of 이정비, and of somebody without an account."""
    now = clock.now()
    for username, name in (("kim", "김정비"), ("lee", "이정비")):
        make_user(session, now=now, username=username, display_name=name, role="operator", site_scope=("본관",))
    session.commit()
    ctx = make_ctx("manager", ("본관",), username="park")
    policies.put(make_ctx(), SlaPolicy(HOURS, 0))
    ctx.orders = [
        create.create(ctx, NewOrder(f"Pump {number}", "본관", "B1", assignee=assignee)).id
        for number, assignee in enumerate((None, "lee", "외주 A"))
    ]
    ctx.commit()
    clock.advance(HOUR)
    return ctx


def state(ctx):
    """Return everything of the orders that a step changes."""
    ctx.session.expire_all()
    columns = ("assignee", "assignee_user_id", "priority", "priority_rank", "due_at", "policy_revision_id")
    orders = ctx.session.scalars(select(WorkOrder).order_by(WorkOrder.id))
    return [[getattr(order, name) for name in columns] for order in orders]


def step(ctx, change):
    told = bulk.apply(ctx, Selection(ids=tuple(ctx.orders)), change)
    ctx.commit()
    return told.undo


def back(ctx, token):
    undone = undo.undo(ctx, token)
    ctx.commit()
    return undone


@pytest.mark.parametrize("action", ["assign", "priority", "due"])
def test_everything_is_as_before_and_the_history_says_so(person, clock, session, action):
    change = {
        "assign": OrderBulk("assign", value="kim"),
        "priority": OrderBulk("priority", value="critical", text="flood"),
        "due": OrderBulk("due", at=clock.now() + 9 * HOUR, text="parts"),
    }[action]
    before = state(person)
    token = step(person, change)
    changed = state(person)
    clock.advance(timedelta(seconds=20))

    undone = back(person, token)

    assert changed != before == state(person)
    assert (undone.restored, undone.skipped) == (tuple(person.orders), ())
    newest = events.listed(person, person.orders[0])[0][-1]
    assert (newest.event_type, newest.detail["undo"]) == ("updated", True)
    entry = session.scalars(select(AuditLog).order_by(AuditLog.id.desc())).first()
    assert (entry.action, entry.resource_id) == ("work_order_bulk_undo", action)


def test_what_somebody_touched_since_is_left_alone(person, clock):
    token = step(person, OrderBulk("assign", value="kim"))
    clock.advance(timedelta(seconds=5))
    first, second, third = person.orders
    actions.complete(person, first, "swept")
    events.comment(person, second, "on my way")
    person.commit()

    undone = back(person, token)

    assert (undone.restored, undone.skipped) == ((third,), (first, second))
    assert [row[0] for row in state(person)] == ["kim", "kim", "외주 A"]


def test_it_is_taken_back_once_in_time_and_by_whoever_did_it(person, make_ctx, clock):
    token, other = step(person, OrderBulk("assign", value="kim")), make_ctx("manager", ("본관",), username="other")
    with pytest.raises(NotFound):
        undo.undo(other, token)
    with pytest.raises(NotFound):
        board.undo(make_ctx(username="park"), token)
    back(person, token)
    with pytest.raises(Gone):
        undo.undo(person, token)
    later = step(person, OrderBulk("assign", value="kim"))
    clock.advance(timedelta(seconds=61))
    with pytest.raises(Gone):
        undo.undo(person, later)


def test_where_all_were_touched_nothing_is_taken_back(person, clock):
    token = step(person, OrderBulk("assign", value="kim"))
    clock.advance(timedelta(seconds=5))
    for order in person.orders:
        events.comment(person, order, "seen")
    person.commit()

    with pytest.raises(Conflict):
        undo.undo(person, token)


def test_steps_that_move_the_clock_have_no_way_back(person):
    assert step(person, OrderBulk("begin")) is None
    assert step(person, OrderBulk("comment", text="seen")) is None


def test_each_order_gets_one_line_for_the_step_and_one_for_the_way_back(person, session):
    count = session.scalar(select(func.count()).select_from(WorkOrderEvent))
    back(person, step(person, OrderBulk("assign", value="kim")))

    assert session.scalar(select(func.count()).select_from(WorkOrderEvent)) == count + 2 * len(person.orders)
