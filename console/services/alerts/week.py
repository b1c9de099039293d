"""The figures of alerts of the last seven days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import func, select

from console.core.context import Context
from console.core.serialize import iso
from console.domain.alerts.alerts import DROPPED, SUCCESS
from console.domain.text import N_
from console.models.alerts import AlertDelivery
from console.services.alerts.outbox import READ, visible
from console.services.common.figures import Figure, Given

_LIST, _WEEK = "alerts.page", timedelta(days=7)


def given(now: datetime) -> dict[str, str]:
    """Return what these figures are asked with at `now` (UTC): whole hours, so that they are counted once in each."""
    return {"since": iso(now.replace(minute=0, second=0, microsecond=0) - _WEEK)}


def _count(*statuses: str) -> Callable[[Context, str | None, Given], int]:
    def count(ctx: Context, _site: str | None, asked: Given) -> int:
        since = datetime.fromisoformat(asked["since"])
        found = select(func.count()).select_from(AlertDelivery).where(AlertDelivery.created_at >= since, *visible(ctx))
        which = AlertDelivery.status.in_(statuses) if statuses else AlertDelivery.status != DROPPED
        return ctx.session.scalar(found.where(which)) or 0

    return count


RAISED = Figure(
    "alerts_7d", N_("Alerts of 7 days"),
    N_("Raised within the last seven days, one for each channel, without those no longer needed"),
    _LIST, _count(), READ, {"raised_from": "{since}", "needed": "1"},
)  # fmt: skip
DELIVERED = Figure(
    "alerts_delivered_7d", N_("Alerts of 7 days that arrived"), N_("Of those of the last seven days: delivered"), _LIST,
    _count(SUCCESS), READ, {"raised_from": "{since}", "status": SUCCESS},
)  # fmt: skip
FIGURES = (RAISED, DELIVERED)
