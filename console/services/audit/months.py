"""A month of the trail on its card: how much there is, what is known about it, and its verification on demand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from console.core.context import Context
from console.domain.audit.archive import Month, month_at, month_before, month_of
from console.domain.audit.chain import ChainReport
from console.models.audit import AuditCheckpoint
from console.services.audit.append import LOGS
from console.services.audit.log import check_whole
from console.services.audit.reader import quick_span
from console.services.audit.rebaseline_records import RebaselinedRange, ranges
from console.services.audit.record import viewed
from console.services.audit.verify import verify_month

# More than this takes longer than a page may: the job verifies it, with its progress to be seen.
MOST_AT_ONCE = 100_000
MONTHS_OFFERED = 60


@dataclass(frozen=True)
class PageData:
    """What is known about a month; instants are aware UTC.

    `report` is None until a verification was asked for, and when there is too much to do at once (`too_much`).
    `signed`: archives are signed with a key of their own.
    """

    month: Month
    computed_at: datetime
    entry_count: int
    over: bool
    months: tuple[str, ...]
    rebaselined: tuple[RebaselinedRange, ...]
    checkpoint_count: int
    checkpoint_at: datetime | None
    report: ChainReport | None
    too_much: bool
    signed: bool


def page_data(ctx: Context, text: str | None = None, *, verify: bool = False) -> PageData:
    """Return a month (by default the current UTC one) and, when asked, the verification of all of its rows.

    Raises PermissionDenied without `admins:manage`, or `audit:read` for all sites; BadRequest for what is no month.
    """
    check_whole(ctx)
    now = ctx.now()
    month = month_of(text) if text else month_at(now)
    span = quick_span(ctx.session, month)
    first, last = span.first or 0, span.last or 0
    count, newest = ctx.session.execute(
        select(func.count(AuditCheckpoint.id), func.max(AuditCheckpoint.signed_at)).where(
            AuditCheckpoint.seq >= first, AuditCheckpoint.seq <= last
        )
    ).one()
    too_much = span.total > MOST_AT_ONCE
    report = None
    if verify and not too_much:
        report = verify_month(ctx, month).report
        viewed(
            ctx,
            "admin_audit_integrity_check",
            "admin_audit_log",
            month.text,
            entry_count=span.total,
            chain_ok=report.chain_ok,
            issue_count=report.issue_count,
        )
    return PageData(
        month=month,
        computed_at=now,
        entry_count=span.total,
        over=month.over(now),
        months=_months(ctx, now),
        rebaselined=ranges(ctx, first=first, last=last),
        checkpoint_count=count if span.first else 0,
        checkpoint_at=newest if span.first else None,
        report=report,
        too_much=too_much,
        signed=bool(ctx.config["AUDIT_ARCHIVE_SIGNING_KEY"]),
    )


def _months(ctx: Context, now: datetime) -> tuple[str, ...]:
    """Return the months from the present one back to that of the first entry."""
    first = ctx.session.scalar(select(func.min(LOGS.c.created_at)))
    found, month = [month_at(now)], month_at(now)
    while first is not None and month.start > first and len(found) < MONTHS_OFFERED:
        month = month_before(month.start)
        found.append(month)
    return tuple(item.text for item in found)
