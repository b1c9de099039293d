"""The page of recovery drills: how the installation stands, one drill in full, and the last twelve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.core.context import Context
from console.core.serialize import plain
from console.domain.audit.archive import sealed
from console.domain.jobs import names as job_names
from console.domain.recovery import drill as rules
from console.domain.recovery.drill import Standing
from console.domain.recovery.tables import SAME
from console.domain.text import Text
from console.services.audit.keys import signing_key_id
from console.services.jobs import runs
from console.services.jobs.runs import Run
from console.services.recovery import history
from console.services.recovery.history import READ, HistoryItem

SHOWN = 12


@dataclass(frozen=True)
class DrillView:
    """One drill as the page shows it: its detail, with sentences, instants and lengths of time ready to be shown.

    `file_state` is `kept`, `changed` (another size), `gone` or `none`.
    """

    run: Run
    file_state: str
    notes: tuple[Text, ...]
    cause: str | None
    newest_row_at: datetime | None
    loss_then: timedelta | None
    backup_took: timedelta | None
    recovery_took: timedelta | None
    row_count: int
    differing: tuple[dict[str, Any], ...]

    @property
    def detail(self) -> Mapping[str, Any]:
        """Return the published detail of the run."""
        return self.run.detail

    @property
    def valid(self) -> bool:
        """Return whether this drill proved a restore."""
        return self.run.detail.get("restore_valid") is True


@dataclass(frozen=True)
class Look:
    """What the page shows; `loss_now` is what would be missing if the newest proven copy had to stand in now."""

    computed_at: datetime
    standing: Standing
    shown: DrillView | None
    is_latest: bool
    loss_now: timedelta | None
    runs: tuple[HistoryItem, ...]
    total: int
    max_age_days: int
    retention_days: int
    current: Run | None


def page_data(ctx: Context, run_id: int | None = None) -> Look:
    """Return the page of the newest drill, or of the drill `run_id`; raises NotFound for a run that is none."""
    ctx.actor.require(*READ)
    now = ctx.now()
    found, total = runs.history(ctx, job_names.DR_REHEARSAL, limit=SHOWN)
    proven = history.last_proven(ctx)
    newest = found[0] if found else None
    shown = history.stored(ctx, run_id) if run_id is not None else newest
    copy_at = _instant(proven.detail.get("newest_row_at")) if proven else None
    return Look(
        computed_at=now,
        standing=rules.standing(
            proven_at=proven.finished_at if proven else None,
            last_failed=newest is not None and _failed(newest),
            now=now,
            max_age_days=ctx.config["GOVERNANCE_GATE_DR_MAX_AGE_DAYS"],
        ),
        shown=view_of_run(shown) if shown else None,
        is_latest=shown is not None and newest is not None and shown.id == newest.id,
        loss_now=rules.possible_loss(copy_at, now),
        runs=tuple(history.item_of(run) for run in reversed(found)),
        total=total,
        max_age_days=ctx.config["GOVERNANCE_GATE_DR_MAX_AGE_DAYS"],
        retention_days=ctx.config["DR_REHEARSAL_RETENTION_DAYS"],
        current=current_run(ctx),
    )


def current_run(ctx: Context) -> Run | None:
    """Return the drill that waits or is under way, else the last one."""
    ctx.actor.require(*READ)
    return runs.current(ctx, job_names.DR_REHEARSAL)


def _failed(run: Run) -> bool:
    # A drill without a restore says nothing, and one that is switched off neither: only what went wrong counts.
    tried = run.detail.get("simulate_restore", True) and run.detail.get("enabled", True)
    return run.status == "critical" or bool(tried and run.detail.get("restore_valid") is not True)


def view_of_run(run: Run) -> DrillView:
    """Return a drill with what the page needs of it."""
    detail = run.detail
    made_at, newest = _instant(detail.get("made_at")), _instant(detail.get("newest_row_at"))
    return DrillView(
        run=run,
        file_state=history.file_state(detail),
        notes=tuple(text for text in map(rules.text_of, detail.get("note_texts", ())) if text is not None),
        cause=detail.get("cause") or run.error_code,
        newest_row_at=newest,
        loss_then=made_at - newest if made_at and newest else None,
        backup_took=_length(detail.get("backup_seconds")),
        recovery_took=_length(detail.get("recovery_seconds")),
        row_count=sum(detail.get("counts", {}).values()),
        differing=tuple(one for one in detail.get("tables", ()) if one["result"] != SAME),
    )


def _length(seconds: float | None) -> timedelta | None:
    return timedelta(seconds=seconds) if seconds is not None else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def certificate(ctx: Context, run_id: int) -> dict[str, Any]:
    """Return a drill as a document of its own, with digest and signature as archives of the audit log have them.

    Raises NotFound for a run that is no finished drill.
    """
    run = history.stored(ctx, run_id)
    document = {
        "schema": "recovery_certificate",
        "format_version": "v1",
        "installation": ctx.config["PUBLIC_URL"] or None,
        "env": ctx.config["ENV"],
        "generated_at": ctx.now().isoformat(),
        "signing_key_id": signing_key_id(ctx.config),
        "drill": plain(history.flat(run)),
    }
    return sealed(document, ctx.config["AUDIT_ARCHIVE_SIGNING_KEY"])
