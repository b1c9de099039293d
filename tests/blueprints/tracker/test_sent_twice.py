"""The same form sent twice is taken once, at every creating door; forms are read in the zone they were drawn in."""

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import func, select

from console.models.forms import SentForm
from console.models.identity import Site, User
from console.models.tracker import TrackerEvent, TrackerItem
from console.services.common import sent_forms
from console.services.identity.clean_up import clean_up
from tests.blueprints.tracker.board_support import SITE
from tests.support.people import PASSWORD

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
KEY, OTHER_KEY = "0123456789abcdef" * 2, "fedcba9876543210" * 2


def comments(session):
    session.rollback()
    return session.scalar(select(func.count()).select_from(TrackerEvent).where(TrackerEvent.kind == "comment"))


def heard(response):
    return json.loads(response.headers.get("HX-Trigger", "{}"))


def test_every_form_that_writes_carries_a_key_of_its_own(browser_client, items):
    page = browser_client("manager").get(f"/board/items/{items[0]}").text

    keys = re.findall(r'name="once" value="([0-9a-f]{32})"', page)
    assert len(keys) >= 2
    assert len(set(keys)) == len(keys)
    for form in re.findall(r'<form[^>]*hx-post="/board/items/.*?</form>', page, re.DOTALL):
        assert 'name="once"' in form


def test_a_comment_that_is_sent_twice_stands_once(browser_client, items, session):
    client = browser_client("manager")
    address = f"/board/items/{items[0]}/comments"

    first = client.post(address, data={"text": "한 번만", "once": KEY}, headers=PARTIAL)
    again = client.post(address, data={"text": "한 번만", "once": KEY}, headers=PARTIAL)

    assert (first.status_code, again.status_code) == (200, 200)
    assert comments(session) == 1
    assert again.headers["HX-Reswap"] == "none"
    assert {"toast", "stored-before", "tracker-changed"} <= heard(again).keys()


def test_without_script_the_second_sending_leads_to_what_the_first_made(browser_client, session, items):
    client = browser_client("manager")
    sent = {"title": "펌프 누수", "sla_hours": "24", "priority": "2", "site": SITE, "once": KEY}

    first, again = client.post("/board/new", data=sent), client.post("/board/new", data=sent)

    assert (first.status_code, again.status_code) == (303, 303)
    assert again.location == first.location
    session.rollback()
    assert session.scalar(select(func.count()).where(TrackerItem.item_name == "펌프 누수")) == 1
    assert "이미 저장되어 있습니다" in client.get(again.location).text


@pytest.mark.parametrize("change", [{"once": OTHER_KEY}, {"text": "다른 말"}])
def test_another_key_or_other_words_are_another_sending(browser_client, items, session, change):
    client = browser_client("manager")
    sent = {"text": "말", "once": KEY}
    for values in (sent, sent | change):
        client.post(f"/board/items/{items[0]}/comments", data=values, headers=PARTIAL)

    assert comments(session) == 2


def test_the_key_of_somebody_else_says_nothing(browser_client, items, session):
    for name in ("kim", "park"):
        browser_client("manager", username=name).post(
            f"/board/items/{items[0]}/comments", data={"text": "말", "once": KEY}, headers=PARTIAL
        )

    assert comments(session) == 2


def test_what_was_refused_may_be_sent_again_with_its_key(browser_client, items, session):
    client = browser_client("manager")
    address = f"/board/items/{items[0]}/comments"
    assert client.post(address, data={"text": " ", "once": KEY}, headers=PARTIAL).status_code == 422

    session.rollback()
    assert session.scalar(select(func.count()).select_from(SentForm)) == 0


