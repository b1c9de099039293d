"""API tokens: how long they live, when they must be changed, how many a user may have.

Source: API contract, identity sections 2.2, 8.2 and 8.3, mended as 23-B9 and 23-B10 say. All times are aware UTC.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

TOKEN_PREFIX = "kaos_"
TOKEN_BYTES = 24
LABEL_MAX = 120


class Refusal(StrEnum):
    """Why a presented credential was not accepted; the text of the answer stays the same (23-B14)."""

    MISSING = "token_missing"
    UNKNOWN = "token_unknown"
    REVOKED = "token_revoked"
    USER_INACTIVE = "user_inactive"
    ROTATION_AGE = "token_rotation_overdue"
    IDLE = "token_idle"
    EXPIRED = "token_expired"


LAZY = frozenset({Refusal.ROTATION_AGE, Refusal.IDLE, Refusal.EXPIRED})


class ExpiryNotInFuture(ValueError):
    """The wished expiry is now or earlier."""


class ExpiryTooFar(ValueError):
    """The wished expiry lies beyond the longest allowed life."""


@dataclass(frozen=True)
class TokenPolicy:
    """The numbers of `GET /api/admin/token-policy`, in days, plus the switches of this product."""

    require_expiry: bool = True
    max_ttl_days: int = 30
    rotate_after_days: int = 45
    rotate_warning_days: int = 7
    max_idle_days: int = 30
    max_active_per_user: int = 5
    rotate_grace_seconds: int = 0
    rotate_keeps_expiry: bool = False

    @property
    def max_ttl(self) -> timedelta:
        """Longest life of a token."""
        return timedelta(days=self.max_ttl_days)

    @property
    def rotation_is_reachable(self) -> bool:
        """Whether a token can live long enough to be asked to rotate (23-B10)."""
        return not self.require_expiry or self.rotate_after_days - self.rotate_warning_days < self.max_ttl_days


@dataclass(frozen=True)
class TokenFacts:
    """What the rules need to know of one stored token."""

    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    is_active: bool = True
    user_is_active: bool = True
    superseded: bool = False


@dataclass(frozen=True)
class TokenDates:
    """Derived dates of a token at one moment (contract 8.3)."""

    expires_at: datetime | None
    rotate_due_at: datetime
    idle_due_at: datetime
    must_rotate: bool
    expires_soon: bool


def hash_token(text: bytes, pepper: str = "") -> str:
    """Return what is stored for a token: SHA-256 in lower-case hex, or an HMAC of it when there is a pepper."""
    if pepper:
        return hmac.new(pepper.encode(), text, hashlib.sha256).hexdigest()
    return hashlib.sha256(text).hexdigest()


def effective_expiry(facts: TokenFacts, policy: TokenPolicy) -> datetime | None:
    """Return the stored expiry; for a token without one, creation + longest life when an expiry is required."""
    if facts.expires_at is not None:
        return facts.expires_at
    return facts.created_at + policy.max_ttl if policy.require_expiry else None


def judge(facts: TokenFacts, policy: TokenPolicy, now: datetime) -> Refusal | None:
    """Return why a stored token is not accepted at `now`, or None; the order of checks is contract 2.2."""
    if not facts.is_active:
        return Refusal.REVOKED
    if not facts.user_is_active:
        return Refusal.USER_INACTIVE
    if facts.created_at <= now - timedelta(days=policy.rotate_after_days):
        return Refusal.ROTATION_AGE
    if (facts.last_used_at or facts.created_at) + timedelta(days=policy.max_idle_days) <= now:
        return Refusal.IDLE
    expiry = effective_expiry(facts, policy)
    if expiry is not None and expiry <= now:
        return Refusal.EXPIRED
    return None


def dates(facts: TokenFacts, policy: TokenPolicy, now: datetime) -> TokenDates:
    """Return due dates and warnings; a warning period of 0 days means "never warn"."""
    expiry = effective_expiry(facts, policy)
    rotate_due = facts.created_at + timedelta(days=policy.rotate_after_days)
    warning = timedelta(days=policy.rotate_warning_days)
    return TokenDates(
        expires_at=expiry,
        rotate_due_at=rotate_due,
        idle_due_at=(facts.last_used_at or facts.created_at) + timedelta(days=policy.max_idle_days),
        must_rotate=bool(warning) and now >= rotate_due - warning,
        expires_soon=bool(warning) and expiry is not None and now >= expiry - warning,
    )


def expiry_on_issue(wanted: datetime | None, policy: TokenPolicy, now: datetime) -> datetime | None:
    """Return the expiry a new token gets; raises ExpiryNotInFuture or ExpiryTooFar for a wish out of bounds."""
    if wanted is None:
        return now + policy.max_ttl if policy.require_expiry else None
    if wanted <= now:
        raise ExpiryNotInFuture
    if wanted > now + policy.max_ttl:
        raise ExpiryTooFar
    return wanted


def expiry_on_rotate(facts: TokenFacts, policy: TokenPolicy, now: datetime) -> datetime | None:
    """Return the expiry of the token that replaces `facts`.

    The new token lives as long as the old one was meant to live, at most the longest life: a rotation is a fresh
    start (23-B10) but does not turn a short-lived token into a long-lived one. With `rotate_keeps_expiry` the old
    moment is kept as the earlier product did (contract 8.2).
    """
    if facts.expires_at is None:
        return now + policy.max_ttl if policy.require_expiry else None
    latest = now + policy.max_ttl
    if policy.rotate_keeps_expiry:
        return latest if facts.expires_at <= now else min(facts.expires_at, latest)
    life = facts.expires_at - facts.created_at
    return min(now + life, latest) if life > timedelta(0) else latest


def over_quota(others: Sequence[tuple[int, TokenFacts]], policy: TokenPolicy, now: datetime) -> tuple[int, ...]:
    """Return the ids to revoke so that the new token and the rest stay within the quota (23-B9).

    `others` are the user's stored tokens without the new one. Tokens that no longer work do not count; the least
    recently used go first.
    """
    live = [
        (facts.last_used_at or facts.created_at, facts.created_at, token_id)
        for token_id, facts in others
        if not facts.superseded and judge(facts, policy, now) is None
    ]
    surplus = len(live) + 1 - policy.max_active_per_user
    return tuple(sorted(token_id for *_, token_id in sorted(live)[: max(0, surplus)]))
