"""The checklist of this installation, and the version that its signature has once and for all."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from sqlalchemy import or_, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from console.core.config import APP_ROOT, Config
from console.core.context import Context
from console.domain.errors import StoreUnavailable
from console.domain.releases import checklist as rules
from console.domain.releases.checklist import Checklist, Guide
from console.models.releases import DeployChecklist

READ = ("admins:manage", "governance:read")
# Somebody who names another signature at the same moment takes a number; there are never many.
TRIES = 20
# How long a reader waits for those who write.
PATIENCE_SECONDS = 0.25


def guide() -> Guide:
    """Return the rollback guide of the code that runs, read anew, whatever the working directory is."""
    path = APP_ROOT / rules.ROLLBACK_GUIDE
    try:
        content = path.read_bytes()
    except OSError:
        return Guide(rules.ROLLBACK_GUIDE, exists=False, sha256=None)
    return Guide(rules.ROLLBACK_GUIDE, exists=True, sha256=sha256(content).hexdigest())


def current(ctx: Context) -> Checklist:
    """Return the checklist of this moment under its version: one query, nothing is stored.

    A version that is not `bound` yet is the one that the signature would get now.
    """
    found, overridden = _of(ctx.config), ctx.config["DEPLOY_CHECKLIST_VERSION"].strip()
    return found.named(overridden, rules.ENV_OVERRIDE) if overridden else _named(ctx, found)


def bound(ctx: Context, *, patience: float | None = None) -> Checklist:
    """Return the same and give the signature its version for good if it has none yet; that takes the right to write.

    Two that see a new signature at once get the same version for it, and two signatures never share one. Raises
    StoreUnavailable when others were faster twenty times in a row, and OperationalError when other writers hold the
    database for longer than `patience` (seconds).
    """
    found = current(ctx)
    if found.bound:
        return found
    if not ctx.writing:
        ctx.begin_write(patience)
    if patience is not None and ctx.session.get_bind().dialect.name == "postgresql":
        ctx.session.execute(text(f"SET LOCAL lock_timeout = {int(patience * 1000)}"))
    for _try in range(TRIES):
        found = _named(ctx, found)
        if found.bound:
            return found
        try:
            with ctx.session.begin_nested():
                ctx.session.add(DeployChecklist(signature=found.signature, version=found.version, created_at=ctx.now()))
                ctx.session.flush()
        except IntegrityError:
            continue
        return found.named(found.version, found.version_source)
    raise StoreUnavailable("the version of the checklist could not be given")


def view(ctx: Context) -> Checklist:
    """Return the checklist to a caller who may read it; raises PermissionDenied.

    Its version is bound to it at once, unless somebody writes: a reader does not wait, and who asks next binds it.
    """
    ctx.actor.require(*READ)
    try:
        return bound(ctx, patience=PATIENCE_SECONDS)
    except OperationalError:
        ctx.rollback()
        return current(ctx)


def as_answer(ctx: Context, found: Checklist) -> dict[str, Any]:
    """Return the published shape."""
    return {
        "version": found.version,
        "version_source": found.version_source,
        "signature": found.signature,
        "generated_at": ctx.now(),
        "policy": {**vars(found.policy), "ui_core_markers": list(found.policy.ui_core_markers)},
        "steps": [step.published() for step in found.steps],
    }


def _of(config: Config) -> Checklist:
    return rules.checklist(
        guide(),
        recent_hours=config["DEPLOY_SMOKE_RECENT_HOURS"],
        require_runbook_gate=config["DEPLOY_SMOKE_REQUIRE_RUNBOOK_GATE"],
        ui_path=config["DEPLOY_UI_CORE_PATH"],
        ui_markers=tuple(config["DEPLOY_UI_CORE_MARKERS"]),
        overridden=bool(config["DEPLOY_CHECKLIST_VERSION"].strip()),
    )


def _named(ctx: Context, found: Checklist) -> Checklist:
    """Return the checklist under the version of its signature, or under the next free one of this month."""
    month = rules.month_of(ctx.now())
    of_month = DeployChecklist.version.startswith(f"{month}.v", autoescape=True)
    rows = ctx.session.execute(
        select(DeployChecklist.signature, DeployChecklist.version).where(
            or_(DeployChecklist.signature == found.signature, of_month)
        )
    )
    given = {row.signature: row.version for row in rows}
    if version := given.get(found.signature):
        return found.named(version, rules.source_of(version, new=False))
    version = rules.next_version(month, given.values())
    return found.named(version, rules.source_of(version, new=True), bound=False)
