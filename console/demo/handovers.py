"""Eight weeks of mornings at a site: the night hands over, the day confirms line by line; the last one waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from console.demo.automation import Stage, Step
from console.demo.company import ELECTRIC, NIGHT, SITES
from console.domain.handover.lines import CONFIRMED
from console.services.handover import changes, shifts

SITE, DAYS = SITES[0], 56
# Days ago on which the day shift came to it only after the deadline.
LATE = (41, 17)
NOTES = {
    52: "지하 2층 배수로 청소 업체가 오전에 옵니다.",
    44: "관리동 정수기 누수, 밸브를 잠가 두었습니다.",
    35: "302동 공동현관 자동문이 느립니다. 업체에 접수했습니다.",
    21: "어린이 놀이터 조명 타이머를 18시로 바꿨습니다.",
    9: "지하주차장 3번 차단기 리모컨 배터리를 갈았습니다.",
    3: "승강기 2호기 점검 일정이 금요일로 바뀌었습니다.",
}
OPEN_NOTES = (
    "정문 차단기를 손으로 열어 두었습니다. 오전에 업체가 옵니다.",
    "306동 CCTV 4번 화면이 흐립니다. 업체에 접수했습니다.",
)


class Handovers:
    """The chapter of the shifts."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def steps(self) -> Iterator[Step]:
        """Return what happened, in no order."""
        for ago in range(DAYS, 0, -1):
            at = self._stage.day(ago, 7)
            if ago in NOTES:
                yield Step(at - timedelta(minutes=25), partial(self._note, NOTES[ago]))
            yield Step(at, self._give)
            yield Step(at + timedelta(minutes=150 if ago in LATE else 3 + ago * 7 % 9), self._take)
        now = self._stage.now
        for number, text in enumerate(OPEN_NOTES):
            yield Step(now - timedelta(minutes=80 - number), partial(self._note, text))
        yield Step(now - timedelta(minutes=60), self._give)
        yield Step(now - timedelta(minutes=45), self._ask)

    def _note(self, text: str) -> None:
        with self._stage.acting_as(NIGHT) as ctx:
            changes.add_note(ctx, SITE, text)

    def _give(self) -> None:
        with self._stage.acting_as(NIGHT) as ctx:
            newest = shifts.newest(ctx, SITE)
            changes.give(ctx, SITE, newest.id if newest else 0, taker=ELECTRIC.username)

    def _take(self) -> None:
        with self._stage.acting_as(ELECTRIC) as ctx:
            for found in shifts.open_ones(ctx, SITE):
                for line in shifts.lines_of(ctx, found.id):
                    if line.id is not None and line.state != CONFIRMED:
                        changes.confirm(ctx, found.id, line.id)
                changes.accept(ctx, found.id)

    def _ask(self) -> None:
        """Confirm all but the notes, and ask back about the last of them."""
        with self._stage.acting_as(ELECTRIC) as ctx:
            for found in shifts.open_ones(ctx, SITE)[:1]:
                lines = [line.id for line in shifts.lines_of(ctx, found.id) if line.id is not None]
                for line in lines[:-2]:
                    changes.confirm(ctx, found.id, line)
                changes.ask(ctx, found.id, lines[-1], "접수 번호를 받았습니까?")
