"""Tracker items that people add by hand; the sync never touches them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from console.core.context import Context
from console.domain.automation.workload import source_of
from console.domain.errors import Conflict, Invalid
from console.domain.text import T
from console.domain.tracker.requests import NewItem
from console.domain.tracker.tracker import REMEDIATION, TrackerKind
from console.models.identity import Site
from console.models.tracker import TrackerItem
from console.services.alerts import given
from console.services.audit import record as audit
from console.services.tracker import store as tracker_store
from console.services.tracker.change import check_due, person
from console.services.tracker.items import Changed, record, store
from console.services.tracker.rows import ItemView, load
from console.services.tracker.store import Event

MANUAL = "manual"


def create(ctx: Context, new: NewItem, programme: TrackerKind = REMEDIATION) -> ItemView:
    """Add an item by hand; the sync never touches it. Raises Invalid for an unknown site or a deadline nobody means."""
    ctx.actor.require(*programme.write)
    now = ctx.now()
    title = new.title.strip()
    if not title:
        raise Invalid.field("title", T("An item needs a title"))
    _check_new_site(ctx, new.site)
    check_due(new.due_at, title, now)
    whom = person(ctx, new.assignee or "")
    tracker_store.lock_run(ctx, programme)
    number = tracker_store.next_number(ctx, programme)
    due_at = new.due_at or now + timedelta(hours=new.sla_hours)
    row = TrackerItem(
        tracker=programme.key,
        site=new.site,
        item_type=MANUAL,
        item_key=f"{MANUAL}-{number}",
        item_name=title,
        number=number,
        required=new.required,
        priority=new.priority,
        owner_role=new.owner_role.strip(),
        sla_hours=new.sla_hours,
        action=new.action.strip() or title,
        reason=new.reason.strip(),
        due_at=due_at,
        first_seen_at=now,
        opened_at=now,
        assignee=whom.text,
        assignee_user_id=whom.user_id,
        assigned_at=now if whom.text else None,
        assignment_source=source_of(whom.text, None),
        created_by=ctx.actor.username,
        updated_by=ctx.actor.username,
        created_at=now,
        updated_at=now,
    )
    ctx.session.add(row)
    ctx.session.flush()
    opened = Event("opened", {}, {"status": "pending", "due_at": due_at, "item_name": title, "assignee": whom.text})
    tracker_store.write_events(ctx, programme, [(row.id, row.site, 1, opened)], now)
    tracker_store.reopen_completion(ctx, programme, new.site, "tracker_item_added", now)
    if whom.text:
        given.items(ctx, [row.id])
    audit.record(
        ctx,
        f"{programme.audit_prefix}_item_create",
        programme.item_resource,
        row.id,
        detail={"title": title, "site": new.site, "owner_role": row.owner_role, "due_at": due_at.isoformat()},
    )
    return load(ctx, programme, row.id, now)


def _check_new_site(ctx: Context, site: str | None) -> None:
    if site is None:
        ctx.actor.require_all_sites()
        return
    ctx.actor.require_site(site)
    if ctx.session.scalar(select(Site.id).where(Site.name == site, Site.is_active)) is None:
        raise Invalid.field("site", T("There is no active site of that name"))


def close(ctx: Context, item_id: int, programme: TrackerKind = REMEDIATION) -> Changed:
    """Take a finished item that was added by hand off the board; raises Conflict while it is not done.

    Items of rules leave by themselves, when their rule passes.
    """
    ctx.actor.require(*programme.write)
    now = ctx.now()
    item = load(ctx, programme, item_id, now, lock=True)
    if not item.manual:
        raise Conflict(T("The item leaves the board by itself when its rule passes"))
    if not item.is_active or item.status != "done":
        raise Conflict(T("Only a finished item can be closed"))
    event = Event("resolved", {"is_active": True}, {"is_active": False})
    command = tracker_store.begin_command(ctx, programme, "close", now)
    store(ctx, programme, item, {"is_active": False}, (event,), now, command)
    after = load(ctx, programme, item_id, now)
    record(ctx, programme, item, after, {"is_active": False})
    return Changed(after, undo=command.token)
