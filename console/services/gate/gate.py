"""The governance gate: a fresh verdict, the stored ones, and what the overview shows of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select

from console.core.config import Config
from console.core.context import Context
from console.domain.errors import NotFound
from console.domain.gate import gate
from console.domain.gate.gate import GateSnapshot
from console.domain.gate.rules import GateFacts, GatePolicy, RunbookFacts, SecurityFacts
from console.domain.jobs import names as job_names
from console.domain.runbook.runbook import Runbook, look_through
from console.models.jobs import JobRun
from console.services.audit import record as audit
from console.services.common.query_cache import cached_query
from console.services.identity import risk as security
from console.services.jobs import progress, runs, strip
from console.services.jobs.runs import Run
from console.services.runbook import runbook

DAILY_CHECK = job_names.DAILY_CHECK
DR_REHEARSAL = job_names.DR_REHEARSAL
DEPLOY_SMOKE = job_names.DEPLOY_SMOKE
WEEKLY_REPORT = job_names.QUALITY_WEEKLY

READ = ("admins:manage", "governance:read")
HISTORY_DAYS = 30


@dataclass(frozen=True)
class StoredVerdict:
    """A stored gate run; `snapshot` has the keys of `console.domain.gate.gate.as_detail`."""

    run_id: int
    trigger: str
    status: str
    started_at: datetime
    finished_at: datetime
    snapshot: Mapping[str, Any]

    @property
    def decision(self) -> str:
        """Return `go` or `no_go`."""
        return str(self.snapshot.get("decision", ""))

    def flat(self) -> dict[str, Any]:
        """Return the published shape: the fields of the run, then those of the snapshot."""
        return {
            "run_id": self.run_id,
            "job_name": job_names.GATE,
            "trigger": self.trigger,
            "status": self.status,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            **self.snapshot,
        }


@dataclass(frozen=True)
class Judged:
    """A fresh verdict and the runbook that it read."""

    verdict: GateSnapshot
    book: Runbook


@dataclass(frozen=True)
class HistoryItem:
    """One line of the history."""

    run_id: int
    status: str
    decision: str
    failure_count: int
    warning_count: int
    finished_at: datetime
    weighted_score_percent: float | None
    trigger: str


@dataclass(frozen=True)
class History:
    """A page of the history, newest first, and how many runs there are under the same filter."""

    generated_at: datetime
    count: int
    items: tuple[HistoryItem, ...]
    total: int


@dataclass(frozen=True)
class StripDay:
    """One day of the strip: the last verdict of that day in the business zone, or none."""

    day: date
    run_id: int | None = None
    decision: str | None = None
    status: str | None = None


@dataclass(frozen=True)
class Overview:
    """What the overview says about the gate, from stored runs only; no verdict yet: `run_id` is None."""

    computed_at: datetime
    run_id: int | None
    decision: str | None
    decided_at: datetime | None
    age_seconds: int | None
    is_stale: bool
    weighted_score_percent: float | None
    reasons: tuple[Mapping[str, Any], ...]
    failing_rules: tuple[Mapping[str, Any], ...]
    strip: tuple[StripDay, ...]


def policy_of(config: Config) -> GatePolicy:
    """Return the policy of this installation."""
    return GatePolicy(
        allow_warning=config["GOVERNANCE_GATE_ALLOW_WARNING"],
        max_security_risk_level=config["GOVERNANCE_GATE_MAX_SECURITY_RISK_LEVEL"],
        require_preflight_no_error=config["GOVERNANCE_GATE_REQUIRE_PREFLIGHT_NO_ERROR"],
        require_runbook_no_critical=config["GOVERNANCE_GATE_REQUIRE_RUNBOOK_NO_CRITICAL"],
        require_daily_check_recent=config["GOVERNANCE_GATE_REQUIRE_DAILY_CHECK_RECENT"],
        daily_check_max_age_hours=config["GOVERNANCE_GATE_DAILY_CHECK_MAX_AGE_HOURS"],
        require_dr_restore_valid_recent=config["GOVERNANCE_GATE_REQUIRE_DR_RESTORE_VALID"],
        dr_max_age_days=config["GOVERNANCE_GATE_DR_MAX_AGE_DAYS"],
        require_deploy_smoke_binding_recent=config["GOVERNANCE_GATE_REQUIRE_DEPLOY_SMOKE_BINDING"],
        deploy_smoke_max_age_hours=config["GOVERNANCE_GATE_DEPLOY_SMOKE_MAX_AGE_HOURS"],
        require_weekly_streak_target_met=config["GOVERNANCE_GATE_REQUIRE_WEEKLY_STREAK"],
        security_dashboard_days=config["GOVERNANCE_GATE_SECURITY_DASHBOARD_DAYS"],
        dr_weight=config["GOVERNANCE_GATE_DR_WEIGHT"],
        min_weighted_score_percent=config["GOVERNANCE_GATE_MIN_WEIGHTED_SCORE_PERCENT"],
    )


def snapshot(ctx: Context, at: datetime | None = None) -> GateSnapshot:
    """Return a fresh verdict, dated `at` or now; raises PermissionDenied. Stores nothing and reads nothing heavy."""
    return judge(ctx, at).verdict


def judge(ctx: Context, at: datetime | None = None) -> Judged:
    """Return the same with the runbook that it was taken from; raises PermissionDenied."""
    ctx.actor.require(*READ)
    policy = policy_of(ctx.config)
    facts, book = _facts(ctx, policy)
    return Judged(gate.snapshot(facts, policy, at or ctx.now()), book)


def take(ctx: Context) -> GateSnapshot:
    """Return a fresh verdict for a run of the gate, dated its start as published, and put the run on record.

    Runs by schedule leave no entry. The entry's status repeats the verdict, as published; the security score does not
    count it.
    """
    run = progress.current(ctx)
    taken = snapshot(ctx, run.started_at if run else None)
    if ctx.actor.kind != "system":
        ctx.begin_write()
        audit.record(
            ctx,
            "ops_governance_gate_run",
            "ops_governance_gate",
            run.run_id if run else "none",
            status="success" if taken.decision == gate.GO else "warning",
            detail={
                "decision": taken.decision,
                "failure_count": taken.summary.failure_count,
                "warning_count": taken.summary.warning_count,
                "weighted_score_percent": taken.summary.weighted_score_percent,
            },
        )
    return taken


def _facts(ctx: Context, policy: GatePolicy) -> tuple[GateFacts, Runbook]:
    found = runbook.facts(ctx)
    seen, evidence, releases = found["preflight"], found["evidence"], found["releases"]
    book = look_through(found, ctx.now())
    risk = security.risk_of_window(ctx, days=policy.security_dashboard_days)
    facts = GateFacts(
        preflight=seen,
        runbook=RunbookFacts(book.overall_status, len(book.critical_ids), len(book.checks), book.critical_ids),
        security=SecurityFacts(risk.level, risk.score, policy.security_dashboard_days),
        streak=evidence.reports.streak,
        daily_check=evidence.daily,
        dr_enabled=ctx.config["DR_REHEARSAL_ENABLED"],
        dr_rehearsal=evidence.drill.run,
        deploy_smoke=evidence.smoke,
        require_runbook_gate=releases.require_runbook_gate,
        checklist_version=releases.checklist_version,
    )
    return facts, book


def latest(ctx: Context) -> StoredVerdict:
    """Return the newest stored verdict; raises NotFound before the first run. Runs that broke off are no verdict."""
    ctx.actor.require(*READ)
    run = runs.last_executed(ctx, job_names.GATE)
    if run is None:
        raise NotFound(f"No {job_names.GATE} run found")
    return verdict_of(run)


def verdict_of(run: Run) -> StoredVerdict:
    """Return a finished gate run as a stored verdict."""
    assert run.started_at is not None
    assert run.finished_at is not None
    return StoredVerdict(run.id, run.trigger, str(run.status), run.started_at, run.finished_at, run.detail)


def stored(ctx: Context, run_id: int) -> StoredVerdict:
    """Return one stored verdict; raises NotFound for anything else."""
    ctx.actor.require(*READ)
    row = ctx.session.scalars(select(JobRun).where(JobRun.id == run_id, *verdicts())).one_or_none()
    if row is None:
        raise NotFound(f"No {job_names.GATE} run found")
    return verdict_of(runs.view(row))


def verdicts() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of runs of the gate that came to a verdict and were kept."""
    return strip.kept(job_names.GATE)


