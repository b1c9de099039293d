"""The preflight: examined by every process for itself, stored with its age, read by gate and pages."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from console.core.config import APP_ROOT, Config, allowed_hosts, database_url
from console.core.context import Context
from console.core.database import unverified_host
from console.core.records import view_of
from console.core.umask import open_to_others
from console.domain.evidence import evidence as rules
from console.domain.gate.rules import PreflightFacts
from console.domain.programme.documents import PACKS
from console.domain.releases.checklist import ROLLBACK_GUIDE
from console.domain.runbook.preflight import (
    ERROR,
    SIGNING_REQUIRED_ENVS,
    Check,
    PathProbe,
    Preflight,
    Surroundings,
    blocking_message,
    examine,
)
from console.domain.text import Text
from console.inputs.pack_documents import problems
from console.models.runbook import PreflightSnapshot
from console.services.alerts import channels
from console.services.backup import keys
from console.services.evidence import store as evidence_store

READ = ("admins:manage", "security:read")
NOISE_POLICY = "docs/W17_ALERT_NOISE_POLICY.md"
# A process that missed three refreshes is gone.
REFRESH_EVERY = timedelta(minutes=2)
SIGN_OF_LIFE = timedelta(minutes=1)
LIVE_FOR = 3 * REFRESH_EVERY
KEPT_FOR = timedelta(days=7)
WEB = "web"

_FOLDERS = (
    ("ops_daily_archive_path", "OPS_DAILY_CHECK_ARCHIVE_ENABLED", "OPS_DAILY_CHECK_ARCHIVE_PATH"),
    ("ops_quality_report_archive_path", "OPS_QUALITY_REPORT_ARCHIVE_ENABLED", "OPS_QUALITY_REPORT_ARCHIVE_PATH"),
    ("deploy_smoke_archive_path", "DEPLOY_SMOKE_ARCHIVE_ENABLED", "DEPLOY_SMOKE_ARCHIVE_PATH"),
    ("dr_rehearsal_backup_path", "DR_REHEARSAL_ENABLED", "DR_REHEARSAL_BACKUP_PATH"),
)
_SECRETS = ("METRICS_TOKEN", "SECRET_KEY", "AUDIT_ARCHIVE_SIGNING_KEY", "AUDIT_CHAIN_KEY", "TOKEN_PEPPER")
# Switches for old automation, with the value that keeps the rules whole (API contract, compatibility versus safety).
_SAFE = {
    "ADMIN_TOKEN_ENV_FALLBACK": False,
    "ADMIN_TOKEN_ROTATE_KEEP_EXPIRY": False,
    "ADMIN_TOKEN_REQUIRE_EXPIRY": True,
    "SITE_SCOPE_EMPTY_MEANS_ALL": False,
    "GRANT_CONTAINMENT": True,
    "API_LOGIN_BEFORE_OWN_PASSWORD": False,
    "API_RATE_LIMIT_ENABLED": True,
    "API_RATE_LIMIT_IDENTITY": "verified",
    "API_UNKNOWN_FIELDS": "refuse",
}


@dataclass(frozen=True)
class Instance:
    """The stored preflight of one process. `is_live` is False once the process missed its refreshes."""

    instance_id: str
    name: str
    kind: str
    started_at: datetime
    computed_at: datetime
    age_seconds: int
    is_live: bool
    overall_status: str
    error_count: int
    warning_count: int
    payload: Mapping[str, Any]

    @property
    def error_ids(self) -> tuple[str, ...]:
        """Return the ids of the checks that failed with an error."""
        return tuple(check["id"] for check in self.payload.get("checks", ()) if check["status"] == ERROR)


@dataclass(frozen=True)
class PreflightView:
    """The preflight that counts (`payload`), who says so, and what every process says."""

    payload: Mapping[str, Any]
    source: str
    age_seconds: int
    instances: tuple[Instance, ...]


def documents() -> dict[str, bool]:
    """Tell for each of the two required documents whether it is in place, whatever the working directory is."""
    return {name: (APP_ROOT / name).is_file() for name in (ROLLBACK_GUIDE, NOISE_POLICY)}


def examine_process(config: Config, now: datetime, *, schema: str = "ok") -> Preflight:
    """Look around in this very process: its settings, its disk; `schema` is how the tables stand to its code."""
    seen = replace(_surroundings(config), schema=schema)
    return examine(seen, fail_on_error=config["PREFLIGHT_FAIL_ON_ERROR"], now=now)


class BadStart(RuntimeError):
    """The preflight forbids the start; the text names the failed checks and says what they miss."""


def refuse_bad_start(config: Config, now: datetime) -> None:
    """Raise BadStart naming the failed checks when they forbid the start (API contract, blocking the start)."""
    if not config["PREFLIGHT_FAIL_ON_ERROR"]:
        return
    found = examine_process(config, now)
    message = blocking_message(found)
    if message is not None:
        reasons = (str(check.message) for check in found.checks if check.status == ERROR)
        raise BadStart(f"{message}. {' '.join(reasons)}")


def _surroundings(config: Config) -> Surroundings:
    found = documents()
    key = keys.state(config) if config["DR_REHEARSAL_ENABLED"] else keys.KeyState(keys.SETTING)
    return Surroundings(
        env=config["ENV"],
        production=config.production,
        required_env={name: _is_set(config, name) for name in config["PREFLIGHT_REQUIRED_ENV"]},
        rate_limit_store=config["API_RATE_LIMIT_STORE"],
        redis_url_set=bool(config["API_RATE_LIMIT_REDIS_URL"]),
        signing_key_set=bool(config["AUDIT_ARCHIVE_SIGNING_KEY"].strip()),
        signing_required=signing_required(config),
        rollback_guide=ROLLBACK_GUIDE,
        rollback_guide_exists=found[ROLLBACK_GUIDE],
        noise_policy=NOISE_POLICY,
        noise_policy_exists=found[NOISE_POLICY],
        paths=tuple(_probe(id_, config.path(path)) for id_, switch, path in _FOLDERS if config[switch]),
        evidence=_evidence(config),
        insecure_local_auth=config["ALLOW_INSECURE_LOCAL_AUTH"],
        admin_token_length=len(config["ADMIN_TOKEN"].strip()),
        secret_lengths={name: len(config[name].strip()) for name in _SECRETS},
        public_url_set=bool(config["PUBLIC_URL"]),
        alert_channels=len(channels.built_in(config)),
        open_switches=tuple(name for name, safe in _SAFE.items() if config[name] != safe),
        owners_need_second_factor=config["OWNER_SECOND_FACTOR_REQUIRED"],
        open_folders=tuple(_open_folders(config)),
        unverified_database=unverified_host(database_url(config), os.environ.get("PGSSLMODE", "prefer")),
        any_host=config.production and not allowed_hosts(config),
        backup_key_problem=key.problem,
        backup_key_made_here=key.source == keys.DATA_DIR,
        wrong_documents=tuple(_wrong_documents()),
    )


def _wrong_documents() -> Iterator[str]:
    for code, document in PACKS.items():
        place, said = next(iter(problems(document)), ("", ""))
        if said:
            yield f"{code}.json: {place}: {said}"


def _open_folders(config: Config) -> Iterator[str]:
    folders = [config.path("DATA_DIR"), config.path("AUDIT_ARCHIVE_PATH"), config.path("AUDIT_CHECKPOINT_PATH")]
    if evidence_store.backend(config) == rules.FS:
        folders.append(evidence_store.root(config))
    data, *others = folders
    yield from (str(folder) for folder in {data, *others} if _reachable(folder, data))


def _reachable(folder: Path, data: Path) -> bool:
    # What lies in a closed folder is closed, whatever its own mode says.
    inside = folder != data and folder.is_relative_to(data)
    return open_to_others(folder) and (not inside or open_to_others(data))


def _evidence(config: Config) -> PathProbe | None:
    if evidence_store.backend(config) != rules.FS:
        return None
    return _probe("evidence_storage_path", evidence_store.root(config))


def _is_set(config: Config, name: str) -> bool:
    if name not in config:
        return bool(os.environ.get(name, "").strip())
    if config.given(name):
        return True
    # Nobody asked for DATABASE_URL by name, and outside production the SQLite file in DATA_DIR is meant to be used.
    return name == "DATABASE_URL" and not config.given("PREFLIGHT_REQUIRED_ENV") and not config.production


def signing_required(config: Config) -> bool:
    """Return whether audit archives must be signed here (API contract, preflight)."""
    if config.given("AUDIT_ARCHIVE_SIGNING_REQUIRED"):
        return bool(config["AUDIT_ARCHIVE_SIGNING_REQUIRED"])
    return config["ENV"] in SIGNING_REQUIRED_ENVS


def _probe(id_: str, folder: Path) -> PathProbe:
    mark = folder / ".write_probe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mark.write_text("probe", encoding="ascii")
        mark.unlink(missing_ok=True)
    except OSError as error:
        return PathProbe(id_, str(folder), error.strerror or type(error).__name__)
    return PathProbe(id_, str(folder))


def as_payload(found: Preflight) -> dict[str, Any]:
    """Return the one JSON shape of a preflight: stored, answered by the API, read by the pages."""
    return {
        "generated_at": found.generated_at.isoformat(timespec="microseconds"),
        "env": found.env,
        "fail_on_error": found.fail_on_error,
        "overall_status": found.overall_status,
        "has_error": found.has_error,
        "error_count": found.error_count,
        "warning_count": found.warning_count,
        "check_count": found.check_count,
        "checks": [_check(check) for check in found.checks],
    }


def _check(check: Check) -> dict[str, Any]:
    message: Text = check.message
    return {
        "id": check.id,
        "severity": check.severity,
        "status": check.status,
        "message": str(message),
        "message_text": message.as_dict(),
    }


def store(ctx: Context, found: Preflight, *, instance_id: str, kind: str, started_at: datetime, now: datetime) -> None:
    """Replace the row of one process and drop rows that nobody refreshed for a week."""
    ctx.session.execute(delete(PreflightSnapshot).where(PreflightSnapshot.computed_at < now - KEPT_FOR))
    ctx.session.merge(
        PreflightSnapshot(
            instance_id=instance_id,
            name=f"{kind}-{instance_id[:6]}",
            kind=kind,
            started_at=started_at,
            computed_at=found.generated_at,
            overall_status=found.overall_status,
            error_count=found.error_count,
            warning_count=found.warning_count,
            payload=as_payload(found),
        )
    )
    ctx.session.flush()


def forget(ctx: Context, instance_id: str) -> None:
    """Remove the row of a process that ends."""
    ctx.session.execute(delete(PreflightSnapshot).where(PreflightSnapshot.instance_id == instance_id))


def instances(ctx: Context) -> tuple[Instance, ...]:
    """Return what every process said last: web processes first, then by age; at most 200."""
    now = ctx.now()
    rows = ctx.session.scalars(
        select(PreflightSnapshot)
        .order_by((PreflightSnapshot.kind == WEB).desc(), PreflightSnapshot.computed_at.desc())
        .limit(200)
    )
    return tuple(_instance(row, now) for row in rows)


def _instance(row: PreflightSnapshot, now: datetime) -> Instance:
    age = max(now - row.computed_at, timedelta(0))
    return view_of(Instance, row, age_seconds=int(age.total_seconds()), is_live=age <= LIVE_FOR)


def _web(ctx: Context) -> list[Instance]:
    now = ctx.now()
    rows = ctx.session.scalars(
        select(PreflightSnapshot)
        .where(PreflightSnapshot.kind == WEB)
        .order_by(PreflightSnapshot.computed_at.desc())
        .limit(100)
    )
    return [_instance(row, now) for row in rows]


def deciding(found: list[Instance]) -> Instance | None:
    """Return the web process whose preflight counts: of the living ones the worst, else the newest of all.

    `found` is ordered newest first. One bad process behind a load balancer is enough to serve bad answers.
    """
    living = [one for one in found if one.is_live]
    if living:
        return max(living, key=lambda one: (one.error_count, one.warning_count))
    return found[0] if found else None


def facts(ctx: Context) -> PreflightFacts:
    """Return the preflight that gate and runbook judge: that of the web processes, with its source and age.

    Before any web process has reported, this process examines itself and says so.
    """
    chosen = deciding(_web(ctx))
    if chosen is None:
        found = examine_process(ctx.config, ctx.now())
        return PreflightFacts(
            found.overall_status,
            found.error_count,
            found.warning_count,
            source="this_process",
            computed_at=found.generated_at,
            age_seconds=0,
            error_ids=found.error_ids,
        )
    return PreflightFacts(
        chosen.overall_status,
        chosen.error_count,
        chosen.warning_count,
        source=chosen.name,
        computed_at=chosen.computed_at,
        age_seconds=chosen.age_seconds,
        is_stale=not chosen.is_live,
        error_ids=chosen.error_ids,
    )


def view(ctx: Context) -> PreflightView:
    """Return the preflight that counts and those of all processes, for API and page."""
    ctx.actor.require(*READ)
    found = instances(ctx)
    chosen = deciding([one for one in found if one.kind == WEB])
    if chosen is None:
        here = examine_process(ctx.config, ctx.now())
        return PreflightView(as_payload(here), "this_process", 0, found)
    return PreflightView(chosen.payload, chosen.name, chosen.age_seconds, found)
