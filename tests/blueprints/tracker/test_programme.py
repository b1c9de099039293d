"""The programme pages: every week at every site, a week as board and table, closing it, and one more week by data."""

import csv
import io
import json
import re
import zipfile
from urllib.parse import urlencode

import pytest
from sqlalchemy import select, update

from console.domain.programme import catalogue
from console.domain.programme.week import FRIDAY, Entry, EntryType, Week
from console.domain.tracker.requests import ItemChange
from console.models.tracker import TrackerItem, TrackerRun
from console.services.programme import weeks as programme
from console.services.tracker import items as tracker_items
from tests.factories import make_site, make_user
from tests.factories.tracker import add_item
from tests.support.files import multipart
from tests.support.statements import statements

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
SITE, OTHER = "한빛마을 3단지", "푸른숲 타워"
FAREWELL = Entry("W16-E01", "Farewell of the programme", "Ops PM", FRIDAY, "17:00", "17:30")
W16 = Week(
    code="w16",
    focus="Looking ahead",
    phase="Optimize",
    owner="Ops PM",
    goal="Everybody knows what comes next",
    types=(
        EntryType("outlook", "Outlook", (Entry("W16-OL-01", "Say what comes next", "Ops PM"),), evidence=True),
        EntryType("scheduled_event", "Scheduled event", (FAREWELL,)),
    ),
)


@pytest.fixture
def sites(session, clock):
    for name in (SITE, OTHER):
        make_site(session, name, now=clock.now())
    session.commit()


@pytest.fixture
def begun(ctx, sites):
    """Week W02 at one site, three of its items under way."""
    made = programme.bootstrap(ctx, catalogue.WEEKS["w02"], SITE)
    for item, change in zip(
        made.items,
        (
            ItemChange(assignee="lee", status="done"),
            ItemChange(status="in_progress"),
            ItemChange(status="blocked", completion_note="회신 대기"),
        ),
        strict=False,
    ):
        tracker_items.change(ctx, item.id, change, catalogue.WEEKS["w02"].programme)
    ctx.commit()
    return [item.id for item in made.items]


def shown(response):
    return sorted({int(number) for number in re.findall(r"W02-(\d{3})", response.text)})


def test_the_list_of_weeks_says_where_each_stands_and_leads_there(browser_client, begun):
    client = browser_client("manager")
    page = client.get("/programme", headers={"Accept-Language": "en"})

    assert page.status_code == 200
    assert [code for code in catalogue.WEEKS if f'href="/programme/{code}"' in page.text] == list(catalogue.WEEKS)
    assert "1 / 13" in page.text
    assert page.text.count("Not begun") == 2 * len(catalogue.WEEKS) - 1
    narrowed = client.get("/programme", query_string={"site": OTHER})
    assert SITE not in re.sub(
        r"<option.*?</option>|<nav.*?</nav>|<header.*?</header>", "", narrowed.text, flags=re.DOTALL
    )


def test_board_table_and_csv_show_the_same_items(browser_client, begun):
    client = browser_client("operator", (SITE,))
    board, table = client.get("/programme/w02"), client.get("/programme/w02?view=table")
    exported = client.get("/programme/w02/items.csv")
    rows = list(csv.DictReader(io.StringIO(exported.text, newline="")))

    assert (board.status_code, table.status_code) == (200, 200)
    assert shown(board) == shown(table) == list(range(1, 14))
    assert sorted(int(row["item_id"][4:]) for row in rows) == list(range(1, 14))
    assert "adoption-w02-tracker-items-" in exported.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"status": "blocked"}, 1),
        ({"item_type": "sop_runbook"}, 5),
        ({"evidence": "1"}, 3),
        ({"unassigned": "1"}, 12),
        ({"q": "SX-"}, 3),
        ({"site": SITE, "status": ["pending", "done"]}, 11),
    ],
)
@pytest.mark.parametrize("view", ["board", "table"])
def test_the_filters_of_the_address_hold_on_every_view(browser_client, begun, query, count, view):
    client = browser_client("manager")

    page = client.get("/programme/w02", query_string={**query, "view": view}, headers=PARTIAL)
    exported = client.get("/programme/w02/items.csv", query_string=query)

    assert len(shown(page)) == count
    assert len(exported.text.strip().splitlines()) == count + 1


def test_each_failing_rule_leads_to_exactly_its_rows(browser_client, begun):
    client = browser_client("manager")
    page = client.get("/programme/w02", query_string={"site": SITE}, headers={"Accept-Language": "en"}).text
    found = re.findall(r'<li class="late">.*?<a href="([^"]+)">(?:[^<]*?): (\d+)', page, re.DOTALL)

    assert len(found) == 6
    for address, count in found:
        rows = client.get(address.replace("&amp;", "&"), headers=PARTIAL)
        assert len(shown(rows)) == int(count), address


