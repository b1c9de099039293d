"""Search: items by number and by words, the most urgent first, however many there are."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from console.core import i18n
from console.models.tracker import TrackerItem
from console.services.common.sql import contains
from console.services.home import search
from tests.factories import make_user
from tests.factories.tracker import add_item
from tests.factories.work_orders import add_asset, add_order
from tests.support.statements import statements


def found(ctx, text):
    return [hit.note for hit in search.find(ctx, text) if hit.kind == "item"]


@pytest.fixture
def add(session, clock):
    def one(number, **values):
        return add_item(session, clock.now(), number, **{"due_at": clock.now() + timedelta(hours=number), **values})

    return one


def test_the_number_of_an_item_finds_that_item_alone(ctx, add):
    add(7)
    add(70, item_name="after GR-007")

    assert found(ctx, "GR-7") == found(ctx, "gr-007") == ["GR-007"]


def test_the_beginning_of_a_number_finds_all_that_begin_like_it(ctx, add):
    for number in (2, 19, 20, 27, 200, 2000):
        add(number)
    add(28, is_active=False)

    assert found(ctx, "gr-02") == ["GR-002", "GR-020", "GR-027"]
    assert found(ctx, "GR-2") == ["GR-002", "GR-200", "GR-2000"]
    assert found(ctx, "GR") == ["GR-002", "GR-019", "GR-020", "GR-027", "GR-200", "GR-2000"]
    assert found(ctx, "GR-9") == found(ctx, "GRX") == []


def test_digits_find_the_number_first_and_then_texts(ctx, add):
    add(1, item_name="변전실 42호")
    add(42)

    assert found(ctx, "42") == ["GR-042", "GR-001"]


def test_the_most_urgent_come_first_and_closed_ones_last(ctx, add):
    add(1, item_name="pump", priority=3)
    add(2, item_name="pump", priority=1)
    add(3, item_name="pump", priority=1, is_active=False)

    assert found(ctx, "pump") == ["GR-002", "GR-001", "GR-003"]


@pytest.mark.parametrize("near", [0, 1, 3, 1000])
def test_the_answer_does_not_depend_on_how_many_are_looked_through_first(ctx, add, monkeypatch, near):
    monkeypatch.setattr(search, "NEAR", near)
    for number in range(1, 16):
        add(number, item_name="펌프" if number % 4 else "밸브", is_active=number < 12)

    assert found(ctx, "펌프") == [f"GR-{number:03d}" for number in (1, 2, 3, 5, 6, 7, 9, 10)]
    assert found(ctx, "밸브") == ["GR-004", "GR-008", "GR-012"]


def test_words_that_occur_often_are_found_without_reading_everything(ctx, add, engine):
    for number in range(1, 12):
        add(number, item_name="펌프 점검")

    with statements(engine) as seen:
        search.find(ctx, "펌프")

    # Twice for items, once for assets, for those of weeks, for whoever has them, for sites, for people; for orders once
    # for whose names have the words and once for all.
    assert len(seen) == 9


def test_items_of_other_sites_are_not_found(make_ctx, add):
    add(1, item_name="펌프", site="본관")
    add(2, item_name="펌프", site="별관")

    assert found(make_ctx("manager", ("본관",)), "펌프") == ["GR-001"]
    assert found(make_ctx("manager", ("본관",)), "GR-2") == []


@pytest.mark.parametrize(
    ("words", "matches"),
    [
        *(("PUMP", True), ("pump", True), ("p mp", False), ("p_mp", False), ("펌프", True), ("프 50", True)),
        *(("50%", True), ("0%a", False), ("a/b", True), ("/", True), ("%", True), ("_", False), ("없는말", False)),
    ],
)
def test_words_are_taken_literally_and_without_regard_to_case(session, clock, words, matches):
    add_item(session, clock.now(), 1, item_name="Pump 펌프 50% a/b")
    session.flush()

    assert bool(session.scalars(select(TrackerItem.id).where(contains(TrackerItem.item_name, words))).all()) is matches


def test_people_are_found_by_those_who_manage_them(ctx, make_ctx, session, clock):
    make_user(session, now=clock.now(), username="kim.minsu", display_name="김민수")

    assert [hit.note for hit in search.find(ctx, "KIM.MIN")] == ["kim.minsu"]
    assert [hit.title for hit in search.find(ctx, "민수")] == ["김민수"]
    assert search.find(make_ctx("operator"), "민수") == []


def test_a_person_is_found_by_what_they_have_to_do(ctx, make_ctx, session, clock, add):
    make_user(session, now=clock.now(), username="kim.minsu", display_name="김민수")
    add(1, assignee="kim.minsu", site="본관")
    add(2, assignee="kim.minsu", site="별관", is_active=False)

    assert found(ctx, "민수") == ["GR-001", "GR-002"]
    assert [hit.kind for hit in search.find(ctx, "민수")] == ["item", "item", "assignee", "user"]
    assert [hit.id for hit in search.find(make_ctx("operator", ("본관",)), "민수")] == [1, "kim.minsu"]
    assert search.find(make_ctx("operator", ("별관",)), "민수")[1:] == []


def test_a_site_is_found_with_its_items(ctx, make_ctx, add):
    add(1, site="해운대")

    assert found(ctx, "운대") == ["GR-001"]
    assert [hit.id for hit in search.find(make_ctx("operator", ("해운대", "본관")), "해운대")][1:] == ["해운대"]
    assert search.find(make_ctx("operator", ("본관",)), "해운대") == []


def test_first_consonants_find_items_people_and_sites(ctx, make_ctx, session, clock, add):
    make_user(session, now=clock.now(), username="kim.minsu", display_name="김민수")
    add(1, item_name="배전실 점검", site="해운대", assignee="kim.minsu")
    add(2, item_name="펌프 교체", site="본관")

    assert (
        found(ctx, "ㅂㅈㅅ") == found(ctx, "ㅂㅈㅅㅈㄱ") == found(ctx, "ㅎㅇㄷ") == found(ctx, "ㄱㅁㅅ") == ["GR-001"]
    )
    assert [hit.title for hit in search.find(ctx, "ㄱㅁㅅ")][1:] == ["김민수", "김민수"]
    assert [hit.title for hit in search.find(make_ctx("operator", ("해운대",)), "ㅎㅇㄷ")][1:] == ["해운대"]
    assert found(ctx, "ㅂㅈㅎ") == found(ctx, "ㅂ") == []


@pytest.mark.parametrize("words", ["출입 전", "before the shift", "BEFORE THE shift"])
def test_items_that_the_product_names_are_found_in_either_language(ctx, session, clock, words, monkeypatch):
    shown = {"Inspect before the shift begins": "출입 전에 점검"}
    monkeypatch.setattr(i18n, "translate", lambda locale, text: shown.get(text, text) if locale == "ko" else text)
    i18n.written_alike.cache_clear()
    add_item(session, clock.now(), 1, tracker="w02", item_name="Inspect before the shift begins")
    session.flush()

    hits = search.find(ctx, words)
    i18n.written_alike.cache_clear()

    assert [(hit.kind, hit.note, hit.week) for hit in hits] == [("week_item", "W02-001", "w02")]


def test_items_of_weeks_are_found_by_number_within_the_sites_of_the_reader(make_ctx, session, clock):
    for number, site in ((1, "본관"), (2, "별관"), (12, "본관")):
        add_item(session, clock.now(), number, tracker="w07", site=site, item_name="일")
    session.flush()

    def seen(text, *sites):
        return {hit.note for hit in search.find(make_ctx("manager", sites or ("*",)), text) if hit.kind == "week_item"}

    assert seen("w07") == seen("W07-0") == {"W07-001", "W07-002", "W07-012"}
    assert seen("W07-1") == seen("w07-001") == {"W07-001"}
    assert seen("w07", "별관") == {"W07-002"}
    assert seen("w08") == set()


def test_work_orders_are_found_by_number_words_and_asset_open_ones_first(make_ctx, session, clock):
    asset = add_asset(session, clock.now(), code="TR-07")
    done = add_order(session, clock.now(), title="변압기 소음", status="completed", completed_at=clock.now())
    late = add_order(session, clock.now(), title="소음 원인", asset_id=asset.id, due_at=clock.now())
    elsewhere = add_order(session, clock.now(), title="소음", site="별관")

    def seen(text, *sites):
        return [hit.id for hit in search.find(make_ctx("manager", sites or ("*",)), text) if hit.kind == "work_order"]

    assert seen("소음") == [late.id, elsewhere.id, done.id]
    assert seen("소음", "별관") == [elsewhere.id]
    assert seen("tr-07") == [late.id]
    assert done.id in seen(f"#{done.id}")
    assert seen("ㅂㅇㄱ") == [late.id, done.id]


def test_eight_open_orders_leave_no_room_for_closed_ones(ctx, session, clock):
    for number in range(10):
        add_order(session, clock.now(), title=f"누수 {number}", due_at=clock.now() + timedelta(hours=10 - number))
    add_order(session, clock.now(), title="누수", status="canceled")

    hits = [hit.title for hit in search.find(ctx, "누수") if hit.kind == "work_order"]

    assert hits == [f"누수 {number}" for number in range(9, 1, -1)]
