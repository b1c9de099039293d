"""The same step for many orders: what it says before is what it does, on both databases."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from console.domain.errors import Conflict, Invalid, PermissionDenied
from console.domain.tracker.requests import Selection
from console.domain.work_orders.requests import OrderBulk
from console.models.audit import AuditLog
from console.models.work_orders import WorkOrder, WorkOrderEvent, WorkOrderHold
from console.services.work_orders import bulk
from console.services.work_orders.bulk import Load
from tests.factories import make_user
from tests.factories.work_orders import add_order

HOUR = timedelta(hours=1)


@pytest.fixture
def orders(session, clock):
    """An open one that is nobody's, one in progress, one that waits, one that is done, and one of another site."""
    now = clock.now()
    make_user(session, now=now, username="kim", display_name="김정비", role="operator", site_scope=("본관",))
    begun = {"status": "acked", "acknowledged_at": now}
    made = {
        "open": add_order(session, now),
        "begun": add_order(session, now, assignee="lee", **begun),
        "waits": add_order(session, now, assignee="lee", waiting_reason="parts", waiting_since=now - HOUR, **begun),
        "done": add_order(session, now, status="completed", completed_at=now),
        "far": add_order(session, now, site="별관"),
    }
    session.add(WorkOrderHold(work_order_id=made["waits"].id, reason="parts", started_at=now - HOUR, started_by="lee"))
    session.commit()
    return {name: row.id for name, row in made.items()}


def everything():
    return Selection(everything=True, filters={"state": ("all",)})


def stored(ctx, order_id):
    ctx.session.expire_all()
    return ctx.session.get(WorkOrder, order_id)


CHANGES = [
    (OrderBulk("assign", value="kim"), {"open", "begun", "waits"}, {"done", "far"}),
    (OrderBulk("assign"), {"begun", "waits"}, set()),
    (OrderBulk("priority", value="critical", text="flood"), {"open", "begun", "waits", "far"}, {"done"}),
    (OrderBulk("begin"), {"open", "far"}, {"done"}),
    (OrderBulk("wait", value="weather", text="rain"), {"begun", "waits"}, {"open", "done", "far"}),
    (OrderBulk("complete", text="swept"), {"begun", "waits"}, {"open", "far"}),
    (OrderBulk("complete", text="swept", unassigned=True), {"open", "begun", "waits", "far"}, set()),
    (OrderBulk("comment", text="seen"), {"open", "begun", "waits", "done", "far"}, set()),
]


@pytest.mark.parametrize(("change", "changed", "refused"), CHANGES)
def test_what_is_said_before_is_what_is_done(ctx, session, orders, change, changed, refused):
    told = bulk.preview(ctx, everything(), change)
    assert not ctx.session.dirty
    before = {name: stored(ctx, number).version for name, number in orders.items()}
    done = bulk.apply(ctx, everything(), change, expected=5)
    ctx.commit()

    assert done == told
    assert {name for name, number in orders.items() if number in {one.id for one in done.left_out}} == refused
    assert (done.total, done.changed, done.unchanged) == (5, len(changed), 5 - len(changed) - len(refused))
    events = set(session.scalars(select(WorkOrderEvent.work_order_id)))
    assert events == {orders[name] for name in changed}
    moved = {name for name, number in orders.items() if stored(ctx, number).version > before[name]}
    assert moved == (set() if change.action == "comment" else changed)


def test_an_assignment_tells_everybodys_load_before_and_after(ctx, session, orders):
    told = bulk.preview(ctx, everything(), OrderBulk("assign", value="kim"))

    assert told.loads == (Load("김정비", 0, 3), Load("lee", 2, 0))
    assert told.changes[0] == (orders["open"], None, "김정비")
    assert [str(one.reason) for one in told.left_out if one.id == orders["far"]]
    bulk.apply(ctx, everything(), OrderBulk("assign", value="kim"))
    ctx.commit()
    assert bulk.loads(ctx, ["kim", "lee"]) == {"kim": 3}
    assert bulk.preview(ctx, everything(), OrderBulk("assign", value="kim")).loads == ()


