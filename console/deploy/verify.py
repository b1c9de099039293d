"""Walk the checklist of a release against a running installation and record what was seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from console.adapters.installation import Installation, Unreachable, Wrong
from console.domain.releases import walk
from console.domain.releases.walk import EXIT_CODES, Expected, Failed

OK, CRITICAL, SKIPPED = "ok", "critical", "skipped"
DEPLOY = "/api/ops/deploy"
# What no program can see from outside; they stand in the record so that nobody takes them for seen.
BY_HAND = ("pre_01_backup", "pre_02_release_note")


@dataclass(frozen=True)
class Release:
    """What is being released: its name, the checksum of its rollback guide, and what whoever releases it promises."""

    deploy_id: str
    base_url: str
    guide_sha256: str
    rollback_ready: bool = False
    notes: str = ""


@dataclass(frozen=True)
class Seen:
    """One step of the walk: its id, `ok`, `critical` or `skipped`, and a short English sentence."""

    id: str
    status: str
    message: str


@dataclass
class Walk:
    """The walk itself: `steps` is what was seen so far, in order; told to `tell` as it happens."""

    server: Installation
    release: Release
    expected: Expected
    tell: Callable[[Seen], None]
    steps: list[Seen] = field(default_factory=list)
    run_id: int | None = None
    _checklist: dict[str, Any] = field(default_factory=dict)
    _meta: dict[str, Any] = field(default_factory=dict)
    _answer: dict[str, Any] = field(default_factory=dict)
    _silent: bool = False

    def go(self) -> int:
        """Take every step, record what was seen, and return the exit code of the first step that failed, or 0."""
        looks = {
            "health": self._health,
            "meta": self._look_at_meta,
            "auth_me": self._auth_me,
            "checklist": self._look_at_checklist,
            "ui_main_shell": self._ui_main_shell,
            "runbook_checks": self._runbook_checks,
            "security_posture": self._security_posture,
            "rollback_guide": self._rollback_guide,
            "record": self._record,
            "findings": self._findings,
        }
        for id_, look in looks.items():
            self._take(id_, look)
        return next((EXIT_CODES[step.id] for step in self.steps if step.status == CRITICAL), 0)

    @property
    def first_failure(self) -> Seen | None:
        """Return the first step that failed."""
        return next((step for step in self.steps if step.status == CRITICAL), None)

    def _take(self, id_: str, look: Callable[[], str | None]) -> None:
        if self._silent:
            self._note(Seen(id_, SKIPPED, "the installation does not answer"))
            return
        try:
            said = look()
        except Unreachable as error:
            # One that does not answer is not asked seven times more.
            self._silent = True
            self._note(Seen(id_, CRITICAL, str(error)))
        except (Wrong, Failed) as error:
            self._note(Seen(id_, CRITICAL, str(error)))
        else:
            self._note(Seen(id_, OK, said) if said else Seen(id_, SKIPPED, "what it needs is not known"))

    def _note(self, seen: Seen) -> None:
        self.steps.append(seen)
        self.tell(seen)

    def _health(self) -> str:
        return walk.health(self.server.get("/health"))

    def _look_at_meta(self) -> str:
        answer = self.server.get("/meta")
        said = walk.meta(answer, self.expected)
        self._meta = answer
        return said

    def _auth_me(self) -> str:
        return walk.auth_me(self.server.get("/api/auth/me"))

    def _look_at_checklist(self) -> str:
        answer = self.server.get(f"{DEPLOY}/checklist")
        said = walk.checklist(answer)
        self._checklist = answer
        return said

    def _ui_main_shell(self) -> str | None:
        if not self._checklist:
            return None
        policy = self._checklist["policy"]
        page = self.server.page(policy["ui_core_path"])
        return walk.ui_main_shell(page.kind, page.text, policy["ui_core_markers"])

    def _runbook_checks(self) -> str:
        return walk.runbook_checks(self.server.get("/api/ops/runbook/checks"), self.expected)

    def _security_posture(self) -> str:
        return walk.security_posture(self.server.get("/api/ops/security/posture"), self.expected)

    def _rollback_guide(self) -> str | None:
        if not self._checklist:
            return None
        return walk.rollback_guide(self._checklist["policy"], self.release.guide_sha256)

    def _record(self) -> str | None:
        if not self._checklist:
            return None
        answer = self.server.post(f"{DEPLOY}/smoke/record", self._body())
        newest = self.server.rows("/api/ops/job-runs?job_name=deploy_smoke&limit=20")
        self.run_id = walk.recorded(answer, self.release.deploy_id, newest)
        self._answer = answer
        return f"recorded as run {self.run_id}"

    def _findings(self) -> str | None:
        return walk.findings(self._answer) if self._answer else None

    def _body(self) -> dict[str, Any]:
        seen = {step.id: step for step in self.steps}
        checks = [*self.steps, *(Seen(id_, SKIPPED, "by hand") for id_ in BY_HAND)]
        environment = self._meta.get("env")
        body = {
            "deploy_id": self.release.deploy_id,
            "base_url": self.release.base_url,
            "status": "failed" if self.first_failure else "success",
            "checklist_version": self._checklist["version"][:80],
            "rollback_reference": str(self._checklist["policy"].get("rollback_guide_path"))[:300],
            "rollback_reference_sha256": self.release.guide_sha256,
            "rollback_ready": self.release.rollback_ready,
            "runbook_gate_passed": seen["runbook_checks"].status == OK,
            "notes": self.release.notes,
            "checks": [vars(check) | {"message": check.message[:500]} for check in checks],
        }
        return body | ({"environment": environment[:80]} if isinstance(environment, str) and environment else {})
