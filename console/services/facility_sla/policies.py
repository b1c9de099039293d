"""SLA policies: the default one and those of sites, on the policy engine (API contract, SLA policies).

The row of a site is a complete policy and no difference to the default. A removed override keeps its row, emptied, so
that its revisions go on counting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import ColumnElement, or_, select

from console.core.context import Actor, Context
from console.core.records import INTERNAL, JsonObject
from console.domain.errors import Conflict, NotFound
from console.domain.facility_sla.policy import BUILT_IN, DEFAULT, SITE, InForce, SlaPolicy, as_values, from_values
from console.domain.ids import MAX_ID
from console.domain.text import N_, T
from console.inputs.facility_sla import SlaPolicyModel
from console.models.policies import Policy, PolicyRevision
from console.services.audit import record as audit
from console.services.identity import sites
from console.services.policies import policies
from console.services.policies.kinds import NEVER, PolicyKind

MANAGE = "admins:manage"
OF_SITE = "site:"
KIND = PolicyKind(
    name="facility.sla",
    schema=SlaPolicyModel,
    key="",
    read=(MANAGE,),
    write=(MANAGE,),
    propose=(MANAGE,),
    several=True,
    approve=(MANAGE,),
    audit_action="sla_policy",
    audit_resource="sla_policy",
    per_site=True,
)
MANUAL_UPDATE, APPROVAL, RESTORE, REMOVAL = "manual_update", "proposal_approval", "revision_restore", "override_removal"
# Words of the engine -> published words.
ACTIONS = {"update": MANUAL_UPDATE, "approval": APPROVAL, "restore": RESTORE, "removal": REMOVAL}
UPDATED = N_("Updated through the API")


@dataclass(frozen=True)
class Policies:
    """All policies that count at one moment: the default one, and those of the sites that have their own."""

    default: InForce
    sites: Mapping[str, InForce]

    def of(self, site: str | None) -> InForce:
        """Return the policy that counts for a site."""
        return self.default if site is None else self.sites.get(site, self.default)


@dataclass(frozen=True)
class SlaPolicyView:
    """A policy as it counts (API contract, SlaPolicyRead); `revision` and what follows are additions.

    `updated_at` is aware UTC; a policy that nobody ever set has that of 1970. `revision` counts the changes of its row.
    """

    policy_key: str
    site: str | None
    source: str
    default_due_hours: JsonObject
    escalation_grace_minutes: int
    updated_at: datetime
    pause_on_hold: bool
    ack_target_minutes: JsonObject
    revision: int
    revision_id: int | None
    updated_by: Annotated[str, INTERNAL]

    @property
    def policy(self) -> SlaPolicy:
        """Return it as the rules know it."""
        return SlaPolicy(
            self.default_due_hours, self.escalation_grace_minutes, self.pause_on_hold, self.ack_target_minutes
        )


@dataclass(frozen=True)
class SlaRevision:
    """One change of a policy with the complete policy after it; `created_at` is aware UTC.

    `number` counts the changes of one policy; the policy of a removed override is empty.
    """

    id: int
    site: str | None
    policy: JsonObject
    source_action: str
    actor_username: str
    note: str
    created_at: datetime
    number: int
    changes: Annotated[Mapping[str, Any], INTERNAL]


def in_force(ctx: Context, site: str) -> InForce:
    """Return the policy that counts for a site: one query, permissions are the caller's business."""
    return _table(ctx, Policy.policy_key.in_((DEFAULT, OF_SITE + site))).of(site)


def all_in_force(ctx: Context) -> Policies:
    """Return all policies that count: one query, permissions are the caller's business."""
    return _table(ctx, _of_sla(Policy.policy_key))


