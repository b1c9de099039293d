"""Reads evidence and archives again and compares them with their hashes (API contract, section integrity).

Files take turns: those read longest ago come first, and those found broken are read every time until they are mended.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, select, true, update

from console.core.context import Actor, Context
from console.domain.archives import archives as kept
from console.domain.audit.archive import UNSIGNED_FIELDS, month_at, sealed
from console.domain.audit.entry import canonical_json
from console.domain.errors import Gone
from console.domain.evidence.evidence import MODULES, published_module
from console.domain.jobs import names as job_names
from console.domain.runbook import integrity as domain
from console.domain.runbook.integrity import ArchiveCheck, IntegrityFacts, IntegrityReport, StoredCheck, TableCheck
from console.models.evidence import EvidenceFile
from console.services.archives import reading
from console.services.archives.reading import Reading
from console.services.audit import archive as audit_archive
from console.services.audit import record as audit
from console.services.audit.keys import signing_key_id
from console.services.evidence import store as evidence_store
from console.services.jobs import runs
from console.services.jobs.progress import progress
from console.services.jobs.runs import Run
from console.services.recovery import copies as recovery_copies
from console.services.recovery.copies import CopyReading
from console.services.runbook import closed_months
from console.services.runbook.closed_months import MonthReading

READ = ("admins:manage", "audit:read")
MOST_SAMPLES, MOST_ISSUES = 200, 500
STORED_ARCHIVES = 3
COPY, MONTH = domain.RECOVERY_COPY, domain.CLOSED_MONTH
Issue = dict[str, Any]


def batch(ctx: Context, *, sample: int | None = None, most: int | None = None, copies: bool = False) -> IntegrityReport:
    """Read up to `sample` files of each module and the archives, and remember what was read.

    `copies` reads kept copies of recovery drills too: gigabytes, for which no client waits. Only the caller's sites.
    The files are read before the transaction may write. Raises PermissionDenied.
    """
    ctx.actor.require(*READ)
    sample = min(sample or ctx.config["EVIDENCE_INTEGRITY_SAMPLE_PER_TABLE"], MOST_SAMPLES)
    most = min(most or ctx.config["EVIDENCE_INTEGRITY_MAX_ISSUES"], MOST_ISSUES)
    archive = _archive(ctx)
    tables, issues, problems = [], [], {}
    for number, module in enumerate(MODULES, start=1):
        counters: Counter[str] = Counter()
        for row in _due(ctx, module, sample):
            found = _check(ctx, row)
            issues += found
            problems[row.id] = found[-1]["reason"] if found else None
            counters.update(_counted(found))
            counters["checked_count"] += 1
        tables.append(TableCheck(published_module(module), **counters))
        progress(ctx, number, len(MODULES))
    readings = {kind: reading.in_turn(ctx, kind, sample) for kind in kept.KINDS}
    looked_at = _copies(ctx) if copies else []
    months = closed_months.in_turn(ctx, sample, _known(ctx, MONTH))
    _remember(ctx, problems, [one for found in readings.values() for one in found])
    stored = [_stored_check(kind, found) for kind, found in readings.items()]
    stored_issues = [_stored_issue(one) for found in readings.values() for one in found if one.problem]
    stored.append(_stored_check(MONTH, months))
    stored_issues += [_month_issue(one) for one in months if one.problem]
    if copies:
        if months:
            _write(ctx)
            closed_months.tell(ctx, months)
        stored.append(_stored_check(COPY, looked_at))
        stored_issues += [_copy_issue(one) for one in looked_at if one.problem]
    made = domain.report(tables, issues, archive, stored, stored_issues, sample=sample, most=most)
    audit.viewed(
        ctx,
        "ops_evidence_archive_integrity_view",
        "ops_integrity",
        "evidence_archive",
        status=made.status,
        checked_count=made.checked_count,
        issue_count=made.issue_count,
    )
    return made


def facts(ctx: Context, run: Run | None) -> IntegrityFacts:
    """Return what the newest run of the batch found, for the runbook; nothing is read again."""
    if run is None:
        return IntegrityFacts(ctx.now())
    return IntegrityFacts(ctx.now(), run.detail, run.finished_at, failed=run.error_code is not None)


def _copies(ctx: Context) -> list[CopyReading]:
    """Read kept copies of drills again; those that the last reading found broken come first."""
    return recovery_copies.in_turn(ctx, _known(ctx, COPY))


def _known(ctx: Context, kind: str) -> list[int]:
    """Return what the last reading found broken of a kind that has no rows of its own to note it in."""
    last = runs.latest(ctx, job_names.EVIDENCE_INTEGRITY)
    return [one["file_id"] for one in (last.detail if last else {}).get("stored_issues", ()) if one["kind"] == kind]


def _month_issue(one: MonthReading) -> Issue:
    return {"kind": MONTH, "file_id": one.id, "label": one.site, "name": one.name, "reason": one.problem,
            "place": reading.DATABASE}  # fmt: skip


def _copy_issue(one: CopyReading) -> Issue:
    path = one.copy.path
    return {"kind": COPY, "file_id": one.copy.run_id, "label": "", "name": path.name, "reason": one.problem,
            "place": reading.FOLDER, "cause": one.cause}  # fmt: skip


def _stored_check(kind: str, found: Sequence[Reading | CopyReading | MonthReading]) -> StoredCheck:
    counted = Counter(one.problem for one in found)
    return StoredCheck(kind, len(found), counted[kept.MISSING], counted[kept.CHANGED], counted[kept.UNREADABLE])


def _stored_issue(one: Reading) -> Issue:
    return {"kind": one.kind, "file_id": one.id, "label": one.label, "name": one.name, "reason": one.problem,
            "place": one.place}  # fmt: skip


def mine(actor: Actor) -> ColumnElement[bool]:
    """Return the condition of the evidence that an actor may hear of."""
    return true() if actor.all_sites else EvidenceFile.site_key.in_(("", *actor.site_scope))


def _due(ctx: Context, module: str, sample: int) -> list[EvidenceFile]:
    living = select(EvidenceFile).where(
        EvidenceFile.module == module, EvidenceFile.removed_at.is_(None), mine(ctx.actor)
    )
    broken = living.where(EvidenceFile.integrity_problem.is_not(None)).order_by(EvidenceFile.id).limit(sample)
    rows = list(ctx.session.scalars(broken))
    turn = (EvidenceFile.integrity_checked_at.asc().nulls_first(), EvidenceFile.id.desc())
    others = living.where(EvidenceFile.integrity_problem.is_(None)).order_by(*turn).limit(sample - len(rows))
    return rows + list(ctx.session.scalars(others) if len(rows) < sample else ())


def _check(ctx: Context, row: EvidenceFile) -> list[Issue]:
    """Read one file; returns what is wrong with it, the most telling last."""

    def issue(reason: str, **more: Any) -> Issue:
        told = {"module": published_module(row.module), "evidence_id": row.id, "site": row.site}
        return {**told, "reason": reason, **more}

    made = [] if row.sha256 else [issue(domain.MISSING_HASH)]
    try:
        with evidence_store.opened(ctx, row) as content:
            actual = evidence_store.digest(content)
    except (Gone, OSError) as error:
        cause = error.__cause__ if isinstance(error, Gone) else error
        # What cannot be read is there: one reason for one file (API contract, known defect 26).
        if isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError):
            return [*made, issue(domain.READ_ERROR, error=type(cause).__name__)]
        return [*made, issue(domain.MISSING_BLOB, storage_backend=row.storage_backend)]
    if row.sha256 and actual != row.sha256:
        made.append(issue(domain.MISMATCH, stored_sha256=row.sha256, actual_sha256=actual))
    return made


def _counted(found: list[Issue]) -> Counter[str]:
    names = {
        domain.MISSING_HASH: "missing_hash_count",
        domain.MISSING_BLOB: "missing_blob_count",
        domain.READ_ERROR: "read_error_count",
        domain.MISMATCH: "digest_mismatch_count",
    }
    return Counter(names[issue["reason"]] for issue in found)


def _write(ctx: Context) -> None:
    if not ctx.writing:
        ctx.begin_write()


def _remember(ctx: Context, problems: Mapping[int, str | None], readings: list[Reading]) -> None:
    if not (problems or readings):
        return
    _write(ctx)
    reading.remember(ctx, readings)
    now = ctx.now()
    for problem in set(problems.values()):
        ids = [key for key, found in problems.items() if found == problem]
        values = {"integrity_checked_at": now, "integrity_problem": problem}
        ctx.session.execute(update(EvidenceFile).where(EvidenceFile.id.in_(ids)).values(**values))


def _archive(ctx: Context) -> ArchiveCheck:
    """Build the archive of this month and compute digest and signature once more; read the kept ones again."""
    month = month_at(ctx.now())
    document = audit_archive.build(ctx, month, include_entries=False).document
    key = ctx.config["AUDIT_ARCHIVE_SIGNING_KEY"]
    again = sealed(_unsigned(document), key)
    stored = [_genuine(ctx, path) for path in _due_archives(stored_archives(ctx), ctx.now().toordinal())]
    return ArchiveCheck(
        month=month.text,
        entry_count=document["entry_count"],
        chain_ok=bool(document["chain"]["chain_ok"]),
        archive_sha_ok=document["archive_sha256"] == again["archive_sha256"],
        signature_ok=document["signature"] == again["signature"],
        signature_algorithm_ok=document["signature_algorithm"] == ("hmac-sha256" if key else "unsigned"),
        signature_algorithm=document["signature_algorithm"],
        signed=bool(key),
        stored_checked_count=len(stored),
        stored_mismatch_count=stored.count(False),
    )


def _unsigned(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in UNSIGNED_FIELDS}


def _due_archives(paths: list[Path], day: int) -> list[Path]:
    """Return the newest archive and, in turns by the day, others: each comes up again after a known time."""
    newest, others = paths[:1], paths[1:]
    each = min(STORED_ARCHIVES - 1, len(others))
    return newest + [others[(day * each + step) % len(others)] for step in range(each)]


def stored_archives(ctx: Context) -> list[Path]:
    """Return the kept archives, the newest month first."""
    return sorted(ctx.config.path("AUDIT_ARCHIVE_PATH").glob("audit-archive-*.json"), reverse=True)


def _genuine(ctx: Context, path: Path) -> bool:
    """Return whether a kept archive is what was signed; one signed with another key is judged by its digest alone."""
    try:
        document = json.loads(path.read_bytes())
        entries = [canonical_json(entry) for entry in document["entries"] or ()]
        again = sealed(_unsigned(document), ctx.config["AUDIT_ARCHIVE_SIGNING_KEY"], entries)
        ours = document["signing_key_id"] == signing_key_id(ctx.config)
        same = document["archive_sha256"] == again["archive_sha256"]
        return bool(same and (not ours or document["signature"] == again["signature"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def as_detail(made: IntegrityReport) -> dict[str, Any]:
    """Return a report as the answer and the run's result carry it: the message in English, as other checks do."""
    return {**asdict(made), "message": str(made.message)}
