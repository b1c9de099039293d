"""What is watched, and the thresholds of the latency and burn-rate verdicts (API contract, API latency)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
FALLBACK_TARGETS = ("GET /health", "GET /meta")
STATUSES = ("ok", "warning", "critical")


@dataclass(frozen=True)
class Target:
    """An endpoint that is watched; `path` may be a route template such as `/api/work-orders/{id}`."""

    method: str
    path: str

    @property
    def key(self) -> str:
        """Return the name under which samples are stored."""
        return f"{self.method} {self.path}"

    @property
    def shape(self) -> str:
        """Return the key without parameter names, for matching route templates."""
        return f"{self.method} {template_shape(self.path)}"


def template_shape(path: str) -> str:
    """Drop names and converters of path parameters: `/a/<int:id>` and `/a/{id}` both give `/a/{}`."""
    return re.sub(r"<[^>]*>|\{[^}]*\}", "{}", path)


def parse_targets(words: Iterable[str]) -> tuple[Target, ...]:
    """Read `METHOD /path`, `METHOD:/path` or a lone path (GET); nothing usable gives health and meta."""
    found = dict.fromkeys(target for word in words if (target := _parse_target(word)))
    return tuple(found) or tuple(target for word in FALLBACK_TARGETS if (target := _parse_target(word)))


def _parse_target(word: str) -> Target | None:
    match = re.fullmatch(r"(?:([A-Za-z]+)(?:\s+|\s*:\s*))?(\S+)", word.strip())
    if match is None:
        return None
    method, path = (match[1] or "GET").upper(), match[2]
    if method not in METHODS:
        return None
    return Target(method, path if path.startswith("/") else f"/{path}")


@dataclass(frozen=True)
class LatencyPolicy:
    """Thresholds of the latency and burn-rate verdicts; times in milliseconds and minutes, objectives in percent."""

    enabled: bool = True
    warning_ms: float = 450.0
    critical_ms: float = 900.0
    min_samples: int = 8
    window_size: int = 300
    stale_after_minutes: int = 120
    persist_enabled: bool = True
    persist_retention_days: int = 30
    short_window_minutes: int = 5
    long_window_minutes: int = 60
    burn_warning: float = 2.0
    burn_critical: float = 10.0
    burn_min_samples: int = 8
    error_slo_percent: float = 99.0
    latency_slo_percent: float = 95.0

    @property
    def error_budget_percent(self) -> float:
        """Return the share of requests that may fail, at least 0.01 percent."""
        return max(0.01, round(100 - min(max(self.error_slo_percent, 0.1), 100), 6))

    @property
    def latency_budget_percent(self) -> float:
        """Return the share of requests that may be slow, at least 0.01 percent."""
        return max(0.01, round(100 - min(max(self.latency_slo_percent, 0.1), 100), 6))


@dataclass(frozen=True)
class WindowCounts:
    """What happened at one endpoint within a window that ends now."""

    sample_count: int = 0
    error_count: int = 0
    slow_count: int = 0


def worst(statuses: Iterable[str]) -> str:
    """Return the worst of `ok`, `warning`, `critical`; `ok` for none."""
    return max(statuses, key=STATUSES.index, default="ok")
