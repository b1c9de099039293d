"""Recovery drills as their runs keep them, without making any backup."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from console.models.jobs import JobRun

TABLES = (("admin_audit_logs", 48220), ("tracker_events", 61302), ("tracker_items", 12480), ("evidence_files", 3946))


def drill_detail(at: datetime, **given: Any) -> dict[str, Any]:
    """Return the detail of a drill that proved a restore; `given` fields win."""
    checksum = "ab" * 32
    return {
        "enabled": True,
        "backup_path": "/backups",
        "retention_days": 120,
        "counts": dict(TABLES),
        "backup_file": f"/backups/dr-rehearsal-{at:%Y%m%dT%H%M%SZ}-1.backup",
        "restore_valid": True,
        "simulate_restore": True,
        "pruned_files": 0,
        "notes": [],
        "note_texts": [],
        "cause": None,
        "database": "sqlite",
        "method": "sqlite_backup",
        "schema_revision": "0015",
        "made_at": at.isoformat(),
        "size_bytes": 222_298_112,
        "backup_sha256": "cd" * 32,
        "key_id": "3f9a1c22",
        "table_count": len(TABLES),
        "differing_count": 0,
        "tables": [
            {
                "name": name,
                "rows": rows,
                "copy_rows": rows,
                "checksum": checksum,
                "copy_checksum": checksum,
                "result": "same",
            }
            for name, rows in TABLES
        ],
        "evidence": {"sampled": 40, "opened": 40, "broken": []},
        "backup_seconds": 22.4,
        "recovery_seconds": 41.0,
        "newest_row_at": (at - timedelta(minutes=7)).isoformat(),
        "newest_table": "tracker_events",
        "possible_loss_seconds": 420,
        **given,
    }


def add_drill(session: Session, at: datetime, status: str = "success", **given: Any) -> JobRun:
    """Add a finished drill that ended at `at`; `given` are fields of its detail."""
    run = JobRun(
        job_name="dr_rehearsal",
        trigger="cron",
        state="finished",
        status=status,
        executed=True,
        requested_at=at - timedelta(seconds=70),
        started_at=at - timedelta(seconds=70),
        finished_at=at,
        detail_json=drill_detail(at, **given),
    )
    session.add(run)
    session.flush()
    return run


def add_failed_drill(session: Session, at: datetime) -> JobRun:
    """Add a drill that a full disk stopped."""
    said = {"msgid": "The backup cannot be written: %(reason)s.", "params": {"reason": "No space left on device"}}
    return add_drill(
        session,
        at,
        "critical",
        backup_file=None,
        restore_valid=False,
        cause="disk_full",
        notes=["The backup cannot be written: No space left on device."],
        note_texts=[said],
        tables=[],
        evidence=None,
        recovery_seconds=None,
        newest_row_at=None,
        size_bytes=None,
    )
