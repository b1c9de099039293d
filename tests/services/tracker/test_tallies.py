"""The numbers that the database keeps are those of its items, whoever wrote them, however many at once."""

import io
import random
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import sessionmaker

from console.core.clock import FixedClock
from console.core.context import unit_of_work
from console.core.listing import ListQuery
from console.domain.errors import DomainError
from console.domain.programme.catalogue import WEEKS
from console.domain.tracker.requests import BulkChange, ItemChange, NewItem, Selection
from console.domain.tracker.tracker import REMEDIATION, STATUSES
from console.models.audit import AuditLog
from console.models.tallies import TrackerTally
from console.models.tracker import TrackerItem
from console.services.common.lists import matching
from console.services.common.query_cache import cached_query
from console.services.evidence import evidence
from console.services.evidence.files import Upload
from console.services.home import activity
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.services.programme import weeks as programme
from console.services.remediation import apply as tracker_apply
from console.services.tracker import board, bulk, items, lists, manual, tallies, undo
from console.services.tracker.columns import spec
from tests.conftest import START, actor_of, empty
from tests.factories import make_site
from tests.factories.remediation import make_plan, plan_item
from tests.factories.tracker import HOUR, add_item
from tests.services.tracker.tally_support import counted, kept

SITE, OTHER = "한빛마을 3단지", "푸른숲 타워"
RULES = ("dr_restore_valid_recent", "daily_check_recent", "weekly_streak_target_met")
JOB = "tracker_tally_check"


class Desk:
    """Somebody who does things to items by number, so that any sequence of steps means something."""

    def __init__(self, engine, config):
        self.clock = FixedClock(START)
        self.work = partial(unit_of_work, sessionmaker(engine), actor=actor_of(), clock=self.clock, config=config)
        self.tokens, self.files = [], []

    def do(self, action, number, word):
        self.clock.advance(timedelta(hours=5))
        with suppress(DomainError), self.work() as ctx:
            board = select(TrackerItem.id).where(TrackerItem.tracker == "remediation").order_by(TrackerItem.id)
            ids = ctx.session.scalars(board).all()
            getattr(self, action)(ctx, ids[number % len(ids)] if ids else 0, ids, number, word)

    def create(self, ctx, _item, _ids, number, _word):
        due_at = ctx.now() + number * HOUR if number % 3 else None
        site = (None, SITE, OTHER)[number % 3]
        manual.create(ctx, NewItem(f"item {number}", site=site, required=number % 2 == 0, due_at=due_at))

    def change(self, ctx, item, _ids, number, word):
        changes = (
            ItemChange(status=word),
            ItemChange(assignee=("kim", "")[number % 2]),
            ItemChange(due_at=ctx.now() + (number + 1) * HOUR, reason="later"),
        )
        self.tokens.append(items.change(ctx, item, changes[number % 3]).undo)

    def bulk(self, ctx, _item, ids, number, word):
        wanted = (
            BulkChange("status", status=word),
            BulkChange("assign", assignee="lee"),
            BulkChange("close"),
            BulkChange("due", due_at=ctx.now() + 40 * HOUR, reason="together"),
        )[number % 4]
        self.tokens.append(bulk.apply(ctx, Selection(ids=tuple(ids[number % 2 :])), wanted).undo)

    def undo(self, ctx, _item, _ids, number, _word):
        if self.tokens:
            self.clock.set(self.clock.now() - timedelta(hours=5))
            undo.undo(ctx, self.tokens[number % len(self.tokens)] or "")

    def sync(self, ctx, _item, _ids, number, _word):
        now = ctx.now()
        failing = RULES[: number % 4]
        status = ("fail", "warning")[number % 2]
        plan = [plan_item(rule, now, rule_status=status, required=True) for rule in failing]
        tracker_apply.apply(ctx, make_plan(now, plan, set(RULES) - set(failing)), now)

    def close(self, ctx, item, _ids, _number, _word):
        items.change(ctx, item, ItemChange(status="done"))
        manual.close(ctx, item)

    def begin_week(self, ctx, _item, _ids, number, _word):
        programme.bootstrap(ctx, WEEKS[("w02", "w07")[number % 2]], (SITE, OTHER)[number % 2])

    def attach(self, ctx, _item, _ids, number, _word):
        wanted = select(TrackerItem.id).where(TrackerItem.evidence_required).offset(number).limit(1)
        item = ctx.session.scalar(wanted)
        if item:
            week = WEEKS[ctx.session.get(TrackerItem, item).tracker].programme
            made = evidence.attach(ctx, week, item, Upload(io.BytesIO(b"%d" % number), "a.txt", "text/plain"))
            self.files.append((week, made.id))

    def remove(self, ctx, _item, _ids, number, _word):
        if self.files:
            week, file = self.files[number % len(self.files)]
            evidence.remove(ctx, week, file, "wrong file")


