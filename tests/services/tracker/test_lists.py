from dataclasses import asdict, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, event, text

from console.core.listing import ListQuery
from console.domain.days import day_of
from console.domain.errors import Invalid, PermissionDenied, SiteDenied
from console.domain.tracker.requests import ItemChange
from console.domain.tracker.tracker import REMEDIATION, CountedItem, tally
from console.services.common import lists
from console.services.home import activity
from console.services.tracker import board as tracker_board
from console.services.tracker import lists as tracker_lists
from console.services.tracker import summary as tracker
from console.services.tracker.columns import spec
from console.services.tracker.items import change
from tests.factories import make_user
from tests.factories.tracker import HOUR, add_item

SITE, OTHER = "한빛마을 3단지", "푸른숲 타워"


@pytest.fixture
def mixed(session, clock):
    """Twelve items in every state, on two sites and the platform."""
    now = clock.now()
    kim = make_user(session, now=now, username="kim", display_name="김정비")
    rows = [
        add_item(session, now, 1, priority=1, required=True, rule_status="fail", due_at=now - HOUR),
        add_item(session, now, 2, priority=2, rule_status="fail", status="in_progress", assignee="kim"),
        add_item(session, now, 3, priority=4, status="blocked", site=SITE, assignee="lee", due_at=now + 30 * HOUR),
        add_item(session, now, 4, priority=4, status="done", site=SITE, assignee="kim"),
        add_item(session, now, 5, priority=4, site=OTHER, due_at=now - 48 * HOUR, owner_role="DR Owner"),
        add_item(session, now, 6, priority=4, site=OTHER, status="done", is_active=False),
        add_item(session, now, 7, priority=4, item_type="manual", item_name="100% 점검_표", site=SITE),
        add_item(session, now, 8, priority=3, assignee="kim", due_at=now + 3 * HOUR),
    ]
    for row in rows:
        if row.assignee == "kim":
            row.assignee_user_id = kim.id
    session.commit()
    return rows


def numbers(items):
    return [int(item.item_id[3:]) for item in items]


def listed(ctx, search="", **filters):
    query = ListQuery(filters={key: tuple(words) for key, words in filters.items()}, search=search)
    found = tracker_lists.slice_of(ctx, REMEDIATION, query, limit=500, offset=0)
    assert len(found.items) == found.total
    return numbers(found.items)


def test_a_cursor_counts_all_and_gives_the_rows_behind_it(ctx, mixed):
    declared = spec(REMEDIATION, ctx.now())
    newest = (declared.key.desc(),)
    seventh = mixed[6].id

    found = lists.slice_of(ctx, declared, ListQuery(), limit=5, offset=4, order=newest, cursor=seventh)

    assert (numbers(found.items), found.total) == ([1], 7)


def test_the_order_is_active_first_then_priority_deadline_and_id(ctx, mixed):
    assert listed(ctx) == [1, 2, 8, 5, 4, 7, 3]
    assert listed(ctx, state=["all"]) == [1, 2, 8, 5, 4, 7, 3, 6]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"status": ["pending"]}, [1, 8, 5, 7]),
        ({"status": ["blocked", "done"]}, [4, 3]),
        ({"site": [SITE]}, [4, 7, 3]),
        ({"platform": ["1"]}, [1, 2, 8]),
        ({"site": [SITE, OTHER]}, [5, 4, 7, 3]),
        ({"assignee": ["kim"]}, [2, 8, 4]),
        ({"unassigned": ["1"]}, [1, 5, 7]),
        ({"due": ["overdue"]}, [1, 5]),
        ({"due": ["due_soon"]}, [2, 8, 7]),
        ({"due": ["overdue", "due_soon"]}, [1, 2, 8, 5, 7]),
        ({"rule_status": ["fail"]}, [1, 2]),
        ({"priority": ["1", "3"]}, [1, 8]),
        ({"priority": ["x"]}, []),
        ({"owner_role": ["DR Owner"]}, [5]),
        ({"critical": ["1"]}, [1]),
        ({"unchecked": ["1"]}, [1, 2, 8, 5, 7, 3]),
        ({"state": ["closed"]}, [6]),
        ({"status": ["pending"], "site": [OTHER]}, [5]),
    ],
)
def test_filters_narrow_the_list(ctx, mixed, filters, expected):
    assert listed(ctx, **filters) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("gr-003", [3]),
        ("7", [7]),
        ("repair RULE 5", [5]),
        ("100% 점검_", [7]),
        ("100%x", []),
        ("kim", [2, 8, 4]),
        ("rule_3", [3]),
    ],
)
def test_the_search_looks_at_number_texts_and_assignee(ctx, mixed, words, expected):
    assert listed(ctx, search=words) == expected


