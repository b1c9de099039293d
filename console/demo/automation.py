"""A fortnight of automation at the demo company: runs of the autopilot, a policy that changes, a channel that dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from console.core.config import Config
from console.core.context import Context
from console.demo.company import MANAGER, OWNER, WORK, DemoPerson
from console.domain.alerts.alerts import Channel, Sent, answered
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import CRON, MANUAL
from console.services.alerts import delivery
from console.services.automation import sla_sql
from console.services.policies import automation as autopilot_policy
from console.services.policies import policies
from console.services.policies import proposals as policy_proposals
from console.services.policies.automation import AUTOPILOT, effective

RUN, MEASURE = job_names.AUTOPILOT, job_names.KPI
ASSIGN, ESCALATE = job_names.AUTO_ASSIGN, job_names.ESCALATION
# Receivers that exist nowhere: what they answer is part of the story.
TEAM_ROOM = "https://hooks.slack.example/services/demo"
ALARM_DESK = "https://alarm.hanbit.example/hooks/remediation"
DESK_GONE_DAYS_AGO = 5
RECEIVERS: Mapping[str, Any] = {"ALERT_SLACK_URLS": TEAM_ROOM, "ALERT_WEBHOOK_URLS": ALARM_DESK}

BEFORE_DAYS_AGO, TRIAL_DAYS_AGO = 90, 13
# Messages were left off at first. Since then somebody is told within the hour whatever is late.
TOLD_DAYS_AGO = 2
POWER_WORKS_DAYS_AGO = 6
# What had been found is given away before the manager is at the desk; of two findings somebody ran it once more.
AFTER_FINDING, ONCE_MORE_AFTER = timedelta(minutes=25), timedelta(minutes=34)
ONCE_MORE_DAYS_AGO = (12.5, 8.0)


@dataclass(frozen=True)
class Step:
    """Something that happens at an instant (aware UTC)."""

    at: datetime
    act: Callable[[], None]


class Stage(Protocol):
    """What a chapter of the story stands on."""

    now: datetime
    config: Config

    def day(self, ago: int, hour: int, minute: int = 0) -> datetime:
        """Return an hour of Seoul's clock, so many days before today, as UTC."""

    def acting_as(self, person: DemoPerson | None, config: Config | None = None) -> AbstractContextManager[Context]:
        """Open a unit of work of a person, or of the system."""

    def run(
        self,
        job: str,
        *,
        settings: Mapping[str, Any],
        who: DemoPerson | None = None,
        trigger: str = CRON,
        dry_run: bool = False,
        **options: Any,
    ) -> None:
        """Let a job run at the instant of the step, under settings of its own."""


