"""The checklist of a release: its steps, what it is bound to, and how a version names it.

Source: API contract, deploy checklist.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from console.domain.text import T, Text

ROLLBACK_GUIDE = "docs/W15_MIGRATION_ROLLBACK.md"
SIGNATURE_LENGTH = 12
ENV_OVERRIDE, SIGNATURE_MATCH, AUTO_INCREMENT = "env_override", "deploy_smoke_signature_match", "auto_increment"
# A month only names what is new in it: a signature keeps its version for ever (API contract, known defects 9 and 10).
SEQUENCE_RULE = "YYYY.MM.vN: the UTC month in which the signature was first seen, numbered within it"
_VERSION = re.compile(r"(\d{4}\.\d{2})\.v(\d{1,6})")


@dataclass(frozen=True)
class Guide:
    """The rollback guide as it lies on the disk of this process; `sha256` is None when it cannot be read."""

    path: str
    exists: bool
    sha256: str | None


@dataclass(frozen=True)
class ChecklistPolicy:
    """What a release is held against; its fields are the published ones, in their order."""

    deploy_smoke_recent_hours: int
    require_runbook_gate: bool
    rollback_on_failure_recommended: bool
    rollback_guide_required: bool
    rollback_guide_path: str
    rollback_guide_exists: bool
    rollback_guide_sha256: str | None
    ui_core_path: str
    ui_core_markers: tuple[str, ...]
    version_rule: str


@dataclass(frozen=True)
class Step:
    """One step: `item` says what has to be seen, `path`, `exists` and `sha256` where it points to something."""

    phase: str
    id: str
    item: Text
    path: str | None = None
    exists: bool | None = None
    sha256: str | None = None
    required: bool = True

    def published(self) -> dict[str, Any]:
        """Return the published fields; what a step does not point to is left out."""
        found: dict[str, Any] = {
            "phase": self.phase,
            "id": self.id,
            "required": self.required,
            "item": str(self.item),
        }
        if self.path is not None:
            found["path"] = self.path
        if self.exists is not None:
            found |= {"exists": self.exists, "sha256": self.sha256}
        return found


@dataclass(frozen=True)
class Checklist:
    """The checklist of this installation; `version` names its `signature`, `version_source` says by what right.

    `bound` is False for a version that nobody was told yet: it becomes its name when somebody asks for it.
    """

    policy: ChecklistPolicy
    steps: tuple[Step, ...]
    signature: str
    version: str = ""
    version_source: str = ""
    bound: bool = False

    def named(self, version: str, source: str, *, bound: bool = True) -> Checklist:
        """Return the same checklist under its version."""
        return replace(self, version=version, version_source=source, bound=bound)


def checklist(
    guide: Guide,
    *,
    recent_hours: int,
    require_runbook_gate: bool,
    ui_path: str,
    ui_markers: tuple[str, ...],
    overridden: bool,
) -> Checklist:
    """Return the checklist without its version; `recent_hours` is how long a smoke test counts as recent."""
    policy = ChecklistPolicy(
        deploy_smoke_recent_hours=recent_hours,
        require_runbook_gate=require_runbook_gate,
        rollback_on_failure_recommended=True,
        rollback_guide_required=True,
        rollback_guide_path=guide.path,
        rollback_guide_exists=guide.exists,
        rollback_guide_sha256=guide.sha256,
        ui_core_path=ui_path,
        ui_core_markers=ui_markers,
        version_rule=ENV_OVERRIDE if overridden else SEQUENCE_RULE,
    )
    steps = _steps(policy)
    return Checklist(policy, steps, signature_of(policy, steps))


def _steps(policy: ChecklistPolicy) -> tuple[Step, ...]:
    guide = policy.rollback_guide_path
    return (
        Step("pre_deploy", "pre_01_backup", T("A backup of the database is at hand and was verified.")),
        Step(
            "pre_deploy",
            "pre_02_release_note",
            T("The release note names the scope, and who decides about a rollback."),
        ),
        Step("post_deploy", "smoke_01_health", T("/health says ok, and /meta names the database.")),
        Step(
            "post_deploy",
            "smoke_02_ui_main_shell",
            T("The page of the console shows its frame and its core places."),
            path=policy.ui_core_path,
        ),
        Step(
            "post_deploy",
            "smoke_03_auth_and_runbook",
            T("/api/auth/me knows the role, and no runbook check is critical."),
        ),
        Step(
            "post_deploy",
            "smoke_04_security",
            T("The security posture shows the expected store of the rate limits."),
        ),
        Step("rollback_ready", "rollback_01_trigger", T("The command that brings the previous version back is ready.")),
        Step(
            "rollback_ready",
            "rollback_02_checklist",
            T("The rollback guide is the one that this release was made with."),
            path=guide,
            exists=policy.rollback_guide_exists,
            sha256=policy.rollback_guide_sha256,
        ),
    )


def signature_of(policy: ChecklistPolicy, steps: Iterable[Step]) -> str:
    """Return 12 hex digits over policy and steps: they change with the guide's bytes, the settings and the steps."""
    content = {"policy": asdict(policy), "steps": [step.published() for step in steps]}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(text.encode("ascii")).hexdigest()[:SIGNATURE_LENGTH]


def month_of(at: datetime) -> str:
    """Return what versions that are new at this instant begin with, as in `2026.03`; months are those of UTC."""
    return at.astimezone(UTC).strftime("%Y.%m")


def next_version(month: str, given: Iterable[str]) -> str:
    """Return the version after the highest of those given away that belong to the month (`2026.03`)."""
    found = (_VERSION.fullmatch(version) for version in given)
    taken = (int(match[2]) for match in found if match and match[1] == month)
    return f"{month}.v{max(taken, default=0) + 1}"


def source_of(version: str, *, new: bool) -> str:
    """Return the published words for where a version comes from, with the month that named it (`2026-03`)."""
    month = version.rpartition(".")[0].replace(".", "-")
    return f"{AUTO_INCREMENT if new else SIGNATURE_MATCH}:{month}"