@pytest.mark.parametrize("filters", [{"status": ["nonsense"]}, {"due": ["soon"]}, {"unassigned": ["maybe"]}])
def test_a_word_that_is_no_choice_is_refused(ctx, mixed, filters):
    with pytest.raises(Invalid):
        listed(ctx, **filters)


def test_the_scope_hides_other_sites_but_not_the_platform(make_ctx, mixed):
    scoped = make_ctx("operator", (SITE,))

    assert listed(scoped) == [1, 2, 8, 4, 7, 3]
    with pytest.raises(SiteDenied):
        listed(scoped, site=[OTHER])
    assert listed(make_ctx("operator", ())) == [1, 2, 8]


def test_pages_are_slices_of_the_same_order(ctx, mixed):
    pages = [tracker_lists.slice_of(ctx, REMEDIATION, ListQuery(), limit=3, offset=offset) for offset in (0, 3, 6, 9)]

    assert [numbers(found.items) for found in pages] == [[1, 2, 8], [5, 4, 7], [3], []]
    assert {found.total for found in pages} == {7}
    table = tracker_lists.page(ctx, REMEDIATION, ListQuery(per_page=3, page=2))
    assert (numbers(table.rows), table.total, table.pages) == ([5, 4, 7], 7, 3)


@pytest.mark.parametrize("filters", [{}, {"state": ("all",)}, {"status": ("pending",)}, {"due": ("overdue",)}])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 50])
def test_every_place_of_the_order_is_on_one_page_from_whichever_end_it_is_reached(ctx, mixed, session, filters, size):
    mixed[3].due_at = mixed[6].due_at = None
    session.commit()
    query = ListQuery(filters=filters, per_page=size)
    everything = numbers(tracker_lists.stream(ctx, REMEDIATION, query))

    slices = [
        numbers(tracker_lists.slice_of(ctx, REMEDIATION, query, limit=size, offset=offset).items)
        for offset in range(len(everything) + 2)
    ]
    pages = [tracker_lists.page(ctx, REMEDIATION, replace(query, page=page)) for page in range(1, len(everything) + 2)]

    assert slices == [everything[offset : offset + size] for offset in range(len(everything) + 2)]
    assert [numbers(page.rows) for page in pages] == [
        everything[(page.query.page - 1) * size : page.query.page * size] for page in pages
    ]


@pytest.mark.parametrize(
    ("sort", "descending", "expected"), [("item_id", False, [1, 2, 3, 4]), ("due_at", True, [3, 7, 4, 2])]
)
def test_the_table_is_ordered_as_asked(ctx, mixed, sort, descending, expected):
    found = tracker_lists.page(ctx, REMEDIATION, ListQuery(sort=sort, descending=descending))

    assert numbers(found.rows)[:4] == expected


def test_the_export_streams_the_same_rows_in_the_same_order(ctx, mixed):
    query = ListQuery(filters={"status": ("pending",)})

    assert numbers(tracker_lists.stream(ctx, REMEDIATION, query)) == listed(ctx, status=["pending"])


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (ListQuery(filters={"state": ("active",)}), "ix_tracker_items_order"),
        (ListQuery(filters={"state": ("closed",)}), "ix_tracker_items_order"),
        (ListQuery(filters={"state": ("all",)}), "ix_tracker_items_order"),
        # As the table has them: the worst first.
        (ListQuery(columns=("title",)), "ix_tracker_items_worst"),
    ],
)
def test_the_export_begins_with_its_first_row_instead_of_a_sort(ctx, mixed, query, index):
    plan: list[str] = []

    def explain(connection, _cursor, statement, parameters, *_more):
        how = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        cursor = connection.connection.cursor()
        plan.extend(str(row[-1]) for row in cursor.execute(f"{how} {statement}", parameters).fetchall())

    if ctx.session.get_bind().dialect.name == "postgresql":
        # So few rows it would rather read at once.
        for other in ("seqscan", "bitmapscan", "sort", "incremental_sort"):
            ctx.session.execute(text(f"SET LOCAL enable_{other} = off"))
    event.listen(Engine, "before_cursor_execute", explain)
    try:
        list(tracker_lists.stream(ctx, REMEDIATION, query))
    finally:
        event.remove(Engine, "before_cursor_execute", explain)

    assert any(index in line for line in plan)
    assert not any("Sort" in line or "TEMP B-TREE" in line for line in plan)