class Automation:
    """The chapter of the automation."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._settings = RECEIVERS
        self._proposal = 0

    def steps(self) -> Iterator[Step]:
        """Return what happens, in no order."""
        day = self._stage.day
        yield Step(day(BEFORE_DAYS_AGO, 9), self._leave_it_to_people)
        yield Step(day(TRIAL_DAYS_AGO, 9), self._begin_the_trial)
        yield Step(day(9, 14), lambda: self._propose({"auto_assign_max_items": 30}, "배정 한도를 30건으로 늘립니다."))
        yield Step(day(7, 10, 30), self._approve)
        yield Step(day(POWER_WORKS_DAYS_AGO, 20), self._stop)
        yield Step(day(POWER_WORKS_DAYS_AGO - 1, 7), self._resume)
        quieter = {"escalation_due_soon_hours": 6, "escalation_repeat_hours": 24}
        yield Step(day(2, 16), lambda: self._propose(quieter, "알림이 잦다는 의견이 있어 줄여 봅니다."))
        yield Step(day(TOLD_DAYS_AGO, 9), self._turn_messages_on)
        yield from self._measurements()
        yield from self._runs()

    def _runs(self) -> Iterator[Step]:
        day, now = self._stage.day, self._stage.now
        last = now - timedelta(hours=11)
        mornings = [day(ago, 8, 55) for ago in range(TRIAL_DAYS_AGO - 1, -1, -1)]
        for at in (one for one in mornings if one <= last):
            # At other hours most runs have nothing to do.
            yield Step(at - timedelta(minutes=20), partial(self._stage.run, ASSIGN, settings=self._settings))
            yield Step(at - timedelta(minutes=5), partial(self._stage.run, ESCALATE, settings=self._settings))
        hour = day(TOLD_DAYS_AGO, 9, 20)
        while hour < now:
            yield Step(hour, self._tell)
            hour += timedelta(hours=1)
        night = [day(POWER_WORKS_DAYS_AGO, hour, 55) for hour in (21, 22)]
        found = [now - timedelta(days=work.days_ago) + AFTER_FINDING for work in WORK if work.days_ago < TRIAL_DAYS_AGO]
        for at in (*mornings, *night, *found, last):
            if at <= last:
                yield Step(at, lambda: self._stage.run(RUN, settings=self._settings))
                yield Step(at + timedelta(minutes=1), self._deliver)
        for ago in ONCE_MORE_DAYS_AGO:
            yield Step(now - timedelta(days=ago) + ONCE_MORE_AFTER, lambda: self._by_hand(MANAGER))
        yield Step(day(TRIAL_DAYS_AGO, 9, 20), lambda: self._by_hand(OWNER, dry_run=True))

    def _by_hand(self, who: DemoPerson, *, dry_run: bool = False) -> None:
        self._stage.run(RUN, settings=self._settings, who=who, trigger=MANUAL, dry_run=dry_run)

    def _measurements(self) -> Iterator[Step]:
        at = self._stage.day(TRIAL_DAYS_AGO, 8, 50)
        while at < self._stage.now:
            yield Step(at, lambda: self._stage.run(MEASURE, settings=self._settings))
            at += timedelta(hours=8)

    def _leave_it_to_people(self) -> None:
        with self._stage.acting_as(OWNER) as ctx:
            sent = {"enabled": False, "notify_enabled": False}
            policies.update_policy(ctx, AUTOPILOT, sent, reason="당분간 사람이 배정하고 알립니다.")

    def _begin_the_trial(self) -> None:
        with self._stage.acting_as(OWNER) as ctx:
            sent = {"enabled": True, "auto_assign_max_items": 10, "sync_before_run": False}
            policies.update_policy(ctx, AUTOPILOT, sent, reason="시범 운영: 한 번에 10건까지, 알림은 아직 끕니다.")

    def _turn_messages_on(self) -> None:
        with self._stage.acting_as(OWNER) as ctx:
            sent = {"notify_enabled": True, "escalation_repeat_hours": 12}
            policies.update_policy(ctx, AUTOPILOT, sent, reason="배정이 잘되어 알림도 켭니다.")

    def _tell(self) -> None:
        """Let the escalation run where it has something to tell."""
        with self._stage.acting_as(None) as ctx:
            found = sla_sql.decide(ctx, sla_sql.window(ctx, ctx.now(), effective(ctx).policy.escalation))
        if found.count(*sla_sql.SENT):
            self._stage.run(ESCALATE, settings=self._settings)
            self._deliver()

    def _propose(self, sent: Mapping[str, Any], reason: str) -> None:
        with self._stage.acting_as(MANAGER) as ctx:
            self._proposal = policy_proposals.propose(ctx, AUTOPILOT, sent, reason=reason, shadow=True).id

    def _approve(self) -> None:
        with self._stage.acting_as(OWNER) as ctx:
            policy_proposals.approve(ctx, AUTOPILOT, self._proposal, note="이틀 비교해 보니 결과가 같습니다.")

    def _stop(self) -> None:
        with self._stage.acting_as(MANAGER) as ctx:
            autopilot_policy.pause(ctx, reason="야간 수변전 정전 작업")

    def _resume(self) -> None:
        with self._stage.acting_as(OWNER) as ctx:
            autopilot_policy.resume(ctx, reason="정전 작업을 마쳤습니다.")

    def _deliver(self) -> None:
        with self._stage.acting_as(None, self._stage.config.replaced(**RECEIVERS)) as ctx:
            delivery.deliver_due(ctx, limit=1000)


@dataclass(frozen=True)
class Receivers:
    """What the receivers of the story answer; nothing leaves the machine.

    The alarm desk is `gone` from then on; the addresses of `out` answer that they cannot since an instant (aware UTC).
    """

    gone: datetime
    out: Mapping[str, datetime]

    def send(self, channel: Channel, _message_id: str, _payload: Mapping[str, Any], at: datetime) -> Sent:
        """Answer as the receiver of that channel did at that time."""
        since = self.out.get(channel.address)
        if since is not None and at >= since:
            return answered(503)
        return answered(410 if channel.address == ALARM_DESK and at >= self.gone else 200)
