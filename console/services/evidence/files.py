"""What every file goes through, whatever it belongs to: received, judged, kept, and given back as it was.

`evidence` does it for the items of trackers, `subjects` for everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO

from sqlalchemy import update

from console.core.config import Config
from console.core.context import Context
from console.domain.errors import BadRequest, Conflict, Gone, Invalid, NotFound, TooLarge
from console.domain.evidence import evidence as rules
from console.domain.evidence.evidence import Scan
from console.domain.evidence.kinds import right_ending
from console.domain.programme import samples
from console.domain.text import T, Text
from console.models.evidence import EvidenceFile
from console.services.evidence import photos
from console.services.evidence import scan as evidence_scan
from console.services.evidence import store as evidence_store
from console.services.evidence.quota import check_quota
from console.services.evidence.store import Staged
from console.services.jobs.runs import changed


@dataclass(frozen=True)
class Upload:
    """A file as a door hands it in: what the sender calls it, and its bytes as a stream.

    `shrunk`: the browser made the photo smaller, and `captured_at` is when it says that it was taken.
    """

    stream: BinaryIO
    file_name: str
    content_type: str
    shrunk: bool = False
    captured_at: str | None = None


@dataclass(frozen=True)
class Fetched:
    """A file to be sent: its content was verified and stands at its start; whoever sends it closes it."""

    stream: BinaryIO
    name: str
    content_type: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Judged:
    """A received upload that may be kept: its real type, what the scan found, and what is known of a photo.

    `bare`: the place of a photo was taken out of it.
    """

    received: Staged
    file_name: str
    content_type: str
    found: Scan
    captured_at: str | None
    shrunk: bool
    bare: bool


def checked_note(note: str) -> str:
    """Return a note without blanks around it; raises Invalid for one that is too long."""
    note = note.strip()
    if len(note) > rules.MAX_NOTE:
        raise Invalid.field("note", T("The note has at most %(most)s characters", most=rules.MAX_NOTE))
    return note


def checked_reason(reason: str) -> str:
    """Return why a file is removed, without blanks around it; raises Invalid for none and for one that is too long."""
    reason = reason.strip()
    if not 0 < len(reason) <= rules.MAX_REASON:
        raise Invalid.field(
            "reason", T("A removal needs a reason of at most %(most)s characters", most=rules.MAX_REASON)
        )
    return reason


def accepted(config: Config, *, on_page: bool) -> tuple[str, ...]:
    """Return the content types that the API takes, or those that the pages take."""
    published: tuple[str, ...] = config["EVIDENCE_ALLOWED_CONTENT_TYPES"]
    return (*published, *config["EVIDENCE_PAGE_CONTENT_TYPES"]) if on_page else published


@contextmanager
def judged(ctx: Context, upload: Upload, *, on_page: bool = False) -> Iterator[Judged]:
    """Receive, hash and scan an upload while nobody waits for the database; at the end it is gone unless it was kept.

    Raises UnsupportedMedia (415), BadRequest for an empty file, TooLarge (413), Invalid (422) when the scan refuses
    it, StoreUnavailable (503) when it cannot be written.
    """
    declared, taken = rules.media_type(upload.content_type), accepted(ctx.config, on_page=on_page)
    with _received(ctx, upload, declared, taken) as received:
        content_type = evidence_scan.kind_of(received.content, declared, upload.file_name, taken)
        shrunk = upload.shrunk and content_type.startswith("image/")
        captured_at = upload.captured_at if shrunk else photos.captured_at(received.content)
        bare = on_page and photos.drop_place(ctx.config, received)
        found = evidence_scan.scan(ctx.config, received.content, content_type)
        if rules.blocks(found, block_suspicious=ctx.config["EVIDENCE_SCAN_BLOCK_SUSPICIOUS"]):
            raise Invalid(rules.refusal(found), code="scan_blocked", told=rules.refusal_told(found))
        yield Judged(received, upload.file_name, content_type, found, captured_at, shrunk, bare)


@contextmanager
def _received(ctx: Context, upload: Upload, declared: str, taken: tuple[str, ...]) -> Iterator[Staged]:
    """Receive an upload; of one that is empty or too large its type is blamed first (API contract, checks in order)."""
    with ExitStack() as stack:
        try:
            received = stack.enter_context(evidence_store.staged(ctx.config, upload.stream))
        except (BadRequest, TooLarge) as error:
            if rules.is_allowed(declared, taken):
                raise
            raise evidence_scan.unsupported() from error
        yield received


def keep(ctx: Context, one: Judged, module: str, site: str | None, note: str, **owner: Any) -> EvidenceFile:
    """Keep a judged upload in the writing transaction; `owner` are the columns that say what it belongs to.

    Raises TooLarge when a quota is used up, StoreUnavailable when it cannot be stored.
    """
    now, received, found = ctx.now(), one.received, one.found
    check_quota(ctx, site, received.size, now)
    row = EvidenceFile(
        module=module,
        site=site,
        site_key=site or "",
        file_name=rules.name_for(right_ending(one.file_name, one.content_type), one.content_type),
        content_type=one.content_type,
        file_size=received.size,
        sha256=received.sha256,
        malware_scan_status=found.status,
        malware_scan_engine=found.engine,
        malware_scan_reason=found.reason,
        malware_scanned_at=None if found.status == rules.PENDING else now,
        note=note,
        captured_at=one.captured_at,
        shrunk=one.shrunk,
        uploaded_by=ctx.actor.username,
        uploaded_at=now,
        **owner,
    )
    evidence_store.keep(ctx, received, row, now)
    return row


def verified(ctx: Context, row: EvidenceFile) -> BinaryIO:
    """Return the content of a row after comparing it with its hash; raises Gone or Conflict.

    A missing file that was a published sample is restored from it.
    """
    if row.malware_scan_status == rules.PENDING:
        raise Conflict(rules.SCAN_PENDING, code="scan_pending", told=rules.SCAN_PENDING_TOLD)
    if row.malware_scan_status == rules.QUARANTINED:
        raise Gone(rules.UNAVAILABLE, code="quarantined", told=rules.QUARANTINED_TOLD)
    content = _content(ctx, row)
    try:
        found = evidence_store.digest(content)
    except OSError as error:
        content.close()
        raise Gone(rules.UNAVAILABLE, told=rules.UNAVAILABLE_TOLD) from error
    if row.sha256 and found != row.sha256:
        content.close()
        raise Conflict(rules.MISMATCH, code="integrity_failed", told=rules.MISMATCH_TOLD)
    return content


def _content(ctx: Context, row: EvidenceFile) -> BinaryIO:
    try:
        return evidence_store.content_of(ctx, row)
    except Gone:
        sample = samples.content_of(row.file_name, row.file_size, row.sha256)
        if sample is None:
            raise
        evidence_store.put_back(ctx, row, sample)
        return BytesIO(sample)


def given_out(ctx: Context, row: EvidenceFile, record: Callable[[], None]) -> Fetched:
    """Return a file to be sent, verified against its hash, once `record` has put the download on record.

    Raises what `verified` raises.
    """
    content = verified(ctx, row)
    try:
        begin_write(ctx)
        record()
    except BaseException:
        content.close()
        raise
    return Fetched(content, row.file_name, row.content_type, row.file_size, row.sha256 or "")


def take_away(ctx: Context, row: EvidenceFile, reason: str, not_found: Text) -> None:
    """Mark a file as removed by the caller and drop its content; raises NotFound when somebody was faster."""
    taken = update(EvidenceFile).where(EvidenceFile.id == row.id, EvidenceFile.removed_at.is_(None))
    values = {"removed_at": ctx.now(), "removed_by": ctx.actor.username, "removed_reason": reason}
    if changed(ctx, taken.values(**values)) != 1:
        raise NotFound(not_found)
    evidence_store.drop(ctx, row)


def begin_write(ctx: Context) -> None:
    """Let the transaction write from here on."""
    if not ctx.writing:
        ctx.begin_write()
