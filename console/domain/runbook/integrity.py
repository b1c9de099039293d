"""Verdict of the integrity batch over evidence and audit archives (API contract, evidence and archive integrity)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.domain.runbook.runbook import CRITICAL, OK, UNKNOWN, WARNING, Finding, check
from console.domain.text import T, Text

MISSING_HASH, READ_ERROR, MISSING_BLOB, MISMATCH = "missing_sha256", "read_error", "missing_blob", "sha256_mismatch"
# The kind under which kept copies of recovery drills stand beside the archives.
RECOVERY_COPY = "recovery_copy"
# And the kind of closed months, which stand in the database alone.
CLOSED_MONTH = "closed_month"
# It runs every night.
MAX_AGE = timedelta(days=3)
_RANKS = (OK, WARNING, CRITICAL)
_SHOWN = (
    *("sample_per_table", "checked_count", "missing_blob_count", "missing_hash_count"),
    *("digest_mismatch_count", "read_error_count", "archive", "issue_count"),
)


@dataclass(frozen=True)
class TableCheck:
    """What was found in the files of one module."""

    module: str
    checked_count: int = 0
    missing_blob_count: int = 0
    missing_hash_count: int = 0
    digest_mismatch_count: int = 0
    read_error_count: int = 0


@dataclass(frozen=True)
class StoredCheck:
    """What was found in the kept archives of one kind."""

    kind: str
    checked_count: int = 0
    missing_count: int = 0
    changed_count: int = 0
    unreadable_count: int = 0


@dataclass(frozen=True)
class ArchiveCheck:
    """The audit archive of the month, computed again; and the kept archives, read again."""

    month: str
    entry_count: int
    chain_ok: bool
    archive_sha_ok: bool
    signature_ok: bool
    signature_algorithm_ok: bool
    signature_algorithm: str
    signed: bool
    stored_checked_count: int = 0
    stored_mismatch_count: int = 0

    @property
    def sound(self) -> bool:
        """Whether digest, signature and algorithm are right, of the kept archives too."""
        signature = self.signature_ok and self.signature_algorithm_ok
        return self.archive_sha_ok and signature and not self.stored_mismatch_count


@dataclass(frozen=True)
class IntegrityReport:
    """API contract, evidence and archive integrity; `issues` and `stored_issues` are cut, the counters are not.

    `stored` are the archives that runs left behind, the closed months, and the copies of recovery drills where those
    were read;
    `evidence_status` is the verdict without them.
    """

    status: str
    message: Text
    sample_per_table: int
    checked_count: int
    missing_blob_count: int
    missing_hash_count: int
    digest_mismatch_count: int
    read_error_count: int
    issue_count: int
    issues: tuple[Mapping[str, Any], ...]
    tables: tuple[TableCheck, ...]
    archive: ArchiveCheck
    stored: tuple[StoredCheck, ...]
    stored_issues: tuple[Mapping[str, Any], ...]
    evidence_status: str


def report(
    tables: Sequence[TableCheck],
    issues: Sequence[Mapping[str, Any]],
    archive: ArchiveCheck,
    stored: Sequence[StoredCheck] = (),
    stored_issues: Sequence[Mapping[str, Any]] = (),
    *,
    sample: int,
    most: int,
) -> IntegrityReport:
    """Judge what was found. Nothing to check is fine: an installation without evidence has none that is broken."""

    def total(name: str) -> int:
        return sum(getattr(table, name) for table in tables)

    mismatches = total("digest_mismatch_count")
    weak = total("missing_blob_count") + total("missing_hash_count") + total("read_error_count")
    own = CRITICAL if mismatches or not archive.sound else WARNING if weak else OK
    lost = any(one.missing_count or one.unreadable_count for one in stored)
    kept = CRITICAL if any(one.changed_count for one in stored) else WARNING if lost else OK
    status = max(own, kept, key=_RANKS.index)
    shown = tuple(issues[:most])
    return IntegrityReport(
        status=status,
        message=_sentence(status, own),
        sample_per_table=sample,
        checked_count=total("checked_count"),
        missing_blob_count=total("missing_blob_count"),
        missing_hash_count=total("missing_hash_count"),
        digest_mismatch_count=mismatches,
        read_error_count=total("read_error_count"),
        issue_count=len(shown),
        issues=shown,
        tables=tuple(tables),
        archive=archive,
        stored=tuple(stored),
        stored_issues=tuple(stored_issues[:most]),
        evidence_status=own,
    )


def _sentence(status: str, own: str) -> Text:
    """Return what a verdict says; `own` is the one of evidence and audit archives alone."""
    if status == CRITICAL:
        if own == CRITICAL:
            return T("Evidence or an audit archive is not what was stored.")
        return T("A kept archive was changed since it was written.")
    if status == WARNING:
        if own == WARNING:
            return T("Some evidence cannot be read or has no hash.")
        return T("A kept archive is missing or cannot be read.")
    return T("Evidence and audit archives are intact.")


@dataclass(frozen=True)
class IntegrityFacts:
    """The newest result of the nightly batch, None before the first; `now` is aware UTC."""

    now: datetime
    result: Mapping[str, Any] | None = None
    finished_at: datetime | None = None
    failed: bool = False


@check(9, owner_role="Security Manager", needs=("integrity",), page="integrity")
def evidence_archive_integrity_batch(integrity: IntegrityFacts) -> Finding:
    """Judge the newest nightly reading of evidence and archives."""
    result = integrity.result or {}
    fields = {name: result.get(name, {} if name == "archive" else 0) for name in _SHOWN}
    fields["latest_run_at"] = integrity.finished_at
    at = integrity.finished_at
    if integrity.failed:
        return Finding(WARNING, T("The last reading of the evidence failed."), fields, seen_at=at)
    if integrity.finished_at is None:
        return Finding(OK, T("The evidence has not been read yet."), fields, UNKNOWN)
    status = result.get("status", OK)
    if status in (CRITICAL, WARNING):
        return Finding(status, _sentence(status, result.get("evidence_status", status)), fields, seen_at=at)
    if integrity.now - integrity.finished_at > MAX_AGE:
        days = (integrity.now - integrity.finished_at).days
        return Finding(WARNING, T("The evidence was last read %(days)s days ago.", days=days), fields, seen_at=at)
    return Finding(OK, T("Evidence and audit archives are intact."), fields, seen_at=at)
