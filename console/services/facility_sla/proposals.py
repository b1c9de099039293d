"""Proposed SLA policies: made by one person, decided by another, each with its what-if (API contract, proposals)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import select

from console.core.context import Context
from console.core.records import INTERNAL, JsonObject
from console.core.serialize import plain
from console.domain.errors import Conflict, NotFound, SiteDenied
from console.domain.facility_sla.policy import SlaPolicy, as_values, from_values
from console.domain.ids import MAX_ID
from console.domain.text import T
from console.models.policies import PolicyProposal
from console.services.audit import record as audit
from console.services.facility_sla import policies as sla
from console.services.facility_sla import whatif
from console.services.facility_sla.policies import KIND, MANAGE, Policies, published
from console.services.facility_sla.whatif import WhatIf, Wish
from console.services.identity.names import name_of
from console.services.policies import proposals

PENDING, APPROVED, REJECTED = "pending", "approved", "rejected"
_PUBLISHED = {proposals.OPEN: PENDING, proposals.APPROVED: APPROVED, proposals.REJECTED: REJECTED}
_STORED = {word: stored for stored, word in _PUBLISHED.items()}
RESOURCE = "sla_policy_proposal"
NOT_FOUND = T("SLA policy proposal not found")


@dataclass(frozen=True)
class SlaProposal:
    """A proposal as every door shows it; instants are aware UTC. `base_revision` and what follows are additions.

    `base_valid`: the policy is still the one that it was made upon; a decided one has none.
    """

    id: int
    site: str | None
    status: str
    policy: JsonObject
    simulation: JsonObject
    note: str
    requested_by: str
    decided_by: str | None
    decision_note: str | None
    created_at: datetime
    decided_at: datetime | None
    applied_at: datetime | None
    base_revision: int
    base_valid: bool | None
    proposed: Annotated[SlaPolicy, INTERNAL]
    base: Annotated[SlaPolicy, INTERNAL]
    requested_by_user_id: Annotated[int | None, INTERNAL]


def propose(ctx: Context, policy: SlaPolicy, wish: Wish, *, note: str = "") -> SlaProposal:
    """Propose a policy for a site, or the default one; the what-if of this moment is stored with it.

    Raises PermissionDenied, SiteDenied, GlobalScopeRequired.
    """
    site = sla.check_write(ctx, wish.site)
    wish = Wish(**{**asdict(wish), "site": site})
    seen = plain(asdict(whatif.measured(ctx, policy, wish)))
    made = proposals.propose(ctx, KIND, as_values(policy), reason=note, site=site, simulation=seen)
    detail = {"site": site, "policy": published(policy), "note": note, "base_revision": made.base_revision}
    audit.record(ctx, f"{RESOURCE}_create", RESOURCE, made.id, detail=detail)
    return get(ctx, made.id)


def get(ctx: Context, proposal_id: int) -> SlaProposal:
    """Return one proposal; raises NotFound, also for those that the caller may not see, GlobalScopeRequired."""
    ctx.actor.require(MANAGE)
    return _views(ctx, (_load(ctx, proposal_id),))[0]


def listed(
    ctx: Context, *, site: str | None = None, status: str | None = None, limit: int = 100, offset: int = 0
) -> tuple[SlaProposal, ...]:
    """Return proposals, newest first: of one site, or of all that the caller may see; two queries."""
    ctx.actor.require(MANAGE)
    if site is not None:
        ctx.actor.require_site(site)
    wanted = select(PolicyProposal).where(
        PolicyProposal.kind == KIND.name, sla.keys_of(ctx.actor, site, PolicyProposal.policy_key)
    )
    if status is not None:
        wanted = wanted.where(PolicyProposal.state == _STORED[status])
    newest = wanted.order_by(PolicyProposal.proposed_at.desc(), PolicyProposal.id.desc())
    return _views(ctx, ctx.session.scalars(newest.limit(limit).offset(offset)).all())


def approve(ctx: Context, proposal_id: int, *, note: str = "") -> SlaProposal:
    """Make a proposal the policy, in one transaction; somebody else than its requester must do it.

    Raises NotFound, SiteDenied, GlobalScopeRequired, Conflict for one that was decided, for one's own, and for one
    whose base moved.
    """
    row = _pending(ctx, proposal_id, APPROVED)
    if row.proposed_by == ctx.actor.username:
        raise Conflict(
            "Proposal cannot be self-approved",
            code="own_proposal",
            told=T("Somebody else must approve your own proposal"),
        )
    if not _base_valid(row, sla.all_in_force(ctx)):
        raise Conflict(
            T("The policy was changed since the proposal was made; please propose anew"), code="proposal_outdated"
        )
    try:
        proposals.approve(ctx, KIND, row.id, note=note, reason=note)
    except Conflict as refused:
        raise _late(ctx, row, APPROVED) if refused.code == "proposal_decided" else refused from refused
    _record(ctx, row, "approve", note)
    return get(ctx, proposal_id)


def reject(ctx: Context, proposal_id: int, *, note: str = "") -> SlaProposal:
    """Turn a proposal down; its requester may too. Raises NotFound, SiteDenied, GlobalScopeRequired, Conflict."""
    row = _pending(ctx, proposal_id, REJECTED)
    try:
        proposals.reject(ctx, KIND, row.id, note=note)
    except Conflict as refused:
        raise _late(ctx, row, REJECTED) from refused
    _record(ctx, row, "reject", note)
    return get(ctx, proposal_id)


def _load(ctx: Context, proposal_id: int) -> PolicyProposal:
    wanted = select(PolicyProposal).where(PolicyProposal.id == proposal_id, PolicyProposal.kind == KIND.name)
    row = None
    if 0 < proposal_id <= MAX_ID:
        row = ctx.session.scalar(wanted, execution_options={"populate_existing": True})
    if row is None:
        raise NotFound(NOT_FOUND)
    if row.site is None:
        ctx.actor.require_all_sites()
    elif not ctx.actor.sees(row.site):
        raise SiteDenied
    return row


def _pending(ctx: Context, proposal_id: int, wanted: str) -> PolicyProposal:
    ctx.actor.require(MANAGE)
    row = _load(ctx, proposal_id)
    if row.state != proposals.OPEN:
        raise _late(ctx, row, wanted)
    return row


def _late(ctx: Context, row: PolicyProposal, wanted: str) -> Conflict:
    """Return the refusal for whoever comes too late, with the name of who was first."""
    ctx.session.refresh(row)
    told = T("%(name)s was first: the proposal is decided", name=name_of(ctx, row.decided_by))
    return Conflict(f"Only pending proposal can be {wanted}", code="proposal_decided", told=told)


def _base_valid(row: PolicyProposal, force: Policies) -> bool:
    """Return whether the policy has the values upon which the proposal was made."""
    return as_values(force.of(row.site).policy) == as_values(_base(row))


def _base(row: PolicyProposal) -> SlaPolicy:
    return from_values({**row.policy_json, **{name: moved["old"] for name, moved in row.changes.items()}})


def _views(ctx: Context, rows: Sequence[PolicyProposal]) -> tuple[SlaProposal, ...]:
    waits = any(row.state == proposals.OPEN for row in rows)
    force = sla.all_in_force(ctx) if waits else None
    return tuple(_view(row, force) for row in rows)


def _view(row: PolicyProposal, force: Policies | None) -> SlaProposal:
    waits = row.state == proposals.OPEN
    proposed = from_values(row.policy_json)
    return SlaProposal(
        id=row.id,
        site=row.site,
        status=_PUBLISHED.get(row.state, REJECTED),
        policy=published(proposed),
        # PostgreSQL keeps no order of keys.
        simulation={one.name: row.simulation[one.name] for one in fields(WhatIf) if one.name in row.simulation},
        note=row.reason,
        requested_by=row.proposed_by,
        decided_by=row.decided_by,
        decision_note=None if waits else row.decision_note,
        created_at=row.proposed_at,
        decided_at=row.decided_at,
        applied_at=row.decided_at if row.state == proposals.APPROVED else None,
        base_revision=row.base_revision,
        base_valid=_base_valid(row, force) if waits and force is not None else None,
        proposed=proposed,
        base=_base(row),
        requested_by_user_id=row.proposed_by_user_id,
    )


def _record(ctx: Context, row: PolicyProposal, what: str, note: str) -> None:
    detail: dict[str, Any] = {"site": row.site, "note": note, "requested_by": row.proposed_by}
    audit.record(ctx, f"{RESOURCE}_{what}", RESOURCE, row.id, detail=detail)
