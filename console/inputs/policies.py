"""Schemas of the policies: the one place of their types and bounds, and the published envelope of their answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field

from console.domain.alerts.slo import SloPolicy
from console.domain.automation.autopilot import AutopilotPolicy
from console.domain.policies.policy import FieldKind, PolicyField
from console.inputs.base import Instant, OutModel

REASON_MAX = 500
_KINDS: dict[Any, FieldKind] = {bool: "bool", int: "int", float: "float", str: "text", list: "list"}


@dataclass(frozen=True)
class Entries:
    """How a list of a policy is read; beside its type."""

    read: Callable[[Any], list[Any] | None]


class PolicyModel(BaseModel):
    """Base of the schemas: every field has a default, numbers have bounds (`ge`, `le`), texts a `max_length`.

    Bodies are not validated by these models but read by `console.domain.policies.policy`, as leniently as the API
    promises.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


@cache
def fields_of(schema: type[PolicyModel]) -> tuple[PolicyField, ...]:
    """Return the fields of a schema as the domain reads them."""
    return tuple(_field(name, info) for name, info in schema.model_fields.items())


def _field(name: str, info: Any) -> PolicyField:
    if get_origin(info.annotation) is Literal:
        return PolicyField(name, "choice", info.default, choices=get_args(info.annotation))
    bounds = {name: value for part in info.metadata for name, value in asdict(part).items()}
    most = bounds.get("le", bounds.get("max_length"))
    return PolicyField(name, _KINDS[info.annotation], info.default, bounds.get("ge"), most, read=bounds.get("read"))


class AutopilotPolicyModel(PolicyModel):
    """The autopilot of the remediation (API contract, autopilot policy); the last four fields are additions."""

    enabled: bool = AutopilotPolicy.enabled
    notify_enabled: bool = AutopilotPolicy.notify_enabled
    unassigned_trigger: int = Field(AutopilotPolicy.unassigned_trigger, ge=0, le=100000)
    overdue_trigger: int = Field(AutopilotPolicy.overdue_trigger, ge=0, le=100000)
    cooldown_minutes: int = Field(AutopilotPolicy.cooldown_minutes, ge=0, le=1440)
    skip_if_no_action: bool = AutopilotPolicy.skip_if_no_action
    kpi_window_days: int = Field(AutopilotPolicy.kpi_window_days, ge=1, le=180)
    kpi_due_soon_hours: int = Field(AutopilotPolicy.kpi_due_soon_hours, ge=0, le=168)
    escalation_due_soon_hours: int = Field(AutopilotPolicy.escalation_due_soon_hours, ge=0, le=168)
    auto_assign_max_items: int = Field(AutopilotPolicy.auto_assign_max_items, ge=1, le=500)
    sync_before_run: bool = AutopilotPolicy.sync_before_run
    escalation_repeat_hours: int = Field(AutopilotPolicy.escalation_repeat_hours, ge=0, le=168)
    escalation_half_sla: bool = AutopilotPolicy.escalation_half_sla
    paused: bool = AutopilotPolicy.paused


class MttrSloPolicyModel(PolicyModel):
    """The objective for the recovery of channels (API contract, MTTR SLO)."""

    enabled: bool = SloPolicy.enabled
    window_days: int = Field(SloPolicy.window_days, ge=1, le=90)
    threshold_minutes: int = Field(SloPolicy.threshold_minutes, ge=1, le=10_080)
    min_incidents: int = Field(SloPolicy.min_incidents, ge=1, le=100_000)
    auto_recover_enabled: bool = SloPolicy.auto_recover_enabled
    recover_state: Literal["quarantined", "warning", "all"] = "quarantined"
    recover_max_targets: int = Field(SloPolicy.recover_max_targets, ge=1, le=500)
    notify_enabled: bool = SloPolicy.notify_enabled
    notify_event_type: str = Field(SloPolicy.notify_event_type, max_length=80)
    notify_cooldown_minutes: int = Field(SloPolicy.notify_cooldown_minutes, ge=0, le=10_080)
    top_channels: int = Field(SloPolicy.top_channels, ge=1, le=50)


class PolicyWarningOut(OutModel):
    """What was not taken as it was sent, and what counts instead."""

    field: str
    code: Literal["clamped", "converted", "refused", "unknown"]
    sent: str
    used: Any = None


class PolicyMetaOut(OutModel):
    """The `meta` object of every policy answer; adoption policies add to it."""

    model_config = ConfigDict(from_attributes=True, extra="allow")

    version: Literal["v1"] = "v1"
    scope: str
    applies_to: str
    policy_key: str
    updated_at: Instant
    revision: int


class PolicyOut(OutModel):
    """The published envelope; `source` says whose row decides: `site`, `global` or `built_in` (nobody set anything)."""

    model_config = ConfigDict(from_attributes=True, extra="allow")

    policy_key: str
    updated_at: Instant
    policy: dict[str, Any]
    meta: PolicyMetaOut
    source: Literal["site", "global", "built_in"]
    warnings: list[PolicyWarningOut]


class ProposalOut(OutModel):
    """A proposed change of a policy."""

    id: int
    policy_key: str
    base_revision: int
    changes: dict[str, Any]
    policy: dict[str, Any]
    reason: str
    shadow: bool
    state: Literal["open", "approved", "rejected", "withdrawn"]
    proposed_by: str
    proposed_at: Instant
    decided_by: str | None
    decided_at: Instant | None
    decision_note: str


class RevisionOut(OutModel):
    """One change of a policy."""

    revision: int
    changes: dict[str, Any]
    source: str
    reason: str
    proposal_id: int | None
    at: Instant
    actor: str