def test_a_week_begins_on_its_page_and_only_for_those_who_may(browser_client, session, sites):
    client, auditor = browser_client("operator", (SITE,)), browser_client("auditor", (SITE,))
    before = client.get("/programme/w11")
    action = re.search(r'action="(/programme/w11/begin[^"]*)"', before.text).group(1)

    begun = client.post(action)

    assert begun.status_code == 303
    assert client.get(begun.headers["Location"]).text.count("data-row data-id") == 14
    assert "/programme/w12/begin" not in auditor.get("/programme/w12").text
    assert auditor.post("/programme/w12/begin", query_string={"site": SITE}).status_code == 403
    assert client.post("/programme/w12/begin", query_string={"site": OTHER}).status_code == 403
    assert client.post("/programme/w12/begin").status_code == 422


def test_an_item_is_changed_in_its_drawer_and_taken_back(browser_client, session, begun):
    client = browser_client("operator", (SITE,))
    drawer = client.get(f"/programme/w02/items/{begun[4]}", headers=PARTIAL)
    answer = client.post(
        f"/programme/w02/items/{begun[4]}",
        data={"from": "drawer", "version": "1", "status": "in_progress", "assignee": ""},
        headers=PARTIAL,
    )
    said = json.loads(answer.headers["HX-Trigger"])
    undo = next(value for value in said.values() if value.get("undo"))

    assert drawer.text.strip().startswith("<aside")
    assert f'action="/programme/w02/items/{begun[4]}' in drawer.text
    assert undo["undo"] == "/programme/w02/undo"
    assert client.post("/programme/w02/undo", data={"token": undo["token"]}, headers=PARTIAL).status_code == 200
    session.rollback()
    assert session.get(TrackerItem, begun[4]).status == "pending"
    assert client.post("/board/undo", data={"token": undo["token"]}, headers=PARTIAL).status_code == 404


def test_many_items_are_changed_at_once(browser_client, session, begun, clock):
    make_user(session, now=clock.now(), username="lee")
    session.commit()
    client = browser_client("operator", (SITE,))
    chosen = {"all": "1", "query": "item_type=sop_runbook", "action": "assign", "value": "lee"}

    dialog = client.post("/programme/w02/bulk", data=chosen, headers=PARTIAL)
    done = client.post("/programme/w02/bulk/apply", data=chosen, headers=PARTIAL)

    assert 'action="/programme/w02/bulk/apply"' in dialog.text
    assert done.status_code == 200
    session.rollback()
    wanted = select(TrackerItem.assignee).where(TrackerItem.item_type == "sop_runbook")
    assert set(session.scalars(wanted)) == {"lee"}


def test_a_week_is_closed_on_its_page_for_its_site_alone(browser_client, ctx, session, begun):
    programme.bootstrap(ctx, catalogue.WEEKS["w02"], OTHER)
    ctx.commit()
    client = browser_client("manager")
    address = "/programme/w02/complete"

    refused = client.post(address, query_string={"site": SITE}, headers=PARTIAL)
    forced = client.post(address, query_string={"site": SITE}, data={"force": "1", "completion_note": "예외"})
    session.execute(
        update(TrackerItem)
        .where(TrackerItem.site == SITE)
        .values(
            status="done", completion_checked=True, completed_at=ctx.now(), assignee="lee", evidence_count=1, version=9
        )
    )
    session.commit()
    closed = client.post(address, query_string={"site": SITE}, data={"completion_note": "여름 점검"})

    assert (refused.status_code, forced.status_code) == (409, 403)
    assert (closed.status_code, closed.headers["Location"]) == (303, client_url(SITE))
    session.rollback()
    states = dict(session.execute(select(TrackerRun.site, TrackerRun.status).where(TrackerRun.site.is_not(None))).all())
    assert states == {SITE: "completed", OTHER: "active"}
    assert client.get("/programme/w02/history", query_string={"site": SITE}).text.count("여름 점검") == 1
    assert client.post(address).status_code == 422


def client_url(site):
    return f"/programme/w02?{urlencode({'site': site})}"


def test_the_package_of_a_week_is_offered_on_its_page(browser_client, begun):
    client = browser_client("auditor", (SITE,))
    address = re.search(r'href="(/programme/w02/package[^"]*)"', client.get("/programme/w02").text).group(1)
    package = client.get(address)

    assert "completion/completion.json" in zipfile.ZipFile(io.BytesIO(package.data)).namelist()
    assert client.get("/programme/w02/package", query_string={"site": OTHER}).status_code == 403
    assert client.get("/programme/w02/package").status_code == 422


def test_pages_of_other_sites_stay_closed(browser_client, begun):
    client = browser_client("operator", (OTHER,))

    assert client.get(f"/programme/w02/items/{begun[0]}").status_code == 403
    assert client.get("/programme/w02/items.csv", query_string={"site": SITE}).status_code == 403
    assert client.get("/programme/w02", query_string={"site": SITE}).status_code == 403
    assert client.post(f"/programme/w02/items/{begun[0]}", data={"status": "done"}).status_code == 403
    assert shown(client.get("/programme/w02")) == []


