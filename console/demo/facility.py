"""The daily work of the demo company: orders in every state, agreed ways of working."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

from console.core.listing import asked
from console.demo.automation import Stage, Step
from console.demo.company import ELECTRIC, MANAGER, OWNER, PUMPS, SITES, DemoPerson
from console.domain.facility_sla.policy import HOURS, SlaPolicy
from console.domain.jobs import names as job_names
from console.domain.work_orders.requests import NewOrder
from console.domain.workflow_locks.locks import APPROVE, LOCK, SUBMIT
from console.services.assets import lists as assets
from console.services.facility_sla import policies, proposals, replays
from console.services.facility_sla.whatif import Wish
from console.services.work_orders import actions, create, holds, lists
from console.services.workflow_locks import locks

# What was ordered lately: title, site, place, asset, trade, priority, hours ago, and how far it went.
ORDERS = (
    ("승강기 2호기 문 닫힘 지연", SITES[0], "102동 승강기", "EL-02", "elevator", "high", 30.0, ELECTRIC, "begun"),
    ("지하 2층 배수펌프 소음", SITES[2], "지하 2층 펌프실", "PU-02", "mechanical", "medium", 20.0, PUMPS, "begun"),
    ("로비 조명 6등 교체", SITES[1], "1층 로비", "", "electric", "low", 50.0, None, "open"),
    ("변전실 3상 전압 불평형 조사", SITES[0], "변전실", "TR-01", "electric", "critical", 1.0, ELECTRIC, "open"),
    ("옥상 배기팬 베어링 교체", SITES[3], "옥상", "", "mechanical", "medium", 120.0, PUMPS, "done"),
    ("소화전 압력 저하 확인", SITES[1], "지하 1층", "FP-02", "fire", "high", 90.0, ELECTRIC, "done"),
)
STEPS = ["인수인계 확인", "중앙감시 경보 확인", "변전실·펌프실 순회", "이상 있으면 사진과 함께 작업지시", "결과 기록"]


class Facility:
    """The chapter of the daily work."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._lock = 0
        self._proposal = 0

    def steps(self) -> Iterator[Step]:
        """Return what happened, in no order."""
        now = self._stage.now
        yield Step(now - timedelta(days=60), lambda: self._policy(None, {}, 0))
        yield Step(now - timedelta(days=40), lambda: self._policy(SITES[2], {"critical": 4}, 60))
        yield Step(now - timedelta(hours=10), self._wait)
        yield Step(now - timedelta(hours=3), self._propose)
        yield Step(now - timedelta(minutes=30), self._replay)
        for ago in range(59, 5, -1):
            yield Step(self._stage.day(ago, 21, 30), self._escalate)
        for hours in range(5 * 24, -1, -4):
            yield Step(now - timedelta(hours=hours, minutes=7), self._escalate)
        for order in ORDERS:
            yield Step(now - timedelta(hours=order[6]), partial(self._order, *order))
        yield Step(self._stage.day(21, 10), self._draft)
        yield Step(self._stage.day(20, 11), lambda: self._take(MANAGER, APPROVE))
        yield Step(self._stage.day(20, 15), lambda: self._take(OWNER, LOCK))

    def _order(
        self,
        title: str,
        site: str,
        place: str,
        asset: str,
        trade: str,
        priority: str,
        _hours: float,
        who: DemoPerson | None,
        state: str,
    ) -> None:
        with self._stage.acting_as(MANAGER) as ctx:
            new = NewOrder(title, site, place, priority=priority, trade=trade, assignee=who.username if who else None)
            about = assets.id_of(ctx, site, asset) if asset else None
            made = create.create(ctx, replace(new, asset_id=about))
        if who is None or state == "open":
            return
        with self._stage.acting_as(who) as ctx:
            actions.acknowledge(ctx, made.id)
            if state == "done":
                actions.complete(ctx, made.id, "부품을 바꾸고 시험 운전을 마쳤습니다.")

    def _policy(self, site: str | None, hours: dict[str, int], grace: int) -> None:
        with self._stage.acting_as(OWNER) as ctx:
            policies.put(ctx, SlaPolicy({**HOURS, **hours}, grace), site=site, reason="시설팀 합의")

    def _wait(self) -> None:
        with self._stage.acting_as(PUMPS) as ctx:
            found = lists.listed(ctx, asked(status="acked", site=SITES[2]), limit=1).orders
            for order in found:
                holds.hold(ctx, order.id, "parts", "펌프 베어링 입고 대기", ctx.now() + timedelta(days=2))

    def _escalate(self) -> None:
        self._stage.run(job_names.SLA_ESCALATION, settings={})

    def _propose(self) -> None:
        with self._stage.acting_as(OWNER) as ctx:
            wanted = SlaPolicy({**HOURS, "high": 12, "low": 48}, 30)
            note = "야간에는 높음 등급 자재를 8시간 안에 구하지 못합니다. 낮음은 너무 오래 남습니다."
            self._proposal = proposals.propose(ctx, wanted, Wish(), note=note).id

    def _replay(self) -> None:
        with self._stage.acting_as(OWNER) as ctx:
            policy, made = replays.run_for_proposal(ctx, self._proposal, 90)
            replays.keep(ctx, made, policy, self._proposal)

    def _draft(self) -> None:
        with self._stage.acting_as(ELECTRIC) as ctx:
            made = locks.create(ctx, site=SITES[0], workflow_key="일일 순회", content={"steps": STEPS})
            self._lock = made.id
            locks.take(ctx, made.id, SUBMIT, comment="첫 주 시범 운영을 마쳤습니다.")

    def _take(self, who: DemoPerson, action: str) -> None:
        with self._stage.acting_as(who) as ctx:
            locks.take(ctx, self._lock, action)