ACTIONS = ("create", "change", "bulk", "undo", "sync", "close", "begin_week", "attach", "remove")
steps = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.integers(0, 11), st.sampled_from(STATUSES)), min_size=4, max_size=14
)


@settings(max_examples=25)
@given(steps=steps)
def test_whatever_people_and_syncs_do_the_numbers_are_those_of_the_items(shared_engine, config, steps):
    empty(shared_engine)
    with sessionmaker(shared_engine)() as session:
        for name in (SITE, OTHER):
            make_site(session, name, now=START)
        session.commit()
        desk = Desk(shared_engine, config)
        for action, number, word in [("create", 1, ""), ("create", 2, ""), *steps]:
            desk.do(action, number, word)
            session.rollback()
            assert kept(session) == counted(session), action


def test_every_kind_of_step_changes_something(engine, config, session):
    """A sequence in which nothing is refused, so that the test above looks at more than refusals."""
    for name in (SITE, OTHER):
        make_site(session, name, now=START)
    session.commit()
    desk, before = Desk(engine, config), {}
    for action, number in [
        *(("create", 1), ("create", 2), ("change", 0), ("bulk", 0), ("undo", 1), ("sync", 3), ("sync", 0)),
        *(("close", 0), ("begin_week", 0), ("attach", 0), ("remove", 0)),
    ]:
        desk.do(action, number, "in_progress")
        session.rollback()
        assert before != (before := kept(session)) == counted(session), action


def fill(session, count=40, seed=1):
    """Items of every kind, with deadlines around the start of the clock, in one statement."""
    rng, values = random.Random(seed), []
    for number in range(1, count + 1):
        status = rng.choice(STATUSES)
        values.append(
            {
                "tracker": rng.choice(("remediation", "remediation", "w02")),
                "site_key": (site := rng.choice((None, SITE, OTHER))) or "",
                "site": site,
                "item_type": "rule",
                "item_key": f"rule_{number}",
                "number": number,
                "status": status,
                "completion_checked": status == "done",
                "completed_at": START if status == "done" else None,
                "is_active": rng.random() < 0.8,
                "assignee": rng.choice((None, "kim")),
                "required": rng.random() < 0.5,
                "rule_status": rng.choice(("fail", "warning")),
                "evidence_required": rng.random() < 0.5,
                "evidence_count": rng.randrange(3),
                "due_at": rng.choice((None, START + rng.randrange(-72, 72) * HOUR)),
                **dict.fromkeys(("first_seen_at", "opened_at", "created_at", "updated_at"), START),
            }
        )
    session.execute(insert(TrackerItem), values)
    session.commit()


@pytest.mark.parametrize(
    "statement",
    [
        update(TrackerItem).values(is_active=False),
        update(TrackerItem)
        .where(TrackerItem.id % 2 == 0)
        .values(status="blocked", completion_checked=False, completed_at=None),
        update(TrackerItem).values(due_at=TrackerItem.opened_at, assignee=None, evidence_count=7),
        update(TrackerItem).values(site=OTHER, site_key=OTHER),
        update(TrackerItem).values(required=True, rule_status="fail", evidence_required=True),
        delete(TrackerItem).where(TrackerItem.id % 3 == 0),
    ],
)
def test_statements_about_many_items_are_counted_too(session, statement):
    fill(session)
    before = kept(session)
    session.execute(statement)

    assert before != kept(session) == counted(session)

    session.rollback()
    assert kept(session) == before == counted(session)


def test_an_empty_table_has_no_numbers(session):
    fill(session)
    session.execute(delete(TrackerItem))

    assert kept(session) == {}


