"""Sample items and a sample readiness for the trackers' part of the gallery."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _

from console.domain.evidence.evidence import CLEAN, MAX_BYTES, PENDING
from console.domain.tracker.tracker import REMEDIATION, Readiness, Tally, readiness
from console.services.evidence.evidence import EvidenceView
from console.services.tracker.rows import ItemView
from console.ui.evidence import FileLine, Panel, Taken, scan_words, script_texts

_BLANK: dict[str, Any] = {
    **{field.name: "" for field in fields(ItemView)},
    **dict.fromkeys(
        ("assignee", "assignee_name", "completed_at", "due_changed_at", "plan_rank", "gate_run_id", "verified_at")
    ),
    **dict.fromkeys(("unproven_at", "assignee_user_id", "assigned_at", "assignment_source", "accepted_at", "site")),
    **dict.fromkeys(("sla_hours", "priority", "reopened_count", "evidence_count", "comment_count"), 0),
    **dict.fromkeys(("required", "completion_checked", "evidence_required"), False),
    "obstacle": None,
    "detail": {},
    "texts": {},
    "is_active": True,
    "version": 1,
    "item_type": "manual",
    "created_by": "김관리",
    "rule_status": "warning",
}


def sample_items(now: datetime) -> tuple[ItemView, ...]:
    """Return a late, a waiting, a blocked and a finished item."""
    return (
        _item(now, 42, "변전실 2호 변압기 절연저항 저하", -125, required=True, assignee="이정비", status="in_progress"),
        _item(now, 39, "지하 1층 집수정 펌프 누수", 420, status="pending", comment_count=2),
        _item(now, 36, "옥상 배수구 청소", 2900, assignee="정미화", status="blocked", completion_note="부품 입고 대기"),
        _item(now, 27, "CCTV 저장장치 점검", 7200, assignee="한보안", status="done", evidence_count=1),
    )


def _item(now: datetime, number: int, title: str, minutes: int, **values: Any) -> ItemView:
    instants = dict.fromkeys(
        ("created_at", "updated_at", "opened_at", "first_seen_at", "gate_generated_at"), now - timedelta(hours=30)
    )
    own = {
        "id": number,
        "item_id": f"GR-{number:03d}",
        "item_name": title,
        "action": title,
        "reason": title,
        "site": "한빛마을 3단지",
        "owner_role": "Ops Lead",
        "sla_hours": 24,
        "due_at": now + timedelta(minutes=minutes),
        "overdue": minutes < 0 and values.get("status") != "done",
        "assignee_name": values.get("assignee"),
        **values,
    }
    return ItemView(**{**_BLANK, **instants, **own})


def sample_readiness(now: datetime) -> Readiness:
    """Return what the closing rules say of such items."""
    counts = {"pending": 1, "in_progress": 1, "blocked": 1, "done": 1, "missing_assignee": 1, "overdue": 1}
    return readiness(REMEDIATION, Tally(total=4, **counts), now)


def sample_evidence(now: datetime, url: str) -> Panel:
    """Return the panel of an item with a scanned file and one that waits; its forms lead to `url`."""
    files = (
        _file(now, 2, "절연저항_측정.pdf", "application/pdf", 482_113, CLEAN, note="조치 뒤 측정값 4.2 MΩ"),
        _file(now, 1, "변전실_사진.jpg", "image/jpeg", 1_204_331, PENDING),
    )
    lines = tuple(
        FileLine(one, "이정비", url if one.downloadable else None, url, scan_words(one.malware_scan_status))
        for one in files
    )
    taken = Taken("application/pdf,image/jpeg,image/png", MAX_BYTES, script_texts())
    return Panel("42", _("Attached evidence"), lines, url, taken)


def _file(now: datetime, key: int, name: str, kind: str, size: int, scan: str, note: str = "") -> EvidenceView:
    return EvidenceView(
        id=key,
        tracker_item_id=42,
        site="한빛마을 3단지",
        file_name=name,
        content_type=kind,
        file_size=size,
        storage_backend="fs",
        sha256=f"{key:02x}" * 32,
        malware_scan_status=scan,
        malware_scan_engine="clamd",
        malware_scanned_at=now if scan == CLEAN else None,
        note=note,
        uploaded_by="lee",
        uploaded_at=now - timedelta(minutes=20 * key),
    )
