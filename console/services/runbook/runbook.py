"""The runbook: collects the facts that the registered checks need, each once, and lets the domain judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property, lru_cache
from typing import Any

from console.adapters.limiter import Limiter
from console.core.config import Config
from console.core.context import Context
from console.domain.jobs import names as job_names
from console.domain.releases.checklist import ROLLBACK_GUIDE
from console.domain.runbook.checks import ChainFacts, DocumentFacts, RateLimitFacts, SigningFacts
from console.domain.runbook.programme_checks import ProgrammeFacts
from console.domain.runbook.release_checks import ReleaseFacts
from console.domain.runbook.runbook import CheckResult, Runbook, look_through, needed_facts
from console.domain.text import T, Text
from console.services.alerts import accuracy_lists, channels
from console.services.audit import record as audit
from console.services.audit.verify import FullVerification
from console.services.jobs import runs
from console.services.jobs.runs import Run
from console.services.releases import checklist
from console.services.reliability import latency
from console.services.reliability.latency import MemorySamples
from console.services.runbook import (
    automation_facts,
    channel_facts,
    counted,
    evidence_facts,
    integrity,
    preflight,
    release_facts,
)
from console.services.runbook.counted import Counted

READ = ("admins:manage", "governance:read")
# The jobs whose newest run some check judges; of those in DONE it is the newest that did its work.
DONE = (
    *(job_names.AUDIT_VERIFY, job_names.ALERT_ACCURACY, job_names.RUNBOOK_REVIEW, job_names.ALERT_MTTR_SLO),
    job_names.W07_WEEKLY,
)
JOBS = (*evidence_facts.JOBS, job_names.EVIDENCE_INTEGRITY, *channel_facts.JOBS, *DONE)


def snapshot(ctx: Context, *, known: Mapping[str, Any] | None = None) -> Runbook:
    """Judge all checks now. `known` are facts that the caller has already, by name; nothing heavy is read."""
    return look_through(facts(ctx, known=known), ctx.now())


def facts(ctx: Context, *, known: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the facts of all checks by their names; what several of them stand on is read once for all."""
    sources, found = Sources(ctx), dict(known or {})
    for name in needed_facts():
        if name not in found:
            found[name] = PROVIDERS[name](sources)
    return found


def view(ctx: Context, memory: Mapping[str, MemorySamples] | None = None) -> Runbook:
    """Return the runbook to a caller who may read it; `memory` as for the latency snapshot."""
    ctx.actor.require(*READ)
    return snapshot(ctx, known={"latency": latency.snapshot(ctx, memory)})


def as_answer(book: Runbook) -> dict[str, Any]:
    """Return the published shape: the fields of each check stand flat beside its id, status and message."""
    return {
        "generated_at": book.generated_at,
        "overall_status": book.overall_status,
        "checks": [_flat(check) for check in book.checks],
    }


def _flat(check: CheckResult) -> dict[str, Any]:
    return {
        "id": check.id,
        "status": check.status,
        "message": str(check.message),
        "message_text": check.message.as_dict(),
        "owner_role": check.owner_role,
        "seen_at": check.seen_at,
        **check.fields,
    }


def rate_limit_facts(config: Config) -> RateLimitFacts:
    """Ask the store of the rate limits how it is (API contract, rate-limit backend)."""
    limiter = _limiter(
        config["API_RATE_LIMIT_STORE"], config["API_RATE_LIMIT_REDIS_URL"], config["API_RATE_LIMIT_REDIS_KEY_PREFIX"]
    )
    return limiter.status(production=config.production)


@lru_cache(maxsize=8)
def _limiter(store: str, url: str, prefix: str) -> Limiter:
    return Limiter(store, url, prefix)


def signing_facts(config: Config) -> SigningFacts:
    """Return whether audit archives are signed, whether this is production, and whether they must be."""
    enabled = bool(config["AUDIT_ARCHIVE_SIGNING_KEY"].strip())
    return SigningFacts(enabled, config.production, preflight.signing_required(config))


