"""The completion package of a week at a site: everything that proves it, in one ZIP (API contract, package)."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import IO, Any

from console.core.context import Context
from console.core.i18n import DEFAULT_LOCALE, text_in
from console.core.listing import ListQuery
from console.core.records import view_of
from console.core.serialize import columns_of, csv_text, to_json
from console.domain.errors import Conflict, Gone
from console.domain.programme.week import Week
from console.domain.programme.weekly import JOB, POINT_FIELDS, Point, point_of
from console.inputs.programme import WeekCompletionOut, WeekItemOut, WeekReadinessOut
from console.models.jobs import JobRun
from console.services.audit import record as audit
from console.services.evidence import evidence
from console.services.evidence import store as evidence_store
from console.services.evidence.evidence import ItemEvidence
from console.services.programme.weekly import newest_runs, visible
from console.services.tracker import completion as tracker_completion
from console.services.tracker import lists as tracker_lists
from console.services.tracker.completion import Completion
from console.services.tracker.rows import ItemView

ITEM_COLUMNS = columns_of(
    *("id", "site", "item_type", "item_key", "item_name", "assignee", "status", "completion_checked"),
    *("completion_note", "due_at", "completed_at", "evidence_count", "updated_at"),
)
INDEX_COLUMNS = columns_of(
    *("evidence_id", "tracker_item_id", "item_key", "item_type", "file_name", "content_type", "file_size", "sha256"),
    *("uploaded_by", "uploaded_at", "archive_path", "blob_included", "include_reason"),
)
POINT_COLUMNS = columns_of(*POINT_FIELDS)
PIECE = 64 * 1024


@dataclass(frozen=True)
class Wanted:
    """What a package is to hold; `weekly` is the weekly figures, which only W07 has."""

    evidence: bool = True
    weekly: bool = True
    weekly_limit: int = 26


@dataclass(frozen=True)
class Package:
    """A finished ZIP at its start; whoever sends it closes it."""

    stream: IO[bytes]
    site: str
    size: int
    sha256: str
    made_at: datetime


@dataclass(frozen=True)
class IndexRow:
    """One file of the evidence, and whether the package holds it."""

    evidence_id: int
    tracker_item_id: int
    item_key: str
    item_type: str
    file_name: str
    content_type: str
    file_size: int
    sha256: str | None
    uploaded_by: str
    uploaded_at: datetime
    archive_path: str
    blob_included: bool
    include_reason: str


@dataclass
class _Evidence:
    """The evidence of a package while it is being packed."""

    most_files: int
    most_bytes: int
    rows: list[IndexRow] = field(default_factory=list)
    files: int = 0
    size: int = 0

    def refusal(self, size: int) -> str | None:
        """Say which limit another file would break."""
        if self.files >= self.most_files:
            return "skipped_max_files"
        return "skipped_max_bytes" if self.size + size > self.most_bytes else None

    def count(self, reason: str) -> int:
        """Count the files with that reason."""
        return sum(row.include_reason == reason for row in self.rows)

    @property
    def truncated(self) -> bool:
        """Whether a limit kept files out."""
        return bool(self.count("skipped_max_files") + self.count("skipped_max_bytes"))


def build(ctx: Context, week: Week, site: str, wanted: Wanted | None = None) -> Package:
    """Pack a week at a site, closed or not, and put the download on record; raises SiteDenied.

    Files are read one at a time and compared with their hash; what is missing or damaged is listed, not packed. The
    limits of the settings keep the package small enough to be mailed.
    """
    wanted = wanted or Wanted()
    programme, now = week.programme, ctx.now()
    ctx.actor.require(*programme.read)
    ctx.actor.require_site(site)
    state = tracker_completion.completion(ctx, programme, site)
    query = ListQuery(filters={"site": (site,)})
    items = tracker_lists.slice_of(ctx, programme, query, limit=500, offset=0).items
    points, latest = _weekly(ctx, site, wanted.weekly_limit) if _has_weekly(week, wanted) else ((), None)
    packed = _Evidence(
        ctx.config["W07_COMPLETION_PACKAGE_MAX_EVIDENCE_FILES"],
        ctx.config["W07_COMPLETION_PACKAGE_MAX_EVIDENCE_BYTES"],
    )
    with ExitStack() as kept:
        stream = kept.enter_context(tempfile.TemporaryFile())
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            _tracker(archive, items, state)
            if wanted.evidence:
                _pack(archive, packed, evidence.of_tracker(ctx, programme, site))
            if _has_weekly(week, wanted):
                archive.writestr("weekly/trends.csv", csv_text(POINT_COLUMNS, points))
                archive.writestr("weekly/trends.json", _json(points))
                archive.writestr("weekly/latest.json", _json(_latest(latest)))
            manifest = _manifest(ctx, week, state, items, packed, wanted, len(points), now)
            archive.writestr("manifest.json", _json(manifest))
            archive.writestr("README.txt", _readme(site, manifest))
        size = stream.tell()
        digest = evidence_store.digest(stream)
        _record(ctx, week, site, packed, size, digest)
        # Whoever sends it closes it.
        kept.pop_all()
    return Package(stream, site, size, digest, now)


def _has_weekly(week: Week, wanted: Wanted) -> bool:
    return wanted.weekly and week.code == "w07"


def _json(data: Any) -> str:
    return json.dumps(json.loads(to_json(data)), ensure_ascii=False, indent=2) + "\n"


def _tracker(archive: zipfile.ZipFile, items: tuple[ItemView, ...], state: Completion) -> None:
    archive.writestr("completion/completion.json", to_json(state, WeekCompletionOut))
    archive.writestr("completion/readiness.json", to_json(state.readiness, WeekReadinessOut))
    blockers = [text_in(DEFAULT_LOCALE, text) for text in state.readiness.blockers]
    archive.writestr("completion/blockers.txt", "".join(f"{text}\n" for text in blockers))
    archive.writestr("tracker/items.csv", csv_text(ITEM_COLUMNS, items))
    archive.writestr("tracker/items.json", to_json(list(items), WeekItemOut))


def _pack(archive: zipfile.ZipFile, packed: _Evidence, files: Iterator[ItemEvidence]) -> None:
    for one in files:
        path = f"evidence/files/{_part(one.item_key)}/{one.evidence.id}-{_part(one.evidence.file_name)}"
        reason = packed.refusal(one.evidence.file_size)
        if reason is None:
            reason = _copy(archive, path, one, packed)
        packed.rows.append(_row(one, path if reason == "included" else "", reason))
    archive.writestr("evidence/index.csv", csv_text(INDEX_COLUMNS, packed.rows))
    archive.writestr("evidence/index.json", _json(packed.rows))


def _copy(archive: zipfile.ZipFile, path: str, one: ItemEvidence, packed: _Evidence) -> str:
    try:
        content = one.open()
    except (Gone, Conflict):
        return "missing_blob"
    with closing(content), archive.open(path, "w") as target:
        shutil.copyfileobj(content, target, PIECE)
    packed.files += 1
    packed.size += one.evidence.file_size
    return "included"


def _part(text: str) -> str:
    """Return one part of a path: never a way out of the archive."""
    return PurePosixPath(text.replace("\\", "/")).name.strip(". ") or "file"


def _row(one: ItemEvidence, path: str, reason: str) -> IndexRow:
    file = one.evidence
    return view_of(
        IndexRow,
        file,
        evidence_id=file.id,
        item_key=one.item_key,
        item_type=one.item_type,
        archive_path=path,
        blob_included=reason == "included",
        include_reason=reason,
    )


def _weekly(ctx: Context, site: str, limit: int) -> tuple[tuple[Point, ...], JobRun | None]:
    """Return the newest points of a site, oldest first, and its newest run."""
    found = newest_runs(ctx, visible(ctx, site), limit)
    points = tuple(point_of(run.id, run.finished_at, run.status or "", run.detail_json) for run in reversed(found))
    return points, next(iter(found), None)


def _latest(run: JobRun | None) -> dict[str, Any]:
    if run is None:
        empty = {"job_name": JOB, "status": "not_found", "trigger": None, "started_at": None, "finished_at": None}
        return {"run_id": None, **empty, "detail": {}}
    return {
        "run_id": run.id,
        "job_name": run.job_name,
        "status": run.status,
        "trigger": run.trigger,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "detail": run.detail_json,
    }


def _manifest(
    ctx: Context,
    week: Week,
    state: Completion,
    items: tuple[ItemView, ...],
    packed: _Evidence,
    wanted: Wanted,
    points: int,
    now: datetime,
) -> dict[str, Any]:
    weekly = _has_weekly(week, wanted)
    return {
        "title": f"{week.label} completion package",
        "generated_at": now,
        "generated_by": ctx.actor.username,
        "site": state.site,
        "completion_status": state.status,
        "readiness_ready": state.readiness.ready,
        "completion_rate_percent": state.readiness.completion_rate_percent,
        "summary": {
            "tracker_items": len(items),
            "blockers": len(state.readiness.blockers),
            "include_evidence": wanted.evidence,
            "include_weekly": weekly,
            "evidence_rows": len(packed.rows),
            "evidence_files_included": packed.files,
            "evidence_bytes_included": packed.size,
            "evidence_missing_blob": packed.count("missing_blob"),
            "evidence_truncated": packed.truncated,
            "evidence_limit_files": packed.most_files,
            "evidence_limit_bytes": packed.most_bytes,
            "weekly_points": points,
        },
        "files": {
            "tracker_csv": "tracker/items.csv",
            "completion_json": "completion/completion.json",
            "readiness_json": "completion/readiness.json",
            "blockers_txt": "completion/blockers.txt",
            "evidence_index_csv": "evidence/index.csv" if wanted.evidence else None,
            "weekly_trends_csv": "weekly/trends.csv" if weekly else None,
        },
    }


def _readme(site: str, manifest: dict[str, Any]) -> str:
    lines = [
        f"KA Facility OS: {manifest['title']}",
        f"Site: {site}",
        f"State: {manifest['completion_status']}",
        "",
        "manifest.json         what this package holds",
        "completion/           whether the week is closed, and what stands in the way",
        "tracker/              the items of the week",
    ]
    if manifest["summary"]["include_evidence"]:
        lines.append("evidence/             index of all files; files/ holds those within the limits")
    if manifest["summary"]["include_weekly"]:
        lines.append("weekly/               figures of the weekly runs")
    return "\r\n".join([*lines, "", "The checksum of the package itself is in the header X-Archive-SHA256.", ""])


def _record(ctx: Context, week: Week, site: str, packed: _Evidence, size: int, digest: str) -> None:
    if not ctx.writing:
        ctx.begin_write()
    audit.record(
        ctx,
        f"{week.code}_completion_package_download",
        f"adoption_{week.code}_package",
        site,
        detail={"size": size, "sha256": digest, "evidence_files": packed.files, "evidence_rows": len(packed.rows)},
    )
