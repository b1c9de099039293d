"""Evidence of the demo company: a month of daily checks, two of reports, recovery drills, nightly readings, marks.

Before there was evidence the gate said NO-GO; since then its verdict follows from what these chapters did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from console.core.config import Config
from console.demo.automation import Stage, Step
from console.demo.company import EAST, MANAGER, OWNER, SITES
from console.demo.releases import STRICTER, STRICTER_UNTIL_DAYS_AGO
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import MANUAL
from console.services.alerts import delivery, marks
from console.services.runbook import daily_runs, preflight

SEOUL = ZoneInfo("Asia/Seoul")
DAILY_SINCE_DAYS_AGO = 29
REPORTED_WEEKS, REPORTED_DAYS = 8, 60
REPORTED_AT = {job_names.QUALITY_WEEKLY: (8, 40), job_names.QUALITY_MONTHLY: (9, 20)}
SATURDAY, SUNDAY = 5, 6
# It made the verdict GO for the first time; since then a drill is made on Sundays.
FIRST_DRILL_DAYS_AGO = 27
NIGHTS = 5
# The days on which the signing key of a web process was missing.
KEY_LOST_DAYS_AGO = (23, 22)
KEY_LOST: Mapping[str, Any] = {"AUDIT_ARCHIVE_SIGNING_KEY": "", "AUDIT_ARCHIVE_SIGNING_REQUIRED": True}
MARKED_DAYS_AGO = 8
PROCESS = "demo"


def rules_of_day(ago: int) -> Mapping[str, Any]:
    """Return the settings that were in force so many days ago, where they were others than today."""
    return STRICTER if ago >= STRICTER_UNTIL_DAYS_AGO else {}


class Evidence:
    """The chapter of the evidence; `settings` name the receivers of alerts."""

    def __init__(self, stage: Stage, settings: Mapping[str, Any]) -> None:
        self._stage = stage
        self._settings = settings

    def steps(self) -> Iterator[Step]:
        """Return what happens, in no order."""
        day = self._stage.day
        for ago in range(DAILY_SINCE_DAYS_AGO, -1, -1):
            # A process tells shortly before the check looks: what it said long ago counts for little.
            yield Step(day(ago, 9, 14), partial(self._report, ago))
            settings = {**self._settings, **rules_of_day(ago)}
            yield Step(day(ago, 9, 15), self._job(job_names.DAILY_CHECK, settings))
        newest = next(ago for ago in self._days(8, SUNDAY) if day(ago, 10, 50) < self._stage.now)
        yield Step(day(newest, 10, 50), self._job(job_names.DR_REHEARSAL))
        first = partial(self._stage.run, job_names.DR_REHEARSAL, settings={}, who=OWNER, trigger=MANUAL)
        yield Step(day(FIRST_DRILL_DAYS_AGO, 10, 50), first)
        yield from self._reports()
        for ago in self._days(7 * REPORTED_WEEKS, SATURDAY):
            if (at := day(ago, 8, 30)) < self._stage.now:
                yield Step(at, self._job(job_names.W07_WEEKLY, self._settings))
                yield Step(at + timedelta(minutes=1), self._deliver)
        for ago in range(NIGHTS - 1, -1, -1):
            yield Step(day(ago, 3, 40), self._job(job_names.ALERT_ACCURACY, self._settings))
            yield Step(day(ago, 4, 10), self._job(job_names.EVIDENCE_INTEGRITY))
        yield Step(day(MARKED_DAYS_AGO, 11), self._mark_false)
        yield Step(day(MARKED_DAYS_AGO, 14), self._record_missed)
        # Whoever starts the console next speaks for the processes.
        yield Step(self._stage.now - timedelta(seconds=10), self._stop)

    def _job(self, name: str, settings: Mapping[str, Any] | None = None) -> Any:
        return partial(self._stage.run, name, settings=settings or {})

    def _deliver(self) -> None:
        with self._stage.acting_as(None, self._stage.config.replaced(**self._settings)) as ctx:
            delivery.deliver_due(ctx, limit=100)

    def _reports(self) -> Iterator[Step]:
        for name, days in (
            (job_names.QUALITY_WEEKLY, self._days(7 * REPORTED_WEEKS, SATURDAY)),
            (job_names.QUALITY_MONTHLY, self._days(REPORTED_DAYS)),
        ):
            times = [self._stage.day(ago, *REPORTED_AT[name]) for ago in days]
            past = [at for at in times if at < self._stage.now]
            for at in past:
                # Papers take long to draw, and nobody asks for those of last month.
                yield Step(at, partial(self._stage.run, name, settings={}, papers=at == past[0]))

    def _days(self, most: int, weekday: int | None = None) -> list[int]:
        """Return how many days ago that day of the week was, or the first of a month; the newest first."""
        dates = {ago: self._stage.now.astimezone(SEOUL) - timedelta(days=ago) for ago in range(most)}
        return [ago for ago, date in dates.items() if (date.day == 1 if weekday is None else date.weekday() == weekday)]

    def _report(self, ago: int) -> None:
        lost = ago in KEY_LOST_DAYS_AGO
        config: Config = self._stage.config.replaced(**self._settings, **(KEY_LOST if lost else {}))
        with self._stage.acting_as(None) as ctx:
            now = ctx.now()
            found = preflight.examine_process(config, now)
            preflight.store(ctx, found, instance_id=PROCESS, kind=preflight.WEB, started_at=now, now=now)

    def _stop(self) -> None:
        with self._stage.acting_as(None) as ctx:
            preflight.forget(ctx, PROCESS)

    def _mark_false(self) -> None:
        with self._stage.acting_as(MANAGER) as ctx:
            run = daily_runs.newest(ctx)
            assert run is not None
            reason = "같은 원인을 어제부터 고치고 있어 새로 할 일이 없었습니다."
            marks.mark_false(ctx, run.detail["alert_delivery_ids"][0], reason)

    def _record_missed(self) -> None:
        happened: datetime = self._stage.day(MARKED_DAYS_AGO, 5, 10)
        with self._stage.acting_as(EAST) as ctx:
            marks.record_missed(
                ctx,
                "지하 1층 집수정이 넘쳤습니다",
                happened,
                "펌프 고장 신호가 콘솔에 연결되어 있지 않았습니다. 당직자가 순찰에서 찾았습니다.",
                site=SITES[2],
            )
