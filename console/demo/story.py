"""The last three months of the demo company, played through the services in the order they would have happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session, sessionmaker

from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import ALL_SITES, SYSTEM, Actor, Context, unit_of_work
from console.core.listing import ListQuery
from console.demo.assets import Assets
from console.demo.automation import DESK_GONE_DAYS_AGO, RECEIVERS, Automation, Receivers, Step
from console.demo.channels import DUTY_DESK, OUT_SINCE, Channels
from console.demo.company import AUDITOR, MANAGER, OWNER, PEOPLE, PLATFORM, SITES, WORK, DemoPerson, DemoWork
from console.demo.evidence import Evidence, rules_of_day
from console.demo.facility import Facility
from console.demo.handovers import Handovers
from console.demo.inspections import Rounds
from console.demo.months import Months
from console.demo.orders import Orders
from console.demo.releases import Releases
from console.demo.traffic import Traffic
from console.demo.weeks import Weeks
from console.domain.identity.iam import added_permissions, effective_permissions
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import API, CRON
from console.domain.tracker.requests import ItemChange, NewItem
from console.domain.tracker.tracker import REMEDIATION
from console.services.alerts import delivery
from console.services.gate import gate
from console.services.identity import sites, tokens, users
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.services.tracker import completion as tracker_completion
from console.services.tracker import items as tracker_items
from console.services.tracker import lists as tracker_lists
from console.services.tracker import manual as tracker_manual

SEOUL = ZoneInfo("Asia/Seoul")
FOUNDED_DAYS_AGO = 91
# The gate looked now and then before it looked every day.
SELDOM_DAYS_AGO = (90, 80, 70, 60, 50, 40)
DAILY_SINCE_DAYS_AGO = 30
# After the release that came out half somebody asked the gate, and once more shortly ago.
ASKED_HOURS_AGO = (10.0, 0.5)
TOKENS = (
    (OWNER, "CI 게이트 확인"),
    (MANAGER, "일일 보고 내려받기"),
    (PLATFORM, "모니터링 연동"),
    (AUDITOR, "감사 아카이브"),
)


class Story:
    """Plays the demo company's past on an empty database, up to `now` (aware UTC)."""

    def __init__(self, factory: sessionmaker[Session], config: Config, now: datetime) -> None:
        self._factory = factory
        self.config = config
        self.now = now
        self._clock = FixedClock(now)
        self._ids: dict[str, int] = {}
        self._items: dict[str, int] = {}
        self._rules: dict[str, str] = {}

    def play(self) -> int:
        """Let everything happen in its order; returns the number of steps."""
        steps = sorted((step for step in self._steps() if step.at <= self.now), key=lambda step: step.at)
        out = {DUTY_DESK: self.now - OUT_SINCE}
        with delivery.sending_with(Receivers(self.day(DESK_GONE_DAYS_AGO, 0), out)):
            for step in steps:
                self._clock.set(step.at)
                step.act()
        return len(steps)

    def _steps(self) -> Iterator[Step]:
        founded = self.day(FOUNDED_DAYS_AGO, 8)
        yield Step(founded, self._found)
        yield Step(self.day(12, 10), self._issue_tokens)
        yield from self._governance()
        yield from Automation(self).steps()
        yield from Evidence(self, RECEIVERS).steps()
        yield from Releases(self).steps()
        yield from Traffic(self, RECEIVERS).steps()
        yield from Weeks(self).steps()
        yield from Assets(self).steps()
        yield from Facility(self).steps()
        yield from Orders(self).steps()
        yield from Rounds(self).steps()
        yield from Months(self, founded).steps()
        yield from Handovers(self).steps()
        yield from Channels(self).steps()
        for work in WORK:
            yield from self._work(work)
        yield Step(self.day(15, 18), self._close_the_tracker)

    def _governance(self) -> Iterator[Step]:
        asked = [self.now - timedelta(hours=hours) for hours in ASKED_HOURS_AGO]
        for ago in (*SELDOM_DAYS_AGO, *range(DAILY_SINCE_DAYS_AGO, -1, -1)):
            at = self.day(ago, 9, 45)
            if at < asked[-1]:
                yield Step(at, partial(self._judge, rules_of_day(ago)))
        for at in asked:
            yield Step(at, partial(self._judge, who=MANAGER))
        yield Step(self.now - timedelta(hours=9), self._hand_out)
        months = {self.day(ago, 9, 5).astimezone(SEOUL).replace(day=1) for ago in (60, 30)}
        for first in sorted(months):
            yield Step(first.astimezone(UTC), lambda: self.run(job_names.AUDIT_ARCHIVE, write_file=True))

    def _work(self, work: DemoWork) -> Iterator[Step]:
        found = self.now - timedelta(days=work.days_ago)

        def later(hours: float) -> datetime:
            return min(found + timedelta(hours=hours), self.now - timedelta(minutes=2))

        yield Step(found, lambda: self._add(work))
        if work.who is not None:
            yield Step(later(work.assigned_after), lambda: self._change(work, MANAGER, assignee=work.who))
        if work.started_after is not None:
            yield Step(later(work.started_after), lambda: self._change(work, work.who, status="in_progress"))
        if work.note:
            yield Step(later((work.started_after or 1) + 0.5), lambda: self._comment(work))
        if work.stuck:
            at = later((work.started_after or 1) + 2)
            yield Step(at, lambda: self._change(work, work.who, status="blocked", completion_note=work.stuck))
        if work.done_after is not None:
            yield Step(later(work.done_after), lambda: self._change(work, work.who, status="done"))
            away = found + timedelta(hours=work.done_after + 12)
            if away < self.now:
                yield Step(away, lambda: self._put_away(work))

    def day(self, ago: int, hour: int, minute: int = 0) -> datetime:
        """Return an hour of Seoul's clock, so many days before today, as UTC."""
        today = self.now.astimezone(SEOUL)
        local = (today - timedelta(days=ago)).replace(hour=hour, minute=minute, second=0, microsecond=0)
        return local.astimezone(UTC)

    @contextmanager
    def acting_as(self, person: DemoPerson | None, config: Config | None = None) -> Iterator[Context]:
        """Open a unit of work of a person, or of the system."""
        actor = self._actor(person) if person else SYSTEM
        with unit_of_work(self._factory, actor=actor, clock=self._clock, config=config or self.config) as ctx:
            yield ctx

    def _actor(self, person: DemoPerson) -> Actor:
        return Actor(
            "session",
            person.username,
            person.display_name,
            person.role,
            permissions=effective_permissions(person.role, ()),
            grants=added_permissions(person.role),
            site_scope=person.sites or ALL_SITES,
            user_id=self._ids[person.username],
        )

    def _found(self) -> None:
        with self.acting_as(None) as ctx:
            for name in SITES:
                sites.create(ctx, name=name)
            for person in PEOPLE:
                made = users.create(
                    ctx,
                    username=person.username,
                    display_name=person.display_name,
                    role=person.role,
                    site_scope=person.sites or ALL_SITES,
                )
                self._ids[person.username] = made.id

    def _issue_tokens(self) -> None:
        with self.acting_as(OWNER) as ctx:
            for person, label in TOKENS:
                scope = None if person is OWNER else SITES
                tokens.issue(ctx, self._ids[person.username], label=label, site_scope=scope)

    def run(
        self,
        job: str,
        *,
        settings: Mapping[str, Any] = MappingProxyType({}),
        who: DemoPerson | None = None,
        trigger: str = CRON,
        dry_run: bool = False,
        **options: Any,
    ) -> None:
        """Let a job run now, under settings of its own."""
        with self.acting_as(who, self.config.replaced(**settings)) as ctx:
            run_engine.execute(ctx, registry.get(job), options, trigger=trigger, dry_run=dry_run, worker="demo")

    def _judge(self, settings: Mapping[str, Any] = MappingProxyType({}), who: DemoPerson | None = None) -> None:
        """Let the gate look, and the board follow where something is otherwise than before."""
        before = self._rules
        self.run(job_names.GATE, settings=settings, who=who, trigger=API if who else CRON)
        with self.acting_as(None) as ctx:
            self._rules = {rule["id"]: rule["status"] for rule in gate.latest(ctx).snapshot["rules"]}
        if self._rules != before or who:
            # The schedule of the past brought failures to the board; whoever asks by hand wants the warnings too.
            trigger, told = (API if who else CRON), {**RECEIVERS, **settings}
            self.run(job_names.SYNC, settings=told, who=who, trigger=trigger, include_warnings=who is not None)

    def _add(self, work: DemoWork) -> None:
        with self.acting_as(MANAGER) as ctx:
            new = NewItem(
                title=work.title,
                action=work.title,
                site=work.site,
                owner_role=work.owner_role,
                priority=work.priority,
                required=work.required,
                sla_hours=work.sla_hours,
            )
            self._items[work.title] = tracker_manual.create(ctx, new).id

    def _change(
        self, work: DemoWork, who: DemoPerson | None, *, assignee: DemoPerson | None = None, **fields: Any
    ) -> None:
        if assignee is not None:
            fields["assignee"] = assignee.username
        with self.acting_as(who or MANAGER) as ctx:
            tracker_items.change(ctx, self._items[work.title], ItemChange(**fields))

    def _comment(self, work: DemoWork) -> None:
        with self.acting_as(work.who or MANAGER) as ctx:
            tracker_items.comment(ctx, self._items[work.title], work.note)

    def _put_away(self, work: DemoWork) -> None:
        with self.acting_as(MANAGER) as ctx:
            tracker_manual.close(ctx, self._items[work.title])

    def _hand_out(self) -> None:
        with self.acting_as(MANAGER) as ctx:
            items = tracker_lists.slice_of(ctx, REMEDIATION, ListQuery(), limit=100, offset=0).items
            for item in items:
                if item.rule_id == "deploy_smoke_binding_recent":
                    tracker_items.change(ctx, item.id, ItemChange(assignee=PLATFORM.username, status="in_progress"))

    def _close_the_tracker(self) -> None:
        with self.acting_as(OWNER) as ctx:
            tracker_completion.complete(ctx, note="정기 점검 마감", force=True)