def test_the_board_shows_the_same_rows_by_status(ctx, mixed):
    board = tracker_board.board(ctx, REMEDIATION, ListQuery())

    assert [(column.status, column.count, numbers(column.items)) for column in board.columns] == [
        ("pending", 4, [1, 8, 5, 7]),
        ("in_progress", 1, [2]),
        ("blocked", 1, [3]),
        ("done", 1, [4]),
    ]
    assert board.total == 7


def test_the_board_caps_its_columns_and_expands_one(ctx, session, clock):
    for number in range(1, 21):
        add_item(session, clock.now(), number)
    pending = tracker_board.board(ctx, REMEDIATION, ListQuery()).columns[0]
    expanded = tracker_board.board(ctx, REMEDIATION, ListQuery(), expand="pending").columns[0]

    assert (pending.count, len(pending.items), pending.hidden) == (20, tracker_board.COLUMN_LIMIT, 5)
    assert (len(expanded.items), expanded.hidden, expanded.following) == (20, 0, 0)


@pytest.mark.parametrize(
    ("expand", "shown", "following", "further"),
    [
        ("", 2, 3, "pending"),
        ("done", 2, 3, "pending"),
        ("pending", 5, 3, "pending.2"),
        ("pending.x", 5, 3, "pending.2"),
        ("pending.0", 5, 3, "pending.2"),
        ("pending.2", 8, 2, "pending.3"),
        ("pending.3", 10, 0, "pending.4"),
        ("pending.99999999999999999999", 5, 3, "pending.2"),
    ],
)
def test_a_column_grows_by_steps(ctx, session, clock, monkeypatch, expand, shown, following, further):
    monkeypatch.setattr(tracker_board, "COLUMN_LIMIT", 2)
    monkeypatch.setattr(tracker_board, "COLUMN_STEP", 3)
    for number in range(1, 11):
        add_item(session, clock.now(), number)

    column = tracker_board.board(ctx, REMEDIATION, ListQuery(), expand=expand).columns[0]

    assert (len(column.items), column.following, column.further) == (shown, following, further)


def test_after_its_last_step_a_column_has_a_rest(ctx, session, clock, monkeypatch):
    monkeypatch.setattr(tracker_board, "COLUMN_LIMIT", 2)
    monkeypatch.setattr(tracker_board, "COLUMN_STEP", 3)
    monkeypatch.setattr(tracker_board, "COLUMN_STEPS", 2)
    for number in range(1, 11):
        add_item(session, clock.now(), number)

    column = tracker_board.board(ctx, REMEDIATION, ListQuery(), expand="pending.3").columns[0]

    assert (len(column.items), column.hidden, column.following) == (8, 2, 0)


def test_the_board_under_a_status_filter_has_that_column_only(ctx, mixed):
    board = tracker_board.board(ctx, REMEDIATION, ListQuery(filters={"status": ("blocked",)}))

    assert [column.status for column in board.columns] == ["blocked"]


def test_loads_name_who_has_most_open_items(ctx, mixed):
    assert [asdict(load) for load in tracker_board.loads(ctx, REMEDIATION)] == [
        {"assignee": "kim", "name": "김정비", "open_items": 2},
        {"assignee": "lee", "name": "lee", "open_items": 1},
    ]
    assert [load.assignee for load in tracker_board.loads(ctx, REMEDIATION, SITE)] == ["lee"]


def test_sql_counts_what_the_domain_counts_one_by_one(ctx, make_ctx, mixed, clock):
    for actor, rows in (
        (ctx, mixed),
        (make_ctx("operator", (SITE,)), [row for row in mixed if row.site in (None, SITE)]),
    ):
        items = [
            CountedItem(
                status=row.status,
                completion_checked=row.completion_checked,
                assignee=row.assignee,
                rule_status=row.rule_status,
                required=row.required,
                due_at=row.due_at,
                is_active=row.is_active,
            )
            for row in rows
        ]
        assert tracker.tally(actor, REMEDIATION, clock.now(), closed=True) == tally(items, clock.now())


