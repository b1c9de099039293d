"""Policies of any kind: resolved from site to global to built-in without writing, changed with revisions.

What a kind is stands in `kinds`, proposals in `proposals`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from console.core.context import Context
from console.core.records import view_of
from console.domain.errors import Conflict, PreconditionFailed
from console.domain.policies.policy import PolicyWarning, changes, filled, normalise
from console.domain.text import T
from console.models.policies import Policy, PolicyRevision
from console.services.audit import record as audit
from console.services.jobs.runs import changed as affected
from console.services.policies.kinds import NEVER, PolicyKind, PolicyView, Source

ADMIN = "admins:manage"


def resolve(ctx: Context, kind: PolicyKind, site: str | None = None) -> PolicyView:
    """Return the policy that counts, in one query and without writing anything.

    Permissions are the caller's business.
    """
    own = kind.key_of(site)
    keys = [own] if site is None else [own, kind.key_of(None)]
    found = ctx.session.scalars(
        select(Policy).where(Policy.policy_key.in_(keys)).execution_options(populate_existing=True)
    )
    return _view(ctx, kind, site, {row.policy_key: row for row in found})


def _view(ctx: Context, kind: PolicyKind, site: str | None, rows: Mapping[str, Policy]) -> PolicyView:
    own, base = rows.get(kind.key_of(site)), rows.get(kind.key_of(None))
    values = kind.built_in(ctx.config)
    for row in (base, own):
        if row is not None:
            values |= _fitting(kind, row.policy_json)
    deciding = own or base
    source: Source = "built_in" if deciding is None else "site" if own is not None and site is not None else "global"
    return PolicyView(
        kind=kind,
        site=site,
        policy_key=kind.key_of(site),
        values=values,
        source=source,
        revision=own.version if own is not None else 0,
        updated_at=deciding.updated_at if deciding is not None else NEVER,
        updated_by=deciding.updated_by if deciding is not None else "system",
    )


def _fitting(kind: PolicyKind, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stored fields that the schema still knows, within its present bounds."""
    read = filled(kind.fields, stored)
    return {field.name: read[field.name] for field in kind.fields if stored.get(field.name) is not None}


def check_scope(ctx: Context, kind: PolicyKind, site: str | None, *, write: bool) -> None:
    """Raise SiteDenied, GlobalScopeRequired or PermissionDenied as the policy standard says.

    A site must be in the caller's scope; the global row of a site kind needs all sites, and to change it the
    administrator's permission as well. Global kinds are read by whoever holds the permission and changed for all sites.
    """
    if site is not None:
        ctx.actor.require_site(site)
        return
    if kind.per_site or write:
        ctx.actor.require_all_sites()
    if kind.per_site and write:
        ctx.actor.require(ADMIN)


def view(ctx: Context, kind: PolicyKind, site: str | None = None) -> PolicyView:
    """Return a policy to somebody who may read it."""
    ctx.actor.require(*kind.read)
    check_scope(ctx, kind, site, write=False)
    found = resolve(ctx, kind, site)
    audit.viewed(ctx, f"{kind.audit_action}_view", kind.audit_resource, found.policy_key, **found.values)
    return found


def merged(ctx: Context, kind: PolicyKind, sent: Mapping[str, Any], site: str | None = None) -> PolicyView:
    """Return the policy as it would be with `sent`, stored nowhere; raises Invalid for numbers that are not finite."""
    found = resolve(ctx, kind, site)
    made = normalise(kind.fields, found.values, sent)
    return replace(found, values=made.values, warnings=made.warnings)


def update_policy(
    ctx: Context,
    kind: PolicyKind,
    sent: Mapping[str, Any],
    *,
    site: str | None = None,
    if_match: int | None = None,
    reason: str = "",
) -> PolicyView:
    """Merge `sent` into a policy; returns it with the warnings about what was taken differently.

    Raises PermissionDenied, SiteDenied, Invalid for numbers that are not finite, and PreconditionFailed when the
    policy is no longer at revision `if_match`.
    """
    ctx.actor.require(*kind.write)
    check_scope(ctx, kind, site, write=True)
    return store(ctx, kind, sent, site=site, if_match=if_match, reason=reason)


