"""The programme at the demo company: four sites, each at another week, some of it late, forced or without proof."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from console.core.context import Context
from console.core.listing import ListQuery
from console.demo.automation import Stage, Step
from console.demo.company import EAST, ELECTRIC, MANAGER, NIGHT, OWNER, PUMPS, SITES, DemoPerson
from console.domain.programme.catalogue import WEEKS
from console.domain.tracker.requests import BulkChange, ItemChange, Selection
from console.services.evidence import evidence
from console.services.evidence.files import Upload
from console.services.programme import weeks as programme
from console.services.tracker import bulk as tracker_bulk
from console.services.tracker import completion as tracker_completion
from console.services.tracker import items as tracker_items
from console.services.tracker import lists as tracker_lists
from console.services.tracker.rows import ItemView

SEOUL = ZoneInfo("Asia/Seoul")
# How a week went: closed in time; closed by force; left behind; done but without proof; under way.
CLOSED, FORCED, LATE, UNPROVEN, RUNNING = "closed", "forced", "late", "unproven", "running"


@dataclass(frozen=True)
class SitePlan:
    """What a site has behind it: the week that it is in now, who works and who leads, and how each week went."""

    site: str
    current: int
    who: DemoPerson
    lead: DemoPerson
    weeks: tuple[tuple[str, str], ...]


PLANS = (
    SitePlan(
        SITES[0],
        10,
        ELECTRIC,
        MANAGER,
        (("w02", CLOSED), ("w03", CLOSED), ("w04", CLOSED), ("w07", FORCED), ("w09", LATE), ("w10", RUNNING)),
    ),
    SitePlan(SITES[1], 7, ELECTRIC, MANAGER, (("w02", CLOSED), ("w03", CLOSED), ("w04", UNPROVEN), ("w07", RUNNING))),
    SitePlan(SITES[2], 4, PUMPS, EAST, (("w02", CLOSED), ("w03", LATE), ("w04", RUNNING))),
    SitePlan(SITES[3], 3, PUMPS, EAST, (("w02", UNPROVEN), ("w03", RUNNING))),
)


class Weeks:
    """The chapter of the programme."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def steps(self) -> Iterator[Step]:
        """Return what happens, in no order."""
        for plan in PLANS:
            for code, how in plan.weeks:
                yield from self._week(plan, code, how)

    def _week(self, plan: SitePlan, code: str, how: str) -> Iterator[Step]:
        # Planned on the Friday before, so that Monday finds everybody with their items.
        monday = self._days_since_monday() + 7 * (plan.current - WEEKS[code].number)
        yield Step(self._stage.day(monday + 3, 17), lambda: self._begin(plan, code))
        if how == RUNNING:
            yield Step(self._stage.now - timedelta(minutes=50), lambda: self._keep_up(plan, code))
            return
        yield Step(self._stage.day(monday - 2, 16), lambda: self._finish(plan, code, 0.5))
        yield Step(self._stage.day(monday - 4, 15), lambda: self._finish(plan, code, 0.75 if how == LATE else 1))
        if how in (CLOSED, FORCED):
            yield Step(self._stage.day(monday - 4, 16), lambda: self._prove(plan, code))
        if how in (LATE, FORCED):
            yield Step(self._stage.day(monday - 4, 17), lambda: self._get_stuck(plan, code))
        if how == CLOSED:
            yield Step(self._stage.day(monday - 4, 18), lambda: self._close(plan, code))
        if how == FORCED:
            yield Step(self._stage.day(monday - 6, 10), lambda: self._close(plan, code, by_force=True))

    def _days_since_monday(self) -> int:
        return self._stage.now.astimezone(SEOUL).weekday()

    def _begin(self, plan: SitePlan, code: str) -> None:
        week = WEEKS[code]
        monday = self._stage.day(self._days_since_monday() + 7 * (plan.current - week.number), 12).astimezone(SEOUL)
        with self._stage.acting_as(plan.lead) as ctx:
            made = programme.bootstrap(ctx, week, plan.site, starts_on=monday.date())
            # The night shift takes part at its own site; the rest goes to the technician of the site.
            nightly = tuple(item.id for item in made.items[::5]) if plan.site in NIGHT.sites else ()
            for who, ids in ((plan.who, tuple(item.id for item in made.items)), (NIGHT, nightly)):
                if ids:
                    self._bulk(ctx, code, ids, BulkChange("assign", assignee=who.username))

    @staticmethod
    def _bulk(ctx: Context, code: str, ids: tuple[int, ...], change: BulkChange) -> None:
        tracker_bulk.apply(ctx, Selection(ids=ids), change, WEEKS[code].programme)

    def _items(self, ctx: Context, plan: SitePlan, code: str) -> tuple[ItemView, ...]:
        query = ListQuery(filters={"site": (plan.site,)})
        return tracker_lists.slice_of(ctx, WEEKS[code].programme, query, limit=100, offset=0).items

    def _finish(self, plan: SitePlan, code: str, share: float) -> None:
        with self._stage.acting_as(plan.who) as ctx:
            items = self._items(ctx, plan, code)
            most = round(len(items) * share)
            ids = tuple(item.id for item in items[:most] if item.status != "done")
            self._bulk(ctx, code, ids, BulkChange("status", status="done"))

    def _keep_up(self, plan: SitePlan, code: str) -> None:
        now = self._stage.now
        with self._stage.acting_as(plan.who) as ctx:
            items = self._items(ctx, plan, code)
            past = tuple(item.id for item in items if item.due_at is not None and item.due_at < now)
            begun = tuple(item.id for item in items if item.id not in past)[:3]
            if past:
                self._bulk(ctx, code, past, BulkChange("status", status="done"))
            self._bulk(ctx, code, begun, BulkChange("status", status="in_progress"))
            self._attach(ctx, code, next(item for item in items if item.evidence_required), plan.site)

    def _prove(self, plan: SitePlan, code: str) -> None:
        with self._stage.acting_as(plan.who) as ctx:
            for item in self._items(ctx, plan, code):
                if item.evidence_required:
                    self._attach(ctx, code, item, plan.site)

    @staticmethod
    def _attach(ctx: Context, code: str, item: ItemView, site: str) -> None:
        text = f"{site} {item.item_key} 확인 기록\n결과: 이상 없음\n"
        upload = Upload(io.BytesIO(text.encode()), f"{item.item_key} 확인서.txt", "text/plain")
        evidence.attach(ctx, WEEKS[code].programme, item.id, upload, "현장 확인")

    def _get_stuck(self, plan: SitePlan, code: str) -> None:
        with self._stage.acting_as(plan.who) as ctx:
            stuck = self._items(ctx, plan, code)[-1]
            note = ItemChange(status="blocked", completion_note="담당 부서 회신 대기")
            tracker_items.change(ctx, stuck.id, note, WEEKS[code].programme)

    def _close(self, plan: SitePlan, code: str, *, by_force: bool = False) -> None:
        note = "남은 한 건은 다음 분기로 넘깁니다." if by_force else "주간 목표를 마쳤습니다."
        with self._stage.acting_as(OWNER if by_force else plan.lead) as ctx:
            tracker_completion.complete(ctx, note=note, force=by_force, programme=WEEKS[code].programme, site=plan.site)
