"""Smoke tests of releases as they are recorded: judged, kept as a run with its file, read again by gate and pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from console.core.context import Context
from console.domain.errors import Invalid
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import API, FINISHED
from console.domain.releases import smoke as rules
from console.domain.releases.checklist import Checklist
from console.domain.releases.smoke import SmokeCheck, SmokeReport, SmokeVerdict
from console.domain.text import T, Text
from console.inputs.releases import SmokeRecordIn
from console.models.jobs import JobRun
from console.services.audit import record as audit
from console.services.jobs.requests import snapshot_of
from console.services.jobs.runs import Run, view
from console.services.releases import archive, checklist
from console.services.releases.archive import Archived

WRITE = ("admins:manage",)
# Twice what a record can say within its limits, in Hangul.
MOST_SENT_BYTES = 512 * 1024


def record(ctx: Context, given: SmokeRecordIn, *, sent: Mapping[str, Any] | None = None, trigger: str = API) -> Run:
    """Judge a smoke test and keep it as a finished run with its file; the time of receipt decides what is recent.

    `sent` is the request word for word, for the file. Raises PermissionDenied, and Invalid for an end or a start that
    lies in the future.
    """
    ctx.actor.require(*WRITE)
    now = ctx.now()
    for name in ("started_at", "finished_at"):
        at = getattr(given, name)
        if at is not None and rules.in_future(at, now):
            raise Invalid.field(name, T("must not lie in the future"))
    current = checklist.bound(ctx)
    verdict = rules.judge(_report(given), current, received_at=now)
    row = _row(ctx, given, trigger, now)
    ctx.session.add(row)
    ctx.session.flush()
    detail = _detail(ctx, given, current, verdict, now)
    kept = archive.keep(
        ctx.config,
        _document(ctx, row, verdict, detail, _payload(given, sent)),
        name=given.deploy_id,
        run_id=row.id,
        at=now,
    )
    ctx.on_rollback(lambda: archive.remove(ctx.config, kept))
    verdict = verdict.with_archive(*_archive_check(kept))
    row.status = verdict.status
    row.detail_json = detail | _judged(verdict) | {"artifact_archive": asdict(kept)}
    ctx.session.flush()
    audit.record(
        ctx,
        "ops_deploy_smoke_record",
        "ops_deploy",
        row.id,
        status="success" if verdict.status == rules.SUCCESS else "warning",
        detail={
            "deploy_id": given.deploy_id,
            "environment": detail["environment"],
            "status": verdict.status,
            "checklist_version": verdict.checklist_version,
            "checklist_signature": current.signature,
            "findings": [finding.id for finding in verdict.findings],
            "artifact_sha256": kept.sha256,
        },
    )
    return view(row)


def as_answer(run: Run) -> dict[str, Any]:
    """Return the published shape of a recorded smoke test."""
    return {**run.header(), "detail": dict(run.detail)}


def _report(given: SmokeRecordIn) -> SmokeReport:
    return SmokeReport(
        status=rules.run_status(given.status),
        rollback_ready=given.rollback_ready,
        runbook_gate_passed=given.runbook_gate_passed,
        checks=tuple(SmokeCheck(one.id, rules.check_status(one.status), one.message) for one in given.checks),
        checklist_version=given.checklist_version,
        reference=given.rollback_reference,
        sha256=given.rollback_reference_sha256,
        finished_at=_ended(given),
    )


def _ended(given: SmokeRecordIn) -> datetime | None:
    # Published: an end before the start is the start.
    times = [at for at in (given.started_at, given.finished_at) if at is not None]
    return max(times) if given.finished_at is not None else None


def _row(ctx: Context, given: SmokeRecordIn, trigger: str, now: datetime) -> JobRun:
    return JobRun(
        job_name=job_names.DEPLOY_SMOKE,
        trigger=trigger,
        state=FINISHED,
        status="warning",
        started_at=min(given.started_at or given.finished_at or now, now),
        finished_at=now,
        executed=True,
        options_json=given.model_dump(mode="json", exclude_unset=True),
        requested_by=ctx.actor.username,
        actor_json=snapshot_of(ctx.actor),
        requested_at=now,
        request_id=ctx.request_id[:64],
    )


def _detail(
    ctx: Context, given: SmokeRecordIn, current: Checklist, verdict: SmokeVerdict, now: datetime
) -> dict[str, Any]:
    policy = current.policy
    ended = _ended(given)
    return {
        "deploy_id": given.deploy_id,
        "environment": given.environment if given.environment is not None else ctx.config["ENV"],
        "base_url": given.base_url,
        "checklist_version": verdict.checklist_version,
        "checklist_version_expected": current.version,
        "checklist_version_match": verdict.version_match,
        "checklist_signature": current.signature,
        "checklist_version_source": current.version_source,
        "rollback_reference": verdict.reference,
        "rollback_reference_expected": policy.rollback_guide_path,
        "rollback_reference_match": verdict.reference_match,
        "rollback_reference_exists": policy.rollback_guide_exists,
        "rollback_reference_sha256": given.rollback_reference_sha256,
        "rollback_reference_expected_sha256": policy.rollback_guide_sha256,
        "rollback_reference_sha256_match": verdict.sha256_match,
        "rollback_ready": given.rollback_ready,
        "runbook_gate_passed": given.runbook_gate_passed,
        "ui_main_shell_path": policy.ui_core_path,
        "ui_main_shell_markers": list(policy.ui_core_markers),
        "ui_main_shell_checked": verdict.ui_checked,
        "ui_main_shell_status": verdict.ui_status,
        "notes": given.notes,
        "reported_status": rules.run_status(given.status),
        "reported_finished_at": ended.isoformat(timespec="microseconds") if ended else None,
        "received_at": now.isoformat(timespec="microseconds"),
        **_judged(verdict),
    }


def _judged(verdict: SmokeVerdict) -> dict[str, Any]:
    return {
        "checks": [check.published() for check in verdict.checks],
        "findings": [finding.published() for finding in verdict.findings],
    }


def _document(
    ctx: Context, row: JobRun, verdict: SmokeVerdict, detail: Mapping[str, Any], payload: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "captured_at": row.finished_at,
        "run_id": row.id,
        "job_name": row.job_name,
        "status": verdict.status,
        "principal": {"username": ctx.actor.username, "role": ctx.actor.role},
        "payload": payload,
        "detail": detail,
    }


def _payload(given: SmokeRecordIn, sent: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return the request as it was sent; as it was read where it is none, far too large or holds what is no number."""
    read = given.model_dump(mode="json", exclude_unset=True)
    try:
        size = len(json.dumps(sent, ensure_ascii=False, allow_nan=False).encode())
    except ValueError:
        return read
    return read if sent is None or size > MOST_SENT_BYTES else sent


def _archive_check(kept: Archived) -> tuple[str, Text]:
    if not kept.enabled:
        return rules.SKIPPED, T("Files of records are switched off.")
    if kept.error:
        return rules.WARNING, T("The file of the record could not be kept: %(reason)s.", reason=kept.error)
    return rules.OK, T("The file of the record was kept.")
