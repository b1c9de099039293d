"""Downloads of lists: as people read them, as programs know them, and refused in words before the answer begins."""

from __future__ import annotations

import csv
import html
import io
import re
from functools import partial
from types import SimpleNamespace
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest

from console.core.i18n import translate
from console.ui.cells import cells_of
from console.ui.spreadsheet import Pen
from tests.factories import make_site
from tests.factories.tracker import HOUR, add_item

Row = SimpleNamespace
SITE, ABROAD = "한빛마을 3단지", "New York 지점"
# Page, the address of its download and one of its filters.
LISTS = [
    ("/admin/users", "/admin/users/csv", "role"),
    ("/admin/tokens", "/admin/tokens/csv", "state"),
    ("/admin/sites", "/admin/sites/csv", "state"),
    ("/alerts", "/alerts/csv", "status"),
    ("/assets", "/assets/csv", "state"),
    ("/audit", "/audit/entries.csv", "status"),
    ("/autopilot/runs", "/autopilot/runs.csv", "outcome"),
    ("/gate/history", "/gate/history.csv", "decision"),
    ("/ops/deploys", "/ops/deploys.csv", "status"),
    ("/inspections", "/inspections/csv", "risk_level"),
    ("/jobs", "/jobs/runs.csv", "status"),
    ("/ops/quality", "/ops/quality/archives.csv", "format"),
    ("/board?view=table", "/board/items.csv", "status"),
    ("/programme/w02?view=table", "/programme/w02/items.csv", "status"),
    ("/late", "/late/csv", "of"),
    ("/work-orders", "/work-orders/csv", "status"),
]
ko = partial(translate, "ko")
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


@pytest.fixture
def items(session, clock):
    """An item that was given to somebody, one abroad, one of the platform, one that Excel would run, and a week's."""
    now = clock.now()
    make_site(session, SITE, now=now)
    make_site(session, ABROAD, now=now, zone="America/New_York")
    add_item(session, now, 1, site=SITE, status="in_progress", assignee="lee", due_at=now - HOUR)
    add_item(session, now, 2, site=ABROAD, status="blocked", due_at=now + HOUR)
    add_item(session, now, 3, site=None, status="pending", item_name='=1+1, "인용"\n둘째 줄')
    add_item(session, now, 4, tracker="w02", site=SITE, due_at=now - HOUR, item_name="첫 주")
    session.commit()


def offered(page, address):
    """The addresses at which a page offers its CSV: for people, and as in the API."""
    found = [html.unescape(one) for one in re.findall(r'href="([^"]+)"[^>]*?\sdownload>', page, re.DOTALL)]
    found = list(dict.fromkeys(one for one in found if one.startswith(address + "?")))
    people, programs = (one for one in found if "ids=" not in one)
    return people, programs


def heads(page):
    """The headings of a page's table."""
    table = page.partition('data-list="')[2].partition("<thead>")[2].partition("</thead>")[0]
    found = re.findall(r'<th scope="col"(?: class="num")?(?: aria-sort="\w+")?>(.*?)</th>', table, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]*>", "", one)).strip() for one in found]


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def name_of(answer):
    return unquote(re.search(r"filename\*=UTF-8''(.+)", answer.headers["Content-Disposition"])[1])


@pytest.mark.parametrize(("_page", "address", "key"), LISTS)
def test_an_unknown_word_is_refused_before_the_answer_begins(api, _page, address, key):
    caller = api("owner")

    assert caller.get(address).status_code == 200
    for asked in ({}, {"columns": "id,status,name"}):
        refused = caller.get(address, query_string={key: "nonsense", **asked})
        assert refused.status_code == 422
        assert "nonsense" in refused.text


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(("page", "address", "_key"), LISTS)
def test_a_page_offers_its_own_table_and_that_of_the_api(browser_client, items, page, address, _key, language):
    reader = browser_client("owner", language=language)
    shown = reader.get(page).text
    people, programs = (reader.get(one) for one in offered(shown, address))

    assert people.data.startswith(b"\xef\xbb\xbf")
    assert b"\n" not in people.data.replace(b"\r\n", b"").replace('=1+1, ""인용""\n둘째 줄'.encode(), b"")
    header = people.data.decode("utf-8-sig").split("\r\n")[0]
    if columns := heads(shown):
        assert next(csv.reader([header])) == columns
    assert not re.search(r"T\d\d:\d\d:\d\d", people.text)
    assert not re.search(r",(True|False|\{\})(,|\r)", people.text)
    # The old address without columns gives what it always gave, under the names of the API.
    header = programs.data.decode("utf-8-sig").split("\r\n")[0]
    assert re.fullmatch("[a-z0-9_,]+", header)
    assert reader.get(address).text.split("\r\n")[0] == header


