"""Files of subjects that are no items of a tracker: each subject brings its own rules and history.

A subject says who may read and send, where it lies, and what becomes of it when a file comes or goes; how a file is
received, kept, verified and removed is the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import InstrumentedAttribute

from console.core.context import Actor, Context
from console.core.records import INTERNAL, view_of
from console.domain.errors import Invalid, NotFound, PermissionDenied
from console.domain.evidence import evidence as rules
from console.domain.ids import MAX_ID
from console.domain.text import T, Text
from console.models.evidence import EvidenceFile
from console.services.audit import record as audit
from console.services.evidence import files, photos, thumbnails
from console.services.evidence.files import Fetched, Upload
from console.services.evidence.thumbnails import Thumbnail

UPLOAD, REMOVE, QUARANTINE, DOWNLOAD = "upload", "remove", "quarantine", "download"


@dataclass(frozen=True)
class FileView:
    """A file as every door shows it; instants are aware UTC. `part`: what of its subject it shows."""

    id: int
    work_order_id: int | None
    inspection_id: int | None
    part: str
    site: str | None
    file_name: str
    content_type: str
    file_size: int
    storage_backend: str
    sha256: str | None
    malware_scan_status: str
    malware_scan_engine: str | None
    malware_scanned_at: datetime | None
    malware_scan_reason: str | None
    note: str
    captured_at: str | None
    shrunk: bool
    uploaded_by: str
    uploaded_at: datetime
    module: Annotated[str, INTERNAL]
    thumbnail_size: Annotated[int | None, INTERNAL] = None

    @property
    def downloadable(self) -> bool:
        """Whether the scan lets it be downloaded."""
        return self.malware_scan_status not in (rules.PENDING, rules.QUARANTINED)

    @property
    def counts(self) -> bool:
        """Whether it proves anything: what the scanner condemned does not."""
        return self.malware_scan_status != rules.QUARANTINED


@dataclass(frozen=True)
class Subject:
    """What files may belong to.

    `module` is its word, `column` holds its id; `resource` names it in the audit trail, and actions begin with it.
    `readable` gives the site of one that the caller may see, `writable` of one that the caller may send files to,
    locked when asked; both raise NotFound, SiteDenied, PermissionDenied, and `writable` Conflict as well.
    `noted` writes into its history what happened to a file: `upload`, `remove` or `quarantine`, with a reason.
    `forced` is the permission to remove what somebody else sent.
    """

    module: str
    column: InstrumentedAttribute[int | None]
    resource: str
    parts: tuple[str, ...]
    not_found: Text
    forced: str
    readable: Callable[[Context, int], str]
    writable: Callable[[Context, int, bool], str]
    noted: Callable[[Context, FileView, int, str, str], None]

    def owner(self, row: EvidenceFile | FileView) -> int:
        """Return the id of the one that a file belongs to."""
        return int(getattr(row, self.column.key) or 0)


Subjects = Mapping[str, Subject]


def is_there(ctx: Context, subject: Subject, owner: int, upload: Upload) -> bool:
    """Return whether a subject has this very file of a page already: sent before, although the answer may be lost."""
    subject.writable(ctx, owner, False)
    digest = photos.digest_on_page(ctx.config, upload.stream)
    same = (subject.column == owner, EvidenceFile.sha256 == digest, EvidenceFile.removed_at.is_(None))
    return bool(ctx.session.scalar(select(exists().where(*same))))


def attach(
    ctx: Context,
    subject: Subject,
    owner: int,
    upload: Upload,
    *,
    part: str = "",
    note: str = "",
    sent_key: str | None = None,
    on_page: bool = False,
) -> FileView:
    """Attach a file; one that was sent before under the same `sent_key` is answered as it was kept.

    The key names sender, address and file (`idempotency.key_of`): nobody else can have the same.
    The upload is received, hashed and scanned before the transaction may write: doors must not open a writing one
    themselves (`@access(writes=False)`). Raises what `subject.writable` and `files.judged` raise, TooLarge when a
    quota is used up, Invalid for a part that the subject does not have.
    """
    subject.writable(ctx, owner, False)
    note = files.checked_note(note)
    if subject.parts and part not in subject.parts:
        raise Invalid.field("phase", T("“%(word)s” is none of %(words)s", word=part, words=", ".join(subject.parts)))
    if (known := _known(ctx, subject, owner, sent_key)) is not None:
        return known
    with files.judged(ctx, upload, on_page=on_page) as judged:
        files.begin_write(ctx)
        site = subject.writable(ctx, owner, True)
        if (known := _known(ctx, subject, owner, sent_key)) is not None:
            return known
        belongs = {subject.column.key: owner, "part": part, "sent_key": sent_key}
        row = files.keep(ctx, judged, subject.module, site, note, **belongs)
        made = view(row)
        subject.noted(ctx, made, +1, UPLOAD, "")
        said: dict[str, Any] = {"captured_at": row.captured_at, "shrunk": row.shrunk, "place_dropped": judged.bare}
        _record(ctx, subject, UPLOAD, row, **{name: value for name, value in said.items() if value})
    return made


def _known(ctx: Context, subject: Subject, owner: int, key: str | None) -> FileView | None:
    if key is None:
        return None
    row = ctx.session.scalar(select(EvidenceFile).where(EvidenceFile.sent_key == key, subject.column == owner))
    return None if row is None else view(row)


def listed(ctx: Context, subject: Subject, owner: int) -> tuple[FileView, ...]:
    """Return the files of a subject, newest first; raises what `subject.readable` raises."""
    subject.readable(ctx, owner)
    rows = ctx.session.scalars(_living(subject, owner))
    return tuple(view(row) for row in rows)


def fetch(ctx: Context, subject: Subject, evidence_id: int) -> Fetched:
    """Return a file to be downloaded, verified against its hash, and put the download on record.

    Raises NotFound, SiteDenied, Gone when the content is missing or was quarantined, Conflict when it differs from
    what was uploaded or the scan has not been made yet.
    """
    row = _row(ctx, subject, evidence_id)
    return files.given_out(ctx, row, lambda: _record(ctx, subject, DOWNLOAD, row))


def thumbnail(ctx: Context, subject: Subject, evidence_id: int) -> Thumbnail:
    """Return the small copy of a photo; raises NotFound where there is none, and SiteDenied."""
    return thumbnails.of(ctx, _row(ctx, subject, evidence_id))


def remove(ctx: Context, subject: Subject, evidence_id: int, reason: str) -> FileView:
    """Remove a file for good; who did it and why stays on record, the content does not.

    Its sender may, and who has `subject.forced`. Raises NotFound, SiteDenied, PermissionDenied, Invalid without a
    reason, and what `subject.writable` raises.
    """
    reason = files.checked_reason(reason)
    row = _row(ctx, subject, evidence_id)
    if not may_remove(ctx.actor, subject, row.uploaded_by):
        raise PermissionDenied.missing(subject.forced)
    files.begin_write(ctx)
    subject.writable(ctx, subject.owner(row), True)
    row = _row(ctx, subject, evidence_id)
    before = view(row)
    files.take_away(ctx, row, reason, subject.not_found)
    subject.noted(ctx, before, -1 if before.counts else 0, REMOVE, reason)
    _record(ctx, subject, REMOVE, row, reason=reason)
    return before


def quarantined(ctx: Context, subject: Subject, row: EvidenceFile) -> None:
    """Tell the subject and the audit trail that the scanner condemned a file that was there already."""
    subject.noted(ctx, view(row), -1, QUARANTINE, row.malware_scan_reason or "")
    _record(ctx, subject, QUARANTINE, row, status="warning")


def may_remove(actor: Actor, subject: Subject, uploaded_by: str) -> bool:
    """Return whether somebody may remove a file: who sent it, or who may remove what others sent."""
    return actor.can(subject.forced) or (actor.username == uploaded_by and actor.kind != "anonymous")


def view(row: EvidenceFile) -> FileView:
    """Return a stored row as doors show it."""
    return view_of(FileView, row)


def _living(subject: Subject, owner: int) -> Select[Any]:
    mine = select(EvidenceFile).where(subject.column == owner, EvidenceFile.removed_at.is_(None))
    return mine.order_by(EvidenceFile.uploaded_at.desc(), EvidenceFile.id.desc())


def _row(ctx: Context, subject: Subject, evidence_id: int) -> EvidenceFile:
    row = ctx.session.get(EvidenceFile, evidence_id, populate_existing=True) if 0 < evidence_id <= MAX_ID else None
    if row is None or row.module != subject.module or row.removed_at is not None:
        raise NotFound(subject.not_found)
    subject.readable(ctx, subject.owner(row))
    return row


def _record(
    ctx: Context, subject: Subject, what: str, row: EvidenceFile, *, status: str = "success", **more: Any
) -> None:
    audit.record(
        ctx,
        f"{subject.resource}_evidence_{what}",
        subject.resource,
        subject.owner(row),
        status=status,
        detail={
            "evidence_id": row.id,
            "site": row.site,
            "part": row.part,
            "file_name": row.file_name,
            "file_size": row.file_size,
            "storage_backend": row.storage_backend,
            "sha256": row.sha256,
            "scan_status": row.malware_scan_status,
            "scan_reason": row.malware_scan_reason,
            **more,
        },
    )
