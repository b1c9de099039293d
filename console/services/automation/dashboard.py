"""What the pages of the autopilot show: the plan of this moment beside what happened, and the list of its runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from console.core.context import Context
from console.core.filters import day_filters, one_of
from console.core.listing import Column, Filter, ListSpec
from console.domain.automation.analytics import Anomalies, HistoryRow
from console.domain.automation.autopilot import ESCALATION
from console.domain.jobs import names as job_names
from console.domain.text import N_
from console.domain.tracker.tracker import REMEDIATION, title_of
from console.models.automation import RunFact
from console.models.jobs import JobRun
from console.models.tracker import TrackerItem
from console.services.alerts import channels
from console.services.automation import history as autopilot_history
from console.services.automation import kpi, shadow, workload
from console.services.automation import preview as autopilot
from console.services.automation.history import Day, base, failed, row_of
from console.services.automation.kpi import Kpi
from console.services.automation.preview import Preview
from console.services.automation.shadow import Comparison
from console.services.automation.workload import Workload
from console.services.identity.names import names_of
from console.services.jobs import runs
from console.services.jobs.runs import Run
from console.services.policies import automation, policies
from console.services.policies.automation import AUTOPILOT, READ, Stopped
from console.services.policies.policies import Revision
from console.services.tracker import summary as tracker

DAYS = 14
# So many people are shown with what they carry.
LOADS = 12


@dataclass(frozen=True)
class PageData:
    """The autopilot at one moment (aware UTC)."""

    computed_at: datetime
    preview: Preview
    days: tuple[Day, ...]
    anomalies: Anomalies
    revision: Revision | None
    comparison: Comparison | None
    names: Mapping[str, str]
    channel_count: int
    stopped: Stopped | None

    @property
    def unheard(self) -> bool:
        """Return whether the plan has messages that reach nobody, because no alert channel is configured."""
        return not self.channel_count and any(line.action == ESCALATION for line in self.preview.plan.lines)

    @property
    def skip_reasons(self) -> Mapping[str, int]:
        """Return how many runs of the shown days were skipped for which reason, the most frequent first."""
        return dict(sum((Counter(day.skip_reasons) for day in self.days), Counter[str]()).most_common())

    @property
    def policy(self) -> Mapping[str, Any]:
        """Return the values of the policy."""
        return self.preview.policy


def page_data(ctx: Context) -> PageData:
    """Return what the first page shows; for callers who see all sites."""
    seen = autopilot.preview(ctx)
    newest = policies.revisions(ctx, AUTOPILOT, limit=1)
    shown = {name for line in seen.plan.lines for name in line.targets} | {one.actor for one in newest}
    return PageData(
        computed_at=seen.checked_at,
        preview=seen,
        days=autopilot_history.by_day(ctx, days=DAYS),
        anomalies=autopilot_history.anomalies(ctx, days=DAYS),
        revision=newest[0] if newest else None,
        comparison=shadow.comparison(ctx),
        names=names_of(ctx, shown),
        channel_count=len(channels.listed(ctx)),
        stopped=automation.stopped(ctx),
    )


def current_run(ctx: Context) -> Run | None:
    """Return the run that waits or is under way, else the last finished one, if any."""
    ctx.actor.require(*READ)
    return runs.current(ctx, job_names.AUTOPILOT, dry_run=None)


@dataclass(frozen=True)
class KpiLook:
    """The figures of this moment with what was finished per day and who carries how much."""

    kpi: Kpi
    finished_by_day: tuple[tuple[date, int], ...]
    workload: Workload
    names: Mapping[str, str]
    most_loads: int = LOADS


def look_at_figures(ctx: Context, site: str | None = None) -> KpiLook:
    """Return what the page of figures shows; of the sites that the caller sees."""
    made = kpi.view(ctx, site=site)
    loads = workload.view(ctx, site=site, max_suggestions=10)
    shown = [*list(loads.assignee_open_counts)[:LOADS], *(one.recommended_assignee for one in loads.suggestions)]
    return KpiLook(
        kpi=made,
        finished_by_day=tracker.finished_by_day(
            ctx, REMEDIATION, made.generated_at, site, days=min(made.window_days, 31)
        ),
        workload=loads,
        names=names_of(ctx, shown),
    )


@dataclass(frozen=True)
class RunLook:
    """What the page of one run shows beside the run's own answer: names of people and titles of items as they are now.

    `assigned` are the suggestions that were followed (in a dry run all of them); `names` by user name, `titles` by id.
    """

    assigned: Sequence[Mapping[str, Any]]
    names: Mapping[str, str]
    titles: Mapping[int, str | Mapping[str, Any]]


def look_at_run(ctx: Context, found: Mapping[str, Any]) -> RunLook:
    """Return what belongs to the answer of a run (API contract, latest): two queries."""
    given, told = found.get("auto_assign") or {}, found.get("escalation") or {}
    suggested = (given.get("workload") or {}).get("suggestions") or ()
    done = set(given.get("updated_ids") or ())
    assigned = [one for one in suggested if given.get("dry_run") or one["id"] in done]
    items = told.get("items") or ()
    people = [*(one["recommended_assignee"] for one in assigned), *(one["assignee"] for one in items)]
    return RunLook(assigned, names_of(ctx, people), _titles(ctx, [one["id"] for one in items]))


def _titles(ctx: Context, ids: Sequence[int]) -> dict[int, str | Mapping[str, Any]]:
    fields = (TrackerItem.id, TrackerItem.item_name, TrackerItem.texts, TrackerItem.action, TrackerItem.item_key)
    found = ctx.session.execute(select(*fields).where(TrackerItem.id.in_(ids))) if ids else ()
    return {row.id: title_of(row) for row in found}


def _outcome(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    broken = or_(failed(), func.coalesce(RunFact.errors_count, 0) > 0)
    skipped = func.coalesce(RunFact.skipped, False)
    conditions = {"errors": broken, "skipped": and_(skipped, ~broken), "executed": and_(~skipped, ~broken)}
    return or_(*(conditions[word] for word in words))


def _kind(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    return or_(*(JobRun.dry_run.is_(word == "dry") for word in words))


def run_list(skips: Mapping[str, str]) -> ListSpec:
    """Return the list of runs; `skips` are the reasons with their labels."""
    return ListSpec(
        name="autopilot_runs",
        base=base,
        row=row_of,
        key=JobRun.id,
        columns=(
            Column("run_id", N_("Run")),
            Column("finished_at", N_("Ended"), JobRun.finished_at),
            Column("status", N_("Status"), JobRun.status),
            Column("outcome", N_("Outcome"), None, _outcome_word),
            Column("assigned_count", N_("Assigned"), RunFact.assigned_count, numeric=True),
            Column("notified_count", N_("Notified"), RunFact.notified_count, numeric=True),
            Column("open_items", N_("Open before"), RunFact.open_items, numeric=True),
            Column("open_items_after", N_("Open after"), RunFact.open_items_after, numeric=True),
            Column("overdue_count", N_("Late"), RunFact.overdue_count, numeric=True),
            Column("unassigned_open_count", N_("Unassigned"), RunFact.unassigned_open_count, numeric=True),
            Column("trigger", N_("Started by"), JobRun.trigger, shown=False),
            Column("duration_ms", N_("Duration, ms"), numeric=True, shown=False),
        ),
        filters=(
            Filter(
                "outcome",
                N_("Outcome"),
                "choice",
                _outcome,
                (("executed", N_("Executed")), ("skipped", N_("Skipped")), ("errors", N_("Errors"))),
            ),
            Filter(
                "skip_reason",
                N_("Reason for skipping"),
                "choice",
                one_of(RunFact.skip_reason),
                tuple(skips.items()),
            ),
            *day_filters(JobRun.finished_at),
            Filter("kind", N_("Kind"), "choice", _kind, (("real", N_("Real run")), ("dry", N_("Dry run")))),
        ),
        order=(JobRun.finished_at.desc(),),
        count_cap=10_000,
    )


def _outcome_word(row: HistoryRow) -> str:
    """Return what became of a run in one word of the API, for exports."""
    if row.errors_count:
        return "errors"
    return row.skip_reason or "skipped" if row.skipped else "|".join(row.actions) or "nothing"


# The chart's colours and words: executed, skipped, with errors.
SERIES = (("executed", N_("Executed"), "1"), ("skipped", N_("Skipped"), "soon"), ("errors", N_("Errors"), "late"))
