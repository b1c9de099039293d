"""Inputs and answers of checklist and smoke record (API contract, deploy)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from console.domain.releases.smoke import MAX_CHECKS
from console.inputs.base import BodyModel, Instant, InstantIn, OutModel

CHECKS_LIMIT = 1000


def _objects(value: Any) -> Any:
    """Keep the first fifty objects of a list, as published; a list that nobody can have meant is refused."""
    if not isinstance(value, list):
        raise ValueError("must be a list of objects")
    if len(value) > CHECKS_LIMIT:
        raise ValueError(f"must have at most {CHECKS_LIMIT} entries")
    return [one for one in value if isinstance(one, dict)][:MAX_CHECKS]


Checksum = Annotated[
    Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{0,128}$")],
    AfterValidator(lambda value: value.lower() or None),
]


class _Optional(BodyModel):
    """Fields of which every one may be left out: null is as good as none, but no answer to a yes or no."""

    @model_validator(mode="before")
    @classmethod
    def _left_out(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        optional = {name for name, field in cls.model_fields.items() if field.annotation is not bool}
        return {name: value for name, value in data.items() if value is not None or name not in optional}


class SmokeCheckIn(_Optional):
    """One check as a client saw it; words of its own beside these three are passed over."""

    model_config = ConfigDict(extra="ignore")

    id: str = Field("", max_length=120)
    status: str = Field("", max_length=40)
    message: str = Field("", max_length=1000)


class SmokeRecordIn(_Optional):
    """What a client says about a release that it looked at. Texts are bounded, yes and no are true and false only."""

    deploy_id: str = Field("", max_length=200)
    environment: str | None = Field(None, max_length=80)
    base_url: str = Field("", max_length=500)
    status: str = Field("success", max_length=40)
    started_at: InstantIn | None = None
    finished_at: InstantIn | None = None
    checklist_version: str | None = Field(None, max_length=80)
    rollback_reference: str | None = Field(None, max_length=300)
    rollback_reference_sha256: Checksum | None = None
    rollback_ready: bool = False
    runbook_gate_passed: bool = False
    notes: str = Field("", max_length=4000)
    checks: Annotated[list[SmokeCheckIn], BeforeValidator(_objects)] = Field(default_factory=list)


class ChecklistPolicyOut(OutModel):
    """What a release is held against."""

    deploy_smoke_recent_hours: int
    require_runbook_gate: bool
    rollback_on_failure_recommended: bool
    rollback_guide_required: bool
    rollback_guide_path: str
    rollback_guide_exists: bool
    rollback_guide_sha256: str | None
    ui_core_path: str
    ui_core_markers: list[str]
    version_rule: str


class ChecklistOut(OutModel):
    """The checklist; each step has `phase`, `id`, `required`, `item`, and where it points to something `path`."""

    version: str
    version_source: str
    signature: str
    generated_at: Instant
    policy: ChecklistPolicyOut
    steps: list[dict[str, Any]]


class SmokeRunOut(OutModel):
    """The run that a record became."""

    run_id: int
    job_name: str
    trigger: str
    status: Literal["success", "warning", "critical"]
    started_at: Instant
    finished_at: Instant
    detail: dict[str, Any]
