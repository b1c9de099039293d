"""Sample values of the component gallery, and the documentation that stands on top of each partial."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import literal_column, select

from console.core.context import Context
from console.core.listing import Column, Filter, ListQuery, ListResult, ListSpec
from console.domain.text import N_, T

PARTIALS = Path(__file__).parents[2] / "partials"
_FIRST_COMMENT = re.compile(r"\{#(.*?)#\}", re.DOTALL)


@dataclass(frozen=True)
class SampleRow:
    """A row of the sample list."""

    id: int
    title: str
    site: str
    status: str
    assignee: str | None
    due: datetime


_row = SampleRow


def _everything(_ctx: Context, _words: list[str], _now: datetime) -> Any:
    return literal_column("1") == 1


STATUSES = (("pending", N_("Waiting")), ("in_progress", N_("In progress")), ("blocked", N_("Blocked")))
SPEC = ListSpec(
    name="sample",
    base=lambda _ctx: select(literal_column("1")),
    row=lambda row: row,
    key=literal_column("id"),
    columns=(
        Column("id", N_("No."), literal_column("id"), numeric=True),
        Column("title", N_("Title")),
        Column("site", N_("Site"), literal_column("site")),
        Column("status", N_("Status")),
        Column("assignee", N_("Assignee"), literal_column("assignee")),
        Column("due", N_("Due"), literal_column("due"), numeric=True),
    ),
    filters=(
        Filter("status", N_("Status"), "choice", _everything, choices=STATUSES),
        Filter("assignee", N_("Assignee"), "choice", _everything, choices=(("lee", "이정비"), ("park", "박기사"))),
        Filter("until", N_("Due until"), "date", _everything),
        Filter("late", N_("Late"), "flag", _everything, choices=(("1", N_("Late")),)),
    ),
    search=lambda _ctx, _text: literal_column("1") == 1,
)


def sample_list(now: datetime, query: ListQuery, *, empty: str = "") -> ListResult:
    """Return a page of sample rows for `query`, or nothing for a list of the name `empty`."""
    rows = (
        _row(
            1042,
            "변전실 2호 변압기 절연저항 저하",
            "한빛마을 3단지",
            "in_progress",
            "이정비",
            now - timedelta(minutes=125),
        ),
        _row(1031, "비상발전기 배터리 교체", "강남 센터원", "pending", None, now - timedelta(minutes=24)),
        _row(1039, "지하 1층 집수정 펌프 누수", "푸른숲 타워", "in_progress", "박기사", now + timedelta(hours=7)),
        _row(1036, "옥상 배수구 청소", "송도 스카이", "blocked", "정미화", now + timedelta(days=2, hours=1)),
        _row(1027, "CCTV 저장장치 점검", "강남 센터원", "done", "한보안", now + timedelta(days=5)),
    )
    shown = () if empty else rows
    choices = {"status": STATUSES, "assignee": (("lee", "이정비"), ("park", "박기사")), "late": (("1", N_("Late")),)}
    spec = replace(SPEC, name=empty) if empty else SPEC
    return ListResult(spec, query, shown, 0 if empty else 128, False, now, choices)


def sample_events(now: datetime) -> list[dict[str, Any]]:
    """Return a timeline with an actor, a note and a difference."""
    changes = [
        {"field": N_("Assignee"), "old": None, "new": "이정비"},
        {"field": N_("Status"), "old": "pending", "new": "in_progress"},
    ]
    return [
        {"at": now - timedelta(minutes=6), "text": T("Gate verdict %(word)s", word="NO-GO"), "tone": "late"},
        {
            "at": now - timedelta(minutes=31),
            "actor": "김관리",
            "text": T("Assigned to %(name)s", name="이정비"),
            "changes": changes,
        },
        {"at": now - timedelta(hours=27), "actor": "박기사", "text": T("Comment"), "note": "부품 입고를 기다립니다."},
    ]


def sample_run(now: datetime, state: str) -> dict[str, Any]:
    """Return a run as the run panel shows it."""
    running = state == "running"
    return {
        "id": 318,
        "state": state,
        "status": "running" if running else "success",
        "dry_run": False,
        "trigger": "page",
        "queued_at": now - timedelta(seconds=40),
        "started_at": now - timedelta(seconds=38),
        "finished_at": None if running else now - timedelta(seconds=3),
        "progress_done": 42,
        "progress_total": 120,
        "progress_note": T("Row %(done)s of %(total)s", done=42, total=120) if running else None,
        "error": None,
        "summary": None if running else T("%(count)s items checked", count=120),
    }


@cache
def documentation(partial: str) -> str:
    """Return the comment on top of a partial (`kit/list`): what it is and which arguments it takes."""
    found = _FIRST_COMMENT.search((PARTIALS / f"{partial}.html").read_text(encoding="utf-8"))
    lines = found.group(1).strip("\n").splitlines() if found else []
    return "\n".join(line.removeprefix("  ") for line in lines).strip()
