"""Two finished months of the demo company: one that is closed and was corrected, and one whose draft waits."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from console.demo.automation import Stage, Step
from console.demo.company import ELECTRIC, MANAGER, NIGHT, SITES, DemoPerson
from console.domain.jobs import names as job_names
from console.domain.reports import monthly
from console.domain.reports.periods import Period
from console.domain.work_orders.requests import NewOrder
from console.services.evidence import subjects
from console.services.evidence.files import Upload
from console.services.reports import month_closing, month_policy
from console.services.work_orders import actions, create, evidence, holds

SEOUL = ZoneInfo("Asia/Seoul")
SITE = SITES[0]
# Closed by itself on this day of the next month; what was wrong was found two days later.
FREEZE_DAY, CORRECTED_AFTER = 20, timedelta(days=2)
SENTENCES = (
    "지하 배수펌프 2호기가 두 번 멈춰 베어링을 교체했습니다. 같은 고장이 이어지면 교체를 제안합니다.",
    "중앙 놀이터 그네 체인은 부품을 기다립니다. 들어올 때까지 이용을 막았습니다.",
)


@dataclass(frozen=True)
class _Work:
    """An order of a month: on which day and hour it came, and after how many hours it was done; None never was."""

    title: str
    trade: str
    place: str
    day: int
    hour: int
    hours: float | None
    solution: str = ""
    priority: str = "medium"
    who: DemoPerson = ELECTRIC
    photos: bool = False


_WORKS = (
    _Work(
        "지하 배수펌프 2호기 정지",
        "mechanical",
        "지하 2층 펌프실",
        4,
        9,
        14.3,
        "베어링 교체, 시운전 2시간",
        "high",
        NIGHT,
        True,
    ),
    _Work(
        "변전실 수배전반 접속부 과열",
        "electric",
        "변전실",
        6,
        14,
        5.1,
        "볼트 재조임, 열화상 재측정 41 °C",
        "high",
        photos=True,
    ),
    _Work("303동 승강기 3호기 문닫힘 불량", "elevator", "303동 승강기", 8, 11, 7.7, "도어 슈 교체(외주)", photos=True),
    _Work("102동 복도등 점멸", "electric", "102동 3층", 9, 18, 3, "등기구 교체"),
    _Work("소화전함 문짝 처짐", "fire", "101동 1층", 10, 10, 20, "경첩 교체"),
    _Work("관리동 화장실 누수", "mechanical", "관리동 1층", 11, 8, 30, "급수 밸브 교체", who=NIGHT),
    _Work(
        "지하 배수펌프 2호기 진동",
        "mechanical",
        "지하 2층 펌프실",
        13,
        7,
        9,
        "축 정렬, 베어링 교체",
        "high",
        NIGHT,
        True,
    ),
    _Work("주차장 차단기 오작동", "electric", "지하 1층 주차장", 14, 17, 2.5, "감지기 청소"),
    _Work("옥상 배수구 막힘", "building", "201동 옥상", 15, 13, 26, "낙엽 제거"),
    _Work("유도등 점등 불량 2개소", "fire", "202동 계단", 16, 9, 6, "전지 교체"),
    _Work("경비실 에어컨 냉방 불량", "other", "정문 경비실", 18, 15, 40, "냉매 보충"),
)
# What was still open when the month was closed, and was done before the correction.
_LATE = _Work("단지 내 보안등 3등 교체", "electric", "산책로", 19, 10, None, "보안등 교체", "low")

_OPEN = _Work("놀이터 그네 체인 마모", "building", "중앙 놀이터", 17, 16, None, priority="low")


class Months:
    """The chapter of the monthly reports."""

    def __init__(self, stage: Stage, founded: datetime) -> None:
        self._stage = stage
        self._founded = founded + timedelta(days=1)
        self._late = 0

    def steps(self) -> Iterator[Step]:
        """Return what happened, in no order."""
        last = monthly.before(monthly.month_of(None, SEOUL, self._stage.now))
        closed = monthly.before(last)
        yield Step(self._founded, self._choose)
        for period in (closed, last):
            for work in (*_WORKS, _LATE if period == closed else _OPEN):
                yield from self._order(period, work)
        freezes = self._at(last, FREEZE_DAY, 9, 2)
        yield Step(freezes, partial(self._stage.run, job_names.MONTHLY_FREEZE, settings={}))
        yield Step(freezes + timedelta(days=1), self._finish_late)
        yield Step(freezes + CORRECTED_AFTER, partial(self._correct, closed.label))
        yield Step(self._stage.now - timedelta(minutes=20), partial(self._write, last.label))

    @staticmethod
    def _at(period: Period, day: int, hour: int, minute: int = 0) -> datetime:
        first = period.start.astimezone(SEOUL)
        return first.replace(day=day, hour=hour, minute=minute).astimezone(period.start.tzinfo)

    def _order(self, period: Period, work: _Work) -> Iterator[Step]:
        at = self._at(period, work.day, work.hour)
        if at < self._founded:
            return
        made: list[int] = []
        yield Step(at, partial(self._create, work, made))
        if work.hours is not None:
            yield Step(at + timedelta(hours=work.hours), partial(self._complete, work, made))
        elif work is not _LATE:
            yield Step(at + timedelta(hours=4), partial(self._wait, made))

    def _create(self, work: _Work, made: list[int]) -> None:
        with self._stage.acting_as(MANAGER) as ctx:
            new = NewOrder(
                work.title, SITE, work.place, priority=work.priority, assignee=work.who.username, trade=work.trade
            )
            made.append(create.create(ctx, new).id)
        if work is _LATE:
            self._late = made[0]
        if work.photos:
            self._photo(work, made[0], "before")

    def _complete(self, work: _Work, made: Sequence[int]) -> None:
        if work.photos:
            self._photo(work, made[0], "after")
        with self._stage.acting_as(work.who) as ctx:
            actions.acknowledge(ctx, made[0])
            actions.complete(ctx, made[0], work.solution)

    def _wait(self, made: Sequence[int]) -> None:
        with self._stage.acting_as(ELECTRIC) as ctx:
            actions.acknowledge(ctx, made[0])
            until = ctx.now() + timedelta(days=45)
            holds.hold(ctx, made[0], "parts", "그네 체인 입고 대기, 들어올 때까지 이용을 막았습니다.", until)

    def _finish_late(self) -> None:
        if self._late:
            self._complete(_LATE, [self._late])

    def _photo(self, work: _Work, order: int, phase: str) -> None:
        with self._stage.acting_as(work.who) as ctx:
            picture = _picture(work.trade, mended=phase == "after")
            upload = Upload(io.BytesIO(picture), f"{work.title}.jpg", "image/jpeg")
            subjects.attach(ctx, evidence.FILES, order, upload, part=phase)

    def _choose(self) -> None:
        with self._stage.acting_as(MANAGER) as ctx:
            month_policy.change(ctx, SITE, freeze_day=FREEZE_DAY, offices=("담당", "관리소장", "회장"))

    def _correct(self, month: str) -> None:
        with self._stage.acting_as(MANAGER) as ctx:
            month_closing.correct(ctx, SITE, month, "마감 뒤에 끝난 보안등 교체를 반영합니다.")
        with self._stage.acting_as(MANAGER) as ctx:
            edit = month_closing.write(ctx, SITE, month, {"ko": SENTENCES[:1]}, edit=1)
        with self._stage.acting_as(MANAGER) as ctx:
            month_closing.freeze(ctx, SITE, month, edit=edit)

    def _write(self, month: str) -> None:
        with self._stage.acting_as(MANAGER) as ctx:
            month_closing.write(ctx, SITE, month, {"ko": SENTENCES}, edit=0)


def _picture(trade: str, *, mended: bool) -> bytes:
    """Draw what a phone might have seen: a machine before a wall, with something red until it is mended."""
    # The demo company alone draws pictures.
    from PIL import Image, ImageDraw

    wall, body = {"mechanical": ("#6f7f77", "#3f6f93")}.get(trade, ("#7c8591", "#dfe3e8"))
    made = Image.new("RGB", (960, 640), wall)
    pen = ImageDraw.Draw(made)
    pen.rectangle((0, 500, 960, 640), fill="#58616b")
    if trade == "mechanical":
        pen.rounded_rectangle((260, 330, 560, 500), 40, fill=body)
        pen.ellipse((500, 300, 700, 500), fill=body, outline="#2b4d66", width=10)
        pen.rectangle((730, 180, 770, 500), fill="#c3ccd4")
        if not mended:
            pen.ellipse((240, 520, 720, 610), fill="#9fc4d8")
    else:
        for left in (170, 390, 610):
            pen.rectangle((left, 160, left + 180, 500), fill=body, outline="#9aa3ae", width=6)
            pen.rectangle((left + 30, 200, left + 150, 250), fill="#aab4bf")
        if not mended:
            pen.rectangle((390, 270, 570, 400), fill="#c98f88")
    kept = io.BytesIO()
    made.save(kept, "JPEG", quality=82)
    return kept.getvalue()
