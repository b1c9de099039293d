"""What a running installation has to answer at each step of its checklist.

Functions of this module get what was answered, raise Failed when it is not what it should be, and return a short
English sentence otherwise: they are read in pipelines. Answers are those of a server that may say anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Each step fails with an exit code of its own; 0 is success and 2 is a wrong argument.
EXIT_CODES = {
    "health": 10,
    "meta": 11,
    "auth_me": 12,
    "checklist": 13,
    "ui_main_shell": 14,
    "runbook_checks": 15,
    "security_posture": 16,
    "rollback_guide": 17,
    "record": 18,
    "findings": 19,
}
DATABASES = ("sqlite", "postgresql")
# The record of the release before must not keep the next one from being recorded (API contract, known defect 30).
OWN_CHECK = "deploy_smoke_checklist"
CHAIN_CHECK = "audit_chain_integrity"


class Failed(Exception):
    """A step is not met; the text says why in a few words."""


@dataclass(frozen=True)
class Expected:
    """What is asked for beyond the checklist; `backend` is where rate limits have to be counted, None is anywhere."""

    backend: str | None = None
    chain: bool = False
    environment: str | None = None


def health(answer: Mapping[str, Any]) -> str:
    """Look at /health."""
    if answer.get("status") != "ok":
        raise Failed("/health does not say ok")
    return "/health says ok"


def meta(answer: Mapping[str, Any], expected: Expected) -> str:
    """Look at /meta; an environment that was asked for has to be the one of the server."""
    if answer.get("db") not in DATABASES:
        raise Failed("/meta names no database")
    if expected.environment is not None and answer.get("env") != expected.environment:
        raise Failed(f"/meta does not say that this is {expected.environment}")
    return f"/meta names {answer['db']}"


def auth_me(answer: Mapping[str, Any]) -> str:
    """Look at /api/auth/me."""
    role = answer.get("role")
    if not isinstance(role, str) or not role:
        raise Failed("/api/auth/me knows no role of the token")
    return "the token has a role"


def checklist(answer: Mapping[str, Any]) -> str:
    """Look at the checklist: it has to name its version, its guide and the page to look at."""
    policy = answer.get("policy")
    version = answer.get("version")
    if not isinstance(policy, dict) or not isinstance(version, str) or not version:
        raise Failed("the checklist has no version or no policy")
    path, markers = policy.get("ui_core_path"), policy.get("ui_core_markers")
    if not isinstance(path, str) or not path.startswith("/") or path.startswith("//") or not path.isprintable():
        raise Failed("the checklist names no page to look at")
    if not isinstance(markers, list) or not markers or not all(isinstance(one, str) and one for one in markers):
        raise Failed("the checklist names no markers of the page")
    if policy.get("rollback_guide_exists") is not True:
        raise Failed("the rollback guide is missing on the server")
    return f"the checklist is {version[:80]}"


def ui_main_shell(kind: str, text: str, markers: Sequence[str]) -> str:
    """Look at the page of the console: its source has every marker."""
    if kind != "text/html":
        raise Failed("the page is no HTML")
    missing = [marker for marker in markers if marker not in text]
    if missing:
        raise Failed(f"the page lacks {', '.join(missing)[:150]}")
    return f"the page has its {len(markers)} markers"


def runbook_checks(answer: Mapping[str, Any], expected: Expected) -> str:
    """Look at the runbook: nothing critical but the record of the last release, and a broken chain if borne."""
    checks = answer.get("checks")
    if not isinstance(checks, list) or not checks or not all(isinstance(one, dict) for one in checks):
        raise Failed("the runbook has no checks")
    borne = {OWN_CHECK} if expected.chain else {OWN_CHECK, CHAIN_CHECK}
    if any(one.get("status") not in ("ok", "warning", "critical") for one in checks):
        raise Failed("the runbook has a check without a result")
    critical = [str(one.get("id"))[:60] for one in checks if one["status"] == "critical" and one.get("id") not in borne]
    if critical:
        raise Failed(f"critical in the runbook: {', '.join(critical)[:300]}")
    return f"{len(checks)} runbook checks, none critical"


def security_posture(answer: Mapping[str, Any], expected: Expected) -> str:
    """Look at the security posture: where rate limits are counted."""
    limits = answer.get("rate_limit")
    backend = limits.get("active_backend") if isinstance(limits, dict) else None
    if not isinstance(backend, str) or not backend:
        raise Failed("the posture does not say where rate limits are counted")
    if expected.backend is not None and backend != expected.backend:
        raise Failed(f"rate limits are counted in {backend[:40]}, not in {expected.backend}")
    return f"rate limits are counted in {backend[:40]}"


def rollback_guide(policy: Mapping[str, Any], sha256: str) -> str:
    """Hold the guide of the release that is being made against the one of the server."""
    if policy.get("rollback_guide_sha256") != sha256:
        raise Failed("the rollback guide of the server is another one than that of this release")
    return "the rollback guide is that of this release"


def recorded(answer: Mapping[str, Any], deploy_id: str, newest: Sequence[Any]) -> int:
    """Look at the answer to the record and at the newest runs; returns the id of the run that it became."""
    run_id, detail = answer.get("run_id"), answer.get("detail")
    if type(run_id) is not int or answer.get("job_name") != "deploy_smoke" or not isinstance(detail, dict):
        raise Failed("the answer to the record is none")
    if detail.get("deploy_id") != deploy_id:
        raise Failed("the record that was answered is another one")
    if not any(isinstance(one, dict) and one.get("id") == run_id for one in newest):
        raise Failed("the record is not among the runs of the server")
    return run_id


def findings(answer: Mapping[str, Any]) -> str:
    """Look at what the server finds about the record."""
    if answer.get("status") == "success":
        return "no findings"
    found = answer["detail"].get("findings")
    listed = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    said = "; ".join(f"{one.get('id')}: {one.get('message')}" for one in listed)
    raise Failed(f"recorded as {str(answer.get('status'))[:20]}: {said or 'without a finding'}"[:400])
