"""The pages of the published programme: for everybody, in two languages, kept by caches, without anything of a site."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from console.domain.programme import documents
from tests.contract.published import sixteenth

PORTAL = "/web/adoption"
WEEKS = [f"w{week:02d}" for week in range(2, 16)]
PAGES = [PORTAL, *(f"{PORTAL}/{week}" for week in WEEKS), f"{PORTAL}/w04/common-mistakes", f"{PORTAL}/post-mvp"]


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_page_is_open_and_caches_may_keep_it(client, address, lang):
    page = client.get(address, headers={"Accept-Language": lang})
    again = client.get(address, headers={"Accept-Language": lang, "If-None-Match": page.headers["ETag"]})

    assert page.status_code == 200
    assert f'<html lang="{lang}"' in page.text
    assert page.headers["Cache-Control"] == "public, max-age=300"
    assert {"Accept-Language", "Cookie"} <= set(page.headers["Vary"].split(", "))
    assert "Set-Cookie" not in page.headers
    assert not re.search("csrf|<script|ka-config", page.text)
    assert (again.status_code, again.data) == (304, b"")
    assert client.get(f"{address}?lang=en").text.count('<html lang="en"') == 1


@pytest.mark.parametrize("role", ["owner", "manager", "operator", "auditor"])
def test_whoever_is_signed_in_sees_the_same_page_and_no_cache_keeps_it(browser_client, client, role):
    client.set_cookie("lang", "en")
    page = browser_client(role, ("한빛마을 3단지",)).get(f"{PORTAL}/w04", headers={"Accept-Language": "en"})

    assert page.headers["Cache-Control"] == "no-store"
    assert client.get(f"{PORTAL}/w04").headers["Cache-Control"] == "no-store"
    assert "한빛마을" not in page.text


@pytest.mark.parametrize("address", [f"{PORTAL}/w01", f"{PORTAL}/w16", f"{PORTAL}/w05/common-mistakes"])
def test_what_a_week_does_not_publish_is_not_found(client, address):
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    ("day", "done", "running"),
    [(datetime(2026, 3, 1, tzinfo=UTC), 0, None), (datetime(2026, 4, 15, tzinfo=UTC), 6, "W07"),
     (datetime(2026, 4, 19, tzinfo=UTC), 6, "W07"), (datetime(2026, 6, 15, tzinfo=UTC), 15, None)],
)  # fmt: skip
def test_the_calendar_follows_the_day(client, clock, day, done, running):
    clock.set(day)
    page = client.get(f"{PORTAL}?lang=en").text
    brief = client.get(f"{PORTAL}?lang=en&part=summary").text

    assert page.count(">Over<") == done
    assert (f"now {running}" in page) is (running is not None)
    assert f"{done} of 15 weeks" in brief
    assert "Workflow of each role" not in brief


@pytest.mark.parametrize(
    ("query", "weeks"),
    [
        ("phase=Habit", ["w06", "w07", "w08"]),
        ("phase=Nothing", []),
        ("q=sla", ["w07"]),
        ("q=cs+lead&phase=Autonomy", ["w10"]),
        ("q=%3Cscript%3E", []),
        ("q=" + "x" * 5000, []),
    ],
)
def test_weeks_are_found_by_phase_and_words(client, query, weeks):
    page = client.get(f"{PORTAL}?lang=en&{query}").text

    assert re.findall(r'cell-title" href="/web/adoption/(w\d\d)', page) == weeks
    assert ("No week fits" in page) is (not weeks)
    assert "<script" not in page


@pytest.mark.parametrize("address", PAGES[:2] + PAGES[-2:])
def test_what_a_bot_writes_into_an_address_reaches_nobody_else(client, address):
    for query in ("part=POISON", "phase=POISON", "q=POISON", "lang=POISON", "site=POISON"):
        client.get(f"{address}?{query}")
    for query in ("", "?lang=en", "?phase=nothing"):
        assert "POISON" not in client.get(f"{address}{query}").text


def test_filters_stay_when_the_language_changes(client):
    page = client.get(f"{PORTAL}?phase=Habit&part=summary", headers={"Accept-Language": "ko"}).text
    assert f'href="{PORTAL}?phase=Habit&amp;part=summary&amp;lang=en"' in page
    assert f'href="{PORTAL}?q=sla&amp;lang=en"' in client.get(f"{PORTAL}?q=sla", headers={"Accept-Language": "ko"}).text


def test_a_language_of_the_address_stays_on_the_way(client):
    page = client.get(f"{PORTAL}?lang=en", headers={"Accept-Language": "ko"}).text

    assert f'href="{PORTAL}/w02?lang=en"' in page
    assert f'href="{PORTAL}?lang=ko"' in page
    assert f'href="{PORTAL}/w02"' in client.get(PORTAL).text


def test_bounds_of_the_mistakes_are_those_of_the_api(client):
    assert client.get(f"{PORTAL}/w04/common-mistakes?site=x&days=90").status_code == 200
    assert client.get(f"{PORTAL}/w04/common-mistakes?days=91").status_code == 422


def test_the_door_and_the_week_of_the_console_lead_to_it(client, browser_client):
    assert 'href="/web/adoption?lang=en"' in client.get("/sign-in", headers={"Accept-Language": "en"}).text
    week = browser_client("operator").get("/programme/w09", headers={"Accept-Language": "en"}).text
    assert 'href="/web/adoption/w09?lang=en"' in week


def test_a_week_that_is_added_as_data_has_its_page(client, monkeypatch):
    monkeypatch.setitem(documents.PACKS, "w16", sixteenth())

    page = client.get(f"{PORTAL}/w16?lang=ko")
    assert page.status_code == 200
    assert "=합계 🏢" in page.text
    assert "W16 · 앞을 보기" in client.get(f"{PORTAL}?lang=ko").text


def test_people_see_the_modules_as_cards_and_programs_as_data(client):
    page = client.get("/api/public/modules", headers={"Accept": "text/html", "Accept-Language": "en"})
    raw = client.get("/api/public/modules?raw=1", headers={"Accept": "text/html"})

    assert page.mimetype == "text/html"
    assert page.text.count('class="card-item"') == len(raw.json["modules"])
    assert "Set-Cookie" not in page.headers
