"""The governance gate: verdict, runs, history and plan, for automation and for people."""

from __future__ import annotations

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from console.domain.gate import as_detail
from console.inputs.gate import (
    GateOut,
    GateRunOut,
    HistoryOut,
    HistoryQuery,
    PlanCsvQuery,
    PlanOut,
    PlanQuery,
)
from console.responses import answer, download, file_stamp
from console.running import run_endpoint
from console.serialize import csv_text
from console.services import audit, gate, remediation
from console.web import access, web_context

G = "/api/ops/governance/gate"
READ = gate.READ
TYPE = "ops_governance_gate"

api = APIBlueprint(
    "gate_api", __name__, abp_tags=[Tag(name="governance", description="GO or NO-GO, with reasons, and what to do")]
)


@api.get(G, responses={200: GateOut})
@access(*READ)
def gate_now() -> Response:
    """Judge all rules now; nothing is stored."""
    ctx = web_context()
    taken = gate.snapshot(ctx)
    audit.viewed(ctx, "ops_governance_gate_view", TYPE, "snapshot", decision=taken.decision)
    return answer(as_detail(taken), GateOut)


@api.post(f"{G}/run", responses={200: GateRunOut})
@access("admins:manage", "jobs:run")
def gate_run() -> Response:
    """Judge all rules now and keep the verdict as a run; `Prefer: respond-async` queues it."""
    return run_endpoint(gate.JOB, model=GateRunOut)


@api.get(f"{G}/latest", responses={200: GateRunOut})
@access(*READ)
def gate_latest() -> Response:
    """Give the newest stored verdict; 404 before the first."""
    ctx = web_context()
    found = gate.latest(ctx)
    audit.viewed(ctx, "ops_governance_gate_latest_view", TYPE, found.run_id)
    return answer(found.flat(), GateRunOut)


@api.get(f"{G}/history", responses={200: HistoryOut})
@access(*READ)
def gate_history(query: HistoryQuery) -> Response:
    """Give stored verdicts, newest first; X-Total-Count tells how many there are under these filters."""
    ctx = web_context()
    found = gate.history(
        ctx,
        limit=query.limit,
        offset=query.offset,
        decision=query.decision,
        since=query.since,
        until=query.until,
    )
    audit.viewed(ctx, "ops_governance_gate_history_view", TYPE, "history", count=found.count)
    return answer(found, HistoryOut, headers={"X-Total-Count": str(found.total)})


@api.get(f"{G}/remediation", responses={200: PlanOut})
@access(*READ)
def gate_remediation(query: PlanQuery) -> Response:
    """Give what has to be done about a fresh verdict, most urgent first."""
    ctx = web_context()
    made = remediation.plan(ctx, include_warnings=query.include_warnings, max_items=query.max_items)
    audit.viewed(ctx, "ops_governance_gate_remediation_view", TYPE, "remediation", decision=made.decision)
    return answer(remediation.as_answer(made), PlanOut)


@api.get(f"{G}/remediation/csv")
@access(*READ, rate="auth-heavy", writes=True)
def gate_remediation_csv(query: PlanCsvQuery) -> Response:
    """Give the same plan as CSV."""
    ctx = web_context()
    filename = f"ops-governance-remediation-{file_stamp(ctx.now())}.csv"
    made = remediation.export(
        ctx, filename=filename, include_warnings=query.include_warnings, max_items=query.max_items
    )
    return download(csv_text(remediation.CSV_COLUMNS, made.items, bom=query.bom), filename)
