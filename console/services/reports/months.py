"""The months of a site as pages show them: their states and versions, and the document of one of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from console.core.context import Context
from console.core.i18n import text_in
from console.core.records import view_of
from console.core.serialize import plain
from console.domain.errors import NotFound
from console.domain.reports import council as rules
from console.domain.reports import monthly
from console.domain.reports.council import DRAFT, FROZEN
from console.domain.reports.periods import Period
from console.domain.text import T
from console.models.monthly_reports import MonthlyReportVersion
from console.services.identity import sites
from console.services.identity.names import names_of
from console.services.policies.kinds import PolicyView
from console.services.reports import month_facts, month_photos, month_policy
from console.services.reports.month_policy import FREEZE, READ

SHOWN, AT_LEAST = 13, 3


@dataclass(frozen=True)
class Version:
    """One version of a month; instants are aware UTC."""

    version: int
    state: str
    reason: str
    edit: int
    archive_sha256: str | None
    frozen_at: datetime | None
    frozen_by: str | None
    updated_by: str
    updated_at: datetime
    differences: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class MonthRow:
    """A month in the list: its state, the figures of its closed version or those of now, newest version first."""

    month: str
    period: Period
    state: str
    versions: Sequence[Version]
    received: int
    completed: int
    inspections: int
    freezes_at: datetime | None

    @property
    def frozen(self) -> Version | None:
        """Return the newest closed version."""
        return next((one for one in self.versions if one.state == FROZEN), None)

    @property
    def is_empty(self) -> bool:
        """Return whether nothing happened in it and nobody wrote about it."""
        return not (self.versions or self.received or self.inspections)

    @property
    def correcting(self) -> bool:
        """Return whether a correction of a closed month is under way."""
        return self.frozen is not None and self.versions[0].state == DRAFT


@dataclass(frozen=True)
class Months:
    """The newest months of a site, and how it closes them."""

    site: str
    rows: Sequence[MonthRow]
    policy: PolicyView
    computed_at: datetime


@dataclass(frozen=True)
class MonthView:
    """One month as a page shows it. `shown` is the version of the document, None for a draft that nobody touched."""

    site: str
    period: Period
    state: str
    document: Mapping[str, Any]
    shown: Version | None
    versions: Sequence[Version]
    freezes_at: datetime | None
    names: Mapping[str, str]

    @property
    def is_draft(self) -> bool:
        """Return whether what is shown can still change."""
        return self.shown is None or self.shown.state == DRAFT

    @property
    def edit(self) -> int:
        """Return how often the draft was changed, 0 for one that nobody touched."""
        return self.shown.edit if self.shown is not None and self.shown.state == DRAFT else 0

    @property
    def draft(self) -> Version | None:
        """Return the version that is under way."""
        return next((one for one in self.versions if one.state == DRAFT), None)


def period_of(ctx: Context, site: str, month: str) -> Period:
    """Return a month of a site; raises BadRequest for what is none and Invalid for one that has not begun."""
    return monthly.month_of(month, sites.zone_of(ctx, site), ctx.now())


def listed(ctx: Context, site: str) -> Months:
    """Return the newest months of a site; raises PermissionDenied, SiteDenied."""
    ctx.actor.require(READ, FREEZE)
    ctx.actor.require_site(site)
    now, policy = ctx.now(), month_policy.of(ctx, site)
    periods = [monthly.month_of(None, sites.zone_of(ctx, site), now)]
    while len(periods) < SHOWN:
        periods.append(monthly.before(periods[-1]))
    rows = ctx.session.scalars(
        select(MonthlyReportVersion)
        .where(MonthlyReportVersion.site == site, MonthlyReportVersion.month >= periods[-1].label)
        .order_by(MonthlyReportVersion.version.desc())
    ).all()
    versions: dict[str, list[MonthlyReportVersion]] = {}
    for row in rows:
        versions.setdefault(row.month, []).append(row)
    counted = month_facts.by_month(ctx, periods, site)
    listing = [_row(one, versions.get(one.label, []), counted[one.label], policy, now) for one in periods]
    # Before its first work a site has no months worth a line.
    while len(listing) > AT_LEAST and listing[-1].is_empty:
        listing.pop()
    return Months(site, listing, policy, now)


def _row(
    period: Period,
    rows: Sequence[MonthlyReportVersion],
    counted: tuple[int, int, int],
    policy: PolicyView,
    now: datetime,
) -> MonthRow:
    closed = _closed(rows)
    if closed is not None:
        kept = closed.figures["figures"]
        counted = (kept["received"], kept["completed"], kept["inspections"])
    state = _state(period, rows, now)
    closes = None if state == FROZEN else closes_at(period, policy, now)
    return MonthRow(period.label, period, state, tuple(map(version_of, rows)), *counted, closes)


def closes_at(period: Period, policy: PolicyView, now: datetime) -> datetime | None:
    """Return when a month closes by itself under a policy, None where it does not (UTC)."""
    return rules.closes_at(period, int(policy.values["freeze_day"]), policy.updated_at, now)


def version_of(row: MonthlyReportVersion) -> Version:
    """Return a stored version as doors show it."""
    return view_of(Version, row)


def view(ctx: Context, site: str, month: str, version: int | None = None) -> MonthView:
    """Return a month of a site: the version that is asked for, else the newest closed one, else the draft.

    Raises PermissionDenied, SiteDenied, BadRequest, Invalid, and NotFound for a version that there is not.
    """
    ctx.actor.require(READ, FREEZE)
    ctx.actor.require_site(site)
    period, now = period_of(ctx, site, month), ctx.now()
    rows = rows_of(ctx, site, period.label)
    found = chosen(rows, version)
    state = _state(period, rows, now)
    if found is not None and found.state == FROZEN:
        document = json.loads(found.document or "{}")
    else:
        document = draft_of(ctx, period, site, rows)
    people = {name for row in rows for name in (row.frozen_by, row.updated_by)}
    return MonthView(
        site=site,
        period=period,
        state=state,
        document=document,
        shown=version_of(found) if found is not None else None,
        versions=tuple(map(version_of, rows)),
        freezes_at=None if state == FROZEN else closes_at(period, month_policy.of(ctx, site), now),
        names=names_of(ctx, people),
    )


def rows_of(ctx: Context, site: str, month: str) -> Sequence[MonthlyReportVersion]:
    """Return the versions of a month, the newest first."""
    mine = (MonthlyReportVersion.site == site, MonthlyReportVersion.month == month)
    newest = select(MonthlyReportVersion).where(*mine).order_by(MonthlyReportVersion.version.desc())
    return ctx.session.scalars(newest.execution_options(populate_existing=True)).all()


def chosen(rows: Sequence[MonthlyReportVersion], version: int | None) -> MonthlyReportVersion | None:
    """Return the version that is asked for, else the newest closed one, else the draft; raises NotFound."""
    if version is not None:
        found = next((row for row in rows if row.version == version), None)
        if found is None:
            raise NotFound(T("There is no such version of the report"))
        return found
    return _closed(rows) or (rows[0] if rows else None)


def _closed(rows: Sequence[MonthlyReportVersion]) -> MonthlyReportVersion | None:
    """Return the newest closed version of a month."""
    return next((row for row in rows if row.state == FROZEN), None)


def _state(period: Period, rows: Sequence[MonthlyReportVersion], now: datetime) -> str:
    kept = chosen(rows, None)
    return rules.state_of(period, now, kept.state if kept is not None else None)


def draft_of(ctx: Context, period: Period, site: str, rows: Sequence[MonthlyReportVersion]) -> dict[str, Any]:
    """Return the document as it would be closed now, without its seal."""
    draft = rows[0] if rows and rows[0].state == DRAFT else None
    base = _closed(rows)
    found = month_facts.facts(ctx, period, site)
    found["previous"] = _previous(ctx, period, site)
    month_photos.attach(ctx, found["faults"])
    own = draft.sentences if draft is not None else {}
    said = rules.drafted(found)
    policy = month_policy.of(ctx, site).values
    document = {
        "kind": rules.KIND,
        "format_version": rules.FORMAT_VERSION,
        "site": site,
        "month": period.label,
        "time_zone": period.time_zone,
        "period_start": plain(period.start),
        "period_end": plain(period.end),
        "version": draft.version if draft is not None else (base.version + 1 if base else 1),
        "generated_at": plain(ctx.now()),
        **found,
        "sentences": {
            language: own.get(language) or [text_in(language, one) for one in said] for language in rules.LANGUAGES
        },
        "offices": [policy[f"office_{place}"] for place in (1, 2, 3)],
        "prepared_by": "",
        "approved_by": "",
        "reason": draft.reason if draft is not None else "",
        "replaces": {"version": base.version, "archive_sha256": base.archive_sha256} if base is not None else None,
        "differences": [],
    }
    if base is not None and base.document:
        document["differences"] = rules.differences(json.loads(base.document), document)
    return document


def _previous(ctx: Context, period: Period, site: str) -> dict[str, Any] | None:
    """Return the figures of the month before: those that it was closed with, or those of now."""
    before = monthly.before(period)
    kept = ctx.session.scalar(
        select(MonthlyReportVersion.figures)
        .where(
            MonthlyReportVersion.site == site,
            MonthlyReportVersion.month == before.label,
            MonthlyReportVersion.state == FROZEN,
        )
        .order_by(MonthlyReportVersion.version.desc())
        .limit(1)
    )
    found = kept or month_facts.figures(ctx, before, site)
    return {"month": before.label, **found["figures"]}
