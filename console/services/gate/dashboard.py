"""What the page of the gate shows: the verdict of this moment, its plan, and what was stored; and the list of runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select

from console.core.context import Context
from console.core.listing import Column, Filter, ListSpec, day_filters
from console.core.serialize import plain
from console.domain.gate import gate as domain
from console.domain.jobs import names as job_names
from console.domain.remediation import plan as remediation
from console.domain.remediation.plan import Plan
from console.domain.text import N_
from console.models.jobs import JobRun
from console.services.gate import gate
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
    )


def current_run(ctx: Context) -> Run | None:
    """Return the run of the gate that waits or is under way, else the last finished one, if any."""
    ctx.actor.require(*gate.READ)
    row = ctx.session.scalars(
        select(JobRun)
        .where(JobRun.job_name == job_names.GATE, JobRun.state != "finished")
        .order_by(JobRun.id.desc())
        .limit(1)
    ).one_or_none()
    return runs.view(row) if row is not None else runs.latest(ctx, job_names.GATE)


@dataclass(frozen=True)
class VerdictRow:
    """One stored verdict in the list."""

    run_id: int
    finished_at: datetime
    decision: str
    weighted_score_percent: float | None
    failure_count: int
    warning_count: int
    trigger: str


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


def _base(ctx: Context) -> Select[Any]:
    ctx.actor.require(*gate.READ)
    return select(*_FIELDS).where(*gate.verdicts())


def _decided(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    return _DECISION.in_(words)


VERDICTS = ListSpec(
    name="verdicts",
    base=_base,
    row=lambda row: VerdictRow(*row),
    key=JobRun.id,
    columns=(
        Column("run_id", N_("Run")),
        Column("decision", N_("Verdict")),
        Column("weighted_score_percent", N_("Weighted score, %"), numeric=True),
        Column("failure_count", N_("Failures"), numeric=True),
        Column("warning_count", N_("Warnings"), numeric=True),
        Column("trigger", N_("Started by")),
        Column("finished_at", N_("Judged"), JobRun.finished_at),
    ),
    filters=(
        Filter("decision", N_("Verdict"), "choice", _decided, choices=(("go", "GO"), ("no_go", "NO-GO"))),
        *day_filters(JobRun.finished_at),
    ),
    order=(JobRun.finished_at.desc(),),
    count_cap=10_000,
)