def _table(ctx: Context, condition: ColumnElement[bool]) -> Policies:
    rows = ctx.session.execute(
        select(Policy.policy_key, Policy.policy_json, PolicyRevision.id)
        .outerjoin(
            PolicyRevision,
            (PolicyRevision.policy_key == Policy.policy_key) & (PolicyRevision.revision == Policy.version),
        )
        .where(condition)
    )
    default, own = InForce(BUILT_IN), {}
    for key, stored, revision_id in rows:
        if not stored:
            continue
        if key == DEFAULT:
            default = InForce(from_values(stored), DEFAULT, revision_id)
        else:
            own[key.removeprefix(OF_SITE)] = InForce(from_values(stored), SITE, revision_id)
    return Policies(default, own)


def view(ctx: Context, site: str | None = None) -> SlaPolicyView:
    """Return the policy that counts for a site, or the default one; writes nothing.

    Raises PermissionDenied, SiteDenied.
    """
    ctx.actor.require(MANAGE)
    if site is not None:
        ctx.actor.require_site(site)
    return shown(ctx, site)


def shown(ctx: Context, site: str | None) -> SlaPolicyView:
    """Return the policy that counts for a site to somebody whose permission was checked."""
    keys = [DEFAULT] if site is None else [DEFAULT, OF_SITE + site]
    stored = {
        row.policy_key: row
        for row in ctx.session.scalars(
            select(Policy).where(Policy.policy_key.in_(keys)).execution_options(populate_existing=True)
        )
        if row.policy_json
    }
    own = None if site is None else stored.get(OF_SITE + site)
    row = own or stored.get(DEFAULT)
    policy = BUILT_IN if row is None else from_values(row.policy_json)
    revision = None if row is None else _revision_id(ctx, row)
    return SlaPolicyView(
        policy_key=OF_SITE + site if own is not None and site is not None else DEFAULT,
        site=site,
        source=SITE if own is not None else DEFAULT,
        **published(policy),
        updated_at=row.updated_at if row is not None else NEVER,
        revision=row.version if row is not None else 0,
        revision_id=revision,
        updated_by=row.updated_by if row is not None else "system",
    )


def _revision_id(ctx: Context, row: Policy) -> int | None:
    same = (PolicyRevision.policy_key == row.policy_key, PolicyRevision.revision == row.version)
    return ctx.session.scalar(select(PolicyRevision.id).where(*same))


def check_write(ctx: Context, site: str | None) -> str | None:
    """Return the site as its record names it.

    Raises PermissionDenied, SiteDenied, GlobalScopeRequired, and Invalid for what can be no site.
    """
    ctx.actor.require(MANAGE)
    if site is None:
        ctx.actor.require_all_sites()
        return None
    named = sites.named(ctx, site)
    ctx.actor.require_site(named)
    return named


def put(
    ctx: Context, policy: SlaPolicy, *, site: str | None = None, reason: str = "", if_match: int | None = None
) -> SlaPolicyView:
    """Make a policy count at once, where that is allowed without a second person.

    Raises what `check_write` raises, Conflict where the installation demands proposals, PreconditionFailed when the
    policy is no longer at revision `if_match`.
    """
    site = check_write(ctx, site)
    check_direct(ctx)
    return write(ctx, policy, site=site, reason=reason or UPDATED, source="update", if_match=if_match)


def check_direct(ctx: Context) -> None:
    """Raise Conflict where every change of a policy needs a proposal and a second person."""
    if ctx.config["SLA_POLICY_REQUIRES_PROPOSAL"]:
        raise Conflict(
            T("SLA policies are changed by proposals here: propose it, and let somebody else approve"),
            code="proposal_required",
        )


def write(
    ctx: Context,
    policy: SlaPolicy,
    *,
    site: str | None,
    reason: str,
    source: str,
    if_match: int | None = None,
) -> SlaPolicyView:
    """Write a policy whose permission was checked: the row, its revision and the audit entry, in this transaction."""
    policies.store(
        ctx, KIND, as_values(policy), site=site, if_match=if_match, reason=reason, source=source, always=True
    )
    return shown(ctx, site)


