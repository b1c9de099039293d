"""Evidence on tracker items: attach, list, download, remove (API contract, evidence upload).

One implementation for remediation items and the items of the weekly trackers: what differs is in their programme.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from functools import partial
from typing import Annotated, Any, BinaryIO

from sqlalchemy import Row, Select, exists, func, select, update

from console.core.context import Actor, Context
from console.core.records import INTERNAL, view_of
from console.domain.errors import Conflict, NotFound, PermissionDenied
from console.domain.evidence import evidence as rules
from console.domain.ids import MAX_ID
from console.domain.text import T
from console.domain.tracker.requests import ItemChange
from console.domain.tracker.tracker import TrackerKind
from console.models.evidence import EvidenceFile
from console.models.tracker import TrackerItem
from console.services.audit import record as audit
from console.services.evidence import files, photos, thumbnails
from console.services.evidence.files import Fetched, Upload
from console.services.evidence.thumbnails import Thumbnail
from console.services.jobs.runs import changed
from console.services.tracker import store as tracker_store
from console.services.tracker.change import check_permission
from console.services.tracker.rows import ItemView, load, visible
from console.services.tracker.store import Event


@dataclass(frozen=True)
class EvidenceView:
    """A file as every door shows it; instants are aware UTC. The first 14 fields are the published ones."""

    id: int
    tracker_item_id: int
    site: str | None
    file_name: str
    content_type: str
    file_size: int
    storage_backend: str
    sha256: str | None
    malware_scan_status: str
    malware_scan_engine: str | None
    malware_scanned_at: datetime | None
    note: str
    uploaded_by: str
    uploaded_at: datetime
    malware_scan_reason: str | None = None
    captured_at: Annotated[str | None, INTERNAL] = None
    shrunk: Annotated[bool, INTERNAL] = False
    thumbnail_size: Annotated[int | None, INTERNAL] = None

    @property
    def downloadable(self) -> bool:
        """Whether the scan lets it be downloaded."""
        return self.malware_scan_status not in (rules.PENDING, rules.QUARANTINED)


@dataclass(frozen=True)
class Attached(EvidenceView):
    """A file just attached; `reopened_completion`: the tracker was closed and is open again because of it."""

    reopened_completion: bool = False


@dataclass(frozen=True)
class ItemEvidence:
    """A file with the item that it belongs to; `open` gives its verified content, or raises Gone or Conflict."""

    evidence: EvidenceView
    item_key: str
    item_type: str
    open: Callable[[], BinaryIO]


_READ = tuple(getattr(EvidenceFile, item.name) for item in fields(EvidenceView))


def is_there(ctx: Context, programme: TrackerKind, item_id: int, upload: Upload) -> bool:
    """Return whether the item has this very file of a page already: sent before, although the answer may be lost."""
    _writable(ctx, programme, item_id, ctx.now())
    digest = photos.digest_on_page(ctx.config, upload.stream)
    same = exists().where(
        EvidenceFile.module == programme.key,
        EvidenceFile.tracker_item_id == item_id,
        EvidenceFile.removed_at.is_(None),
        EvidenceFile.sha256 == digest,
    )
    return bool(ctx.session.scalar(select(same)))


def attach(
    ctx: Context, programme: TrackerKind, item_id: int, upload: Upload, note: str = "", *, on_page: bool = False
) -> Attached:
    """Attach a file to an item; pages take more kinds than the API does, and drop the place of photos.

    Nothing is written before item, site and right are checked. The upload is received, hashed and scanned before the
    transaction may write, so a slow sender or scanner holds nobody up; doors must therefore not open a writing
    transaction themselves (`@access(writes=False)`). Raises NotFound, SiteDenied, PermissionDenied, Conflict for an
    inactive item, UnsupportedMedia (415), BadRequest for an empty file, TooLarge (413; also when the quota is used
    up), Invalid (422) when the scan refuses it, StoreUnavailable (503) when it cannot be stored.
    """
    now = ctx.now()
    _writable(ctx, programme, item_id, now)
    note = files.checked_note(note)
    with files.judged(ctx, upload, on_page=on_page) as judged:
        files.begin_write(ctx)
        item = _writable(ctx, programme, item_id, now, lock=True)
        row = files.keep(ctx, judged, programme.key, item.site, note, tracker_item_id=item.id)
        said = {"captured_at": row.captured_at, "shrunk": row.shrunk, "place_dropped": judged.bare}
        told = {name: value for name, value in said.items() if value}
        event = Event("evidence", {}, {"text": row.file_name, **told})
        reopened = noted(ctx, programme, row, now, event, rules.UPLOADED, +1)
        _record(ctx, programme, "upload", row, **told)
    return Attached(**vars(_view(row)), reopened_completion=reopened)


def listed(ctx: Context, programme: TrackerKind, item_id: int) -> list[EvidenceView]:
    """Return the files of an item, newest first; raises NotFound, SiteDenied."""
    ctx.actor.require(*programme.read)
    item = load(ctx, programme, item_id, ctx.now())
    wanted = _living(programme).where(EvidenceFile.tracker_item_id == item.id)
    return [_of(row) for row in ctx.session.execute(wanted)]


def counts(ctx: Context, programme: TrackerKind, item_ids: Iterable[int]) -> dict[int, int]:
    """Return how many files each of these items has, of those that the caller may see.

    Items without any are left out.
    """
    ctx.actor.require(*programme.read)
    statement = (
        select(EvidenceFile.tracker_item_id, func.count())
        .join(TrackerItem, TrackerItem.id == EvidenceFile.tracker_item_id)
        .where(EvidenceFile.tracker_item_id.in_(tuple(item_ids)), TrackerItem.tracker == programme.key)
        .where(EvidenceFile.removed_at.is_(None), EvidenceFile.malware_scan_status != rules.QUARANTINED)
        .where(visible(ctx.actor))
        .group_by(EvidenceFile.tracker_item_id)
    )
    return {item_id: number for item_id, number in ctx.session.execute(statement) if item_id is not None}


def fetch(ctx: Context, programme: TrackerKind, evidence_id: int) -> Fetched:
    """Return a file to be downloaded, verified against its hash, and put the download on record.

    Raises NotFound, SiteDenied, Gone when the content is missing or was quarantined, Conflict when it differs from
    what was uploaded or the scan has not been made yet.
    """
    row = _row(ctx, programme, evidence_id)
    return files.given_out(ctx, row, lambda: _record(ctx, programme, "download", row))


def thumbnail(ctx: Context, programme: TrackerKind, evidence_id: int) -> Thumbnail:
    """Return the small copy of a photo; raises NotFound where there is none, and SiteDenied."""
    return thumbnails.of(ctx, _row(ctx, programme, evidence_id))


def remove(ctx: Context, programme: TrackerKind, evidence_id: int, reason: str) -> EvidenceView:
    """Remove a file for good; who did it and why stays on record, the content does not.

    Its uploader may, and who may close a tracker in spite of blockers. Raises NotFound, SiteDenied, PermissionDenied,
    Invalid without a reason, Conflict for an inactive item.
    """
    reason = files.checked_reason(reason)
    now = ctx.now()
    row = _row(ctx, programme, evidence_id)
    check_removable(ctx.actor, programme, row.uploaded_by)
    files.begin_write(ctx)
    _writable(ctx, programme, row.tracker_item_id or 0, now, lock=True)
    row = _row(ctx, programme, evidence_id)
    before = _view(row)
    files.take_away(ctx, row, reason, programme.evidence_not_found)
    event = Event("evidence_removed", {}, {"text": f"{row.file_name}: {reason}"})
    fewer = 0 if row.malware_scan_status == rules.QUARANTINED else -1
    noted(ctx, programme, row, now, event, rules.REMOVED, fewer)
    _record(ctx, programme, "remove", row, reason=reason)
    return before


def of_tracker(ctx: Context, programme: TrackerKind, site: str | None) -> Iterator[ItemEvidence]:
    """Return every file of a site's tracker, by item and newest first, for a package; raises SiteDenied.

    The content is opened one file at a time, and only when it is asked for.
    """
    ctx.actor.require(*programme.read)
    ctx.actor.require_site(site)
    statement = (
        select(EvidenceFile, TrackerItem.item_key, TrackerItem.item_type)
        .join(TrackerItem, TrackerItem.id == EvidenceFile.tracker_item_id)
        .where(TrackerItem.tracker == programme.key, TrackerItem.site_key == (site or ""))
        .where(EvidenceFile.removed_at.is_(None))
        .order_by(TrackerItem.item_type, TrackerItem.item_key, EvidenceFile.uploaded_at.desc(), EvidenceFile.id.desc())
    )
    for row, item_key, item_type in ctx.session.execute(statement):
        yield ItemEvidence(_view(row), item_key, item_type, partial(files.verified, ctx, row))


def may_remove(actor: Actor, programme: TrackerKind, uploaded_by: str) -> bool:
    """Return whether somebody may remove a file: who uploaded it, or who may force a completion."""
    if any(actor.can(permission) for permission in programme.force):
        return True
    return actor.username == uploaded_by and actor.kind != "anonymous"


def check_removable(actor: Actor, programme: TrackerKind, uploaded_by: str) -> None:
    """Raise PermissionDenied unless somebody may remove a file."""
    if not may_remove(actor, programme, uploaded_by):
        raise PermissionDenied.missing(programme.force[0])


def noted(
    ctx: Context, programme: TrackerKind, row: EvidenceFile, now: datetime, event: Event, reason: str, step: int
) -> bool:
    """Count a file on its item, write it into the item's history, reopen a closed tracker; tells whether it was."""
    counted = update(TrackerItem).where(TrackerItem.id == row.tracker_item_id)
    values = {"evidence_count": TrackerItem.evidence_count + step, "updated_at": now, "updated_by": ctx.actor.username}
    changed(ctx, counted.values(**values))
    version = ctx.session.scalar(select(TrackerItem.version).where(TrackerItem.id == row.tracker_item_id)) or 1
    told = Event(event.kind, event.old, {**event.new, "evidence_id": row.id})
    tracker_store.write_events(ctx, programme, [(row.tracker_item_id or 0, row.site, version, told)], now)
    return tracker_store.reopen_completion(ctx, programme, row.site, reason, now)


