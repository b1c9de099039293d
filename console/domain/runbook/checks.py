"""The runbook checks whose facts exist (API contract, runbook checks)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from console.domain.gate.rules import PreflightFacts
from console.domain.reliability.latency import LatencySnapshot
from console.domain.runbook.preflight import ERROR
from console.domain.runbook.runbook import CRITICAL, OK, UNKNOWN, WARNING, Finding, check
from console.domain.text import T

TOKEN_EXPIRY_DAYS = 3
# The whole audit log is verified twice an hour; a verdict wants one of the last hour, and none without one of today.
FULL_AGE_WARNING, FULL_AGE_CRITICAL = 3600, 24 * 3600


@dataclass(frozen=True)
class ChainFacts:
    """What the incremental verification of the audit chain found; instants are aware UTC.

    `checked_count` entries up to `last_seq` were verified just now; `partial`: more than that wait for the full one.
    """

    ok: bool
    issue_count: int
    checked_count: int
    last_seq: int = 0
    partial: bool = False
    full_verified_at: datetime | None = None
    rebaseline_count: int = 0
    full_age_seconds: int | None = None


@dataclass(frozen=True)
class TokenFacts:
    """Live tokens of active users that expire within `TOKEN_EXPIRY_DAYS` days."""

    expiring_count: int


@dataclass(frozen=True)
class RateLimitFacts:
    """Where the counters of the rate limits live right now (API contract, rate-limit backend)."""

    status: str
    message: str
    configured_store: str
    active_backend: str
    redis_url_configured: bool
    redis_client_ready: bool
    redis_ping_ok: bool
    redis_error: str | None


@dataclass(frozen=True)
class SigningFacts:
    """Whether audit archives are signed, whether this is production, and whether the preflight requires a key."""

    enabled: bool
    production: bool
    required: bool = False

    @property
    def algorithm(self) -> str:
        """Return `hmac-sha256` or `unsigned`."""
        return "hmac-sha256" if self.enabled else "unsigned"

    @property
    def status(self) -> str:
        """Return `warning` for unsigned archives in production, else `ok`."""
        return WARNING if self.production and not self.enabled else OK

    @property
    def shown(self) -> str:
        """Return the word that every page shows: the one that the preflight has for the same key."""
        return OK if self.enabled else ERROR if self.required else WARNING


@dataclass(frozen=True)
class DocumentFacts:
    """The two documents that operations rely on; paths are relative to the application root."""

    rollback_guide: str
    rollback_guide_exists: bool
    noise_policy: str
    noise_policy_exists: bool


@check(3, owner_role="Platform Owner", needs=("preflight",), page="preflight")
def startup_preflight(preflight: PreflightFacts) -> Finding:
    """Judge the preflight of the web processes."""
    fields = {
        "error_count": preflight.error_count,
        "warning_count": preflight.warning_count,
        "generated_at": preflight.computed_at,
        "source": preflight.source,
        "age_seconds": preflight.age_seconds,
    }
    at = preflight.computed_at
    counts = {"errors": preflight.error_count, "warnings": preflight.warning_count}
    if preflight.error_count:
        return Finding(
            CRITICAL, T("Preflight: %(errors)s errors, %(warnings)s warnings.", **counts), fields, seen_at=at
        )
    if preflight.warning_count:
        return Finding(WARNING, T("Preflight: no errors, %(warnings)s warnings.", **counts), fields, seen_at=at)
    return Finding(OK, T("Preflight found nothing to mend."), fields, seen_at=at)


@check(6, owner_role="Platform Owner", needs=("latency",), page="latency")
def api_latency_p95(latency: LatencySnapshot) -> Finding:
    """Judge the response times."""
    names = (
        "target_count",
        "warning_threshold_ms",
        "critical_threshold_ms",
        "min_samples",
        "insufficient_samples_count",
        "critical_count",
        "warning_count",
        "endpoints",
    )
    return Finding(latency.status, latency.message, {name: getattr(latency, name) for name in names})


@check(7, owner_role="Platform Owner", needs=("latency",), page="latency")
def api_burn_rate(latency: LatencySnapshot) -> Finding:
    """Judge how fast the error budgets are used up."""
    burn = latency.burn_rate
    names = (
        "short_window_minutes",
        "long_window_minutes",
        "warning_threshold",
        "critical_threshold",
        "min_samples",
        "error_budget_percent",
        "latency_budget_percent",
        "critical_count",
        "warning_count",
        "warming_up_count",
    )
    # Too few requests to tell is no work for anybody: the published word for it is that of a warning.
    few = burn.status == WARNING and burn.warming_up_count == burn.warning_count
    fields = {name: getattr(burn, name) for name in names}
    return Finding(burn.status, burn.message, fields, UNKNOWN if few else None)


@check(8, owner_role="Security Manager", needs=("audit_chain",), page="audit")
def audit_chain_integrity(audit_chain: ChainFacts) -> Finding:
    """Judge the verification of the audit chain."""
    fields = asdict(audit_chain)
    fields["chain_ok"] = fields.pop("ok")
    age, at = audit_chain.full_age_seconds, audit_chain.full_verified_at
    if audit_chain.ok and age is not None and age > FULL_AGE_CRITICAL:
        hours = age // 3600
        return Finding(
            CRITICAL, T("The whole audit log was last verified %(hours)s hours ago.", hours=hours), fields, seen_at=at
        )
    if audit_chain.ok and age is not None and age > FULL_AGE_WARNING:
        message = T("The whole audit log was last verified %(minutes)s minutes ago.", minutes=age // 60)
        return Finding(WARNING, message, fields, seen_at=at)
    if audit_chain.ok:
        message = T("The audit chain is whole; entries verified just now: %(count)s.", count=audit_chain.checked_count)
        return Finding(OK, message, fields, seen_at=at)
    return Finding(
        CRITICAL, T("The audit chain has breaks: %(count)s.", count=audit_chain.issue_count), fields, seen_at=at
    )


@check(12, owner_role="Release Manager", needs=("documents",), page="preflight")
def migration_rollback_guide(documents: DocumentFacts) -> Finding:
    """Judge whether the rollback guide is in place."""
    fields = {"path": documents.rollback_guide}
    if documents.rollback_guide_exists:
        return Finding(OK, T("The rollback guide is in place."), fields)
    return Finding(CRITICAL, T("The rollback guide %(path)s is missing.", **fields), fields)


@check(13, owner_role="Security Manager", needs=("tokens",), page="tokens")
def token_expiry_pressure(tokens: TokenFacts) -> Finding:
    """Judge whether tokens are about to expire."""
    fields = {"expiring_count": tokens.expiring_count, "window_days": TOKEN_EXPIRY_DAYS}
    if not tokens.expiring_count:
        return Finding(OK, T("No token expires within %(days)s days.", days=TOKEN_EXPIRY_DAYS), fields)
    message = T(
        "Tokens that expire within %(days)s days: %(count)s.", days=TOKEN_EXPIRY_DAYS, count=tokens.expiring_count
    )
    return Finding(WARNING, message, fields)


@check(14, owner_role="Platform Owner", needs=("rate_limit",), page="security")
def rate_limit_backend(rate_limit: RateLimitFacts) -> Finding:
    """Judge where the rate limits are counted."""
    names = ("configured_store", "active_backend", "redis_ping_ok")
    return Finding(rate_limit.status, T(rate_limit.message), {name: getattr(rate_limit, name) for name in names})


@check(15, owner_role="Security Manager", needs=("signing",), page="preflight")
def audit_archive_signing(signing: SigningFacts) -> Finding:
    """Judge whether audit archives are signed where it matters."""
    fields = {"algorithm": signing.algorithm, "enabled": signing.enabled}
    return Finding(
        signing.status,
        T("Audit archives are signed.") if signing.enabled else T("Audit archives are not signed."),
        fields,
        signing.shown,
    )


@check(20, owner_role="Ops Lead", needs=("documents",), page="preflight")
def alert_noise_policy_documented(documents: DocumentFacts) -> Finding:
    """Judge whether the alert noise policy is written down."""
    fields = {"path": documents.noise_policy}
    if documents.noise_policy_exists:
        return Finding(OK, T("The alert noise policy is in place."), fields)
    return Finding(WARNING, T("The alert noise policy %(path)s is missing.", **fields), fields)