def test_a_spreadsheet_of_the_board_reads_like_the_page(browser_client, items):
    reader = browser_client("manager", language="ko")
    people, _programs = offered(reader.get("/board?view=table&sort=item_id").text, "/board/items.csv")
    found = rows_of(answer := reader.get(people))

    assert name_of(answer) == f"{ko('Remediation board')} 2026-03-02.csv"
    assert [(row[ko("No.")], row[ko("Status")], row[ko("Assignee")], row[ko("Site")]) for row in found] == [
        ("GR-001", ko("In progress"), "lee", SITE),
        ("GR-002", ko("Blocked"), ko("Unassigned"), ABROAD),
        ("GR-003", ko("Waiting"), ko("Unassigned"), ko("Platform")),
    ]
    assert [row[ko("Due")] for row in found[:2]] == ["2026-03-02 08:00", "2026-03-01 20:00 (America/New_York)"]
    assert found[2][ko("Action")] == '\'=1+1, "인용"\n둘째 줄'


def test_the_columns_that_are_asked_for_come_in_their_order(browser_client, items):
    reader = browser_client("manager", language="ko")
    asked = reader.get("/board/items.csv?columns=due_at,nothing,item_id,updated_at&sort=item_id")

    assert list(rows_of(asked)[0]) == [ko("Due"), ko("No."), ko("Changed")]
    assert all(TIME.match(row[ko("Changed")]) for row in rows_of(asked))
    of_week = reader.get("/programme/w02/items.csv?columns=title,status")
    assert [list(row.values()) for row in rows_of(of_week)] == [["첫 주", ko("Waiting")]]
    assert name_of(of_week).startswith("W02 · ")
    assert name_of(of_week).endswith(" 2026-03-02.csv")


def test_times_are_those_of_the_chosen_site(browser_client, items):
    reader = browser_client("manager", language="en")
    asked = reader.get("/board/items.csv", query_string={"columns": "item_id,due_at", "site": ABROAD})

    assert rows_of(asked) == [{"No.": "GR-002", "Due": "2026-03-01 20:00"}]


def test_people_and_tokens_read_like_their_pages(browser_client, api, items):
    api("auditor", (SITE,), username="kim", display_name="Kim", is_active=False)
    reader = browser_client("owner", language="en", username="boss", display_name="Park")
    users = rows_of(reader.get("/admin/users/csv?columns=username,role,site_scope,is_active&sort=username"))
    tokens = rows_of(reader.get("/admin/tokens/csv?columns=username,state,last_used_at&all=1"))

    assert [list(row.values()) for row in users] == [
        ["Park (boss)", "Owner", "All sites", "Active"],
        ["Kim (kim)", "Auditor", SITE, "Inactive"],
    ]
    assert [(row["User"], row["Last used"]) for row in tokens] == [("Kim (kim)", "Never")]


def test_the_audit_log_reads_in_words(browser_client, items):
    reader = browser_client("owner", language="en", username="boss", display_name="Kim")
    found = rows_of(reader.get("/audit/entries.csv?columns=created_at,actor_username,action,status"))

    assert {(row["Actor"], row["What"], row["Result"]) for row in found} >= {("Kim (boss)", "Sign-in", "Success")}
    assert all(TIME.fullmatch(row["When"]) for row in found)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_cells_of_every_list_are_words(app, language):
    """No word of the API is left in the cells that lists fill from their tables of words."""
    pen = Pen(language, ZoneInfo("Asia/Seoul"), {"": ZoneInfo("Asia/Seoul")})
    found = [("verdicts", "decision", Row(decision="no_go")), ("runs", "trigger", Row(trigger="api"))]
    found += [("alerts", "status", Row(status=word)) for word in ("queued", "success", "failed", "warning", "dead")]
    run = {"errors_count": 0, "skipped": False, "skip_reason": None, "actions": ("auto_assign",), "dry_run": True}
    found += [("autopilot_runs", "outcome", Row(**run))]
    found += [("autopilot_runs", "outcome", Row(**run | {"skipped": True, "skip_reason": "cooldown_active"}))]
    ended = {"error_code": None, "skipped": False, "status": "critical", "dry_run": True, "catch_up": True}
    found += [("runs", "status", Row(**ended)), ("runs", "status", Row(**ended | {"error_code": "cancelled"}))]

    for name, key, row in found:
        said = cells_of(name)[key](row, pen)
        assert said
        assert "_" not in said
        assert said not in vars(row).values()
        assert language == "en" or not re.search("[a-z]{3}", said.replace("API", "")), (name, key, said)