def test_my_work_has_the_items_of_the_weeks_beside_those_of_the_board(browser_client, session, clock, begun):
    add_item(session, clock.now(), 1, site=SITE, item_name="배전반 점검")
    session.commit()
    client = browser_client("operator", (SITE,), username="jung")

    free = client.get("/my-work?show=claimable")
    claim = client.post(f"/my-work/{begun[5]}/claim", data={"tracker": "w02"}, headers=PARTIAL)
    mine = client.get("/my-work?show=assigned")
    done = client.post(
        f"/my-work/{begun[5]}/done", data={"tracker": "w02", "version": "2", "note": "끝"}, headers=PARTIAL
    )

    assert "배전반 점검" in free.text
    assert f'href="/programme/w02/items/{begun[5]}?work=claimable"' in free.text
    assert (claim.status_code, done.status_code) == (200, 200)
    assert '"/programme/w02/undo"' in claim.headers["HX-Trigger"]
    assert f'href="/programme/w02/items/{begun[5]}?work=assigned"' in mine.text
    session.rollback()
    assert session.get(TrackerItem, begun[5]).status == "done"


@pytest.mark.parametrize(
    ("address", "most"),
    [("/programme", 7), ("/programme/w02?site=" + SITE, 12), ("/programme/w02?view=table", 10), ("/my-work", 8)],
)
def test_a_page_asks_the_same_number_of_questions_however_much_there_is(
    browser_client, ctx, session, begun, address, most
):
    client = browser_client("manager")
    client.get(address)
    # Something new, so that nothing is remembered.
    programme.bootstrap(ctx, catalogue.WEEKS["w04"], OTHER)
    ctx.commit()
    with statements() as few:
        assert client.get(address).status_code == 200
    for code in ("w03", "w09", "w15"):
        for site in (SITE, OTHER):
            programme.bootstrap(ctx, catalogue.WEEKS[code], site)
    programme.bootstrap(ctx, catalogue.WEEKS["w02"], OTHER)
    ctx.commit()
    with statements() as many:
        assert client.get(address).status_code == 200

    assert len(few) == len(many) <= most, "\n".join(many)


def test_one_more_week_is_one_more_entry(monkeypatch, api, browser_client, session, sites):
    monkeypatch.setitem(catalogue.WEEKS, "w16", W16)
    client, other = api("operator", (SITE,)), api("operator", (OTHER,))
    t = "/api/adoption/w16/tracker"

    begun = client.post(f"{t}/bootstrap", json={"site": SITE}).json
    first, second = (item["id"] for item in begun["items"])
    body, kind = multipart(b"next", "next.txt")
    assert client.post(f"{t}/items/{first}/evidence", data=body, content_type=kind).status_code == 201
    for item in (first, second):
        sent = {"assignee": "lee", "status": "done", "completion_checked": True}
        assert client.patch(f"{t}/items/{item}", json=sent).json["status"] == "done"
    closed = client.post(f"{t}/complete", json={"site": SITE})
    package = client.get(f"{t}/completion-package", query_string={"site": SITE})

    assert (begun["created_count"], closed.json["status"]) == (2, "completed")
    assert "manifest.json" in zipfile.ZipFile(io.BytesIO(package.data)).namelist()
    assert other.get(f"{t}/overview", query_string={"site": SITE}).status_code == 403
    assert (
        api("auditor").post(f"{t}/bootstrap", json={"site": SITE}).json["detail"]
        == "Missing permission: adoption_w16:write"
    )
    page = browser_client("auditor", (SITE,))
    assert 'href="/programme/w16"' in page.get("/programme").text
    week = page.get("/programme/w16", headers={"Accept-Language": "en"})
    assert "Say what comes next" in week.text
    assert "Looking ahead" in week.text
    assert page.get(f"/programme/w16/items/{first}").status_code == 200
    assert any(entry["url"] == "/programme/w16" for entry in page.get("/palette").json["entries"])
    monkeypatch.delitem(catalogue.WEEKS, "w16")
    assert client.get(f"{t}/items").status_code == 404
    # What is left of a week that is gone disturbs nobody.
    assert browser_client("operator", (SITE,)).get("/my-work").status_code == 200


def test_the_history_of_a_week_asks_for_a_site_where_none_is_chosen(browser_client, begun):
    client = browser_client("manager")

    asked = client.get("/programme/w02/history")

    assert asked.status_code == 200
    assert asked.text.count('href="/programme/w02/history?site=') >= 2
    assert client.get("/programme/w02/history", query_string={"site": SITE}).status_code == 200


def test_the_readiness_explains_itself(browser_client, begun):
    card = browser_client("manager", language="en").get("/programme/w02", query_string={"site": SITE}).text

    assert re.search(r'aria-label="Readiness: \d+ %"', card)
    assert "Readiness is the larger of both in percent, at most 99 % while a rule is not met." in card
    assert re.search(r"Every rule that is not met costs 14\.3 of the 100 points", card)
