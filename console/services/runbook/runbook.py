"""The runbook: collects the facts that the registered checks need, each once, and lets the domain judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any

from console.adapters.limiter import Limiter
from console.core.config import Config
from console.core.context import Context
from console.domain.releases.checklist import ROLLBACK_GUIDE
from console.domain.reliability.latency import LatencySnapshot
from console.domain.runbook.checks import ChainFacts, DocumentFacts, RateLimitFacts, SigningFacts, TokenFacts
from console.domain.runbook.runbook import CheckResult, Runbook, look_through, needed_facts
from console.services.alerts import accuracy_lists
from console.services.audit import record as audit
from console.services.identity import risk as security
from console.services.reliability import latency
from console.services.reliability.latency import MemorySamples
from console.services.runbook import (
    alert_facts,
    automation_facts,
    evidence_facts,
    integrity,
    preflight,
    process_facts,
    release_facts,
)

READ = ("admins:manage", "governance:read")


def snapshot(ctx: Context, *, known: Mapping[str, Any] | None = None) -> Runbook:
    """Judge all checks now. `known` are facts that the caller has already, by name; nothing heavy is read."""
    facts = dict(known or {})
    for name in needed_facts():
        if name not in facts:
            facts[name] = PROVIDERS[name](ctx)
    return look_through(facts, ctx.now())


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


def _documents(_ctx: Context) -> DocumentFacts:
    found = preflight.documents()
    guide, policy = ROLLBACK_GUIDE, preflight.NOISE_POLICY
    return DocumentFacts(guide, found[guide], policy, found[policy])


def _chain(ctx: Context) -> ChainFacts:
    seen = audit.chain_status(ctx)
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


def _seconds(age: timedelta) -> int:
    return max(0, int(age.total_seconds()))


def _latency(ctx: Context) -> LatencySnapshot:
    return latency.snapshot(ctx)


PROVIDERS: dict[str, Callable[[Context], Any]] = {
    "preflight": preflight.facts,
    "latency": _latency,
    "audit_chain": _chain,
    "documents": _documents,
    "tokens": lambda ctx: TokenFacts(security.expiring_tokens(ctx)),
    "rate_limit": lambda ctx: rate_limit_facts(ctx.config),
    "signing": lambda ctx: signing_facts(ctx.config),
    "automation": automation_facts.facts,
    "evidence": evidence_facts.facts,
    "integrity": integrity.facts,
    "outbox": alert_facts.facts,
    "noise": accuracy_lists.noise_facts,
    "processes": process_facts.facts,
    "releases": release_facts.facts,
}
