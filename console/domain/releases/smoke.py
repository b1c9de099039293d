"""A smoke test as it was sent and what the server finds about it; all findings are kept and the worst one counts.

Source: API contract, deploy smoke record, and known defects 6, 8 and 9.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.domain.releases.checklist import Checklist
from console.domain.text import T, Text

OK, SKIPPED, WARNING, CRITICAL, UNKNOWN = "ok", "skipped", "warning", "critical", "unknown"
SUCCESS = "success"
MISSING = "missing"
MAX_CHECKS = 50
UI_CHECK = "ui_main_shell"
# Clocks of two machines differ a little; what lies further ahead is no time of a test that has ended.
SKEW = timedelta(minutes=5)
_RUN_WORDS = {
    **dict.fromkeys(("ok", "success", "healthy"), SUCCESS),
    **dict.fromkeys(("warning", "warn", "degraded"), WARNING),
    **dict.fromkeys(("critical", "failed", "error"), CRITICAL),
}
_CHECK_WORDS = {
    **dict.fromkeys(("ok", "success", "healthy", "pass"), OK),
    **dict.fromkeys(("warning", "warn", "degraded"), WARNING),
    SKIPPED: SKIPPED,
    **dict.fromkeys(("critical", "failed", "error", "fatal"), CRITICAL),
}
_RANK = {OK: 0, SKIPPED: 0, SUCCESS: 0, UNKNOWN: 1, WARNING: 1, CRITICAL: 2}


@dataclass(frozen=True)
class SmokeCheck:
    """One check of a smoke test; `by_server` marks what the server added, and `text` its sentence for people."""

    id: str
    status: str
    message: str
    text: Text | None = None
    by_server: bool = False

    def published(self) -> dict[str, Any]:
        """Return the published fields, with the sentence for people beside those that have one."""
        found: dict[str, Any] = {"id": self.id, "status": self.status, "message": self.message}
        return found | ({"message_text": self.text.as_dict()} if self.text else {})


@dataclass(frozen=True)
class SmokeReport:
    """What a client says about a release it looked at. Instants are aware UTC, `sha256` is in small letters.

    None for `checklist_version` and `reference` means what is current; None for `sha256` means that none was sent.
    """

    status: str
    rollback_ready: bool
    runbook_gate_passed: bool
    checks: tuple[SmokeCheck, ...] = ()
    checklist_version: str | None = None
    reference: str | None = None
    sha256: str | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True)
class SmokeVerdict:
    """What came of a record: its status, every finding in the published order, and what was compared.

    `checks` are those that were sent and those that the server added; `sha256_match` is None when none was sent.
    """

    status: str
    findings: tuple[SmokeCheck, ...]
    checks: tuple[SmokeCheck, ...]
    checklist_version: str
    version_match: bool
    reference: str
    reference_match: bool
    sha256_match: bool | None
    ui_checked: bool
    ui_status: str

    def with_archive(self, status: str, text: Text) -> SmokeVerdict:
        """Return the verdict with what became of its file; a file that could not be kept is a finding."""
        check = _added("artifact_archive", status, text)
        findings = (*self.findings, check) if status == WARNING else self.findings
        return SmokeVerdict(
            **{
                **vars(self),
                "status": worst(self.status, *(one.status for one in findings)),
                "findings": findings,
                "checks": (*self.checks, check),
            }
        )


def run_status(word: str) -> str:
    """Return the status of a run for what a client calls it; an unknown word is a warning."""
    return _RUN_WORDS.get(word.strip().lower(), WARNING)


def check_status(word: str) -> str:
    """Return the status of a check for what a client calls it."""
    return _CHECK_WORDS.get(word.strip().lower(), UNKNOWN)


def worst(status: str, *others: str) -> str:
    """Return the worst of a run's status and those of findings, as a status of a run."""
    rank = max(_RANK[one] for one in (status, *others))
    return (SUCCESS, WARNING, CRITICAL)[rank]