def test_overview_and_readiness_of_one_site(ctx, make_ctx, mixed):
    assert tracker.overview(ctx, site=SITE).total_items == 3
    assert tracker.readiness(ctx, site=SITE).blocker_codes[:2] == ("pending", "blocked")
    with pytest.raises(SiteDenied):
        tracker.overview(make_ctx("operator", (OTHER,)), site=SITE)


def test_a_tracker_that_was_never_synced_says_so(ctx):
    state = tracker.readiness(ctx)

    assert (state.never_synced, state.ready, state.readiness_score_percent, state.stale) == (True, False, 0, True)
    assert state.blocker_codes == ("never_synced",)


def test_my_items_are_mine_with_the_most_urgent_first(make_ctx, session, mixed):
    kim = make_ctx("operator", username="kim", user_id=mixed[1].assignee_user_id)
    mine = tracker_lists.my_items(kim)

    assert numbers(mine.assigned) == [8, 2]
    assert (mine.assigned_total, mine.late, mine.due_soon) == (2, 0, 2)
    assert numbers(mine.claimable) == [5, 1, 7]
    assert mine.claimable_total == 3


def test_what_is_due_today_ends_with_the_day_of_the_business(make_ctx, session, clock):
    _start, ends = day_of(clock.now(), ZoneInfo("Asia/Seoul"))
    yun_id = make_user(session, now=clock.now(), username="yun").id
    mine = {"site": SITE, "assignee": "yun", "assignee_user_id": yun_id}
    for number, due in enumerate((clock.now() - HOUR, ends - timedelta(seconds=1), ends), start=50):
        add_item(session, clock.now(), number, due_at=due, **mine)
    session.commit()

    yun = make_ctx("operator", username="yun", user_id=yun_id)
    assert tracker_lists.my_items(yun).due_today == 2
    assert activity.figures(yun).my_work == 2


def test_nobody_is_offered_what_they_may_not_take(make_ctx, mixed):
    assert tracker_lists.my_items(make_ctx("auditor")).claimable == ()


def test_the_summary_counts_what_is_late_and_unassigned(ctx, mixed, clock):
    summary = tracker.board_summary(ctx)

    assert (summary.open, summary.late, summary.unassigned) == (6, 2, 3)
    assert [count for _day, count in summary.finished_by_day] == [0] * 7


def test_the_summary_counts_an_open_item_without_a_deadline(ctx, mixed, session):
    mixed[0].due_at = mixed[7].due_at = None
    session.commit()

    summary = tracker.board_summary(ctx)

    assert (summary.open, summary.late, summary.unassigned) == (6, 1, 3)


def test_throughput_counts_work_by_the_day_of_the_business_zone(ctx, session, clock):
    items = [add_item(session, clock.now(), number) for number in range(1, 5)]
    change(ctx, items[0].id, ItemChange(status="done"))
    clock.advance(timedelta(hours=14))  # 23:00 in Seoul, still the same day there
    change(ctx, items[1].id, ItemChange(status="done"))
    clock.advance(timedelta(hours=2))  # 01:00 of the next day in Seoul
    change(ctx, items[2].id, ItemChange(status="done"))
    summary = tracker.board_summary(ctx)

    assert [count for _day, count in summary.finished_by_day][-2:] == [2, 1]
    assert summary.throughput_per_day == 0.4


def test_lists_want_the_permission(make_ctx, mixed):
    stranger = make_ctx("operator", permissions=(), grants=frozenset())
    for attempt in (
        lambda: tracker_lists.slice_of(stranger, REMEDIATION, ListQuery(), limit=1, offset=0),
        lambda: tracker_lists.stream(stranger, REMEDIATION, ListQuery()),
        lambda: tracker_board.board(stranger, REMEDIATION, ListQuery()),
        lambda: tracker.overview(stranger),
        lambda: tracker.readiness(stranger),
        lambda: tracker.board_summary(stranger),
    ):
        with pytest.raises(PermissionDenied):
            attempt()
