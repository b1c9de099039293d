"""The board: what it shows, the same with and without script, its filters, changes and conflicts."""

import csv
import io
import json
import re

import pytest
from sqlalchemy import select, update

from console.domain.tracker.requests import ItemChange
from console.models.identity import User
from console.models.jobs import JobRun
from console.models.tracker import TrackerItem
from console.services.tracker import items as tracker_items
from tests.blueprints.tracker.board_support import OTHER, SITE
from tests.factories import make_user
from tests.services.tracker.tracker_support import synced

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


def shown(response):
    """The numbers of the items in an answer, in their order."""
    found = re.findall(r"GR-(\d{3})</span>", response.text)
    return [int(number) for number in dict.fromkeys(found)]


def heard(response):
    return json.loads(response.headers.get("HX-Trigger", "{}"))


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
    table = list(csv.DictReader(io.StringIO(exported.text, newline="")))

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


@pytest.mark.parametrize("ids", ["x", "-1", "9" * 5000, "1.5"])
def test_chosen_rows_are_numbers(browser_client, items, ids):
    client = browser_client("manager")

    assert client.get("/board/items.csv", query_string={"ids": ids}).status_code == 422
    assert client.post("/board/bulk", data={"action": "assign", "ids": ids}).status_code == 422


@pytest.mark.parametrize(("lang", "words"), [("ko", "기한을 입력해 주십시오"), ("en", "A due date is needed")])
def test_a_refused_field_is_told_in_a_sentence_of_the_reader(browser_client, items, lang, words):
    client = browser_client("manager")
    client.set_cookie("lang", lang)

    refused = client.post("/board/bulk/apply", data={"action": "due", "ids": items[0]}, headers=PARTIAL)

    assert refused.status_code == 422
    assert words in refused.text
    assert f"due_at: {words}" not in refused.text


def csv_of(answer):
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


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


def test_a_change_in_the_drawer_answers_with_toast_undo_and_refresh(browser_client, session, items, clock):
    client = browser_client("manager")
    answer = client.post(
        f"/board/items/{items[3]}",
        data={"from": "drawer", "version": "1", "assignee": "lee", "status": "in_progress", "completion_note": "시작"},
        headers=PARTIAL,
    )
    said = heard(answer)

    assert answer.status_code == 200
    assert "tracker-changed" in said
    assert said["toast"]["undo"] == "/board/undo"
    row = session.get(TrackerItem, items[3])
    assert (row.assignee, row.status, row.completion_note, row.version) == ("lee", "in_progress", "시작", 2)

    undone = client.post("/board/undo", data={"token": said["toast"]["token"]}, headers=PARTIAL)
    session.rollback()
    row = session.get(TrackerItem, items[3])
    assert undone.status_code == 200
    assert (row.assignee, row.status, row.completion_note) == (None, "pending", "")


def test_without_script_a_change_ends_on_the_page_with_its_message(browser_client, session, items):
    client = browser_client("manager")
    answer = client.post(f"/board/items/{items[3]}?view=table", data={"version": "1", "status": "done"})

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/board/items/{items[3]}?view=table")
    assert "GR-004" in client.get(answer.headers["Location"]).text
    assert session.get(TrackerItem, items[3]).status == "done"


def test_a_new_due_date_is_read_in_the_readers_zone_and_needs_a_reason(browser_client, session, items, clock):
    client = browser_client("manager")
    sent = {"from": "drawer", "version": "1", "due_was": "", "due_at": "2026-03-09T18:00"}
    refused = client.post(f"/board/items/{items[3]}", data=sent, headers=PARTIAL)
    assert refused.status_code == 422
    assert 'value="2026-03-09T18:00"' in refused.text
    assert "error-summary" in refused.text

    client.post(f"/board/items/{items[3]}", data={**sent, "reason": "부품 대기"}, headers=PARTIAL)
    assert session.get(TrackerItem, items[3]).due_at.isoformat() == "2026-03-09T09:00:00+00:00"


