"""Handovers whose deadline passed with lines that nobody confirmed: told once, in the transaction that notes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from console.core.context import Context
from console.core.i18n import DEFAULT_LOCALE, text_in
from console.domain.alerts.alerts import HANDOVER_LATE
from console.domain.alerts.personal import Thing
from console.domain.alerts.routing import WARNING
from console.domain.handover import lines as rules
from console.domain.text import T
from console.models.handover import Handover
from console.services.alerts import outbox as alerts
from console.services.alerts.addresses import handover_address
from console.services.audit import record as audit
from console.services.handover.shifts import WRITE
from console.services.identity.names import names_of
from console.services.jobs.runs import changed

MOST = 200


@dataclass(frozen=True)
class Escalated:
    """What a run found and told; `alert_error` says why nobody could be told."""

    late_count: int
    escalated_count: int
    handover_ids: tuple[int, ...]
    alert_error: str | None


def escalate(ctx: Context, *, dry_run: bool = False) -> Escalated:
    """Tell about each handover that is past its deadline with unconfirmed lines, once; raises PermissionDenied."""
    ctx.actor.require(WRITE)
    ctx.actor.require_all_sites()
    now = ctx.now()
    wanted = (
        select(Handover)
        .where(
            Handover.state == rules.GIVEN,
            Handover.deadline_at < now,
            Handover.escalated_at.is_(None),
            Handover.confirmed_count < Handover.line_count,
        )
        .order_by(Handover.deadline_at, Handover.id)
        .limit(MOST)
    )
    found = ctx.session.scalars(wanted).all()
    names = names_of(ctx, [name for row in found for name in (row.given_by, row.taker)])
    told: list[int] = []
    error = None
    for row in () if dry_run else found:
        mine = update(Handover).where(
            Handover.id == row.id, Handover.escalated_at.is_(None), Handover.state == rules.GIVEN
        )
        if changed(ctx, mine.values(escalated_at=now)) != 1:
            continue
        told.append(row.id)
        left = row.line_count - row.confirmed_count
        payload = {
            "event": HANDOVER_LATE,
            "site": row.site,
            "checked_at": now,
            "handover_id": row.id,
            "line_count": row.line_count,
            "unconfirmed_count": left,
            "deadline_at": row.deadline_at,
            "given_by": names.get(row.given_by, row.given_by),
            "taker": names.get(row.taker, row.taker) if row.taker else None,
            **handover_address(ctx.config, row.id),
        }
        raised = alerts.raise_alert(ctx, HANDOVER_LATE, payload, site=row.site, about=[_thing(ctx, row, payload)])
        error = raised.error or error
        detail = {"site": row.site, "unconfirmed": left, "alert_error": raised.error}
        status = "warning" if raised.error else "success"
        audit.record(ctx, "handover_escalate", "handover", row.id, status=status, detail=detail)
    return Escalated(len(found), len(told), tuple(told), error)


def _thing(ctx: Context, row: Handover, payload: Mapping[str, Any]) -> Thing:
    """Return the handover as people are told of it: whoever takes it, and whoever gave it."""
    title = T("Handover %(number)s, unconfirmed lines: %(count)s", number=row.id, count=payload["unconfirmed_count"])
    line = {
        "id": row.id,
        "title": text_in(DEFAULT_LOCALE, title),
        "due_at": row.deadline_at,
        "assignee_name": payload["taker"] or payload["given_by"],
        "site": row.site,
        **handover_address(ctx.config, row.id),
    }
    people = frozenset(name for name in (row.taker, row.given_by) if name)
    return Thing(f"handover:{row.id}", row.site, severity=WARNING, people=people, line=line)
