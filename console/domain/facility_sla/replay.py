"""Replay: the recorded life of orders walked once more under other SLA policies.

What people did stays as it was recorded; due dates that came from a policy, pauses and escalations follow from the
policies that are given. Walked under the policies that were in force, it must give the recorded escalations.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from console.domain.facility_sla.policy import BUILT_IN, SlaPolicy, due_after
from console.domain.work_orders.words import CANCELED, OPEN_STATUSES

# What a step does to the due date: nothing, the policy gives one, or a person gave one.
KEEPS, BY_POLICY, BY_PERSON = "keeps", "policy", "person"


class Step(NamedTuple):
    """One recorded event of an order: its state after it, and what the event did to the due date.

    `begins`: the order is new or open again. `waits`: it waits after it; `waits_anew`: it began to wait just then.
    """

    order_id: int
    site: str
    at: datetime
    status: str
    priority: str
    due_at: datetime
    waits: bool
    due: str = KEEPS
    begins: bool = False
    waits_anew: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """An order that was open when the period began, as it was recorded then."""

    order_id: int
    site: str
    status: str
    priority: str
    due_at: datetime
    waiting_since: datetime | None
    escalated: bool


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass of the escalation: when, over which sites (None: all), for how many orders at most."""

    at: datetime
    sites: frozenset[str] | None
    limit: int


class Timeline:
    """Which policy counted where and when: changes of the default policy and of those of sites, in their order."""

    def __init__(self, changes: Iterable[tuple[str | None, datetime, SlaPolicy | None]]) -> None:
        """Take `(site, instant, policy)`; no site is the default policy, no policy takes a site's own away."""
        self._instants: dict[str | None, list[datetime]] = {}
        self._policies: dict[str | None, list[SlaPolicy | None]] = {}
        for site, at, policy in changes:
            self._instants.setdefault(site, []).append(at)
            self._policies.setdefault(site, []).append(policy)

    def at(self, site: str, instant: datetime) -> SlaPolicy:
        """Return the policy that counted for a site at an instant."""
        return self._own(site, instant) or self._own(None, instant) or BUILT_IN

    def has_own(self, site: str, instant: datetime) -> bool:
        """Return whether a site had a policy of its own."""
        return self._own(site, instant) is not None

    def _own(self, site: str | None, instant: datetime) -> SlaPolicy | None:
        known = self._instants.get(site)
        if known is None:
            return None
        place = bisect_right(known, instant)
        return self._policies[site][place - 1] if place else None

    def with_policy(self, site: str | None, policy: SlaPolicy, since: datetime) -> Timeline:
        """Return the same with another policy for a site, or as default, from an instant on."""
        kept = [
            (name, at, found)
            for name, known in self._instants.items()
            for at, found in zip(known, self._policies[name], strict=True)
            if name != site or at < since
        ]
        return Timeline([*kept, (site, since, policy)])


@dataclass(slots=True)
class _Order:
    """An order on its way through the period."""

    site: str
    status: str
    priority: str
    due_at: datetime
    waiting_since: datetime | None = None
    escalated: bool = False
    began_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES


class Fate(NamedTuple):
    """What became of an order: whether it missed a due date of the period, when it escalated, its last due date."""

    order_id: int
    site: str
    priority: str
    breached: bool
    escalations: tuple[datetime, ...]
    due_at: datetime
    canceled: bool


@dataclass
class _Told:
    breached: bool = False
    escalations: list[datetime] = field(default_factory=list)


def walk(
    starts: Sequence[Start],
    steps: Sequence[Step],
    passes: Sequence[Pass],
    policies: Timeline,
    *,
    start: datetime,
    end: datetime,
) -> dict[int, Fate]:
    """Return what becomes of every order of a period (`start` ≤ … < `end`, aware UTC) under these policies.

    `steps` and `passes` are in the order of their instants; at the same instant steps come first.
    """
    road = _Road(policies, start, end)
    for one in starts:
        road.begin_with(one)
    place = 0
    for turn in passes:
        while place < len(steps) and steps[place].at <= turn.at:
            road.take(steps[place])
            place += 1
        road.escalate(turn)
    for step in steps[place:]:
        road.take(step)
    return road.fates()