def test_nobody_waits_for_the_numbers_of_somebody_else(engine, session, backend):
    if backend == "sqlite":
        # One writer at a time: whoever writes has the database for themselves, and its scope stays one row.
        fill(session)
        scope = (TrackerTally.tracker, TrackerTally.site_key, TrackerTally.due_on)
        assert set(session.scalars(select(func.count(TrackerTally.id)).group_by(*scope))) == {1}
        return
    for number in range(1, 3):
        add_item(session, START, number, site=SITE)
    session.commit()
    with sessionmaker(engine)() as first, sessionmaker(engine)() as second:
        second.execute(text("SET LOCAL lock_timeout = '2s'"))
        first.execute(update(TrackerItem).where(TrackerItem.number == 1).values(status="blocked"))
        second.execute(update(TrackerItem).where(TrackerItem.number == 2).values(status="in_progress"))
        second.commit()
        assert kept(second)["remediation", SITE, None, "in_progress"] == 1
        assert ("remediation", SITE, None, "blocked") not in kept(second)
        first.commit()
    session.rollback()
    assert kept(session) == counted(session)


def test_writers_at_once_lose_nothing_and_leave_few_rows(at_once, engine, session):
    ids = [add_item(session, START, number, site=(SITE, OTHER)[number % 2]).id for number in range(1, 41)]
    session.commit()

    def writer(number):
        rng = random.Random(number)

        def work(ctx):
            # Items of its own, the sites in any order.
            for _ in range(60):
                ctx.session.execute(
                    update(TrackerItem)
                    .where(TrackerItem.id == rng.choice(ids[number::4]))
                    .values(status=rng.choice(("pending", "blocked")), due_at=START + rng.randrange(99) * HOUR)
                )

        return work

    assert at_once(*map(writer, range(4))) == [None] * 4
    session.rollback()
    assert kept(session) == counted(session)

    # Alone, so that nobody holds a row of the same scope.
    for number in range(200):
        session.execute(update(TrackerItem).where(TrackerItem.id == ids[0]).values(evidence_count=number))
        session.commit()
    assert kept(session) == counted(session)
    scopes = {key[:3] for key in kept(session)}
    assert session.scalar(select(func.count()).select_from(TrackerTally)) <= len(scopes) + 64


QUERIES = [
    {},
    {"status": ["blocked", "done"]},
    {"site": [SITE]},
    {"site": [SITE, OTHER], "status": ["pending"]},
    {"state": ["all"]},
    {"state": ["closed"]},
    {"state": ["active", "closed"], "site": [OTHER]},
    {"unassigned": ["1"]},
    {"unchecked": ["1"], "site": [SITE]},
    {"critical": ["1"]},
    {"evidence": ["1"]},
    {"due": ["overdue"]},
    {"due": ["overdue"], "site": [SITE]},
]


@pytest.mark.parametrize("kind", [REMEDIATION, WEEKS["w02"].programme], ids=lambda kind: kind.key)
@pytest.mark.parametrize("filters", QUERIES)
def test_a_list_reads_the_number_that_counting_its_items_would_give(make_ctx, session, filters, kind):
    fill(session, 200)
    for ctx in (make_ctx(), make_ctx("owner", (SITE, OTHER))):
        query = ListQuery(filters=filters)
        listed = spec(kind, START)
        found = matching(ctx, listed, query, START).subquery()
        there = session.scalar(select(func.count()).select_from(found))

        kept_total = tallies.total(ctx, kind, listed, query)
        assert there > 0
        assert kept_total == there if kind is REMEDIATION else kept_total in (there, None)
        assert lists.slice_of(ctx, kind, query, limit=5, offset=0).total == there
        assert lists.page(ctx, kind, query).total == there


@pytest.mark.parametrize(
    ("query", "known"),
    [
        (ListQuery(), True),
        (ListQuery(filters={"status": ["done"], "site": [SITE]}), True),
        (ListQuery(filters={"state": ["all"]}), False),
        (ListQuery(filters={"assignee": ["kim"]}), False),
        (ListQuery(search="rule"), False),
    ],
)
def test_a_board_has_the_same_columns_either_way(ctx, session, query, known):
    fill(session, 200)
    shown = {column.status: column.count for column in board.board(ctx, REMEDIATION, query).columns}
    listed = spec(REMEDIATION, START)
    found = matching(ctx, listed, query, START).with_only_columns(TrackerItem.status, func.count())
    there = dict(map(tuple, session.execute(found.group_by(TrackerItem.status))))

    assert {status: count for status, count in shown.items() if count} == there
    assert (tallies.by_status(ctx, REMEDIATION, listed, query) is not None) is known