def judge(report: SmokeReport, current: Checklist, *, received_at: datetime) -> SmokeVerdict:
    """Hold a record against the checklist of this very moment (aware UTC) and collect everything that is wrong."""
    policy = current.policy
    version = report.checklist_version if report.checklist_version is not None else current.version
    reference = (report.reference if report.reference is not None else policy.rollback_guide_path).replace("\\", "/")
    matches = None if report.sha256 is None else report.sha256 == policy.rollback_guide_sha256
    shell = [check for check in report.checks if check.id == UI_CHECK]
    ui_status = _worst_check(shell) if shell else MISSING
    guide = list(_guide_findings(current, reference, matches))
    version_binding = _version_binding(version, current)
    findings = [
        *_flags(report, policy.require_runbook_gate),
        *([version_binding] if version_binding.status != OK else []),
        *_shell(shell, ui_status),
        *guide,
        *_late(report, received_at, policy.deploy_smoke_recent_hours),
    ]
    added = [_guide_check(guide, matches), version_binding]
    if not shell:
        added.append(_added("ui_main_shell_binding", WARNING, T("The frame of the console was not looked at.")))
    return SmokeVerdict(
        status=worst(report.status, *(one.status for one in findings)),
        findings=tuple(findings),
        checks=(*report.checks, *added),
        checklist_version=version,
        version_match=version == current.version,
        reference=reference,
        reference_match=reference == policy.rollback_guide_path,
        sha256_match=matches,
        ui_checked=bool(shell),
        ui_status=ui_status,
    )


def _added(id_: str, status: str, text: Text) -> SmokeCheck:
    return SmokeCheck(id_, status, str(text), text, by_server=True)


def _flags(report: SmokeReport, gate_required: bool) -> Iterable[SmokeCheck]:
    if gate_required and not report.runbook_gate_passed:
        yield _added("runbook_gate", WARNING, T("The runbook gate was not passed."))
    if not report.rollback_ready:
        yield _added("rollback_ready", WARNING, T("A rollback is not ready."))


def _shell(shell: list[SmokeCheck], status: str) -> Iterable[SmokeCheck]:
    if not shell:
        yield _added(UI_CHECK, WARNING, T("The frame of the console was not looked at."))
    elif status in (WARNING, CRITICAL):
        yield _added(UI_CHECK, status, T("The page of the console lacks something of its frame."))


def _guide_findings(current: Checklist, reference: str, matches: bool | None) -> Iterable[SmokeCheck]:
    policy, id_ = current.policy, "rollback_guide_binding"
    if not policy.rollback_guide_exists:
        text = T("The rollback guide %(path)s is missing on the server.", path=policy.rollback_guide_path)
        yield _added(id_, CRITICAL, text)
    if reference != policy.rollback_guide_path:
        text = T(
            "The release names the rollback guide %(given)s; the server has %(path)s.",
            given=reference or "–",
            path=policy.rollback_guide_path,
        )
        yield _added(id_, WARNING, text)
    if matches is False:
        yield _added(id_, WARNING, T("The rollback guide of the release is another one than that of the server."))


def _guide_check(found: list[SmokeCheck], matches: bool | None) -> SmokeCheck:
    """Return the one check that stands for all that is wrong with the guide, or says that nothing is."""
    if found:
        return found[0]
    if matches is None:
        # Said, but no finding: it does not degrade the run, and the gate's rule asks for it (API contract).
        return _added("rollback_guide_binding", WARNING, T("No checksum of the rollback guide was sent."))
    return _added("rollback_guide_binding", OK, T("The rollback guide is the one of the server."))


def _version_binding(version: str, current: Checklist) -> SmokeCheck:
    if version == current.version:
        return _added("checklist_version_binding", OK, T("The checklist is %(version)s.", version=version))
    text = T(
        "The release was checked against checklist %(given)s; the server has %(version)s.",
        given=version or "–",
        version=current.version,
    )
    return _added("checklist_version_binding", WARNING, text)


def _late(report: SmokeReport, received_at: datetime, recent_hours: int) -> Iterable[SmokeCheck]:
    # The time of receipt decides what is recent; a test of last week that arrives today has to say so.
    if report.finished_at is not None and received_at - report.finished_at > timedelta(hours=recent_hours):
        hours = int((received_at - report.finished_at) / timedelta(hours=1))
        yield _added("recorded_late", WARNING, T("The test ended %(hours)s h before it was recorded.", hours=hours))


def _worst_check(checks: list[SmokeCheck]) -> str:
    return max((check.status for check in checks), key=lambda status: (_RANK[status], status))


def in_future(at: datetime, now: datetime) -> bool:
    """Return whether a time that a client sent lies ahead of the server's by more than clocks differ."""
    return at - now > SKEW
