"""W05: who comes back, and what is late at the sites (API contract, W05 consistency)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from console.domain.programme.judge import NO_DATA, OK, known_rate, rate
from console.domain.programme.measures import WINDOW
from console.domain.programme.snapshot import Advice, RowsOf, Snapshot, advised
from console.domain.text import N_, T
from console.services.programme import orders, people
from console.services.programme.scope import Scope

TARGET_RETENTION, HIGH_OVERDUE = 65.0, 25.0
SITES_MOST = 5


def retention(scope: Scope) -> float | None:
    """Return how many percent of those who were active early in the window came back; None when nobody was."""
    _active, early, retained = _activity(scope)
    return known_rate(retained, early)


def retentions(scope: Scope, ends: Sequence[datetime]) -> list[float | None]:
    """Return the same for the windows that ended at `ends`: one query for all of them."""
    seen = people.flags(scope.covering(ends), [half for end in ends for half in _halves(scope.ending(end))]).values()
    early = [sum(flags[2 * place] for flags in seen) for place in range(len(ends))]
    back = [sum(flags[2 * place] and flags[2 * place + 1] for flags in seen) for place in range(len(ends))]
    return [known_rate(*both) for both in zip(back, early, strict=True)]


def _halves(scope: Scope) -> tuple[tuple[datetime, datetime], tuple[datetime, datetime]]:
    middle = scope.start + timedelta(days=max(1, scope.days // 2))
    return (scope.start, middle), (middle, scope.end + timedelta(microseconds=1))


def _activity(scope: Scope) -> tuple[int, int, int]:
    """Return how many people were active in the window, in its first half, and in both halves: one query."""
    seen = people.flags(scope, _halves(scope))
    early = sum(first for first, _late in seen.values())
    return len(seen), early, sum(first and late for first, late in seen.values())


def snapshot(scope: Scope) -> Snapshot:
    """Return who was active early and late in the window: three queries. Inspecting counts as well as orders do."""
    active, early, retained = _activity(scope)
    inspectors = people.inspectors(scope)
    open_now = orders.open_by_site(scope)
    total = orders.open_total(open_now)
    returned = known_rate(retained, early)
    overdue = rate(total.overdue, total.open)
    lines: list[dict[str, Any]] = [
        {
            "site": site,
            "open_work_orders": one.open,
            "overdue_open_work_orders": one.overdue,
            "overdue_ratio_percent": rate(one.overdue, one.open),
        }
        for site, one in open_now.items()
    ]
    if scope.site is not None and not lines:
        empty = {"open_work_orders": 0, "overdue_open_work_orders": 0, "overdue_ratio_percent": 0.0}
        lines = [{"site": scope.site, **empty}]
    lines.sort(key=lambda one: (-one["overdue_ratio_percent"], -one["overdue_open_work_orders"], one["site"]))
    metrics = {
        "active_users": active,
        "early_period_users": early,
        "retained_users": retained,
        "two_week_retention_percent": returned,
        "target_met": returned is not None and returned >= TARGET_RETENTION,
        "inspection_activity_users": inspectors,
        "open_work_orders": total.open,
        "overdue_open_work_orders": total.overdue,
        "overdue_ratio_percent": overdue,
    }
    late = RowsOf("work_orders", {"due": "late"})
    advice = (
        Advice("low_retention", T(N_("Too few people came back: ask those who stayed away what stopped them.")))
        if returned is not None and returned < TARGET_RETENTION
        else None,
        Advice("high_overdue_ratio", T(N_("Much of the open work is late: agree on what is finished first.")), late)
        if overdue >= HIGH_OVERDUE
        else None,
        Advice(
            "few_inspectors",
            T(N_("Few people inspect: give every shift a round.")),
            RowsOf("inspections", {WINDOW: "1"}),
        )
        if active and inspectors < max(3, active // 2)
        else None,
    )
    return Snapshot(
        generated_at=scope.end,
        site=scope.site,
        window_days=scope.days,
        head={"target_retention_percent": TARGET_RETENTION},
        metrics=metrics,
        parts={"top_sites_by_overdue": lines[:SITES_MOST], "retention_days": scope.days // 2},
        advice=advised(advice),
        no_data=(
            *(() if early else ("two_week_retention_percent",)),
            *(() if total.open else ("overdue_ratio_percent",)),
        ),
        data_state=OK if active or total.open else NO_DATA,
        advice_key="mission_recommendations",
    )
