"""Every variable of the product, once: name, type, default, bounds, secret or not, meaning.

Preflight, the start-up checks and the table in docs/CONFIGURATION.md are made from `SETTINGS`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from console.core.settings import SETTINGS, Setting

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})
PRODUCTION = frozenset({"prod", "production"})
# Settings that are never below another one.
AT_LEAST = {
    "API_LATENCY_P95_CRITICAL_MS": "API_LATENCY_P95_WARNING_MS",
    "API_BURN_RATE_LONG_WINDOW_MIN": "API_BURN_RATE_SHORT_WINDOW_MIN",
    "API_BURN_RATE_CRITICAL": "API_BURN_RATE_WARNING",
}
APP_ROOT = Path(__file__).resolve().parents[2]


class ConfigError(RuntimeError):
    """A variable has a value that cannot be meant; the text names the variable and what it takes."""


def _boolean(setting: Setting, text: str) -> bool:
    word = text.lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise ConfigError(f"{setting.name}: {text!r} is neither true nor false (1, true, yes, on / 0, false, no, off)")


def _number(setting: Setting, text: str, kind: Callable[[str], float]) -> float:
    try:
        value = kind(text)
    except ValueError:
        raise ConfigError(f"{setting.name}: {text!r} is not a number") from None
    if not math.isfinite(value):
        raise ConfigError(f"{setting.name}: {text!r} is not a finite number")
    if setting.maximum is not None and value > setting.maximum:
        raise ConfigError(f"{setting.name}: {text!r} is above {setting.maximum}")
    # Published rule: a value below the minimum is raised to it.
    return max(value, kind(str(setting.minimum))) if setting.minimum is not None else value


def _zone(setting: Setting, text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(f"{setting.name}: {text!r} is not the name of a time zone, such as Asia/Seoul") from None


def _parse(setting: Setting, text: str) -> Any:
    text = text.strip()
    if setting.kind == "bool":
        return _boolean(setting, text)
    if not text:
        return setting.default
    if setting.kind == "int":
        return int(_number(setting, text, int))
    if setting.kind == "float":
        return _number(setting, text, float)
    if setting.kind == "list":
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if setting.kind == "choice":
        word = text.lower()
        if word not in setting.choices:
            raise ConfigError(f"{setting.name}: {text!r} is not one of {', '.join(setting.choices)}")
        return word
    if setting.kind == "zone":
        return _zone(setting, text)
    return text


class Config(Mapping[str, Any]):
    """The typed values of all settings.

    `config["PORT"]` gives the typed value; an unknown name raises KeyError. `config.given(name)` tells whether the
    environment set it.
    """

    def __init__(self, values: Mapping[str, Any], given: frozenset[str]) -> None:
        self._values = dict(values)
        self._given = given

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Config:
        """Read the environment; raises ConfigError naming the first variable that is wrong."""
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for setting in SETTINGS:
            text = environ.get(setting.name)
            values[setting.name] = setting.default if text is None else _parse(setting, text)
        given = frozenset(s.name for s in SETTINGS if environ.get(s.name, "").strip())
        return cls(_with_dependent_defaults(values, given), given)

    @classmethod
    def for_tests(cls, **overrides: Any) -> Config:
        """Return the test profile: cheap hashes, no limits of requests, memory stores; `overrides` win."""
        values = {s.name: s.default for s in SETTINGS}
        values.update(
            ENV="test",
            SECRET_KEY="test-secret-key-of-thirty-two-chars",
            AUDIT_ARCHIVE_SIGNING_KEY="ci-signing-key",
            AUDIT_CHAIN_KEY="ci-chain-key",
            API_RATE_LIMIT_STORE="memory",
            PASSWORD_HASH_PROFILE="cheapest",
            DATABASE_URL="sqlite://",
            API_LATENCY_PERSIST_ENABLED=False,
            API_RATE_LIMIT_ENABLED=False,
        )
        unknown = set(overrides) - set(values)
        if unknown:
            raise KeyError(f"unknown settings: {sorted(unknown)}")
        values.update(overrides)
        return cls(_with_dependent_defaults(values, frozenset(overrides)), frozenset(overrides))

    def replaced(self, **values: Any) -> Config:
        """Return the same settings with some values given anew; raises KeyError for an unknown name."""
        unknown = set(values) - set(self._values)
        if unknown:
            raise KeyError(f"unknown settings: {sorted(unknown)}")
        return Config({**self._values, **values}, self._given | values.keys())

    def given(self, name: str) -> bool:
        """Return whether the environment set this variable to something."""
        return name in self._given

    def path(self, name: str) -> Path:
        """Return a folder or file setting as an absolute path; relative defaults lie in DATA_DIR."""
        value = Path(self[name]).expanduser()
        if name == "DATA_DIR" or value.is_absolute():
            return value.resolve()
        if self.given(name):
            return value.resolve()
        return self.path("DATA_DIR") / value

    @property
    def production(self) -> bool:
        """Return whether ENV is `prod` or `production`."""
        return self["ENV"] in PRODUCTION

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _with_dependent_defaults(values: dict[str, Any], given: frozenset[str]) -> dict[str, Any]:
    """Fill the defaults that depend on other values (API contract, environment tables)."""
    values["ENV"] = str(values["ENV"]).lower()
    if "PREFLIGHT_FAIL_ON_ERROR" not in given:
        values["PREFLIGHT_FAIL_ON_ERROR"] = values["ENV"] in PRODUCTION
    if not values["API_RATE_LIMIT_REDIS_URL"]:
        values["API_RATE_LIMIT_REDIS_URL"] = values["REDIS_URL"]
    for upper, lower in AT_LEAST.items():
        values[upper] = max(values[upper], values[lower])
    if "API_LATENCY_STALE_AFTER_MIN" not in given:
        values["API_LATENCY_STALE_AFTER_MIN"] = max(120, 2 * values["API_BURN_RATE_LONG_WINDOW_MIN"])
    url = values["DATABASE_URL"]
    if url.startswith("postgres://"):
        values["DATABASE_URL"] = "postgresql://" + url.removeprefix("postgres://")
    return values


def allowed_hosts(config: Config) -> tuple[str, ...]:
    """Return the host names that are answered, lower-cased and without ports; empty means all.

    ALLOWED_HOSTS, and in production without it the host of PUBLIC_URL. `.example.com` stands for every name below it.
    """
    named = tuple(name.strip().lower() for name in config["ALLOWED_HOSTS"] if name.strip())
    if "*" in named:
        return ()
    own = urlsplit(config["PUBLIC_URL"]).hostname
    if named or not config.production:
        return named
    return (own.lower(),) if own else ()


def database_url(config: Config) -> str:
    """Return the SQLAlchemy URL: DATABASE_URL, or the SQLite file in DATA_DIR."""
    # A folder may be called `100%?`; an address may not.
    return config["DATABASE_URL"] or f"sqlite:///{quote(str(config.path('DATA_DIR') / 'facility.db'))}"
