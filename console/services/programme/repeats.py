"""W10 to W15: how many orders repeat, and how far guides and runbooks are (API contract, W10 to W15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal_column, select

from console.domain.programme.catalogue import WEEKS
from console.domain.programme.judge import (
    GREEN,
    HIGHER,
    LOWER,
    NO_DATA,
    OK,
    RED,
    judged,
    known_rate,
    points,
    rate,
    worst,
)
from console.domain.programme.repeats import (
    GUIDE,
    GUIDES_LEAST,
    REPEATS,
    RUNBOOK,
    RUNBOOKS_LEAST,
    TARGET,
    YELLOW_BELOW_TARGET,
    RepeatNames,
)
from console.domain.programme.snapshot import Advice, RowsOf, Snapshot, advised
from console.domain.text import N_, T
from console.models.tracker import TrackerItem
from console.models.work_orders import WorkOrder
from console.services.policies import policies as engine
from console.services.programme import indicators
from console.services.programme.kpis import POLICY_OFF, policy_of
from console.services.programme.policies import KINDS
from console.services.programme.scope import Scope
from console.services.tracker import rows as tracker_rows

TOP_MOST = 10
UNTITLED = "(untitled)"


@dataclass(frozen=True)
class Repeats:
    """Orders of the window by title: in all, titles, how many orders share theirs with another, the worst titles."""

    total: int = 0
    titles: int = 0
    repeated: int = 0
    top: Sequence[tuple[str, int]] = ()


def snapshot(scope: Scope, code: str) -> Snapshot:
    """Return the readiness of a week, and what else tells of it: four queries and those of its indicators."""
    names = REPEATS[code]
    view = engine.resolve(scope.ctx, KINDS[code], scope.site)
    seen, items = repeats(scope), _items(scope, code)
    guides, runbooks = (_done(scope, items, kind, least) for kind, least in _LEAST)
    values = (rate(seen.repeated, seen.total), rate(*guides), rate(*runbooks))
    known = (seen.total > 0, bool(items), bool(items))
    lights = [
        judged(direction, value if there or direction == HIGHER else None, *_limits(view.values, start))
        for (start, direction, _green, _yellow), value, there in zip(names.rules, values, known, strict=True)
    ]
    score, target = points(lights), view.values[TARGET]
    overall = worst(lights)
    metrics = {
        names.total: seen.total,
        "unique_titles": seen.titles,
        names.repeated: seen.repeated,
        names.rate_key: values[0],
        "guide_total_count": guides[1],
        "guide_done_count": guides[0],
        names.guide_key: values[1],
        "runbook_total_count": runbooks[1],
        "runbook_done_count": runbooks[0],
        names.runbook_key: values[2],
        names.score_key: score,
        "overall_status": overall,
        "target_met": score >= target and overall != RED,
    }
    return Snapshot(
        generated_at=scope.end,
        site=scope.site,
        window_days=scope.days,
        head={"policy": policy_of(view, readiness_target=target)},
        metrics=metrics,
        parts={
            "kpis": _kpis(names, view.values, values, lights, score),
            names.top: [
                {"title": title, "count": count, "share_percent": rate(count, seen.total)} for title, count in seen.top
            ],
            names.guide_list: _coverage(scope, code, items, GUIDE),
            names.runbook_list: _coverage(scope, code, items, RUNBOOK),
            "indicators": indicators.of_week(scope, code, (_before(scope, code), values[0] if known[0] else None)),
        },
        advice=_advice(lights, view.values["enabled"]),
        no_data=(
            *(() if seen.total else (names.rate_key,)),
            *(() if items else (names.guide_key, names.runbook_key)),
        ),
        data_state=OK if seen.total or items else NO_DATA,
    )


def _before(scope: Scope, code: str) -> float | None:
    """Return the rate of the window before, for the week that is measured by how much it fell."""
    if code != "w10":
        return None
    counts = [number for _part, number in titles_by(scope.ending(scope.start), literal_column("0"))]
    return known_rate(sum(number for number in counts if number > 1), sum(counts))


def repeats(scope: Scope) -> Repeats:
    """Count the orders of the window by their title, canceled ones left out: one query."""
    counted = (
        select(func.min(WorkOrder.id).label("first"), func.count().label("number"))
        .where(*_counting(scope))
        .group_by(_TITLE)
        .cte("counted")
    )
    again = case((counted.c.number >= 2, counted.c.number), else_=0)
    best = (
        select(
            counted.c.first,
            counted.c.number,
            func.sum(counted.c.number).over().label("total"),
            func.count().over().label("titles"),
            func.sum(again).over().label("repeated"),
        )
        .order_by(counted.c.number.desc(), counted.c.first)
        .limit(TOP_MOST)
        .cte("best")
    )
    wanted = select(WorkOrder.title, best.c.number, best.c.total, best.c.titles, best.c.repeated)
    wanted = wanted.join(best, best.c.first == WorkOrder.id).order_by(best.c.number.desc(), best.c.first)
    found = scope.ctx.session.execute(wanted).all()
    if not found:
        return Repeats()
    top = [(row.title.strip() or UNTITLED, row.number) for row in found if row.number >= 2]
    return Repeats(int(found[0].total), found[0].titles, int(found[0].repeated), top)


_TITLE = func.coalesce(func.nullif(func.lower(func.trim(WorkOrder.title)), ""), UNTITLED)


def _counting(scope: Scope) -> tuple[ColumnElement[bool], ...]:
    return (*scope.orders(), WorkOrder.status != literal_column("'canceled'"))


def titles_by(scope: Scope, part: ColumnElement[int]) -> Sequence[tuple[int, int]]:
    """Return, for every title in each part of the window, the part and how many orders have it: one query."""
    wanted = select(part.label("part"), func.count()).where(*_counting(scope)).group_by("part", _TITLE)
    return [(place, number) for place, number in scope.ctx.session.execute(wanted)]


def done_at(scope: Scope, code: str, ends: Sequence[datetime]) -> tuple[list[float | None], list[float | None]]:
    """Return how many percent of guides and runbooks were done at each instant, of those that count now: one query."""
    wanted = select(TrackerItem.site_key, TrackerItem.item_type, TrackerItem.item_key, TrackerItem.completed_at)
    found = scope.ctx.session.execute(wanted.where(*_counted(scope, code))).all()
    names = len({*scope.names, *(row.site_key for row in found)})
    made: list[list[float | None]] = []
    for kind, least in _LEAST:
        rows = [row for row in found if row.item_type == kind]
        there = max(least * names, len(rows))
        done = [sum(row.completed_at is not None and row.completed_at <= end for row in rows) for end in ends]
        made.append([rate(number, there) if found else None for number in done])
    return made[0], made[1]


def _counted(scope: Scope, code: str) -> tuple[ColumnElement[bool], ...]:
    kinds = TrackerItem.item_type.in_((GUIDE, RUNBOOK))
    return TrackerItem.tracker == code, kinds, tracker_rows.ACTIVE, scope.on(TrackerItem.site_key)


_LEAST = ((GUIDE, GUIDES_LEAST), (RUNBOOK, RUNBOOKS_LEAST))
# Site -> type -> key -> whether it is done.
Items = Mapping[str, Mapping[str, Mapping[str, str]]]


def _items(scope: Scope, code: str) -> Items:
    columns = (TrackerItem.site_key, TrackerItem.item_type, TrackerItem.item_key, TrackerItem.status)
    wanted = select(*columns).where(*_counted(scope, code))
    found: dict[str, dict[str, dict[str, str]]] = {}
    for site, kind, key, status in scope.ctx.session.execute(wanted):
        found.setdefault(site, {}).setdefault(kind, {})[key] = status
    return found


def _done(scope: Scope, items: Items, kind: str, least: int) -> tuple[int, int]:
    """Return how many are done and how many there should be. A site that never began lacks all of them."""
    done = sum(status == "done" for site in items.values() for status in site.get(kind, {}).values())
    names = {*scope.names, *items}
    return done, sum(max(least, len(items.get(name, {}).get(kind, {}))) for name in names)


def _limits(values: Mapping[str, Any], start: str) -> tuple[float, float]:
    return values[f"{start}_green_threshold"], values[f"{start}_yellow_threshold"]


def _kpis(
    names: RepeatNames, policy: Mapping[str, Any], values: Sequence[float], lights: Sequence[str], score: float
) -> list[dict[str, Any]]:
    target = policy[TARGET]
    limits = [
        *(_limits(policy, start) for start, *_rest in names.rules),
        (target, max(0.0, target - YELLOW_BELOW_TARGET)),
    ]
    judged_score = judged(HIGHER, score, *limits[-1])
    rows = zip(
        names.kpi_names,
        (*(direction for _start, direction, *_rest in names.rules), HIGHER),
        (*values, score),
        limits,
        (*lights, judged_score),
        strict=True,
    )
    return [
        {
            "kpi_key": key,
            "kpi_name": name,
            "direction": direction,
            "actual_value": value,
            "green_threshold": green,
            "yellow_threshold": yellow,
            "status": light,
            "target": f"{'≤' if direction == LOWER else '≥'} {green:g}",
        }
        for (key, name), direction, value, (green, yellow), light in rows
    ]


def _coverage(scope: Scope, code: str, items: Items, kind: str) -> list[dict[str, Any]]:
    """Return every entry of the catalogue with the number of sites at which it is done."""
    names = {*scope.names, *items}
    found = []
    for one in WEEKS[code].entries:
        if one.kind.word == kind:
            states = [items.get(name, {}).get(kind, {}).get(one.entry.key) for name in sorted(names)]
            found.append(
                {
                    "item_key": one.entry.key,
                    "item_name": one.entry.name,
                    "owner": one.entry.owner,
                    "status": _status(states),
                    "done_count": states.count("done"),
                    "site_count": len(states),
                }
            )
    return found


def _status(states: Sequence[str | None]) -> str:
    if states and all(state == "done" for state in states):
        return "done"
    return "in_progress" if any(state in ("done", "in_progress") for state in states) else "pending"


def _advice(lights: Sequence[str], enabled: bool) -> tuple[Advice, ...]:
    rate_light, guide_light, runbook_light = lights
    if not enabled and (rate_light == RED or {guide_light, runbook_light} != {GREEN}):
        return (POLICY_OFF,)
    return advised(
        (
            Advice(
                "repeats",
                T(N_("Too many orders repeat themselves: write a guide for the worst title.")),
                RowsOf("work_orders", {"state": "all"}),
            )
            if rate_light == RED
            else None,
            Advice("guides", T(N_("Guides are missing: finish those of the week."))) if guide_light != GREEN else None,
            Advice("runbooks", T(N_("Runbooks are missing: walk through those of the week.")))
            if runbook_light != GREEN
            else None,
        ),
        T(N_("It is stable. Go on like this.")),
    )