@pytest.mark.parametrize("hours", [-80, -24, -1, 0, 1, 23, 24, 25, 80])
def test_what_is_late_is_known_at_any_moment(make_ctx, session, clock, hours):
    fill(session, 200)
    for microseconds in (0, 1):
        clock.set(START + timedelta(hours=hours, microseconds=microseconds))
        now = clock.now()
        for ctx, site in ((make_ctx(), None), (make_ctx(), SITE), (make_ctx("owner", (OTHER,)), None)):
            sites = {"", SITE, OTHER} if ctx.actor.all_sites else {"", OTHER}
            late = [
                item
                for item in session.scalars(select(TrackerItem).where(TrackerItem.tracker == "remediation"))
                if item.is_active and item.status != "done" and item.due_at and item.due_at < now
                if item.site_key in ({site} if site else sites)
            ]
            assert activity.figures(ctx, site).late_board == len(late)


def test_a_caller_of_one_site_counts_its_items_and_those_of_the_platform(make_ctx, session):
    for number, site in enumerate((None, SITE, SITE, OTHER), start=1):
        add_item(session, START, number, site=site)
    session.commit()
    listed = spec(REMEDIATION, START)
    for sites, number in {("*",): 4, (SITE,): 3, (): 1}.items():
        assert tallies.total(make_ctx("owner", sites), REMEDIATION, listed, ListQuery()) == number
    scoped = make_ctx("owner", (SITE,))
    assert tallies.total(scoped, REMEDIATION, listed, ListQuery(filters={"site": [OTHER]})) == 0
    assert {site for _tracker, site in tallies.by_scope(scoped, (REMEDIATION,), START)} == {"", SITE}


def test_a_number_that_somebody_keeps_is_read_again_once_an_item_changed(engine, session, clock, config):
    work = partial(unit_of_work, sessionmaker(engine), actor=actor_of(), clock=clock, config=config)

    def blocked():
        with work(write=False) as ctx:
            ctx.only_reads = True
            number = tallies.sums(ctx.actor, (REMEDIATION,), ("blocked",))
            return cached_query(ctx, "blocked", lambda: ctx.session.scalar(number))

    add_item(session, START, 1)
    session.commit()
    assert blocked() == 0
    with work() as ctx:
        ctx.session.execute(update(TrackerItem).values(status="blocked"))
    assert blocked() == 1


def run(make_ctx, **values):
    return run_engine.execute(make_ctx(), registry.get(JOB), **values).run


def test_the_nightly_check_finds_nothing_when_nothing_is_wrong(make_ctx, session):
    fill(session)
    found = run(make_ctx)

    assert (found.status, found.detail["difference_count"], found.detail["repaired"]) == ("success", 0, False)
    assert found.detail["compared_count"] > 0
    assert not session.scalars(select(AuditLog).where(AuditLog.action == "tracker_tallies_repair")).all()


@pytest.mark.parametrize(
    "damage",
    [
        update(TrackerTally).where(TrackerTally.due_on.is_(None)).values(pending=TrackerTally.pending + 3),
        delete(TrackerTally).where(TrackerTally.due_on.is_not(None)),
        insert(TrackerTally).values(tracker="w01", site_key=SITE, blocked=2),
    ],
)
def test_the_nightly_check_repairs_what_is_wrong_and_says_so(make_ctx, session, damage):
    fill(session)
    session.execute(damage)
    session.commit()
    wrong = kept(session)

    dry = run(make_ctx, dry_run=True)
    session.rollback()
    assert (dry.status, dry.detail["repaired"]) == ("warning", False)
    assert kept(session) == wrong

    found = run(make_ctx)
    session.rollback()

    assert (found.status, found.detail["repaired"]) == ("warning", True)
    assert found.detail["differences"] == dry.detail["differences"]
    assert found.detail["difference_count"] == len(found.detail["differences"]) > 0
    assert kept(session) == counted(session)
    (entry,) = session.scalars(select(AuditLog).where(AuditLog.action == "tracker_tallies_repair"))
    assert entry.status == "warning"
    assert run(make_ctx).status == "success"


def test_a_difference_names_its_number(make_ctx, session):
    add_item(session, START, 1, site=SITE, due_at=None)
    session.commit()
    session.execute(update(TrackerTally).values(pending=4))
    session.commit()
    found = run(make_ctx)

    difference = {
        "tracker": "remediation",
        "site_key": SITE,
        "due_on": None,
        "name": "pending",
        "kept": 4,
        "counted": 1,
    }
    assert found.detail["differences"] == [difference]
