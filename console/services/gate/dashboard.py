"""What the page of the gate shows: the verdict of this moment, its plan, and what was stored; and the list of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import Select, select

from console.core.context import Context
from console.core.filters import day_filters, one_of
from console.core.listing import Filter, ListSpec
from console.core.records import Fact, columns_of
from console.core.serialize import plain
from console.domain.gate import gate as domain
from console.domain.gate.site_rules import SiteVerdict
from console.domain.jobs import names as job_names
from console.domain.remediation import plan as remediation
from console.domain.remediation.plan import Plan
from console.domain.text import N_
from console.models.jobs import JobRun
from console.services.gate import gate, site_gate
from console.services.gate.gate import Overview
from console.services.jobs import runs
from console.services.jobs.runs import Run


@dataclass(frozen=True)
class PageData:
    """The gate at one moment (aware UTC); `verdict` has the keys of `console.domain.gate.gate.as_detail`."""

    computed_at: datetime
    verdict: Mapping[str, Any]
    plan: Plan
    stored: Overview
    sites: Sequence[SiteVerdict] = ()

    @property
    def differs(self) -> bool:
        """Return whether the last stored verdict is another one than that of this moment."""
        return self.stored.decision is not None and self.stored.decision != self.verdict["decision"]


def page_data(ctx: Context) -> PageData:
    """Judge now, make the plan of that very verdict, and read what was stored."""
    taken = gate.snapshot(ctx)
    return PageData(
        computed_at=taken.generated_at,
        verdict=plain(domain.as_detail(taken)),
        plan=remediation.plan(taken, now=taken.generated_at),
        stored=gate.overview(ctx),
        sites=site_gate.verdicts(ctx),
    )


def current_run(ctx: Context) -> Run | None:
    """Return the run of the gate that waits or is under way, else the last finished one, if any."""
    ctx.actor.require(*gate.READ)
    return runs.current(ctx, job_names.GATE)


@dataclass(frozen=True)
class VerdictRow:
    """One stored verdict in the list."""

    run_id: Annotated[int, Fact(N_("Run"))]
    finished_at: Annotated[datetime, Fact(N_("Judged"), sort=True)]
    decision: Annotated[str, Fact(N_("Verdict"))]
    weighted_score_percent: Annotated[float | None, Fact(N_("Weighted score, %"), numeric=True)]
    failure_count: Annotated[int, Fact(N_("Failures"), numeric=True)]
    warning_count: Annotated[int, Fact(N_("Warnings"), numeric=True)]
    trigger: Annotated[str, Fact(N_("Started by"))]


_DETAIL = JobRun.detail_json
_DECISION = _DETAIL["decision"].as_string()
_FIELDS = (
    JobRun.id,
    JobRun.finished_at,
    _DECISION,
    _DETAIL["summary"]["weighted_score_percent"].as_float(),
    _DETAIL["summary"]["failure_count"].as_integer(),
    _DETAIL["summary"]["warning_count"].as_integer(),
    JobRun.trigger,
)


def _base(_ctx: Context) -> Select[Any]:
    return select(*_FIELDS).where(*gate.verdicts())


VERDICTS = ListSpec(
    name="verdicts",
    read=gate.READ,
    base=_base,
    row=lambda row: VerdictRow(*row),
    key=JobRun.id,
    columns=columns_of(
        VerdictRow,
        JobRun,
        *("run_id", "decision", "weighted_score_percent", "failure_count", "warning_count", "trigger", "finished_at"),
    ),
    filters=(
        Filter("decision", N_("Verdict"), "choice", one_of(_DECISION), choices=(("go", "GO"), ("no_go", "NO-GO"))),
        *day_filters(JobRun.finished_at),
    ),
    order=(JobRun.finished_at.desc(),),
    count_cap=10_000,
)