def history(
    ctx: Context,
    *,
    limit: int = 20,
    offset: int = 0,
    status: str | None = None,
    decision: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> History:
    """Return stored verdicts, newest first: two statements. `since` and `until` bound `finished_at`, inclusive."""
    ctx.actor.require(*READ)
    conditions = [*verdicts(), *strip.bounded(status, since, until)]
    if decision is not None:
        conditions.append(JobRun.detail_json["decision"].as_string() == decision)
    total = ctx.session.scalar(select(func.count()).select_from(JobRun).where(*conditions)) or 0
    detail = JobRun.detail_json
    rows = ctx.session.execute(
        select(
            JobRun.id,
            JobRun.status,
            JobRun.finished_at,
            JobRun.trigger,
            detail["decision"].as_string(),
            detail["summary"]["failure_count"].as_integer(),
            detail["summary"]["warning_count"].as_integer(),
            detail["summary"]["weighted_score_percent"].as_float(),
        )
        .where(*conditions)
        .order_by(JobRun.finished_at.desc(), JobRun.id.desc())
        .limit(limit)
        .offset(offset)
    )
    items = tuple(
        HistoryItem(run_id, status or "", verdict or "", failed or 0, warned or 0, finished_at, score, trigger)
        for run_id, status, finished_at, trigger, verdict, failed, warned, score in rows
        if finished_at is not None
    )
    return History(ctx.now(), len(items), items, total)


def overview(ctx: Context) -> Overview:
    """Return what the overview says about the gate: two statements over stored runs, no fresh look at anything."""
    ctx.actor.require(*READ)
    now = ctx.now()
    run = cached_query(ctx, ("last_executed", job_names.GATE), lambda: runs.last_executed(ctx, job_names.GATE))
    days = last_days(ctx)
    if run is None or run.finished_at is None:
        return Overview(now, None, None, None, None, False, None, (), (), days)
    age = max(now - run.finished_at, timedelta(0))
    rules: Sequence[Mapping[str, Any]] = run.detail.get("rules", ())
    return Overview(
        computed_at=now,
        run_id=run.id,
        decision=run.detail.get("decision"),
        decided_at=run.finished_at,
        age_seconds=int(age.total_seconds()),
        is_stale=age > timedelta(hours=ctx.config["GOVERNANCE_GATE_DAILY_CHECK_MAX_AGE_HOURS"]),
        weighted_score_percent=run.detail.get("summary", {}).get("weighted_score_percent"),
        reasons=tuple(run.detail.get("reasons", ())),
        failing_rules=tuple(rule for rule in rules if rule.get("status") != gate.PASS),
        strip=days,
    )


def last_days(ctx: Context, days: int = HISTORY_DAYS) -> tuple[StripDay, ...]:
    """Return the last verdict of each of the last `days` days in the business zone, oldest first: one statement."""
    found = strip.last_days(ctx, job_names.GATE, "decision", days)
    return tuple(StripDay(day.day, day.run_id, day.word, day.status) for day in found)