class _Road:
    def __init__(self, policies: Timeline, start: datetime, end: datetime) -> None:
        self.policies, self.start, self.end = policies, start, end
        self.orders: dict[int, _Order] = {}
        self.told: dict[int, _Told] = {}
        # Open orders that did not escalate, by due date; entries that do not hold any more are passed over.
        self.coming: list[tuple[datetime, int]] = []
        self.late: dict[int, datetime] = {}

    def begin_with(self, one: Start) -> None:
        order = _Order(one.site, one.status, one.priority, one.due_at, one.waiting_since, one.escalated)
        self.orders[one.order_id] = order
        self.told[one.order_id] = _Told()
        self._watch(one.order_id, order)

    def take(self, step: Step) -> None:
        order = self.orders.get(step.order_id)
        if order is None:
            order = _Order(step.site, step.status, step.priority, step.due_at)
            self.orders[step.order_id] = order
            self.told[step.order_id] = _Told()
            known = None
        else:
            known = order.due_at
        was_open = order.is_open and not step.begins
        self._pause(order, step)
        if was_open and step.status not in OPEN_STATUSES and step.status != CANCELED:
            self._judge(step.order_id, order, step.at)
        order.status, order.priority = step.status, step.priority
        if step.due == BY_POLICY:
            order.due_at = due_after(self.policies.at(order.site, step.at), step.priority, step.at)
        elif step.due == BY_PERSON:
            order.due_at = step.due_at
        if step.begins:
            order.escalated, order.began_at = False, step.at
        # Most steps neither move the due date nor end anything: what is watched stays.
        if step.begins or known != order.due_at or not order.is_open:
            self._watch(step.order_id, order)

    def _pause(self, order: _Order, step: Step) -> None:
        if order.waiting_since is not None and (not step.waits or step.waits_anew):
            if self.policies.at(order.site, step.at).pause_on_hold:
                order.due_at += step.at - order.waiting_since
            order.waiting_since = None
        if step.waits and order.waiting_since is None:
            order.waiting_since = step.at

    def _judge(self, order_id: int, order: _Order, until: datetime) -> None:
        """Remember a due date of the period that had passed at `until`."""
        if self.start <= order.due_at < min(until, self.end):
            self.told[order_id].breached = True

    def _watch(self, order_id: int, order: _Order) -> None:
        self.late.pop(order_id, None)
        if order.is_open and not order.escalated:
            heapq.heappush(self.coming, (order.due_at, order_id))

    def escalate(self, turn: Pass) -> None:
        while self.coming and self.coming[0][0] < turn.at:
            due, order_id = heapq.heappop(self.coming)
            order = self.orders[order_id]
            if order.is_open and not order.escalated and order.due_at == due:
                self.late[order_id] = due
        if not self.late:
            return
        found = sorted((due, order_id) for order_id, due in self.late.items() if self._goes(order_id, turn))
        for _due, order_id in found[: turn.limit]:
            self.orders[order_id].escalated = True
            self.told[order_id].escalations.append(turn.at)
            del self.late[order_id]

    def _goes(self, order_id: int, turn: Pass) -> bool:
        order = self.orders[order_id]
        if turn.sites is not None and order.site not in turn.sites:
            return False
        policy = self.policies.at(order.site, turn.at)
        if policy.pause_on_hold and order.waiting_since is not None:
            return False
        return order.due_at < turn.at - policy.grace

    def fates(self) -> dict[int, Fate]:
        for order_id, order in self.orders.items():
            if order.is_open:
                paused = self.policies.at(order.site, self.end).pause_on_hold
                waited = self.end - order.waiting_since if paused and order.waiting_since else timedelta(0)
                self._judge(order_id, replace(order, due_at=order.due_at + waited), self.end)
        return {
            order_id: Fate(
                order_id,
                order.site,
                order.priority,
                self.told[order_id].breached and order.status != CANCELED,
                tuple(self.told[order_id].escalations),
                order.due_at,
                order.status == CANCELED,
            )
            for order_id, order in self.orders.items()
        }


@dataclass(frozen=True)
class Proof:
    """Whether the policies that were in force give the recorded escalations: how many there are, and what differs.

    `missing` were recorded and not reproduced, `extra` the other way round: order and instant of each.
    """

    recorded: int
    missing: tuple[tuple[int, datetime], ...]
    extra: tuple[tuple[int, datetime], ...]

    @property
    def holds(self) -> bool:
        """Return whether there is no difference at all."""
        return not self.missing and not self.extra


def prove(recorded: Iterable[tuple[int, datetime]], fates: Mapping[int, Fate]) -> Proof:
    """Compare recorded escalations with those of a walk under the policies that were in force."""
    known = set(recorded)
    made = {(one.order_id, at) for one in fates.values() for at in one.escalations}
    return Proof(len(known), tuple(sorted(known - made)), tuple(sorted(made - known)))
