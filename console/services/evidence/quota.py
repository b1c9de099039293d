"""How much evidence a site may keep and a person may send (settings `EVIDENCE_QUOTA_...`)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from console.core.context import Context
from console.domain.errors import TooLarge
from console.domain.text import T
from console.models.evidence import EvidenceFile

MEGABYTE = 1024 * 1024
DAY = timedelta(days=1)


def check_quota(ctx: Context, site: str | None, size: int, now: datetime) -> None:
    """Raise TooLarge when `size` more bytes exceed what the site may keep or the caller may send within a day.

    Two uploads at the same moment may both fit under the limit: it protects the disk, it is no account.
    """
    of_site, of_person = ctx.config["EVIDENCE_QUOTA_SITE_MB"], ctx.config["EVIDENCE_QUOTA_USER_DAY_MB"]
    total = func.coalesce(func.sum(EvidenceFile.file_size), 0)
    kept = select(total).where(EvidenceFile.site_key == (site or ""), EvidenceFile.removed_at.is_(None))
    if of_site and _over(ctx.session.scalar(kept), size, of_site):
        raise TooLarge(
            T("The evidence of this site has used up its %(limit)s MB", limit=of_site),
            code="quota_site",
            told=T(
                "The evidence of this site has used up its %(limit)s MB. Ask an administrator for more.", limit=of_site
            ),
        )
    # What was removed again counts as sent.
    sent = select(total).where(EvidenceFile.uploaded_by == ctx.actor.username, EvidenceFile.uploaded_at > now - DAY)
    if of_person and _over(ctx.session.scalar(sent), size, of_person):
        raise TooLarge(
            T("You have sent %(limit)s MB of evidence within a day", limit=of_person),
            code="quota_person",
            told=T(
                "You have sent %(limit)s MB of evidence within a day. Send the rest tomorrow, or ask an administrator.",
                limit=of_person,
            ),
        )


def _over(used: int | None, size: int, megabytes: int) -> bool:
    return (used or 0) + size > megabytes * MEGABYTE
