"""Four releases of the demo company: a plain one, one that made pages slow, its mending, and one that came out half."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from console.demo.automation import Stage, Step
from console.demo.company import OWNER
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import MANUAL
from console.inputs.releases import SmokeRecordIn
from console.services.releases import checklist, smoke

SEOUL = ZoneInfo("Asia/Seoul")
ADDRESS = "https://facility.hanbit.example"
# Until then a smoke test counted as recent for a day only: the checklist of the first release is another one.
STRICTER_UNTIL_DAYS_AGO = 12
STRICTER: Mapping[str, Any] = {"DEPLOY_SMOKE_RECENT_HOURS": 24}
PLAIN_DAYS_AGO, SLOW_DAYS_AGO, MENDED_DAYS_AGO = 25, 10, 5
HALF_HOURS_AGO = 10.6
SHELL = "ui_main_shell"
# What `python -m console.deploy verify` sees of a release that is whole, step by step.
WALK = (
    ("health", "/health says ok"),
    ("meta", "/meta names the database"),
    ("auth_me", "the token has a role"),
    ("checklist", "the checklist is known"),
    (SHELL, "the page has its 4 markers"),
    ("runbook_checks", "no runbook check is critical"),
    ("security_posture", "rate limits are counted in redis"),
    ("rollback_guide", "the rollback guide is that of this release"),
)


@dataclass(frozen=True)
class Release:
    """How a release went; `lacking` is what its page lacked."""

    notes: str
    rollback_ready: bool = True
    lacking: str = ""


PLAIN = Release("작업지시 목록에 검색을 더했습니다.")
SLOW = Release("작업지시 목록과 현황에 집계를 더했습니다. 되돌릴 파일은 아직 올리는 중입니다.", rollback_ready=False)
MENDED = Release("느려진 집계를 색인으로 고쳤습니다.")
HALF = Release("메뉴를 새로 묶었습니다. 정적 파일이 옛것과 섞였습니다.", lacking='id="nav"')


def slow_between(stage: Stage) -> tuple[datetime, datetime]:
    """Return from when to when (aware UTC) a release made pages slow."""
    return stage.day(SLOW_DAYS_AGO, 16), stage.day(MENDED_DAYS_AGO, 11)


class Releases:
    """The chapter of the releases."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def steps(self) -> Iterator[Step]:
        """Return what happens, in no order."""
        day = self._stage.day
        slow, mended = slow_between(self._stage)
        yield Step(day(PLAIN_DAYS_AGO, 14), partial(self._release, PLAIN, STRICTER))
        yield Step(slow, partial(self._release, SLOW))
        yield Step(mended, partial(self._release, MENDED))
        yield Step(day(MENDED_DAYS_AGO - 1, 15), self._review)
        yield Step(self._stage.now - timedelta(hours=HALF_HOURS_AGO), partial(self._release, HALF))

    def _release(self, release: Release, settings: Mapping[str, Any] | None = None) -> None:
        config = self._stage.config.replaced(**(settings or {}))
        with self._stage.acting_as(OWNER, config) as ctx:
            current, now = checklist.bound(ctx), ctx.now()
            seen = {name: {"id": name, "status": "ok", "message": said} for name, said in WALK}
            if release.lacking:
                seen[SHELL] |= {"status": "critical", "message": f"the page lacks {release.lacking}"}
            body = {
                "deploy_id": f"web-{now.astimezone(SEOUL):%Y%m%d}",
                "base_url": ADDRESS,
                "status": "failed" if release.lacking else "success",
                "started_at": now - timedelta(minutes=2),
                "finished_at": now,
                "checklist_version": current.version,
                "rollback_reference": current.policy.rollback_guide_path,
                "rollback_reference_sha256": current.policy.rollback_guide_sha256,
                "rollback_ready": release.rollback_ready,
                "runbook_gate_passed": True,
                "notes": release.notes,
                "checks": list(seen.values()),
            }
            smoke.record(ctx, SmokeRecordIn.model_validate(body))

    def _review(self) -> None:
        notes = "느려진 배포를 점검 때 알아채지 못했습니다. 다음 배포부터 응답 시간도 봅니다."
        self._stage.run(job_names.RUNBOOK_REVIEW, settings={}, who=OWNER, trigger=MANUAL, notes=notes)