def test_an_untouched_due_date_is_not_moved_by_its_seconds(browser_client, session, items, clock):
    client = browser_client("manager")
    row = session.get(TrackerItem, items[3])
    row.due_at = row.due_at.replace(second=31)
    session.commit()
    form = client.get(f"/board/items/{items[3]}", headers=PARTIAL).text
    was = re.search(r'name="due_was"[^>]*value="([^"]+)"', form)[1]

    answer = client.post(
        f"/board/items/{items[3]}",
        data={"from": "drawer", "version": "1", "due_was": was, "due_at": was, "completion_note": "x"},
        headers=PARTIAL,
    )
    session.rollback()
    row = session.get(TrackerItem, items[3])
    assert answer.status_code == 200
    assert (row.due_at.second, row.due_changed_at, row.completion_note) == (31, None, "x")


def test_a_conflict_shows_both_versions_and_keeps_what_was_typed(browser_client, session, ctx, items):
    client = browser_client("manager")
    tracker_items.change(ctx, items[3], ItemChange(status="blocked", completion_note="theirs"))
    ctx.commit()
    sent = {"from": "drawer", "version": "1", "status": "done", "completion_note": "mine"}

    answer = client.post(f"/board/items/{items[3]}", data=sent, headers=PARTIAL)

    assert answer.status_code == 409
    assert ">mine</textarea>" in answer.text.replace("\r\n", "")
    assert "<ins>mine</ins>" in answer.text
    assert "<del>theirs</del>" in answer.text
    assert 'name="version" type="hidden" value="2"' in answer.text
    again = client.post(f"/board/items/{items[3]}", data={**sent, "version": "2"}, headers=PARTIAL)
    assert again.status_code == 200
    session.rollback()
    assert session.get(TrackerItem, items[3]).completion_note == "mine"


def test_a_moved_card_that_somebody_moved_before_comes_back_with_a_word(browser_client, ctx, items):
    client = browser_client("manager")
    tracker_items.change(ctx, items[3], ItemChange(status="blocked"))
    ctx.commit()

    answer = client.post(
        f"/board/items/{items[3]}", data={"from": "inline", "version": "1", "status": "done"}, headers=PARTIAL
    )

    assert answer.status_code == 409
    assert heard(answer)["toast"]["kind"] == "error"
    assert "tracker-changed" in heard(answer)
    assert answer.headers["HX-Reswap"] == "none"


@pytest.mark.parametrize("field", ["assignee", "status", "due_at"])
def test_one_field_can_be_edited_in_its_place(browser_client, items, field):
    client = browser_client("manager")
    answer = client.get(f"/board/items/{items[3]}/inline?field={field}", headers=PARTIAL)

    assert answer.status_code == 200
    assert f'name="{field}"' in answer.text
    plain = client.get(f"/board/items/{items[3]}/inline?field={field}")
    assert (plain.status_code, plain.headers["Location"]) == (303, f"/board/items/{items[3]}")


def test_only_people_who_may_work_on_it_are_offered(browser_client, session, items, clock):
    for username, role, sites, active in (
        ("auditor1", "auditor", ("*",), True),
        ("gone", "operator", ("*",), False),
        ("elsewhere", "operator", (OTHER,), True),
        ("here", "operator", (SITE,), True),
    ):
        make_user(session, now=clock.now(), username=username, role=role, site_scope=sites, is_active=active)
    session.commit()
    client = browser_client("manager")
    at_site = client.get(f"/board/items/{items[0]}/inline?field=assignee", headers=PARTIAL).text

    assert [name for name in ("auditor1", "gone", "elsewhere", "here") if f'value="{name}"' in at_site] == ["here"]


