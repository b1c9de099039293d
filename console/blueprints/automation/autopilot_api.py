"""The autopilot for clients: policy, preview, guard, run, analytics (API contract, W25 to W30)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, request
from flask_openapi3.models.tag import Tag
from pydantic import RootModel

from console.blueprints.automation.api import automation_run
from console.core.serialize import csv_text
from console.domain.automation.analytics import Anomalies, Summary
from console.domain.errors import Invalid
from console.domain.jobs import names as job_names
from console.domain.policies.policy import PolicyWarning
from console.inputs.automation import (
    AnomaliesQuery,
    AutopilotRunQuery,
    DecisionIn,
    GuardQuery,
    HistoryQuery,
    PolicyIn,
    PreviewIn,
    ProposalIn,
    ProposalPath,
    ReasonIn,
    SummaryQuery,
)
from console.inputs.policies import PolicyOut, ProposalOut, RevisionOut
from console.inputs.response_models import run_shape, shape
from console.services.automation import csv as autopilot_csv
from console.services.automation import history as autopilot_history
from console.services.automation import latest as automation_runs
from console.services.automation import preview as autopilot
from console.services.automation import shadow
from console.services.automation.run import AutopilotRun
from console.services.policies import automation as autopilot_policy
from console.services.policies import policies
from console.services.policies import proposals as policy_proposals
from console.services.policies.automation import AUTOPILOT as POLICY
from console.services.policies.automation import MANAGE, READ
from console.services.policies.kinds import PolicyView, envelope
from console.ui.responses import answer, download, file_stamp
from console.web.api_blueprint import ApiBlueprint
from console.web.etags import if_match
from console.web.request import access, web_context

A = "/api/ops/governance/gate/remediation/tracker/autopilot"

api = ApiBlueprint(
    "autopilot_api",
    __name__,
    abp_tags=[Tag(name="autopilot", description="What the machine does by itself, within a policy and a guard")],
)

GuardOut, PreviewOut = shape(autopilot.GuardView, "GuardViewOut"), shape(autopilot.Preview, "AutopilotPreviewOut")
HistoryOut = shape(autopilot_history.History, "AutopilotHistoryOut")
SummaryOut, AnomaliesOut = shape(Summary, "AutopilotSummaryOut"), shape(Anomalies, "AutopilotAnomaliesOut")
ComparisonOut = shape(shadow.Comparison, "ShadowComparisonOut")
AutopilotRunOut = run_shape(AutopilotRun, "AutopilotRunOut")


class ProposalList(RootModel[list[ProposalOut]]):
    """Proposals, newest first."""


class RevisionList(RootModel[list[RevisionOut]]):
    """Changes of a policy, newest first."""


@api.post(f"{A}/run", responses={200: AutopilotRunOut})
@access(*MANAGE)
def run_autopilot(query: AutopilotRunQuery) -> Response:
    """Run the autopilot; 409 when `fingerprint` was sent and the plan is another one by now."""
    options = {"force": query.force, "fingerprint": query.fingerprint}
    return automation_run(job_names.AUTOPILOT, AutopilotRunOut, options, dry_run=query.dry_run)


@api.get(f"{A}/latest", responses={200: AutopilotRunOut})
@access(*READ)
def latest_autopilot() -> Response:
    """Return the newest autopilot run with the runs inside it; 404 before the first."""
    return answer(automation_runs.latest(web_context(), job_names.AUTOPILOT), AutopilotRunOut)


def _policy(view: PolicyView) -> Response:
    return answer(envelope(view), PolicyOut, headers={"ETag": view.etag})


@api.get(f"{A}/policy", responses={200: PolicyOut})
@access(*READ)
def get_policy() -> Response:
    """Return the policy that counts now; `source` tells whether anybody set it."""
    return _policy(policies.view(web_context(), POLICY))


@api.put(f"{A}/policy", responses={200: PolicyOut})
@access(*POLICY.write)
def put_policy(body: PolicyIn) -> Response:
    """Change any part of the policy, from the next run on; with `If-Match` only the revision that it names (412)."""
    return _policy(policies.update_policy(web_context(), POLICY, body.root, if_match=if_match()))


@api.get(f"{A}/policy/revisions", responses={200: RevisionList})
@access(*READ)
def list_revisions() -> Response:
    """Return who changed what of the policy, newest first."""
    return answer(list(policies.revisions(web_context(), POLICY)), RevisionOut)


@api.get(f"{A}/policy/proposals", responses={200: ProposalList})
@access(*READ)
def list_proposals() -> Response:
    """Return the proposed changes of the policy, newest first."""
    return answer(list(policy_proposals.listed(web_context(), POLICY)), ProposalOut)


@api.post(f"{A}/policy/proposals", responses={201: ProposalOut})
@access(*POLICY.propose)
def add_proposal(body: ProposalIn) -> Response:
    """Propose a change; 409 beside an open proposal."""
    made = policy_proposals.propose(web_context(), POLICY, body.policy, reason=body.reason, shadow=body.shadow)
    return answer(made, ProposalOut, status=201)


@api.post(f"{A}/policy/proposals/<proposal_id>/decision", responses={200: PolicyOut})
@access(*POLICY.propose)
def decide_proposal(path: ProposalPath, body: DecisionIn) -> Response:
    """Approve, reject or withdraw a proposal and return the policy that counts then."""
    ctx = web_context()
    decisions: dict[str, Callable[..., Any]] = {
        "approve": policy_proposals.approve,
        "reject": policy_proposals.reject,
        "withdraw": policy_proposals.withdraw,
    }
    decisions[body.decision](ctx, POLICY, path.proposal_id, note=body.note)
    return _policy(policies.resolve(ctx, POLICY))


@api.get(f"{A}/shadow", responses={200: ComparisonOut})
@access(*READ)
def get_shadow() -> Response:
    """Compare the open proposal with the live policy and with what people did; null without one."""
    found = shadow.comparison(web_context())
    return answer(found, ComparisonOut) if found is not None else answer(None)


@api.post(f"{A}/pause", responses={200: PolicyOut})
@access(*MANAGE)
def pause(body: ReasonIn) -> Response:
    """Stop everything that acts by itself, at once."""
    return _policy(autopilot_policy.pause(web_context(), reason=body.reason))


@api.post(f"{A}/resume", responses={200: PolicyOut})
@access(*POLICY.write)
def resume(body: ReasonIn) -> Response:
    """Let the automation act again."""
    return _policy(autopilot_policy.resume(web_context(), reason=body.reason))


@api.post(f"{A}/preview", responses={200: PreviewOut})
@access(*READ, writes=False)
def preview(body: PreviewIn) -> Response:
    """Show what a run (a dry one with `dry_run`) would do now, item by item, under this policy or a changed one."""
    if body.root is None and request.get_data().strip() not in (b"", b"null"):
        raise Invalid("The body must be a JSON object")
    sent = body.root or {}
    warnings = []
    wishes = {name: sent.get(name) for name in ("force", "dry_run")}
    for name, wish in wishes.items():
        if wish is not None and not isinstance(wish, bool):
            warnings.append(PolicyWarning(name, "refused", str(wish)[:120], used=False))
    override = sent.get("policy")
    if override is not None and not isinstance(override, dict):
        warnings.append(PolicyWarning("policy", "refused", type(override).__name__))
    made = autopilot.preview(
        web_context(),
        **{name: wish is True for name, wish in wishes.items()},
        override=override if isinstance(override, dict) else None,
    )
    return answer({**vars(made), "warnings": (*warnings, *made.warnings)}, PreviewOut)


@api.get(f"{A}/guard", responses={200: GuardOut})
@access(*READ)
def get_guard(query: GuardQuery) -> Response:
    """Return whether a run may act now, from when on it may, and what it would do."""
    return answer(autopilot.guard(web_context(), force=query.force, dry_run=query.dry_run), GuardOut)


@api.get(f"{A}/history", responses={200: HistoryOut})
@access(*READ)
def get_history(query: HistoryQuery) -> Response:
    """Return the newest runs; `total` is how many there are, `offset` leads to the older ones."""
    return answer(autopilot_history.history(web_context(), limit=query.limit, offset=query.offset), HistoryOut)


@api.get(f"{A}/history.csv")
@access(*READ, writes=True)
def history_csv(query: HistoryQuery) -> Response:
    """Return the newest runs as CSV."""
    return history_download(limit=query.limit, offset=query.offset, bom=query.bom)


def _filename(what: str) -> str:
    return f"ops-governance-remediation-autopilot-{what}-{file_stamp(web_context().now())}.csv"


def history_download(*, limit: int, bom: bool, offset: int = 0) -> Response:
    """Return the history as a file; the export is audited."""
    name = _filename("history")
    made = autopilot_history.history(web_context(), limit=limit, offset=offset, export=name)
    return download(csv_text(autopilot_csv.HISTORY_CSV, made.items, bom=bom), name)


@api.get(f"{A}/summary", responses={200: SummaryOut})
@access(*READ)
def get_summary(query: SummaryQuery) -> Response:
    """Return the sums over the runs of the last days."""
    return answer(autopilot_history.summary(web_context(), days=query.days), SummaryOut)


@api.get(f"{A}/summary.csv")
@access(*READ, writes=True)
def summary_csv(query: SummaryQuery) -> Response:
    """Return the sums as CSV."""
    return summary_download(days=query.days, bom=query.bom)


def summary_download(*, days: int, bom: bool) -> Response:
    """Return the summary as a file; the export is audited."""
    name = _filename("summary")
    made = autopilot_history.summary(web_context(), days=days, export=name)
    return download(csv_text(autopilot_csv.SUMMARY_CSV, autopilot_csv.summary_rows(made), bom=bom), name)


@api.get(f"{A}/anomalies", responses={200: AnomaliesOut})
@access(*READ)
def get_anomalies(query: AnomaliesQuery) -> Response:
    """Tell what about the runs of the last days should not be as it is."""
    return answer(autopilot_history.anomalies(web_context(), days=query.days), AnomaliesOut)


@api.get(f"{A}/anomalies.csv")
@access(*READ, writes=True)
def anomalies_csv(query: AnomaliesQuery) -> Response:
    """Return the anomalies as CSV."""
    return anomalies_download(days=query.days, bom=query.bom)


def anomalies_download(*, days: int, bom: bool) -> Response:
    """Return the anomalies as a file; the export is audited."""
    name = _filename("anomalies")
    made = autopilot_history.anomalies(web_context(), days=days, export=name)
    return download(csv_text(autopilot_csv.ANOMALIES_CSV, autopilot_csv.anomaly_rows(made), bom=bom), name)
