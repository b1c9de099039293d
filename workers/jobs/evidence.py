"""Jobs of evidence: the scans that wait, small copies, files without a row, the nightly reading."""

from __future__ import annotations

from pydantic import Field

from console.core.context import Context
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import Outcome, Status
from console.domain.text import N_
from console.inputs.base import BodyModel
from console.services.evidence import thumbnails
from console.services.evidence import upkeep as evidence_upkeep
from console.services.inspections.evidence import FILES as OF_INSPECTION
from console.services.jobs.registry import job
from console.services.runbook import integrity
from console.services.work_orders.evidence import FILES as OF_WORK_ORDERS

# What files belong to besides the items of trackers.
SUBJECTS = {one.module: one for one in (OF_WORK_ORDERS, OF_INSPECTION)}
_STATUS: dict[str, Status] = {"ok": "success", "warning": "warning", "critical": "critical"}


class ScanOptions(BodyModel):
    """How many files one run scans."""

    limit: int = Field(200, ge=1, le=5000)


@job(
    job_names.EVIDENCE_SCAN,
    title=N_("Scan waiting evidence"),
    sentence=N_("Scans the evidence that the virus scanner could not judge when it was uploaded."),
    options=ScanOptions,
    reads_first=True,
    permission="admins:manage",
)
def evidence_scan(ctx: Context, options: ScanOptions) -> Outcome:
    """Scan what waits."""
    made = evidence_upkeep.scan_pending(ctx, subjects=SUBJECTS, limit=options.limit)
    status: Status = "warning" if made.quarantined_count or made.missing_count else "success"
    return Outcome(made, status, skipped=not (made.scanned_count or made.missing_count))


class ThumbnailOptions(BodyModel):
    """Of how many photos one run makes small copies."""

    limit: int = Field(thumbnails.AT_ONCE, ge=1, le=5000)


@job(
    job_names.EVIDENCE_THUMBNAILS,
    title=N_("Make small copies of photos"),
    sentence=N_("Makes the small pictures that stand beside photos in lists of evidence."),
    options=ThumbnailOptions,
    reads_first=True,
    permission="admins:manage",
)
def evidence_thumbnails(ctx: Context, options: ThumbnailOptions) -> Outcome:
    """Make what is missing."""
    made = thumbnails.make(ctx, limit=options.limit, dry_run=ctx.dry_run)
    return Outcome(made, skipped=not made.waiting_count)


class SweepOptions(BodyModel):
    """Which files are old enough to be judged, and how long they stay set aside."""

    grace_hours: int = Field(24, ge=1, le=8760)
    keep_days: int | None = Field(None, ge=1, le=3650)
    limit: int = Field(10_000, ge=1, le=1_000_000)


@job(
    job_names.EVIDENCE_SWEEP,
    title=N_("Sweep evidence files"),
    sentence=N_("Sets files aside that no evidence names, and deletes those that were set aside long ago."),
    options=SweepOptions,
    permission="admins:manage",
)
def evidence_sweep(ctx: Context, options: SweepOptions) -> evidence_upkeep.Swept:
    """Sweep the folder of the evidence."""
    keep = options.keep_days or ctx.config["EVIDENCE_ORPHAN_KEEP_DAYS"]
    return evidence_upkeep.sweep(ctx, grace_hours=options.grace_hours, keep_days=keep, limit=options.limit)


class IntegrityOptions(BodyModel):
    """How much is read; without a value the settings decide."""

    sample_per_table: int | None = Field(None, ge=1, le=200)
    max_issues: int | None = Field(None, ge=1, le=500)


@job(
    job_names.EVIDENCE_INTEGRITY,
    title=N_("Read evidence and archives again"),
    sentence=N_(
        "Compares evidence files, archives and backups of recovery drills with their hashes, "
        "taking turns through all of them."
    ),
    options=IntegrityOptions,
    reads_first=True,
    permission="admins:manage",
)
def evidence_integrity(ctx: Context, options: IntegrityOptions) -> Outcome:
    """Read and compare, as `GET /api/ops/integrity/evidence-archive` does, and the copies of recovery drills."""
    made = integrity.batch(ctx, sample=options.sample_per_table, most=options.max_issues, copies=True)
    return Outcome(integrity.as_detail(made), _STATUS[made.status])