def test_taking_commenting_and_adding(browser_client, session, items):
    client = browser_client("manager")
    taken = client.post(f"/board/items/{items[3]}/claim", headers=PARTIAL)
    assert taken.status_code == 200
    assert client.post(f"/board/items/{items[3]}/claim", headers=PARTIAL).status_code == 409
    commented = client.post(f"/board/items/{items[3]}/comments", data={"text": "사진 <b>참고</b>"}, headers=PARTIAL)
    assert "사진 &lt;b&gt;참고&lt;/b&gt;" in commented.text
    assert client.post(f"/board/items/{items[3]}/comments", data={"text": " "}, headers=PARTIAL).status_code == 422

    assert client.get("/board/new").status_code == 200
    refused = client.post("/board/new", data={"title": "", "sla_hours": "0", "priority": "4"})
    assert refused.status_code == 422
    assert "이 항목은 필수입니다." in refused.text
    assert "This field" not in refused.text
    added = client.post("/board/new", data={"title": "점검표 갱신", "site": SITE, "sla_hours": "8", "priority": "2"})
    assert added.status_code == 303
    row = session.scalars(select(TrackerItem).order_by(TrackerItem.id.desc())).first()
    assert (row.item_name, row.site, row.item_type, row.sla_hours, row.number) == ("점검표 갱신", SITE, "manual", 8, 11)


def test_a_bulk_action_tells_before_and_after(browser_client, session, items):
    client = browser_client("manager")
    asked = client.post(
        "/board/bulk", data={"action": "assign", "ids": [str(one) for one in items[:3]]}, headers=PARTIAL
    )
    assert asked.status_code == 200
    assert "data-open" in asked.text
    chosen = {"action": "assign", "value": "lee", "ids": [str(one) for one in items[:3]]}
    counted = client.post("/board/bulk/count", data=chosen, headers={**PARTIAL, "Accept-Language": "en"})
    assert "1 of 3 would change" in counted.text
    done = client.post("/board/bulk/apply", data=chosen, headers={**PARTIAL, "Accept-Language": "en"})
    assert heard(done)["toast"]["message"] == "Changed: 1 · as wanted already: 2"
    assert session.get(TrackerItem, items[1]).assignee == "lee"
    client.post("/board/bulk/apply", data={**chosen, "value": "-"}, headers=PARTIAL)
    session.rollback()
    assert session.get(TrackerItem, items[1]).assignee is None


def test_a_bulk_action_leaves_out_who_cannot_work_there(browser_client, session, items, clock):
    make_user(session, now=clock.now(), username="here", display_name="여기", site_scope=(SITE,))
    session.commit()
    client, english = browser_client("manager"), {**PARTIAL, "Accept-Language": "en"}
    chosen = {"action": "assign", "ids": [str(one) for one in items[:3]]}

    asked = client.post("/board/bulk", data=chosen, headers=english).text
    told = client.post("/board/bulk/count", data={**chosen, "value": "here"}, headers=english).text
    done = client.post("/board/bulk/apply", data={**chosen, "value": "here"}, headers=english)

    assert "여기 (sees 2 of 3)" in asked
    assert "would change" not in asked
    assert "2 of 3 would change" in told
    assert f"여기 does not see {OTHER}" in told
    assert f"여기 does not see {OTHER}" in done.text
    assert 'action="/board/undo"' in done.text
    session.rollback()
    held = [session.get(TrackerItem, one) for one in items[:3]]
    assert {(one.site, one.assignee) for one in held} == {(SITE, "here"), (OTHER, None), (None, "here")}


def test_no_form_gives_an_item_to_somebody_who_never_sees_it(browser_client, session, items, clock):
    make_user(session, now=clock.now(), username="here", site_scope=(SITE,))
    session.commit()
    client = browser_client("manager")
    elsewhere = items[1]  # at the other site

    changed = client.post(f"/board/items/{elsewhere}", data={"assignee": "here", "from": "inline"}, headers=PARTIAL)
    added = client.post(
        "/board/new", data={"title": "x", "site": OTHER, "assignee": "here", "sla_hours": "8", "priority": "2"}
    )

    assert (changed.status_code, added.status_code) == (422, 422)
    session.rollback()
    assert session.get(TrackerItem, elsewhere).assignee != "here"


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