def signing(config: Config) -> dict[str, Any]:
    """Return what is told of the signing of audit archives (API contract, security posture)."""
    found = signing_facts(config)
    message: Text = T("Audit archives are signed.") if found.enabled else T("Audit archives are not signed.")
    return {"status": found.status, "message": message, "enabled": found.enabled, "algorithm": found.algorithm}


def _documents() -> DocumentFacts:
    found = preflight.documents()
    guide, policy = ROLLBACK_GUIDE, preflight.NOISE_POLICY
    return DocumentFacts(guide, found[guide], policy, found[policy])


def _release(ctx: Context, run: Run | None) -> ReleaseFacts:
    latest = evidence_facts.latest_run(run) if run is not None else None
    return release_facts.held_against(ctx, latest, checklist.current(ctx))


def _chain(ctx: Context, verified: Run | None) -> ChainFacts:
    full = FullVerification()
    if verified is not None and verified.finished_at is not None:
        full = FullVerification(verified.finished_at, int(verified.detail.get("issue_count", 0)))
    seen = audit.chain_status(ctx, full)
    return ChainFacts(
        ok=seen.chain_ok,
        issue_count=seen.issue_count,
        checked_count=seen.checked_count,
        last_seq=seen.last_seq,
        partial=seen.partial,
        full_verified_at=seen.full_verified_at,
        rebaseline_count=seen.rebaseline_count,
        full_age_seconds=_seconds(seen.generated_at - seen.full_verified_at) if seen.full_verified_at else None,
    )


def _programme(of: Sources) -> ProgrammeFacts:
    ctx, run = of.ctx, of.newest.get(job_names.W07_WEEKLY)
    targets = len(channels.built_in(ctx.config)) + of.counted.made_channels
    latest = evidence_facts.latest_run(run) if run is not None else None
    return ProgrammeFacts(ctx.now(), latest, ctx.config["W07_QUALITY_ALERT_ENABLED"], targets)


def _seconds(age: timedelta) -> int:
    return max(0, int(age.total_seconds()))


class Sources:
    """What the facts are made from, each part read at most once and only when it is asked for."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx

    @cached_property
    def newest(self) -> dict[str, Run]:
        """Return the newest run of every job that some check judges: one query."""
        return runs.latest_per_job(self.ctx, JOBS, executed_of=DONE)

    @cached_property
    def counted(self) -> Counted:
        """Return what is counted: one query."""
        return counted.read(self.ctx)


PROVIDERS: dict[str, Callable[[Sources], Any]] = {
    "preflight": lambda of: preflight.facts(of.ctx),
    "latency": lambda of: latency.snapshot(of.ctx),
    "audit_chain": lambda of: _chain(of.ctx, of.newest.get(job_names.AUDIT_VERIFY)),
    "documents": lambda _of: _documents(),
    "tokens": lambda of: of.counted.tokens,
    "rate_limit": lambda of: rate_limit_facts(of.ctx.config),
    "signing": lambda of: signing_facts(of.ctx.config),
    "automation": lambda of: automation_facts.facts(of.ctx),
    "evidence": lambda of: evidence_facts.facts(of.ctx, of.newest),
    "integrity": lambda of: integrity.facts(of.ctx, of.newest.get(job_names.EVIDENCE_INTEGRITY)),
    "outbox": lambda of: of.counted.outbox,
    "channels": lambda of: channel_facts.facts(of.ctx, of.newest, of.counted.old_alerts, of.counted.made_channels),
    "noise": lambda of: accuracy_lists.noise_of(of.ctx, of.newest.get(job_names.ALERT_ACCURACY)),
    "programme": _programme,
    "processes": lambda of: of.counted.processes,
    "releases": lambda of: _release(of.ctx, of.newest.get(job_names.DEPLOY_SMOKE)),
}
