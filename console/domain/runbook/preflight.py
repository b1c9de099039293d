"""What has to be in place before the product may run (API contract, preflight)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from console.domain.text import T, Text

OK, WARNING, ERROR = "ok", "warning", "error"
SIGNING_REQUIRED_ENVS = frozenset({"prod", "production", "staging"})
SHORTEST_SECRET = 32
_SCHEMAS = {
    "behind": T("The tables are older than this code: run flask db upgrade."),
    "ahead": T("The tables are newer than this code: an upgrade is under way, or this release was put back."),
}


@dataclass(frozen=True)
class PathProbe:
    """A folder that must be writable; `error` is why it is not, None when it is."""

    id: str
    path: str
    error: str | None = None


@dataclass(frozen=True)
class Surroundings:
    """What a process found around it; secrets appear as lengths only."""

    env: str = "local"
    production: bool = False
    required_env: Mapping[str, bool] = field(default_factory=dict)
    rate_limit_store: str = "auto"
    redis_url_set: bool = False
    signing_key_set: bool = True
    signing_required: bool = False
    rollback_guide: str = "docs/W15_MIGRATION_ROLLBACK.md"
    rollback_guide_exists: bool = True
    noise_policy: str = "docs/W17_ALERT_NOISE_POLICY.md"
    noise_policy_exists: bool = True
    paths: tuple[PathProbe, ...] = ()
    evidence: PathProbe | None = None
    insecure_local_auth: bool = False
    admin_token_length: int = 0
    secret_lengths: Mapping[str, int] = field(default_factory=dict)
    open_switches: tuple[str, ...] = ()
    owners_need_second_factor: bool = False
    open_folders: tuple[str, ...] = ()
    any_host: bool = False
    unverified_database: str | None = None
    backup_key_problem: Text | None = None
    backup_key_made_here: bool = False
    public_url_set: bool = True
    alert_channels: int = 0
    schema: str = "ok"
    wrong_documents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """One judged check; a check that is not met has its severity as status."""

    id: str
    severity: str
    status: str
    message: Text


@dataclass(frozen=True)
class Preflight:
    """All checks of one process at one moment."""

    generated_at: datetime
    env: str
    fail_on_error: bool
    overall_status: str
    has_error: bool
    error_count: int
    warning_count: int
    check_count: int
    checks: tuple[Check, ...]

    @property
    def error_ids(self) -> tuple[str, ...]:
        """Return the ids of the checks that failed with an error, in their order."""
        return tuple(check.id for check in self.checks if check.status == ERROR)


def examine(seen: Surroundings, *, fail_on_error: bool, now: datetime) -> Preflight:
    """Judge the surroundings: published checks first and in their order, then those of this product."""
    checks = (*_published(seen), *_added(seen))
    errors = sum(check.status == ERROR for check in checks)
    warnings = sum(check.status == WARNING for check in checks)
    return Preflight(
        generated_at=now,
        env=seen.env,
        fail_on_error=fail_on_error,
        overall_status=overall(errors, warnings),
        has_error=bool(errors),
        error_count=errors,
        warning_count=warnings,
        check_count=len(checks),
        checks=checks,
    )


def overall(errors: int, warnings: int) -> str:
    """Return `critical` with any error, else `warning` with any warning, else `ok`."""
    return "critical" if errors else "warning" if warnings else "ok"


def blocking_message(found: Preflight) -> str | None:
    """Return the text with which the start is refused, or None when it may go on (API contract, blocking the start)."""
    if not (found.has_error and found.fail_on_error):
        return None
    return f"Preflight failed: {', '.join(found.error_ids)}"


def _check(id_: str, severity: str, met: bool, good: Text, bad: Text) -> Check:
    return Check(id_, severity, OK if met else severity, good if met else bad)


def _published(seen: Surroundings) -> Iterator[Check]:
    for name, is_set in sorted(seen.required_env.items()):
        yield _check(
            f"required_env_{name.lower()}",
            ERROR,
            is_set,
            T("The variable %(name)s is set.", name=name),
            T("The variable %(name)s is not set.", name=name),
        )
    needs_redis = seen.rate_limit_store == "redis"
    yield _check(
        "rate_limit_redis_config",
        ERROR if needs_redis else WARNING,
        not needs_redis or seen.redis_url_set,
        T("The rate limit store %(store)s has what it needs.", store=seen.rate_limit_store),
        T("The rate limit store is redis, but no Redis address is set."),
    )
    yield _check(
        "audit_archive_signing_key",
        ERROR if seen.signing_required else WARNING,
        seen.signing_key_set,
        T("Audit archives are signed."),
        T("Audit archives are not signed: AUDIT_ARCHIVE_SIGNING_KEY is not set."),
    )
    yield _document("rollback_guide_file", ERROR, seen.rollback_guide, seen.rollback_guide_exists)
    yield _document("alert_noise_policy_doc", WARNING, seen.noise_policy, seen.noise_policy_exists)
    for probe in seen.paths:
        yield _folder(probe, ERROR)


def _folder(probe: PathProbe, severity: str) -> Check:
    return _check(
        probe.id,
        severity,
        probe.error is None,
        T("The folder %(path)s is writable.", path=probe.path),
        T("The folder %(path)s is not writable: %(error)s.", path=probe.path, error=probe.error or ""),
    )


def _document(id_: str, severity: str, path: str, exists: bool) -> Check:
    return _check(
        id_,
        severity,
        exists,
        T("The document %(path)s is in place.", path=path),
        T("The document %(path)s is missing.", path=path),
    )


def _added(seen: Surroundings) -> Iterator[Check]:
    strict = ERROR if seen.production else WARNING
    yield _check(
        "insecure_local_auth",
        strict,
        not seen.insecure_local_auth,
        T("Nobody gets in without a credential."),
        T("ALLOW_INSECURE_LOCAL_AUTH is on: callers from this machine are owners without a credential."),
    )
    yield _admin_token(seen, strict)
    short = sorted(name for name, length in seen.secret_lengths.items() if 0 < length < SHORTEST_SECRET)
    yield _check(
        "secret_strength",
        strict,
        not short,
        T("Secrets are long enough."),
        T("Secrets shorter than %(least)s characters: %(names)s.", least=SHORTEST_SECRET, names=", ".join(short)),
    )
    yield _check(
        "compatibility_switches",
        WARNING,
        not seen.open_switches,
        T("No compatibility switch loosens the rules."),
        T("Compatibility switches loosen the rules: %(names)s.", names=", ".join(seen.open_switches)),
    )
    yield _check(
        "owner_second_factor",
        WARNING,
        seen.owners_need_second_factor or not seen.production,
        T("Owners sign in with a second factor, or this is no production."),
        T("Owners can sign in with a password alone: set OWNER_SECOND_FACTOR_REQUIRED."),
    )
    yield _check(
        "private_folders",
        WARNING,
        not seen.open_folders,
        T("Other accounts of the machine cannot look into the data."),
        T("Other accounts of the machine can look into: %(names)s.", names=", ".join(seen.open_folders)),
    )
    yield _check(
        "allowed_hosts",
        WARNING,
        not seen.any_host,
        T("Requests for other host names are refused."),
        T("Any host name is answered: set PUBLIC_URL or ALLOWED_HOSTS."),
    )
    yield _check(
        "public_url",
        WARNING,
        seen.public_url_set or not seen.alert_channels,
        T("Messages carry the addresses of their items."),
        T("PUBLIC_URL is not set: messages to the alert channels carry no addresses of their items."),
    )
    yield _check(
        "database_certificate",
        WARNING,
        seen.unverified_database is None,
        T("The database is on this machine, or its certificate is checked."),
        T(
            "Nobody checks that %(host)s is the database: add sslmode=verify-full to DATABASE_URL.",
            host=seen.unverified_database or "",
        ),
    )
    if seen.backup_key_problem is not None:
        yield Check("backup_key", strict, strict, seen.backup_key_problem)
    else:
        yield _check(
            "backup_key",
            WARNING,
            not (seen.backup_key_made_here and seen.production),
            T("Backups are sealed with a key that does not lie beside them."),
            T(
                "The key of the backups was made in DATA_DIR: keep a copy in another place, and name it by "
                "DR_REHEARSAL_KEY_FILE or DR_REHEARSAL_KEY."
            ),
        )
    if seen.evidence is not None:
        yield _folder(seen.evidence, strict)
    if seen.wrong_documents:
        found = ", ".join(seen.wrong_documents)
        yield Check(
            "programme_documents", ERROR, ERROR, T("Documents of the programme do not fit: %(found)s.", found=found)
        )
    if seen.schema in _SCHEMAS:
        yield Check("schema_version", WARNING, WARNING, _SCHEMAS[seen.schema])


def _admin_token(seen: Surroundings, strict: str) -> Check:
    length = seen.admin_token_length
    if length and seen.production:
        bad = T("ADMIN_TOKEN is still set in production; remove it once an owner exists.")
    else:
        bad = T("ADMIN_TOKEN is shorter than %(least)s characters.", least=SHORTEST_SECRET)
    met = not length or (length >= SHORTEST_SECRET and not seen.production)
    return _check("admin_token_bootstrap", strict, met, T("The bootstrap token is no weak spot."), bad)