def test_all_that_match_are_chosen_by_their_filter(browser_client, session, items):
    client = browser_client("manager")
    sent = {"action": "status", "value": "in_progress", "all": "1", "query": "status=pending&view=table"}
    client.post("/board/bulk/apply", data=sent, headers=PARTIAL)

    counts = {}
    for status in session.scalars(select(TrackerItem.status)):
        counts[status] = counts.get(status, 0) + 1
    assert counts == {"in_progress": 5, "blocked": 3, "done": 2}


@pytest.mark.parametrize(
    "sent",
    [
        {"action": "explode", "ids": "1"},
        {"action": "assign", "ids": "1", "value": ""},
        {"action": "status", "ids": "1"},
        {"action": "status", "ids": "1", "value": "nonsense"},
        {"action": "due", "ids": "1", "value": "2026-03-09T18:00"},
        {"action": "due", "ids": "1", "value": "tomorrow", "reason": "x"},
        {"action": "assign", "value": "lee", "all": "1", "query": "status=nonsense"},
    ],
)
def test_a_bulk_action_that_makes_no_sense_is_refused(browser_client, items, sent):
    assert browser_client("manager").post("/board/bulk/apply", data=sent, headers=PARTIAL).status_code == 422


def test_closing_needs_a_reason_when_something_is_open(browser_client, items):
    client = browser_client("manager")
    refused = client.post("/board/complete", data={}, headers=PARTIAL)
    assert refused.status_code == 409
    assert heard(refused)["toast"]["kind"] == "error"
    assert client.post("/board/complete", data={"force": "1"}, headers=PARTIAL).status_code == 422
    closed = client.post("/board/complete", data={"force": "1", "completion_note": "월말 마감"}, headers=PARTIAL)
    assert closed.status_code == 200
    assert "월말 마감" in closed.text
    assert "월말 마감" in client.get("/board/history").text


def test_the_sync_goes_through_the_queue(browser_client, session, items):
    client = browser_client("manager")
    answer = client.post("/board/sync", headers=PARTIAL)
    run = session.scalars(select(JobRun)).one()

    assert (run.job_name, run.state) == ("ops_governance_remediation_sync", "queued")
    assert f'data-poll="/board/sync?run={run.id}"' in answer.text
    assert client.get(f"/board/sync?run={run.id}", headers=PARTIAL).status_code == 200
    assert client.get("/board/sync?run=x", headers=PARTIAL).status_code == 286


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


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("post", "/board/items/{id}", {"status": "done"}),
        ("post", "/board/items/{id}/claim", {}),
        ("post", "/board/items/{id}/comments", {"text": "x"}),
        ("post", "/board/items/{id}/close", {}),
        ("get", "/board/items/{id}/inline?field=status", None),
        ("get", "/board/new", None),
        ("post", "/board/bulk/apply", {"action": "status", "value": "done", "ids": "{id}"}),
        ("post", "/board/sync", {}),
        ("post", "/board/complete", {"force": "1", "completion_note": "x"}),
    ],
)
def test_an_auditor_changes_nothing(browser_client, session, items, method, path, data):
    client = browser_client("auditor")
    filled = {key: value.format(id=items[3]) for key, value in (data or {}).items()}
    answer = getattr(client, method)(path.format(id=items[3]), data=filled, headers=PARTIAL)

    assert answer.status_code == 403
    assert session.get(TrackerItem, items[3]).version == 1


def test_people_of_one_site_see_and_change_no_other(browser_client, session, items):
    client = browser_client("operator", (SITE,))

    assert set(shown(client.get("/board"))) == {number for number in range(1, 11) if number % 3 != 2}
    assert client.get("/board", query_string={"site": OTHER}).status_code == 403
    assert client.get("/board/items.csv", query_string={"site": OTHER}).status_code == 403
    for path in (f"/board/items/{items[1]}", f"/board/items/{items[1]}/inline?field=status"):
        assert client.get(path, headers=PARTIAL).status_code == 403
    assert client.post(f"/board/items/{items[1]}", data={"status": "done"}, headers=PARTIAL).status_code == 403


def test_somebody_without_any_permission_is_told(browser_client, api, items):
    assert api("operator", permissions=()).get("/board").status_code in {200, 403}
    assert browser_client("operator").get("/board").status_code == 200


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
