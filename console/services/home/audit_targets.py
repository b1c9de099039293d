"""What the entries of the audit log are about, by the names that people know: one query for each kind of thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select

from console.core.context import Context
from console.domain.ids import MAX_ID
from console.domain.programme.trackers import programmes
from console.domain.tracker.tracker import TrackerKind, item_number, title_of
from console.models.assets import Asset
from console.models.evidence import EvidenceFile
from console.models.identity import Site, Token, User
from console.models.inspections import Inspection, InspectionTemplate
from console.models.jobs import JobRun
from console.models.tracker import TrackerItem
from console.models.work_orders import WorkOrder
from console.services.audit.log import LogEntry

Kind = Literal["item", "evidence", "user", "token", "site", "run", "inspection", "work_order", "asset"]
Found = Iterable[tuple[int, "Target"]]
_ITEMS: Mapping[str, TrackerKind] = {one.item_resource: one for one in programmes()}
_FILES: Mapping[str, TrackerKind] = {one.evidence_resource: one for one in programmes()}
_OTHERS: Mapping[str, Kind] = {
    "admin_user": "user",
    "admin_token": "token",
    "site": "site",
    "job_run": "run",
    "inspection": "inspection",
    "work_order": "work_order",
    "asset": "asset",
}


@dataclass(frozen=True)
class Target:
    """One thing: `name` is what people call it, translatable; `id` and `tracker` lead to its page.

    Of a file `id` is that of its item. Of a run `name` is the name of its job.
    """

    kind: Kind
    id: int
    name: Any
    number: str = ""
    tracker: str = ""


def kind_of(resource_type: str) -> Kind | None:
    """Return the kind of thing that a resource type stands for, None for one without rows of its own."""
    if resource_type in _ITEMS:
        return "item"
    return "evidence" if resource_type in _FILES else _OTHERS.get(resource_type)


def targets_of(ctx: Context, entries: Iterable[LogEntry]) -> dict[tuple[str, str], Target]:
    """Return what entries are about, by resource type and id; what does not exist (any more) is left out."""
    wanted: dict[Kind, dict[int, list[tuple[str, str]]]] = {}
    for entry in entries:
        kind = kind_of(entry.resource_type)
        if kind is not None and (number := _id(entry.resource_id)) is not None:
            keys = wanted.setdefault(kind, {}).setdefault(number, [])
            keys.append((entry.resource_type, entry.resource_id))
    found = ((ids[number], target) for kind, ids in wanted.items() for number, target in _READ[kind](ctx, ids))
    return {key: target for keys, target in found for key in keys}


def _id(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    return number if 0 < number <= MAX_ID else None


def _items(ctx: Context, ids: Iterable[int]) -> Found:
    columns = (TrackerItem.id, TrackerItem.tracker, TrackerItem.number)
    named = (TrackerItem.texts, TrackerItem.item_name, TrackerItem.action, TrackerItem.item_key)
    known = {one.key: one for one in programmes()}
    for row in ctx.session.execute(select(*columns, *named).where(TrackerItem.id.in_(ids))):
        if row.tracker in known:
            number = item_number(known[row.tracker].item_prefix, row.number)
            yield row.id, Target("item", row.id, title_of(row), number, row.tracker)


def _files(ctx: Context, ids: Iterable[int]) -> Found:
    columns = (EvidenceFile.id, EvidenceFile.module, EvidenceFile.tracker_item_id, EvidenceFile.file_name)
    for row in ctx.session.execute(select(*columns).where(EvidenceFile.id.in_(ids))):
        yield row.id, Target("evidence", row.tracker_item_id or 0, row.file_name, tracker=row.module)


def _users(ctx: Context, ids: Iterable[int]) -> Found:
    for row in ctx.session.execute(select(User.id, User.display_name, User.username).where(User.id.in_(ids))):
        yield row.id, Target("user", row.id, row.display_name or row.username)


def _tokens(ctx: Context, ids: Iterable[int]) -> Found:
    for row in ctx.session.execute(select(Token.id, Token.label).where(Token.id.in_(ids))):
        yield row.id, Target("token", row.id, row.label)


def _sites(ctx: Context, ids: Iterable[int]) -> Found:
    for row in ctx.session.execute(select(Site.id, Site.name).where(Site.id.in_(ids))):
        yield row.id, Target("site", row.id, row.name)


def _runs(ctx: Context, ids: Iterable[int]) -> Found:
    for row in ctx.session.execute(select(JobRun.id, JobRun.job_name).where(JobRun.id.in_(ids))):
        yield row.id, Target("run", row.id, row.job_name)


def _inspections(ctx: Context, ids: Iterable[int]) -> Found:
    asked = select(Inspection.id, Inspection.location, InspectionTemplate.name).outerjoin(
        InspectionTemplate, InspectionTemplate.id == Inspection.template_id
    )
    for row in ctx.session.execute(asked.where(Inspection.id.in_(ids))):
        yield row.id, Target("inspection", row.id, row.name or row.location, f"#{row.id}")


def _work_orders(ctx: Context, ids: Iterable[int]) -> Found:
    for row in ctx.session.execute(select(WorkOrder.id, WorkOrder.title).where(WorkOrder.id.in_(ids))):
        yield row.id, Target("work_order", row.id, row.title, f"#{row.id}")


def _assets(ctx: Context, ids: Iterable[int]) -> Found:
    for row in ctx.session.execute(select(Asset.id, Asset.code, Asset.name).where(Asset.id.in_(ids))):
        yield row.id, Target("asset", row.id, row.name, row.code)


_READ: Mapping[Kind, Callable[[Context, Iterable[int]], Found]] = {
    "item": _items,
    "evidence": _files,
    "user": _users,
    "token": _tokens,
    "site": _sites,
    "run": _runs,
    "inspection": _inspections,
    "work_order": _work_orders,
    "asset": _assets,
}
