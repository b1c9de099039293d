"""Three months of work orders of the demo company: most in time, some late, some that waited for somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from console.demo.automation import Stage, Step
from console.demo.company import ELECTRIC, MANAGER, PUMPS, SITES, DemoPerson
from console.domain.work_orders.requests import NewOrder
from console.services.assets import lists as assets
from console.services.work_orders import actions, create, holds

AT_WORK = {SITES[0]: ELECTRIC, SITES[1]: ELECTRIC, SITES[2]: PUMPS, SITES[3]: PUMPS}


@dataclass(frozen=True)
class Trouble:
    """What returns at the sites: how long somebody took to answer and to mend it, what it waited for meanwhile."""

    title: str
    asset: str
    trade: str
    priority: str
    answered_after: float
    done_after: float
    waits: str = ""
    solution: str = "부품을 바꾸고 시험 운전을 마쳤습니다."


# Hours; what is high is due after 8 hours, what is medium after 24, low after 72.
TROUBLES = (
    Trouble("급수 펌프 진동", "PU-01", "mechanical", "medium", 1.0, 9.0),
    Trouble("승강기 2호 층 표시등 불량", "EL-02", "elevator", "low", 3.0, 50.0, waits="contractor"),
    Trouble("변압기 1호 온도 상승", "TR-01", "electric", "high", 0.4, 5.5, solution="냉각팬을 청소했습니다."),
    Trouble("소화전 펌프 압력 저하", "FP-02", "fire", "high", 0.5, 7.0),
    Trouble("배수 펌프 자동 운전 불량", "PU-02", "mechanical", "medium", 2.0, 30.0, waits="parts"),
    Trouble("비상발전기 축전지 전압 낮음", "GE-01", "electric", "medium", 4.0, 20.0),
    Trouble("화재 수신기 예비전원 이상", "FP-01", "fire", "high", 1.0, 11.0),
    Trouble("승강기 1호 문 끼임", "EL-01", "elevator", "high", 0.3, 3.0, solution="문틀을 조정했습니다."),
)
# What was said when it began to wait, and when it went on.
WAITED = {
    "contractor": ("업체 방문 일정을 잡았습니다.", "업체가 다녀갔습니다."),
    "parts": ("부품을 주문했습니다.", "부품이 들어왔습니다."),
}
EVERY_DAYS, SINCE_DAYS_AGO, UNTIL_DAYS_AGO = 6, 86, 3
# The transformer of the first site returned until somebody found why.
AGAIN_DAYS_AGO = (64, 33, 9)


class Orders:
    """The chapter of the orders that were done."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def steps(self) -> Iterator[Step]:
        """Return what happened, in no order."""
        for number, ago in enumerate(range(SINCE_DAYS_AGO, UNTIL_DAYS_AGO, -EVERY_DAYS)):
            for place, site in enumerate(SITES):
                yield from self._lived(TROUBLES[(number + 3 * place) % len(TROUBLES)], site, ago, place)
        for ago in AGAIN_DAYS_AGO:
            yield from self._lived(TROUBLES[2], SITES[0], ago, 2)

    def _lived(self, trouble: Trouble, site: str, ago: int, place: int) -> Iterator[Step]:
        """Return the life of one order: made in the morning, answered, perhaps waiting, done."""
        begin = self._stage.day(ago, 9, 10 + 7 * place)
        known: list[int] = []
        who = AT_WORK[site]
        answered = begin + timedelta(hours=trouble.answered_after)
        done = begin + timedelta(hours=trouble.done_after)
        yield Step(begin, lambda: known.append(self._make(trouble, site)))
        yield Step(answered, lambda: self._begin(known[0], who, trouble.waits))
        yield Step(done, lambda: self._end(known[0], who, trouble))

    def _make(self, trouble: Trouble, site: str) -> int:
        with self._stage.acting_as(MANAGER) as ctx:
            asset = assets.id_of(ctx, site, trouble.asset)
            new = NewOrder(
                trouble.title,
                site,
                priority=trouble.priority,
                trade=trouble.trade,
                asset_id=asset,
                assignee=AT_WORK[site].username,
            )
            return create.create(ctx, new).id

    def _begin(self, order_id: int, who: DemoPerson, waits: str) -> None:
        with self._stage.acting_as(who) as ctx:
            actions.acknowledge(ctx, order_id)
            if waits:
                holds.hold(ctx, order_id, waits, WAITED[waits][0])

    def _end(self, order_id: int, who: DemoPerson, trouble: Trouble) -> None:
        with self._stage.acting_as(who) as ctx:
            if trouble.waits:
                holds.resume(ctx, order_id, WAITED[trouble.waits][1])
            actions.complete(ctx, order_id, trouble.solution)
