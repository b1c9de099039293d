"""Reads closed months again: their document against its digest, its signature, its figures and what was put on record.

What is found changed is told once, until it is what was stored again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from console.core.context import Context
from console.domain.alerts.alerts import MONTH_CHANGED
from console.domain.archives.archives import CHANGED
from console.domain.audit.archive import UNSIGNED_FIELDS, sealed
from console.domain.reports.council import FROZEN
from console.models.audit import AuditLog
from console.models.monthly_reports import MonthlyReportVersion
from console.services.alerts import notices, outbox
from console.services.audit.keys import signing_key_id

FREEZE = "report_monthly_freeze"
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class MonthReading:
    """One version of a closed month that was read; `problem` is None when it is what was stored."""

    id: int
    site: str
    month: str
    version: int
    problem: str | None = None

    @property
    def name(self) -> str:
        """Return month and version as people read them."""
        return f"{self.month} v{self.version}"


def in_turn(ctx: Context, sample: int, first: Collection[int] = ()) -> list[MonthReading]:
    """Read up to `sample` closed versions of the caller's sites: those of `first`, the newest, then others by the day.

    What was found changed before belongs into `first`, so that it stays known until it is mended.
    """
    table = MonthlyReportVersion
    wanted = select(table.id).where(table.state == FROZEN)
    if not ctx.actor.all_sites:
        wanted = wanted.where(table.site.in_(ctx.actor.site_scope))
    ids = list(ctx.session.scalars(wanted.order_by(table.frozen_at.desc(), table.id.desc())))
    known = [one for one in ids if one in first]
    rest = [one for one in ids if one not in first]
    turn = ctx.now().toordinal() * max(sample - 1, 1) % len(rest[1:]) if rest[1:] else 0
    chosen = [*known, *rest[:1], *rest[1 + turn :], *rest[1 : 1 + turn]][:sample]
    # One document at a time, so that the memory of a night is that of one month.
    return [_read(ctx, one) for one in chosen]


def _read(ctx: Context, version_id: int) -> MonthReading:
    table = MonthlyReportVersion
    columns = (table.site, table.month, table.version, table.document, table.archive_sha256, table.figures)
    row = ctx.session.execute(select(*columns).where(table.id == version_id)).one()
    sound = _genuine(ctx, row.document or "", row.archive_sha256, row.figures) and _recorded(ctx, row)
    return MonthReading(version_id, row.site, row.month, row.version, None if sound else CHANGED)


def _genuine(ctx: Context, text: str, digest: str, figures: Mapping[str, Any]) -> bool:
    try:
        document = json.loads(text)
        plain = {name: value for name, value in document.items() if name not in UNSIGNED_FIELDS}
        again = sealed(plain, ctx.config["AUDIT_ARCHIVE_SIGNING_KEY"])
        ours = document["signing_key_id"] == signing_key_id(ctx.config)
        same = digest == document["archive_sha256"] == again["archive_sha256"]
        # One that was signed with another key is judged by its digest alone.
        return bool(
            same
            and (not ours or document["signature"] == again["signature"])
            and all(document[name] == value for name, value in figures.items())
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _recorded(ctx: Context, row: Any) -> bool:
    """Return whether the audit log names the same digest for the version; a trail without the entry says nothing."""
    entries = ctx.session.scalars(
        select(AuditLog.detail_json).where(AuditLog.action == FREEZE, AuditLog.resource_id == f"{row.month}:{row.site}")
    )
    told = [json.loads(one) for one in entries]
    found = [one.get("archive_sha256") for one in told if one.get("version") == row.version]
    return not found or row.archive_sha256 in found


def tell(ctx: Context, found: Sequence[MonthReading]) -> None:
    """Raise one alert for each month that was found changed, once; what is right again may be told anew."""
    notices.forget(ctx, [_key(one) for one in found if not one.problem])
    for one in found:
        if one.problem and notices.claim(ctx, _key(one), _NEVER):
            payload = {
                "event": MONTH_CHANGED,
                "level": "critical",
                "site": one.site,
                "month": one.month,
                "version": one.version,
                "checked_at": ctx.now(),
            }
            outbox.raise_alert(ctx, MONTH_CHANGED, payload, site=one.site)


def _key(one: MonthReading) -> str:
    return f"closed_month:{one.id}"
