"""Closing the months of a site for good, and corrections as further versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from console.core.context import Context
from console.domain.audit.archive import sealed
from console.domain.audit.entry import canonical_json
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.reports import council as rules
from console.domain.reports import monthly
from console.domain.reports.council import DRAFT, FROZEN
from console.domain.reports.periods import Period
from console.domain.text import T
from console.models.monthly_reports import MonthlyReportVersion
from console.services.audit import record as audit
from console.services.audit.keys import signing_key_id
from console.services.identity import sites
from console.services.identity.names import names_of
from console.services.jobs import progress
from console.services.jobs.runs import changed
from console.services.reports import month_policy
from console.services.reports.month_policy import FREEZE
from console.services.reports.monthly import EXPORT, TYPE
from console.services.reports.months import SHOWN, Version, chosen, closes_at, draft_of, period_of, rows_of, version_of

_CHANGED = T("Somebody else changed the draft meanwhile")


def write(ctx: Context, site: str, month: str, sentences: Mapping[str, Sequence[str]], *, edit: int) -> int:
    """Keep the sentences of a draft and return how often it was changed; none at all leaves the drafted ones.

    `edit` is that of the draft that was looked at. Raises PermissionDenied, SiteDenied, Invalid, and Conflict when
    somebody else changed it meanwhile or the month is closed.
    """
    period = _may_change(ctx, site, month)
    kept = {language: lines for language, lines in rules.written(sentences).items() if lines}
    ctx.begin_write()
    rows, now = rows_of(ctx, site, period.label), ctx.now()
    draft = _under_way(rows)
    if draft is None:
        if edit:
            raise Conflict(_CHANGED, code="version_conflict")
        _add(ctx, site, period, 1, sentences=kept)
        made = 1
    else:
        made = edit + 1
        values = {"sentences": kept, "edit": made, "updated_by": ctx.actor.username, "updated_at": now}
        _update(ctx, draft, edit, values)
    audit.record(
        ctx, "report_monthly_draft_update", TYPE, f"{period.label}:{site}", detail={"site": site, "sentences": kept}
    )
    return made


def _may_change(ctx: Context, site: str, month: str) -> Period:
    ctx.actor.require(FREEZE)
    ctx.actor.require_site(site)
    return period_of(ctx, site, month)


def _under_way(rows: Sequence[MonthlyReportVersion]) -> MonthlyReportVersion | None:
    """Return the draft of a month, None where nobody touched it; raises Conflict for a closed month."""
    if not rows:
        return None
    if rows[0].state != DRAFT:
        raise Conflict(T("The month is closed already; a correction is another version"), code="month_closed")
    return rows[0]


def _update(ctx: Context, draft: MonthlyReportVersion, edit: int, values: Mapping[str, Any]) -> None:
    table = MonthlyReportVersion
    statement = update(table).where(table.id == draft.id, table.state == DRAFT, table.edit == edit)
    if changed(ctx, statement.values(**values)) != 1:
        raise Conflict(_CHANGED, code="version_conflict")


def _add(ctx: Context, site: str, period: Period, version: int, **values: Any) -> None:
    now, who = ctx.now(), ctx.actor.username
    row = MonthlyReportVersion(
        site=site,
        month=period.label,
        version=version,
        created_by=who,
        created_at=now,
        updated_by=who,
        updated_at=now,
        **values,
    )
    try:
        with ctx.session.begin_nested():
            ctx.session.add(row)
    except IntegrityError as error:
        raise Conflict(_CHANGED, code="version_conflict") from error


@dataclass(frozen=True)
class Closing:
    """A document that was read in one moment and waits to be stored."""

    site: str
    period: Period
    document: Mapping[str, Any]
    draft_id: int | None
    edit: int


def one_moment(ctx: Context) -> None:
    """Let everything that is read from here on be of one moment, whatever others change meanwhile."""
    ctx.session.rollback()
    if ctx.session.get_bind().dialect.name == "postgresql":
        # SQLite reads one moment anyway.
        ctx.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def freeze(ctx: Context, site: str, month: str, *, edit: int) -> Version:
    """Close a month, or a correction of one, and return its version; nothing of it changes afterwards.

    The whole document is read in one moment and sealed; only then the transaction writes. `edit` is that of the draft
    that was looked at. Raises PermissionDenied, SiteDenied, BadRequest, Invalid, and Conflict while the month lasts,
    when it is closed, or when somebody else changed or closed it meanwhile.
    """
    _may_change(ctx, site, month)
    one_moment(ctx)
    period = period_of(ctx, site, month)
    rules.check_over(period, ctx.now())
    made = read_closing(ctx, site, period)
    if made.edit != edit:
        raise Conflict(_CHANGED, code="version_conflict")
    ctx.begin_write()
    return store(ctx, made)


def read_closing(ctx: Context, site: str, period: Period) -> Closing:
    """Return the sealed document of a month as it is in this moment; raises Conflict for a closed month."""
    rows = rows_of(ctx, site, period.label)
    draft = _under_way(rows)
    document = draft_of(ctx, period, site, rows)
    writer = draft.updated_by if draft is not None else None
    closer = ctx.actor.username if ctx.actor.user_id is not None else None
    names = names_of(ctx, (writer, closer))
    document |= {
        "prepared_by": names.get(writer or "", ""),
        "approved_by": names.get(closer or "", ""),
        "signing_key_id": signing_key_id(ctx.config),
    }
    made = sealed(document, ctx.config["AUDIT_ARCHIVE_SIGNING_KEY"])
    edit = draft.edit if draft is not None else 0
    return Closing(site, period, made, draft.id if draft is not None else None, edit)


def store(ctx: Context, made: Closing) -> Version:
    """Store a closed month in the writing transaction; raises Conflict when somebody was faster."""
    document, now, run = made.document, ctx.now(), progress.current(ctx)
    values = {
        "state": FROZEN,
        "document": canonical_json(document),
        "archive_sha256": document["archive_sha256"],
        "figures": {
            name: document[name]
            for name in (
                *("inspections", "work_orders", "figures", "time_zone"),
                *("period_start", "period_end", "generated_at"),
            )
        },
        "differences": document["differences"],
        "frozen_at": now,
        "frozen_by": ctx.actor.username,
        "run_id": run.run_id if run else None,
    }
    if made.draft_id is None:
        _add(ctx, made.site, made.period, document["version"], **values)
    else:
        table = MonthlyReportVersion
        mine = (table.id == made.draft_id, table.state == DRAFT, table.edit == made.edit)
        if changed(ctx, update(table).where(*mine).values(**values)) != 1:
            raise Conflict(_CHANGED, code="version_conflict")
    audit.record(
        ctx,
        "report_monthly_freeze",
        TYPE,
        f"{made.period.label}:{made.site}",
        detail={
            "site": made.site,
            "version": document["version"],
            "archive_sha256": document["archive_sha256"],
            "differences": [one["key"] for one in document["differences"]],
            "reason": document["reason"],
        },
    )
    return version_of(rows_of(ctx, made.site, made.period.label)[0])


def correct(ctx: Context, site: str, month: str, reason: str) -> int:
    """Begin a correction of a closed month and return the number of its version; its sentences go along.

    Raises PermissionDenied, SiteDenied, Invalid without a reason, and Conflict for a month that is not closed or has a
    correction under way.
    """
    period = _may_change(ctx, site, month)
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= rules.REASON_MAX:
        raise Invalid.field(
            "reason", T("A correction needs a reason of at most %(most)s characters", most=rules.REASON_MAX)
        )
    ctx.begin_write()
    rows = rows_of(ctx, site, period.label)
    if not rows or rows[0].state != FROZEN:
        raise Conflict(T("Only a closed month is corrected, and by one person at a time"), code="not_closed")
    version = rows[0].version + 1
    _add(ctx, site, period, version, reason=reason, sentences=rows[0].sentences)
    audit.record(
        ctx,
        "report_monthly_correction_begin",
        TYPE,
        f"{period.label}:{site}",
        detail={"site": site, "version": version, "reason": reason},
    )
    return version


def drop(ctx: Context, site: str, month: str, *, edit: int) -> None:
    """Give a draft up: a correction that was begun, or sentences that were written.

    Raises PermissionDenied, SiteDenied, and Conflict when there is none or somebody else changed it meanwhile.
    """
    period = _may_change(ctx, site, month)
    ctx.begin_write()
    table = MonthlyReportVersion
    mine = (table.site == site, table.month == period.label, table.state == DRAFT, table.edit == edit)
    if changed(ctx, delete(table).where(*mine)) != 1:
        raise Conflict(_CHANGED, code="version_conflict")
    audit.record(ctx, "report_monthly_draft_drop", TYPE, f"{period.label}:{site}", detail={"site": site})


def document_of(ctx: Context, site: str, month: str, version: int | None = None) -> tuple[str, bytes]:
    """Return name and bytes of a closed document, for the offline verifier, and put the download on record.

    Raises PermissionDenied, SiteDenied, and NotFound for a month that is not closed.
    """
    ctx.actor.require(EXPORT)
    ctx.actor.require_site(site)
    period = period_of(ctx, site, month)
    row = chosen(rows_of(ctx, site, period.label), version)
    if row is None or row.document is None:
        raise NotFound(T("There is no such version of the report"))
    audit.record(
        ctx,
        "report_monthly_document_export",
        TYPE,
        f"{period.label}:{site}",
        detail={"site": site, "version": row.version, "archive_sha256": row.archive_sha256},
    )
    name = f"monthly-report-{period.label}-{site.replace(' ', '_')}-v{row.version}.json"
    return name, row.document.encode()


def due(ctx: Context) -> list[tuple[str, Period]]:
    """Return the months to be closed now, by the day that each site chose; one that was missed is made up for."""
    now, found = ctx.now(), []
    for site in sites.visible(ctx):
        policy = month_policy.of(ctx, site.name)
        period = monthly.month_of(None, ZoneInfo(site.zone), now)
        for _number in range(1, SHOWN):
            period = monthly.before(period)
            at = closes_at(period, policy, now)
            if at is not None and at <= now:
                found.append((site.name, period))
    table = MonthlyReportVersion
    closed = select(table.site, table.month).where(table.state == FROZEN, table.month.in_({p.label for _s, p in found}))
    known = {(site, month) for site, month in ctx.session.execute(closed)} if found else set()
    return [(site, period) for site, period in found if (site, period.label) not in known]


def freeze_due(ctx: Context) -> tuple[list[dict[str, Any]], list[str]]:
    """Close the months that are due, all read in one moment; returns what was closed, and where somebody was faster.

    A correction is never closed by itself.
    """
    one_moment(ctx)
    made = [read_closing(ctx, site, period) for site, period in due(ctx)]
    if not made:
        return [], []
    ctx.begin_write()
    closed, missed = [], []
    for one in made:
        try:
            version = store(ctx, one)
        except Conflict:
            missed.append(one.site)
            continue
        facts = {"version": version.version, "archive_sha256": version.archive_sha256}
        closed.append({"site": one.site, "month": one.period.label, **facts})
    return closed, missed
