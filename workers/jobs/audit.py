"""Jobs of the audit trail: checkpoints, the hourly verification, the monthly archive."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from pydantic import AfterValidator, Field

from console.core.context import Context
from console.domain.audit.archive import month_of
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import Outcome
from console.domain.text import N_, T
from console.inputs.audit import MonthText
from console.inputs.base import BodyModel
from console.services.alerts import checkpoint_copies
from console.services.audit import archive_files as audit_files
from console.services.audit.verify import Progress
from console.services.jobs.progress import progress
from console.services.jobs.registry import job


class ArchiveOptions(BodyModel):
    """Which month (default: the last whole one), and whether and where its file is kept."""

    # What is no month is refused before there is a run of it.
    month: Annotated[MonthText, AfterValidator(lambda text: month_of(text).text)] | None = None
    max_entries: int = Field(10_000, ge=1, title=N_("Most entries"))
    output_dir: str | None = Field(None, max_length=400, title=N_("Folder"))
    write_file: bool = Field(False, title=N_("Keep it as a file"))
    include_unfinished: bool = Field(False, title=N_("Also a month that has not ended"))


def _telling(ctx: Context) -> Progress:
    return lambda done, total: progress(ctx, done, total, T("Entries verified"))


@job(
    job_names.AUDIT_ARCHIVE,
    title=N_("Archive a month of the audit log"),
    sentence=N_("Verifies the month, signs its archive and keeps it as a file that is never overwritten."),
    options=ArchiveOptions,
    reads_first=True,
    permission="admins:manage",
    fails_on="critical",
)
def monthly_audit_archive(ctx: Context, options: ArchiveOptions) -> Outcome:
    """Archive a month; critical when its chain is broken, though the archive is kept as evidence."""
    folder = audit_files.folder_within(ctx, options.output_dir)
    kept = audit_files.keep_month(
        ctx, folder=folder, progress=_telling(ctx), **options.model_dump(exclude={"output_dir"})
    )
    return Outcome(kept.facts(), "success" if kept.archive.chain_ok else "critical")


@job(
    job_names.AUDIT_CHECKPOINT,
    title=N_("Sign the audit log"),
    sentence=N_("Verifies what joined since the last checkpoint and signs how far the log reaches."),
    reads_first=True,
    permission="audit:read",
)
def audit_checkpoint(ctx: Context, _options: BodyModel) -> Outcome:
    """Verify the new entries and sign; critical when they are broken."""
    found = checkpoint_copies.sign(ctx, progress=_telling(ctx))
    return Outcome(asdict(found), "success" if found.chain_ok else "critical")


@job(
    job_names.AUDIT_VERIFY,
    title=N_("Verify the whole audit log"),
    sentence=N_("Reads every entry from the first on, checks all hashes, and keeps how far it came as a checkpoint."),
    reads_first=True,
    permission="audit:read",
)
def audit_chain_verify(ctx: Context, _options: BodyModel) -> Outcome:
    """Verify all entries and sign; critical when anything is broken."""
    found = checkpoint_copies.sign(ctx, full=True, progress=_telling(ctx))
    return Outcome(asdict(found), "success" if found.chain_ok else "critical")
