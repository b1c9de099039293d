"""SLA policies for automation: read, change, propose, decide, restore, what-if (API contract, SLA policies)."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.tag import Tag

from console.inputs.facility_sla import (
    SiteQuery,
    SlaDecisionIn,
    SlaProposalIn,
    SlaProposalPath,
    SlaProposalsQuery,
    SlaPutIn,
    SlaRevisionPath,
    SlaRevisionsQuery,
    WhatIfIn,
)
from console.inputs.response_models import array, shape
from console.services.facility_sla import policies, proposals, whatif
from console.services.facility_sla.policies import MANAGE, SlaPolicyView, SlaRevision
from console.services.facility_sla.proposals import SlaProposal
from console.services.facility_sla.whatif import WhatIf, Wish
from console.ui.responses import answer
from console.web.api_blueprint import ApiBlueprint
from console.web.etags import if_match
from console.web.request import access, web_context

S = "/api/admin/policies/sla"
PolicyOut, RevisionOut = shape(SlaPolicyView, "SlaPolicyOut"), shape(SlaRevision, "SlaPolicyRevisionOut")
ProposalOut, WhatIfOut = shape(SlaProposal, "SlaPolicyProposalOut"), shape(WhatIf, "SlaWhatIfOut")
ProposalList, RevisionList = array(ProposalOut, "SlaPolicyProposalList"), array(RevisionOut, "SlaPolicyRevisionList")
api = ApiBlueprint("facility_sla_api", __name__, abp_tags=[Tag(name="SLA", description="Until when, and what if not")])


@api.get(S, responses={200: PolicyOut})
@access(MANAGE)
def get_policy(query: SiteQuery) -> Response:
    """Return the policy that counts for a site, or the default one."""
    return _policy(policies.view(web_context(), query.site))


@api.put(S, responses={200: PolicyOut})
@access(MANAGE)
def put_policy(query: SiteQuery, body: SlaPutIn) -> Response:
    """Replace a policy at once; with `If-Match` only the revision that it names (412)."""
    made = policies.put(web_context(), body.policy(), site=query.site, reason=body.reason, if_match=if_match())
    return _policy(made)


@api.delete(S, responses={200: PolicyOut})
@access(MANAGE)
def delete_policy(query: SiteQuery) -> Response:
    """Take the policy of a site away and return the one that counts then; 404 without one."""
    return _policy(policies.remove(web_context(), query.site or ""))


@api.post(f"{S}/proposals", responses={201: ProposalOut})
@access(MANAGE)
def propose(body: SlaProposalIn) -> Response:
    """Propose a policy; what it would do now is stored with it, and somebody else decides."""
    wish = Wish(
        site=body.site,
        limit=body.simulation_limit,
        include_work_order_ids=body.include_work_order_ids,
        sample_size=body.sample_size,
        recompute_due_from_policy=body.recompute_due_from_policy,
    )
    return answer(proposals.propose(web_context(), body.policy.policy(), wish, note=body.note), ProposalOut, status=201)


@api.get(f"{S}/proposals", responses={200: ProposalList})
@access(MANAGE)
def list_proposals(query: SlaProposalsQuery) -> Response:
    """Return proposals of the caller's sites, newest first."""
    return answer(list(proposals.listed(web_context(), **query.model_dump())), ProposalOut)


@api.get(f"{S}/proposals/<proposal_id>", responses={200: ProposalOut})
@access(MANAGE)
def get_proposal(path: SlaProposalPath) -> Response:
    """Return one proposal."""
    return answer(proposals.get(web_context(), path.proposal_id), ProposalOut)


@api.post(f"{S}/proposals/<proposal_id>/approve", responses={200: ProposalOut})
@access(MANAGE)
def approve(path: SlaProposalPath, body: SlaDecisionIn) -> Response:
    """Make a proposal of somebody else the policy; 409 when it was decided or its base moved."""
    return answer(proposals.approve(web_context(), path.proposal_id, note=body.note), ProposalOut)


@api.post(f"{S}/proposals/<proposal_id>/reject", responses={200: ProposalOut})
@access(MANAGE)
def reject(path: SlaProposalPath, body: SlaDecisionIn) -> Response:
    """Turn a proposal down."""
    return answer(proposals.reject(web_context(), path.proposal_id, note=body.note), ProposalOut)


@api.get(f"{S}/revisions", responses={200: RevisionList})
@access(MANAGE)
def list_revisions(query: SlaRevisionsQuery) -> Response:
    """Return changes of the policies of the caller's sites, newest first."""
    return answer(list(policies.revisions(web_context(), **query.model_dump())), RevisionOut)


@api.post(f"{S}/revisions/<revision_id>/restore", responses={200: PolicyOut})
@access(MANAGE)
def restore(path: SlaRevisionPath, body: SlaDecisionIn) -> Response:
    """Make the policy of a revision count again, as a new revision."""
    return _policy(policies.restore(web_context(), path.revision_id, note=body.note))


@api.post("/api/ops/sla/simulate", responses={200: WhatIfOut})
@access(MANAGE, writes=False)
def simulate(body: WhatIfIn) -> Response:
    """Tell which orders would escalate now under another policy; nothing is changed."""
    wish = Wish(
        site=body.site,
        limit=body.limit,
        include_work_order_ids=body.include_work_order_ids,
        sample_size=body.sample_size,
        recompute_due_from_policy=body.recompute_due_from_policy,
    )
    return answer(whatif.simulate(web_context(), body.policy.policy(), wish), WhatIfOut)


def _policy(found: SlaPolicyView) -> Response:
    return answer(found, PolicyOut, headers={"ETag": f'"{found.revision}"'})