def test_a_change_that_is_sent_twice_is_no_conflict_with_oneself(browser_client, items, session):
    client = browser_client("manager")
    sent = {"status": "blocked", "version": "1", "from": "drawer", "once": KEY}

    answers = [client.post(f"/board/items/{items[0]}", data=sent, headers=PARTIAL) for _time in (1, 2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    session.rollback()
    assert session.get(TrackerItem, items[0]).version == 2


def test_only_hashes_are_kept_and_they_expire(browser_client, items, session, clock, make_ctx):
    browser_client("manager").post(
        f"/board/items/{items[0]}/comments", data={"text": "말", "once": KEY}, headers=PARTIAL
    )
    session.rollback()
    [row] = session.scalars(select(SentForm))
    assert KEY not in (row.key_hash, row.form, row.result)

    clock.advance(sent_forms.KEPT + timedelta(minutes=1))
    assert clean_up(make_ctx(), dry_run=True).forms_deleted == 1
    assert clean_up(make_ctx()).forms_deleted == 1
    assert session.scalar(select(func.count()).select_from(SentForm)) == 0


def test_password_forms_carry_no_key(browser_client):
    client = browser_client("manager")
    assert 'name="once"' not in re.findall(r"<main.*</main>", client.get("/account/password").text, re.DOTALL)[0]


# Zones ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("query", ["", "?site=" + SITE])
def test_a_form_is_drawn_and_read_in_the_zone_of_the_items_site(browser_client, items, session, query):
    session.rollback()
    session.scalar(select(Site).where(Site.name == SITE)).zone = "America/New_York"
    row = session.scalar(select(TrackerItem).where(TrackerItem.site == SITE))
    row.due_at = datetime(2026, 3, 3, 0, 0, tzinfo=UTC)
    session.commit()
    client, address = browser_client("manager"), f"/board/items/{row.id}"

    field = client.get(f"{address}/inline?field=due_at", headers=PARTIAL).text
    page = client.get(address + query).text

    for drawn in (field, page):
        assert 'value="2026-03-02T19:00"' in drawn
        assert 'name="zone" value="America/New_York"' in drawn
    assert "America/New_York" in re.sub(r"<input[^>]*>", "", field)
    assert "America/New_York 시간" in page
    sent = {
        "due_at": "2026-03-04T10:00",
        "due_was": "2026-03-02T19:00",
        "reason": "부품",
        "zone": "America/New_York",
        "version": str(row.version),
    }
    assert client.post(address, data=sent, headers=PARTIAL).status_code == 200
    session.rollback()
    assert session.get(TrackerItem, row.id).due_at == datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
    assert re.search(r"10:00[^<]*\(America/New_York\)", client.get(address).text)


# The way back --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("address", "back"),
    [
        ("/board/new", "/board/new"),
        ("/board/items/5/comments", "/board/items/5"),
        ("/my-work/5/done", "/my-work"),
        ("/programme/w07/items/5/claim", "/programme/w07/items/5"),
    ],
)
def test_a_form_of_an_ended_session_leads_back_to_its_page(browser, address, back):
    assert browser.post(address, data={"text": "말"}).location == f"/sign-in?next={quote(back, safe='')}"


def test_a_part_of_a_page_leads_back_to_the_page_around_it(browser):
    around = {"HX-Current-URL": "http://localhost/board?due=overdue", **PARTIAL}
    answer = browser.get("/board?sort=due_at", headers=around)

    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in?next=%2Fboard%3Fdue%3Doverdue")
    stranger = {**around, "HX-Current-URL": "http://elsewhere.example/board"}
    assert browser.get("/board", headers=stranger).headers["HX-Redirect"] == "/sign-in"


def test_who_signs_in_over_the_page_gets_the_token_of_the_new_session(browser, person):
    person("kim")
    form = browser.get("/sign-in?next=/board", headers=PARTIAL)
    assert form.text.strip().startswith("<form")
    token = re.search(r'name="csrf_token" value="([^"]+)"', form.text)[1]
    wrong = browser.post(
        "/sign-in", data={"username": "kim", "password": "no", "csrf_token": token, "next": "/board"}, headers=PARTIAL
    )
    assert wrong.status_code == 422
    assert wrong.text.strip().startswith("<form")
    sent = {"username": "kim", "password": PASSWORD, "csrf_token": token, "next": "/board"}
    entered = browser.post("/sign-in", data=sent, headers=PARTIAL)

    assert entered.status_code == 200
    assert 'data-signed-in="kim"' in entered.text
    fresh = re.search(r'data-csrf="([^"]+)"', entered.text)[1]
    statuses = [browser.post("/account/profile", data={"csrf_token": one}).status_code for one in (token, fresh)]
    assert statuses == [400, 422]  # the token of before is worthless, the new one opens the form's own checks
    assert 'data-signed-in="kim"' in browser.get("/sign-in", headers=PARTIAL).text


def test_a_first_password_is_chosen_on_its_own_page(browser, person, session):
    person("kim")
    session.rollback()
    session.scalar(select(User).where(User.username == "kim")).must_change_password = True
    session.commit()
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/sign-in", headers=PARTIAL).text)[1]
    answer = browser.post(
        "/sign-in",
        data={"username": "kim", "password": PASSWORD, "csrf_token": token, "next": "/board"},
        headers=PARTIAL,
    )
    assert answer.headers["HX-Redirect"] == "/account/password?next=%2Fboard"


def test_a_refusal_tells_scripts_its_code(browser_client):
    answer = browser_client("manager").post(
        "/board/items/1/comments", data={}, headers={**PARTIAL, "X-CSRFToken": "old"}
    )
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (400, "csrf_failed")