def remove(ctx: Context, site: str, *, reason: str = "") -> SlaPolicyView:
    """Take the policy of a site away, so that the default one counts there; raises NotFound where there is none."""
    named = check_write(ctx, site) or ""
    check_direct(ctx)
    if shown(ctx, named).source != SITE:
        raise NotFound(T("The site has no SLA policy of its own"))
    policies.clear(ctx, KIND, site=named, reason=reason, source="removal")
    return shown(ctx, named)


def revisions(
    ctx: Context, *, site: str | None = None, source_action: str | None = None, limit: int = 100, offset: int = 0
) -> tuple[SlaRevision, ...]:
    """Return changes of policies, newest first: of one site, or of all that the caller may see."""
    ctx.actor.require(MANAGE)
    if site is not None:
        ctx.actor.require_site(site)
    wanted = select(PolicyRevision).where(keys_of(ctx.actor, site, PolicyRevision.policy_key))
    if source_action is not None:
        words = [word for word, said in ACTIONS.items() if said == source_action]
        wanted = wanted.where(PolicyRevision.source.in_(words))
    newest = wanted.order_by(PolicyRevision.at.desc(), PolicyRevision.id.desc()).limit(limit).offset(offset)
    return tuple(revision_view(row) for row in ctx.session.scalars(newest))


def keys_of(actor: Actor, site: str | None, column: Any) -> ColumnElement[bool]:
    """Return the condition of the policies of a site, or of all that the caller may see; global ones need all sites."""
    if site is not None:
        return column == OF_SITE + site
    if actor.all_sites:
        return _of_sla(column)
    return column.in_([OF_SITE + name for name in actor.site_scope])


def _of_sla(column: Any) -> ColumnElement[bool]:
    return or_(column == DEFAULT, column.startswith(OF_SITE, autoescape=True))


def revision_view(row: PolicyRevision) -> SlaRevision:
    """Return a stored revision as doors show it."""
    note = f"proposal_id={row.proposal_id}; {row.reason}" if row.source == "approval" else row.reason
    policy = from_values(row.policy_json)
    return SlaRevision(
        id=row.id,
        site=site_of(row.policy_key),
        policy=published(policy) if row.policy_json else {},
        source_action=ACTIONS.get(row.source, row.source),
        actor_username=row.actor,
        note=note.strip(),
        created_at=row.at,
        number=row.revision,
        changes=row.changes,
    )


def published(policy: SlaPolicy) -> dict[str, Any]:
    """Return a policy as the API writes it."""
    return {
        "default_due_hours": dict(policy.default_due_hours),
        "escalation_grace_minutes": policy.escalation_grace_minutes,
        "pause_on_hold": policy.pause_on_hold,
        "ack_target_minutes": dict(policy.ack_target_minutes),
    }


def site_of(key: str) -> str | None:
    """Return the site that a policy key names, None for the default policy."""
    return key.removeprefix(OF_SITE) if key.startswith(OF_SITE) else None


def restore(ctx: Context, revision_id: int, *, note: str = "") -> SlaPolicyView:
    """Make the policy of a revision count again, as a new revision; nothing of the history is removed.

    Raises NotFound, SiteDenied, GlobalScopeRequired, Conflict where the installation demands proposals.
    """
    ctx.actor.require(MANAGE)
    row = ctx.session.get(PolicyRevision, revision_id) if 0 < revision_id <= MAX_ID else None
    if row is None or not (row.policy_key == DEFAULT or row.policy_key.startswith(OF_SITE)) or not row.policy_json:
        raise NotFound(T("SLA policy revision not found"))
    site = site_of(row.policy_key)
    check_write(ctx, site)
    check_direct(ctx)
    told = f"revision_id={row.id}; {note}".strip()
    made = write(ctx, from_values(row.policy_json), site=site, reason=told, source="restore")
    audit.record(
        ctx,
        "sla_policy_restore",
        "sla_policy_revision",
        row.id,
        detail={"site": site, "policy": published(made.policy), "note": note},
    )
    return made