def test_it_is_put_on_record_once_and_each_order_keeps_its_event(ctx, session, orders):
    due = ctx.now() + 48 * HOUR
    bulk.apply(ctx, Selection(ids=(orders["open"], orders["begun"])), OrderBulk("due", at=due, text="agreed"))
    ctx.commit()

    entry = session.scalars(select(AuditLog)).one()
    assert (entry.action, entry.resource_id) == ("work_order_bulk_update", "due")
    assert json.loads(entry.detail_json)["ids"] == [orders["open"], orders["begun"]]
    event = session.scalars(select(WorkOrderEvent).where(WorkOrderEvent.work_order_id == orders["open"])).one()
    assert (event.event_type, event.note, event.due_at) == ("updated", "agreed", due)
    assert event.detail_json["due_at"]["new"] == due.isoformat()


def test_completing_ends_the_waiting_and_says_that_it_was_one_of_many(ctx, session, orders):
    bulk.apply(ctx, Selection(ids=(orders["waits"],)), OrderBulk("complete", text="swept"))
    ctx.commit()

    assert session.scalars(select(WorkOrderHold.ended_at)).one() == ctx.now()
    order = stored(ctx, orders["waits"])
    assert (order.status, order.waiting_reason, order.resolution_notes) == ("completed", None, "swept")
    detail = session.scalars(select(WorkOrderEvent.detail_json)).one()
    assert detail["bulk"] is True


def test_a_list_that_moved_meanwhile_is_left_as_it_is(ctx, session, orders):
    with pytest.raises(Conflict) as refused:
        bulk.apply(ctx, everything(), OrderBulk("begin"), expected=4)

    assert refused.value.code == "list_moved"
    assert session.scalars(select(WorkOrderEvent)).all() == []


def test_only_what_the_caller_sees_is_meant(make_ctx, orders):
    ctx = make_ctx("operator", ("본관",))
    told = bulk.count(ctx, Selection(ids=tuple(orders.values())))

    assert (told.total, told.missing) == (4, 1)
    assert bulk.apply(ctx, Selection(ids=(orders["far"], 4711)), OrderBulk("begin")).missing == 2
    with pytest.raises(PermissionDenied):
        bulk.preview(make_ctx("auditor"), everything(), OrderBulk("begin"))


@pytest.mark.parametrize(
    "change",
    [
        OrderBulk("fly"),
        OrderBulk("priority", value="worst", text="x"),
        OrderBulk("priority", value="high"),
        OrderBulk("due", text="x"),
        OrderBulk("wait", value="luck"),
        OrderBulk("comment"),
        OrderBulk("complete"),
    ],
)
def test_a_step_that_cannot_be_is_refused_as_a_whole(ctx, orders, change):
    with pytest.raises(Invalid):
        bulk.preview(ctx, everything(), change)


def test_an_unknown_filter_changes_nothing(ctx, orders):
    with pytest.raises(Invalid):
        bulk.apply(ctx, Selection(everything=True, filters={"sitte": ("본관",)}), OrderBulk("begin"))


def test_who_changed_an_order_meanwhile_is_not_written_over(ctx, session, orders, monkeypatch):
    """Another writer is faster between the reading and the writing of one order."""
    real = bulk._orders

    def overtaken(*args, **more):
        found = list(real(*args, **more))
        if more.get("lock"):
            session.get(WorkOrder, orders["open"]).version += 1
            session.flush()
        return iter(found)

    monkeypatch.setattr(bulk, "_orders", overtaken)
    told = bulk.apply(ctx, Selection(ids=(orders["open"], orders["far"])), OrderBulk("begin"))

    assert (told.changed, told.refused, told.left_out[0].id) == (1, 1, orders["open"])
