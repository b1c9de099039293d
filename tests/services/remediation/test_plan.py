"""The plan of a fresh verdict as clients read it."""

import json

import pytest

from console.core.context import start_writing
from console.core.serialize import csv_text, plain
from console.domain.errors import PermissionDenied
from console.models.audit import AuditLog
from console.services.remediation import plan as remediation

KEYS = [
    "item_id", "rule_id", "rule_status", "required", "priority", "owner_role", "sla_hours", "due_at", "action",
    "reason", "detail",
]  # fmt: skip


def test_the_plan_has_the_published_keys(ctx):
    answer = plain(remediation.as_answer(remediation.plan(ctx)))

    assert list(answer) == [
        "generated_at", "gate_generated_at", "decision", "include_warnings", "max_items", "plan_source", "summary",
        "items",
    ]  # fmt: skip
    assert list(answer["summary"]) == [
        "total_candidates", "fail_count", "warning_count", "item_count", "critical_path_count",
    ]  # fmt: skip
    for item in answer["items"]:
        assert list(item)[: len(KEYS)] == KEYS
        assert item["item_id"].startswith("GR-")
        assert item["sla_hours"] >= 1
        assert item["action"]
        assert json.dumps(item)


def test_actions_are_korean_and_reasons_english(ctx):
    items = remediation.as_answer(remediation.plan(ctx))["items"]

    assert all(any("가" <= letter <= "힣" for letter in item["action"]) for item in items)
    assert all(item["reason"].isascii() for item in items)


def test_without_warnings_the_plan_keeps_what_costs_the_score(ctx):
    assert len(remediation.plan(ctx, include_warnings=False).items) == 4


def test_the_csv_has_the_published_header_and_one_line_per_item(ctx):
    made = remediation.plan(ctx)

    lines = csv_text(remediation.CSV_COLUMNS, made.items).split("\r\n")

    assert lines[0] == "item_id,rule_id,rule_status,required,priority,owner_role,sla_hours,due_at,action,reason"
    assert lines[1].startswith(
        "GR-001,deploy_smoke_binding_recent,warning,False,4,Release Manager,8,2026-03-02T08:00:00"
    )
    assert len(lines) == len(made.items) + 2


def test_an_export_is_put_on_record_with_the_verdict(make_ctx):
    made = make_ctx()
    start_writing(made.session)
    remediation.export(made, filename="plan.csv", max_items=30)
    made.commit()

    row = made.session.query(AuditLog).one()
    assert (row.action, row.resource_type, row.status) == (
        "ops_governance_gate_remediation_csv_export", "ops_governance_gate", "warning",
    )  # fmt: skip


def test_the_plan_needs_the_permission_of_the_gate(make_ctx):
    with pytest.raises(PermissionDenied):
        remediation.plan(make_ctx("operator", grants=frozenset()))
