"""Orders from their creation to their end, through the services, on both databases."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from console.domain.errors import BadRequest, Conflict, Invalid, PermissionDenied, PreconditionFailed, SiteDenied
from console.domain.work_orders.requests import NewOrder, OrderChange
from console.domain.work_orders.states import InvalidTransition
from console.models.audit import AuditLog
from console.models.work_orders import WorkOrder, WorkOrderEvent, WorkOrderHold
from console.services.work_orders import actions, create, edit, events, holds
from tests.factories import make_site, make_user
from tests.factories.work_orders import add_asset, add_order

HOUR = timedelta(hours=1)


def actions_on_record(ctx):
    ctx.commit()
    return list(ctx.session.scalars(select(AuditLog.action).order_by(AuditLog.id)))


def history(ctx, order_id):
    return [event.event_type for event in events.listed(ctx, order_id)[0]]


def test_a_new_order_gets_its_due_date_from_the_policy(ctx, clock):
    made = create.create(ctx, NewOrder("Pump leaks", "본관", "B1", priority="high"))

    assert made.due_at == clock.now() + 8 * HOUR
    assert (made.status, made.is_escalated, made.resolution_notes, made.is_overdue) == ("open", False, "", False)
    assert history(ctx, made.id) == ["created"]
    entry = ctx.session.execute(select(WorkOrderEvent.priority, WorkOrderEvent.due_at)).one()
    assert tuple(entry) == ("high", made.due_at)
    assert actions_on_record(ctx) == ["work_order_create"]


def test_a_date_that_was_sent_may_lie_in_the_past_and_is_kept(ctx, clock):
    made = create.create(ctx, NewOrder("Pump", "본관", "B1", due_at=clock.now() - HOUR))

    assert made.due_at == clock.now() - HOUR
    assert made.is_overdue
    ctx.commit()
    detail = json.loads(ctx.session.scalars(select(AuditLog.detail_json)).one())
    assert (detail["auto_due_applied"], detail["policy_source"]) == (False, "manual")


def test_sites_are_named_as_their_record_names_them(ctx, session, clock):
    make_site(session, name="HQ Tower", now=clock.now())

    assert create.create(ctx, NewOrder("Pump", "hq  tower", "B1")).site == "HQ Tower"
    assert create.create(ctx, NewOrder("Pump", "Nowhere", "B1")).site == "Nowhere"


def test_a_place_is_taken_from_the_asset_and_one_of_another_site_is_refused(ctx, session, clock):
    asset = add_asset(session, clock.now())

    made = create.create(ctx, NewOrder("Hot", "본관", asset_id=asset.id))
    assert (made.location, made.asset_code) == ("전기실", "TR-01")
    with pytest.raises(BadRequest):
        create.create(ctx, NewOrder("Hot", "별관", "B1", asset_id=asset.id))
    for wrong in ({"asset_id": 77}, {"inspection_id": 77}, {"location": ""}):
        with pytest.raises(Invalid):
            create.create(ctx, NewOrder(**{"title": "Hot", "site": "본관", "location": "B1", **wrong}))


def test_the_whole_life_leaves_an_event_and_an_entry_each(ctx):
    order = create.create(ctx, NewOrder("Pump", "본관", "B1"))
    events.comment(ctx, order.id, "on my way")
    actions.acknowledge(ctx, order.id, "kim")
    actions.cancel(ctx, order.id, "double")
    with pytest.raises(InvalidTransition):
        actions.complete(ctx, order.id, "done")
    actions.reopen(ctx, order.id)
    done = actions.complete(ctx, order.id, "seal changed")

    assert (done.status, done.resolution_notes, done.assignee) == ("completed", "seal changed", "kim")
    assert history(ctx, order.id) == ["created", "comment", *["status_changed"] * 4]
    names = ["create", "comment_add", "ack", "cancel", "reopen", "complete"]
    assert actions_on_record(ctx) == [f"work_order_{name}" for name in names]


def test_completing_twice_changes_nothing_and_is_not_put_on_record(ctx):
    order = create.create(ctx, NewOrder("Pump", "본관", "B1"))
    first = actions.complete(ctx, order.id, "done")

    assert actions.complete(ctx, order.id, "again") == first
    assert history(ctx, order.id) == ["created", "status_changed"]


def test_a_reopened_order_is_due_as_one_that_is_made_now(ctx, clock):
    order = create.create(ctx, NewOrder("Pump", "본관", "B1"))
    actions.complete(ctx, order.id, "seal changed")
    clock.advance(100 * HOUR)
    again = actions.reopen(ctx, order.id, "leaks again")

    assert again.due_at == clock.now() + 24 * HOUR
    assert (again.resolution_notes, again.acknowledged_at, again.completed_at) == ("", None, None)
    assert not again.is_overdue
    last = events.listed(ctx, order.id)[0][-1]
    assert last.detail["resolution_notes"] == "seal changed"
    assert last.due_at == again.due_at


def test_waiting_keeps_status_and_due_date_and_ends_with_the_order(ctx, clock, session):
    order = create.create(ctx, NewOrder("Pump", "본관", "B1"))
    with pytest.raises(Conflict):
        holds.hold(ctx, order.id, "parts")
    actions.acknowledge(ctx, order.id)
    waiting = holds.hold(ctx, order.id, "parts", "seal ordered", clock.now() + 48 * HOUR)
    assert (waiting.status, waiting.due_at, waiting.waiting_reason) == ("acked", order.due_at, "parts")
    clock.advance(HOUR)
    assert holds.hold(ctx, order.id, "contractor").waiting_since == clock.now()
    clock.advance(HOUR)
    done = actions.complete(ctx, order.id, "changed")

    assert done.waiting_reason is None
    spans = [(one.reason, one.ended_at - one.started_at) for one in holds.listed(ctx, order.id)]
    assert spans == [("parts", HOUR), ("contractor", HOUR)]
    kept = session.scalars(select(WorkOrderEvent.waiting_reason).order_by(WorkOrderEvent.id)).all()
    assert kept == [None, None, "parts", "contractor", None]
    with pytest.raises(Conflict):
        holds.resume(ctx, order.id)


def test_an_order_is_taken_up_again(ctx, clock):
    order = create.create(ctx, NewOrder("Pump", "본관", "B1"))
    actions.acknowledge(ctx, order.id)
    holds.hold(ctx, order.id, "access")
    with pytest.raises(Invalid):
        holds.hold(ctx, order.id, "parts", until=clock.now())

    assert holds.resume(ctx, order.id).waiting_reason is None
    assert history(ctx, order.id)[-2:] == ["hold_started", "hold_ended"]


def test_a_change_needs_its_reason_and_keeps_old_and_new_in_the_history(ctx, clock, session):
    make_user(session, now=clock.now(), username="lee", role="operator")
    order = create.create(ctx, NewOrder("Pump", "본관", "B1"))
    for wanted in (OrderChange(priority="critical"), OrderChange(due_at=clock.now())):
        with pytest.raises(Invalid):
            edit.change(ctx, order.id, wanted)
    after = edit.change(
        ctx,
        order.id,
        OrderChange(priority="critical", due_at=clock.now() + HOUR, assignee="lee", reason="flood"),
        version=order.version,
    )

    assert (after.priority, after.due_at, after.assignee) == ("critical", clock.now() + HOUR, "lee")
    last = events.listed(ctx, order.id)[0][-1]
    assert (last.event_type, last.note, last.priority) == ("updated", "flood", "critical")
    assert last.detail["priority"] == {"old": "medium", "new": "critical"}
    assert session.scalar(select(WorkOrder.priority_rank)) == 1
    assert edit.change(ctx, order.id, OrderChange(priority="critical")) == after


def test_who_looked_at_an_older_version_is_told_so(ctx):
    order = create.create(ctx, NewOrder("Pump", "본관", "B1"))
    actions.acknowledge(ctx, order.id)
    with pytest.raises(Conflict) as told:
        edit.change(ctx, order.id, OrderChange(title="Valve"), version=1)
    assert told.value.detail["current_version"] == 2
    with pytest.raises(PreconditionFailed):
        edit.change(ctx, order.id, OrderChange(title="Valve"), if_match=1)
    actions.cancel(ctx, order.id)
    with pytest.raises(Conflict):
        edit.change(ctx, order.id, OrderChange(title="Valve"))


def test_a_comment_touches_neither_the_date_of_change_nor_the_version(ctx, clock):
    order = create.create(ctx, NewOrder("Pump", "본관", "B1"))
    clock.advance(HOUR)
    told = events.comment(ctx, order.id, "on my way")

    assert (told.from_status, told.to_status, told.detail) == ("open", "open", {"comment": "on my way"})
    row = ctx.session.get(WorkOrder, order.id)
    assert (row.updated_at, row.version, row.comment_count) == (order.updated_at, 1, 1)


@pytest.mark.parametrize("role", ["auditor", "operator", "manager", "owner"])
@pytest.mark.parametrize("sites", [("*",), ("본관",), ("별관",), ()], ids=["all", "its", "other", "none"])
def test_only_who_may_write_at_the_site_can_change_an_order(make_ctx, session, clock, role, sites):
    order_id = add_order(session, clock.now()).id
    ctx = make_ctx(role, sites)
    wanted = [
        lambda: create.create(ctx, NewOrder("Pump", "본관", "B1")),
        lambda: actions.acknowledge(ctx, order_id),
        lambda: holds.hold(ctx, order_id, "parts"),
        lambda: holds.resume(ctx, order_id),
        lambda: edit.change(ctx, order_id, OrderChange(title="Valve")),
        lambda: events.comment(ctx, order_id, "seen"),
        lambda: actions.complete(ctx, order_id, "done"),
        lambda: actions.reopen(ctx, order_id),
        lambda: actions.claim(ctx, order_id),
        lambda: actions.cancel(ctx, order_id),
    ]
    for act in wanted:
        if role == "auditor":
            with pytest.raises(PermissionDenied, match="work_orders:write"):
                act()
        elif sites in (("*",), ("본관",)):
            act()
        else:
            with pytest.raises(SiteDenied):
                act()


def test_two_people_acknowledge_at_once_and_one_of_them_is_told(at_once, session, clock):
    order_id = add_order(session, clock.now()).id
    session.commit()
    results = at_once(*[lambda ctx, who=who: actions.acknowledge(ctx, order_id, who) for who in ("kim", "lee", "park")])

    refused = [one for one in results if isinstance(one, InvalidTransition)]
    assert [str(one.detail) for one in refused] == ["Invalid status transition: acked -> acked"] * 2
    assert all("owner_a" in str(one.told) for one in refused)
    assert session.scalar(select(func.count()).select_from(WorkOrderEvent)) == 1


def test_an_order_is_claimed_by_exactly_one(at_once, session, clock):
    order_id = add_order(session, clock.now()).id
    session.commit()
    results = at_once(*[lambda ctx: actions.claim(ctx, order_id)] * 4)

    assert len([one for one in results if isinstance(one, Conflict)]) == 3
    assert session.scalar(select(func.count()).select_from(WorkOrderEvent)) == 1


def test_two_holds_at_once_leave_one_open(at_once, session, clock):
    order_id = add_order(session, clock.now(), status="acked", acknowledged_at=clock.now()).id
    session.commit()
    at_once(*[lambda ctx, why=why: holds.hold(ctx, order_id, why) for why in ("parts", "weather", "access")])

    unended = select(func.count()).select_from(WorkOrderHold).where(WorkOrderHold.ended_at.is_(None))
    assert session.scalar(unended) == 1