def store(
    ctx: Context,
    kind: PolicyKind,
    sent: Mapping[str, Any],
    *,
    site: str | None = None,
    if_match: int | None = None,
    reason: str = "",
    source: str = "update",
    proposal_id: int | None = None,
    always: bool = False,
) -> PolicyView:
    """Write a change whose permission was checked: the row, its revision and the audit entry.

    Values that come out as they were leave no revision, so that pressing the button twice is one change; with
    `always` they leave one.
    """
    row = locked(ctx, kind.key_of(site))
    before = resolve(ctx, kind, site)
    if if_match is not None and if_match != before.revision:
        raise PreconditionFailed(
            {"message": T("Somebody else changed the policy meanwhile"), "current_revision": before.revision},
            code="revision_mismatch",
        )
    made = normalise(kind.fields, before.values, sent)
    moved = changes(before.values, made.values)
    stored = {**row.policy_json, **_accepted(kind, sent, made.values, made.warnings)}
    if always or stored != row.policy_json:
        write(ctx, row, stored, moved, reason=reason, source=source, proposal_id=proposal_id)
    elif row.version == 0:
        ctx.session.delete(row)
        ctx.session.flush()
    after = resolve(ctx, kind, site)
    audit.record(
        ctx,
        f"{kind.audit_action}_update",
        kind.audit_resource,
        after.policy_key,
        detail={"policy_key": after.policy_key, **after.values, "changes": moved, "revision": after.revision},
    )
    return replace(after, warnings=made.warnings)


def clear(ctx: Context, kind: PolicyKind, *, site: str, reason: str, source: str) -> None:
    """Take away what a site set, so that the wider policy counts: a revision without values, and the audit entry."""
    row = locked(ctx, kind.key_of(site))
    before = dict(row.policy_json)
    moved = {name: {"old": value, "new": None} for name, value in before.items()}
    write(ctx, row, {}, moved, reason=reason, source=source, proposal_id=None)
    detail = {"policy_key": row.policy_key, "removed": before, "reason": reason, "revision": row.version}
    audit.record(ctx, f"{kind.audit_action}_update", kind.audit_resource, row.policy_key, detail=detail)


def _accepted(
    kind: PolicyKind, sent: Mapping[str, Any], values: Mapping[str, Any], warnings: tuple[PolicyWarning, ...]
) -> dict[str, Any]:
    refused = {warning.field for warning in warnings if warning.code == "refused"}
    names = (field.name for field in kind.fields)
    return {name: values[name] for name in names if sent.get(name) is not None and name not in refused}


def locked(ctx: Context, key: str) -> Policy:
    """Return the row of a key, locked until the end of the transaction; made empty when it is missing.

    Stored documents are rows of the same kind (`console/services/policies/stored.py`).
    """
    wanted = select(Policy).where(Policy.policy_key == key).with_for_update()
    row = ctx.session.scalars(wanted, execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        dialect = postgresql if ctx.session.get_bind().dialect.name == "postgresql" else sqlite
        values = {"policy_key": key, "policy_json": {}, "updated_at": ctx.now(), "version": 0}
        ctx.session.execute(dialect.insert(Policy).values(values).on_conflict_do_nothing())
        row = ctx.session.scalars(wanted, execution_options={"populate_existing": True}).one()
    return row


def write(
    ctx: Context,
    row: Policy,
    stored: Mapping[str, Any],
    moved: Mapping[str, Any],
    *,
    reason: str,
    source: str,
    proposal_id: int | None,
) -> None:
    """Write the next revision of a locked row; raises Conflict when somebody else was faster."""
    now, who, number = ctx.now(), ctx.actor.username, row.version + 1
    statement = update(Policy).where(Policy.id == row.id, Policy.version == row.version)
    if affected(ctx, statement.values(policy_json=stored, updated_at=now, updated_by=who, version=number)) != 1:
        raise Conflict(T("Somebody else changed the policy meanwhile"), code="revision_mismatch")
    ctx.session.add(
        PolicyRevision(
            policy_key=row.policy_key,
            revision=number,
            policy_json=dict(stored),
            changes=dict(moved),
            source=source,
            reason=reason.strip(),
            proposal_id=proposal_id,
            at=now,
            actor=who,
        )
    )
    ctx.session.flush()


@dataclass(frozen=True)
class Revision:
    """One change of a policy; `changes` has old and new of every value that moved."""

    revision: int
    changes: Mapping[str, Any]
    source: str
    reason: str
    proposal_id: int | None
    at: datetime
    actor: str


def revisions(ctx: Context, kind: PolicyKind, site: str | None = None, *, limit: int = 50) -> tuple[Revision, ...]:
    """Return the changes of a policy, newest first."""
    ctx.actor.require(*kind.read)
    check_scope(ctx, kind, site, write=False)
    found = ctx.session.scalars(
        select(PolicyRevision)
        .where(PolicyRevision.policy_key == kind.key_of(site))
        .order_by(PolicyRevision.revision.desc())
        .limit(limit)
    )
    return tuple(view_of(Revision, row) for row in found)
