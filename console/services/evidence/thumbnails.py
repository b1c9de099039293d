"""Small copies of photos: made once by a job, kept beside the file, gone with it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select, update

from console.adapters.thumbnails import small
from console.core.context import Context
from console.domain.errors import DomainError, NotFound
from console.domain.evidence import evidence as rules
from console.domain.text import T
from console.models.evidence import EvidenceFile, EvidenceThumbnail
from console.services.evidence import files
from console.services.jobs.progress import progress
from console.services.jobs.runs import changed

# An upload has one soon, and a run ends soon.
AT_ONCE = 100
MISSING = T("There is no small copy of this file")


@dataclass(frozen=True)
class Made:
    """How many copies a run made, and of how many files there can be none; `waiting` are those it looked at."""

    waiting_count: int
    made_count: int
    without_count: int


@dataclass(frozen=True)
class Thumbnail:
    """A small copy as JPEG; `tag` changes with the file that it was made from."""

    content: bytes
    tag: str


def make(ctx: Context, *, limit: int = AT_ONCE, dry_run: bool = False) -> Made:
    """Make the small copies of up to `limit` photos that have none, oldest first.

    Only what the scan found clean is opened. What is no picture, is broken or claims to be huge gets none, and is not
    looked at again. Everything is read and made before the transaction may write.
    """
    rows = ctx.session.scalars(
        select(EvidenceFile)
        .where(
            EvidenceFile.thumbnail_size.is_(None),
            EvidenceFile.removed_at.is_(None),
            EvidenceFile.malware_scan_status == rules.CLEAN,
            EvidenceFile.content_type.in_(rules.PICTURES),
        )
        .order_by(EvidenceFile.id)
        .limit(limit)
    ).all()
    if dry_run or not rows:
        return Made(len(rows), 0, 0)
    found: list[tuple[int, bytes]] = []
    for row in rows:
        found.append((row.id, _copy_of(ctx, row)))
        progress(ctx, len(found))
    files.begin_write(ctx)
    made = sum(_keep(ctx, evidence_id, content) for evidence_id, content in found)
    return Made(len(found), made, sum(not content for _evidence_id, content in found))


def _copy_of(ctx: Context, row: EvidenceFile) -> bytes:
    try:
        with files.verified(ctx, row) as content:
            return small(content) or b""
    except DomainError:
        return b""


def _keep(ctx: Context, evidence_id: int, content: bytes) -> bool:
    """Keep what was made, unless the file was removed or condemned meanwhile; tell whether there is a copy."""
    still = update(EvidenceFile).where(
        EvidenceFile.id == evidence_id,
        EvidenceFile.thumbnail_size.is_(None),
        EvidenceFile.removed_at.is_(None),
        EvidenceFile.malware_scan_status == rules.CLEAN,
    )
    if changed(ctx, still.values(thumbnail_size=len(content))) != 1 or not content:
        return False
    values = {"evidence_id": evidence_id, "content": content, "made_at": ctx.now()}
    ctx.session.execute(insert(EvidenceThumbnail).values(values))
    return True


def of(ctx: Context, row: EvidenceFile) -> Thumbnail:
    """Return the small copy of a file that the caller may see; raises NotFound where there is none."""
    kept = select(EvidenceThumbnail.content).where(EvidenceThumbnail.evidence_id == row.id)
    content = ctx.session.scalar(kept) if row.thumbnail_size and row.malware_scan_status == rules.CLEAN else None
    if content is None:
        raise NotFound(MISSING)
    return Thumbnail(content, f"{row.id}-{(row.sha256 or '')[:16]}-{row.thumbnail_size}")