def _writable(ctx: Context, programme: TrackerKind, item_id: int, now: datetime, *, lock: bool = False) -> ItemView:
    ctx.actor.require(*programme.read)
    item = load(ctx, programme, item_id, now, lock=lock)
    check_permission(ctx.actor, programme, item, ItemChange())
    if not item.is_active:
        raise Conflict(T("The item is closed; its evidence cannot be changed"), code="item_inactive")
    return item


def _row(ctx: Context, programme: TrackerKind, evidence_id: int) -> EvidenceFile:
    ctx.actor.require(*programme.read)
    row = ctx.session.get(EvidenceFile, evidence_id, populate_existing=True) if 0 < evidence_id <= MAX_ID else None
    if row is None or row.module != programme.key or row.removed_at is not None:
        raise NotFound(programme.evidence_not_found)
    ctx.actor.require_site(row.site)
    return row


def _living(programme: TrackerKind) -> Select[Any]:
    return (
        select(*_READ)
        .where(EvidenceFile.module == programme.key, EvidenceFile.removed_at.is_(None))
        .order_by(EvidenceFile.uploaded_at.desc(), EvidenceFile.id.desc())
    )


def _of(row: Row[Any]) -> EvidenceView:
    return EvidenceView(**row._asdict())


def _view(row: EvidenceFile) -> EvidenceView:
    return view_of(EvidenceView, row)


def _record(ctx: Context, programme: TrackerKind, what: str, row: EvidenceFile, **more: Any) -> None:
    audit.record(
        ctx,
        f"{programme.audit_prefix}_evidence_{what}",
        programme.evidence_resource,
        row.id,
        detail={
            "tracker_item_id": row.tracker_item_id,
            "site": row.site,
            "file_name": row.file_name,
            "file_size": row.file_size,
            "storage_backend": row.storage_backend,
            "sha256": row.sha256,
            "scan_status": row.malware_scan_status,
            "scan_reason": row.malware_scan_reason,
            **more,
        },
    )
