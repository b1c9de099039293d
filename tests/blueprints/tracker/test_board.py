"""The board: what it shows to whom, the same with and without script, and its filters."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from console.models.identity import User
from console.models.tracker import TrackerItem
from tests.blueprints.tracker.board_support import OTHER, PARTIAL, SITE, csv_of, shown
from tests.services.tracker.tracker_support import synced


def test_board_and_table_show_the_same_items(browser_client, items):
    client = browser_client("manager")
    board, table = client.get("/board"), client.get("/board?view=table")

    assert (board.status_code, table.status_code) == (200, 200)
    assert set(shown(board)) == set(shown(table)) == set(range(1, 11))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "blocked"}, {2, 6, 10}),
        ({"site": SITE}, {1, 4, 7, 10}),
        ({"unassigned": "1"}, {2, 4, 6, 8, 10}),
        ({"assignee": "lee"}, {1, 3, 5, 7, 9}),
        ({"due": "overdue"}, {1, 2}),
        ({"critical": "1"}, {4}),
        ({"unchecked": "1"}, {1, 2, 4, 5, 6, 8, 9, 10}),
        ({"q": "할 일 7"}, {7}),
        ({"platform": "1"}, {3, 6, 9}),
        ({"status": ["blocked", "done"], "site": OTHER}, {2, 8} - {8} | {2}),
        ({"status": "nothing", "q": "x"}, None),
    ],
)
@pytest.mark.parametrize("view", ["board", "table"])
def test_board_table_csv_and_counts_obey_the_same_address(browser_client, items, query, expected, view):
    client = browser_client("manager")
    page = client.get("/board", query_string={**query, "view": view})
    if expected is None:
        assert page.status_code == 422
        return
    if query.get("site") == OTHER:
        expected = {number for number in range(1, 11) if number % 3 == 2 and number % 4 in (2, 3)}
    exported = client.get("/board/items.csv", query_string=query)
    table = csv_of(exported)

    assert set(shown(page)) == expected
    assert {int(row["item_id"][3:]) for row in table} == expected


@pytest.mark.parametrize("query", [{}, {"status": "done"}])
def test_the_csv_of_chosen_rows_holds_exactly_them_in_the_order_of_the_list(browser_client, items, query):
    client = browser_client("manager", (SITE,))
    found = csv_of(client.get("/board/items.csv", query_string={"sort": "-item_id"}))
    chosen = [row["id"] for row in found[:3]]
    elsewhere = items[1:10:3]

    exported = client.get("/board/items.csv", query_string={**query, "sort": "-item_id", "ids": [*chosen, *elsewhere]})

    assert [row["id"] for row in csv_of(exported)] == chosen
    assert len(found) > len(chosen)


def test_a_fragment_is_the_very_part_of_the_page(browser_client, items):
    client = browser_client("manager")
    for address in ("/board", "/board?view=table&status=pending"):
        page, fragment = client.get(address), client.get(address, headers=PARTIAL)

        assert fragment.text.strip().startswith("<section")
        assert fragment.text.strip() in page.text
        assert "HX-Request-Type" in page.headers["Vary"]


def test_failing_rules_lead_to_exactly_their_rows(browser_client, items):
    client = browser_client("manager")
    page = client.get("/board", headers={"Accept-Language": "en"}).text
    found = re.findall(r'<li class="late">.*?<a href="([^"]+)">(?:[^<]*): (\d+)</a>', page, re.DOTALL)

    assert len(found) == 7
    for address, count in found:
        rows = client.get(address.replace("&amp;", "&"))
        assert len(shown(rows)) == int(count), address


def test_an_item_has_its_own_page_and_drawer(browser_client, items):
    client = browser_client("manager")
    address = f"/board/items/{items[3]}?status=pending"
    page, drawer = client.get(address), client.get(address, headers=PARTIAL)

    assert drawer.text.strip().startswith("<aside")
    assert "<aside" in page.text
    assert set(shown(page)) >= {4, 8}
    assert 'href="/board?status=pending"' in drawer.text
    assert client.get("/board/items/9999").status_code == 404


@pytest.mark.parametrize("view", ["board", "table"])
def test_an_item_of_somebody_who_cannot_work_on_it_is_marked_and_found(browser_client, session, items, view):
    session.execute(update(User).where(User.username == "lee").values(is_active=False))
    session.commit()
    client = browser_client("manager", language="en")

    marked = client.get(f"/board?view={view}&stranded=1").text
    drawer = client.get(f"/board/items/{items[0]}", headers=PARTIAL).text

    assert marked.count("The account of 이정비 is switched off") >= 4
    assert "Nobody works on it" in drawer


@pytest.mark.parametrize("view", ["board", "table"])
def test_what_automation_calls_in_progress_is_not_said_to_be_begun(browser_client, session, items, clock, view):
    """The contract stores it as in progress; people see that nobody has begun until its assignee does."""
    given = update(TrackerItem).where(TrackerItem.status == "in_progress")
    session.execute(given.values(assignment_source="auto", assigned_at=clock.now(), accepted_at=None))
    begun = update(TrackerItem).where(TrackerItem.id == items[4], TrackerItem.status == "in_progress")
    assert session.execute(begun.values(accepted_at=clock.now())).rowcount == 1
    session.commit()

    text = browser_client("manager", language="en").get(f"/board?view={view}").text

    assert text.count("assigned, not begun") == 2


@pytest.mark.parametrize(
    ("role", "may_write", "may_manage"),
    [("owner", True, True), ("manager", True, True), ("operator", True, False), ("auditor", False, False)],
)
def test_a_reader_is_offered_what_they_may_do(browser_client, items, role, may_write, may_manage):
    page = browser_client(role).get("/board").text

    assert ("draggable" in page) == may_write
    assert ('href="/board/new"' in page) == may_write
    assert ('action="/board/sync"' in page) == may_manage
    assert ('action="/board/complete"' in page) == may_manage


def test_people_of_one_site_see_and_change_no_other(browser_client, session, items):
    client = browser_client("operator", (SITE,))

    assert set(shown(client.get("/board"))) == {number for number in range(1, 11) if number % 3 != 2}
    assert client.get("/board", query_string={"site": OTHER}).status_code == 403
    assert client.get("/board/items.csv", query_string={"site": OTHER}).status_code == 403
    for path in (f"/board/items/{items[1]}", f"/board/items/{items[1]}/inline?field=status"):
        assert client.get(path, headers=PARTIAL).status_code == 403
    assert client.post(f"/board/items/{items[1]}", data={"status": "done"}, headers=PARTIAL).status_code == 403


def test_an_empty_board_says_why_and_what_to_do(browser_client, session):
    client = browser_client("manager")

    assert "k-empty" in client.get("/board").text
    assert "all=1" in client.get("/board?q=nothing&status=done").text


@pytest.mark.parametrize(("language", "word"), [("ko", "조치 보드"), ("en", "Remediation board")])
def test_the_board_speaks_the_language_of_its_reader(browser_client, ctx, items, language, word):
    synced(ctx, "dr_restore_valid_recent")
    client = browser_client("manager")
    page = client.get("/board", headers={"Accept-Language": language}).text

    assert word in page
    assert ("복구" in page) == (language == "ko")


def test_nothing_on_the_board_is_inline_script_or_style(browser_client, items):
    client = browser_client("manager")
    for address in ("/board", "/board?view=table", f"/board/items/{items[3]}", "/board/new", "/board/history"):
        answer = client.get(address)
        assert answer.status_code == 200
        page = answer.text
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\bsrc=)", page), address


def test_the_table_shows_the_worst_first_and_says_so(browser_client, items, session, clock):
    client, now = browser_client("manager"), clock.now()
    hours = {1: 5, 2: -1, 3: -30, 4: -90, 5: 2, 6: 999, 7: -2, 8: -500, 9: 1, 10: 900}
    for number, late in hours.items():
        changed = {"due_at": now + timedelta(hours=late), "priority": number % 3}
        session.execute(update(TrackerItem).where(TrackerItem.number == number).values(changed))
    session.commit()

    page = client.get("/board?view=table")

    # Numbers 3 and 7 are done.
    assert shown(page) == [8, 4, 2, 9, 5, 1, 10, 6, 3, 7]
    assert page.text.count("aria-sort") == 1
    heading = re.search(r'<th scope="col"[^>]*aria-sort="ascending">(.*?)</th>', page.text, re.DOTALL)[1]
    assert "sort=-due_at" in heading
    assert "svg" in heading
    exported = client.get("/board/items.csv?view=table&columns=item_id").data.decode("utf-8-sig").split()
    assert [int(line[3:]) for line in exported[1:]] == [8, 4, 2, 9, 5, 1, 10, 6, 3, 7]
    turned = client.get("/board?view=table&sort=-due_at").text
    assert 'aria-sort="descending"' in turned
    assert turned.count("aria-sort") == 1


def test_the_rule_is_a_column_that_one_chooses(browser_client, items):
    client = browser_client("manager", language="en")

    assert "sort=rule_status" not in client.get("/board?view=table").text
    assert "sort=rule_status" in client.get("/board?view=table&columns=item_id,rule_status").text
