"""The pages of the alert channels, and their API."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from console.core.context import SYSTEM, Context
from console.domain.alerts.alerts import answered
from console.models.alerts import AlertDelivery
from console.services.alerts import channels, delivery
from console.services.alerts import outbox as alerts
from console.services.alerts.channels import Wish
from tests.services.alerts.test_guard import Receivers
from tests.support.statements import statements

SECRET = "https://hooks.slack.example/services/T0/very-secret"
A = "/api/ops/alerts/channels"
NEW = {"name": "현장 슬랙", "kind": "slack", "address": SECRET, "least_level": "info"}


@pytest.fixture
def work(session, clock, config):
    return Context(session, clock, SYSTEM, config)


@pytest.fixture
def made(work):
    """A channel with deliveries of every kind, a trial and an incident."""
    one = channels.create(work, Wish("현장 슬랙", "slack", SECRET), look_up=lambda *_: ["93.184.216.34"])
    places = Receivers()
    for number in range(6):
        alerts.raise_alert(work, "test_event", {"number": number})
        places.behave[SECRET] = answered((200, 200, 200, 500, 410, 500)[number])
        work.commit()
        with delivery.sending_with(places):
            delivery.deliver_due(work, limit=10)
        work.clock.advance(timedelta(minutes=1))
    work.commit()
    return one


def person(browser_client, role="owner", sites=("*",)):
    return browser_client(role, sites)


def test_the_page_tells_each_channel_by_its_name_and_no_secret(browser_client, made):
    page = person(browser_client).get("/alerts/channels")

    assert page.status_code == 200
    assert "현장 슬랙" in page.text
    assert "발송 차단" in page.text
    assert "very-secret" not in page.text
    assert made.key not in re.sub(r'(href|action)="[^"]*"', "", page.text)


def test_every_number_opens_its_rows(browser_client, api, made):
    reader = person(browser_client)
    page = reader.get("/alerts/channels").text
    links = re.findall(r'href="((?:/alerts\?|/alerts/channels/incidents\?)[^"]*)"[^>]*>\s*([\d.,]+)<', page)

    assert len(links) >= 3
    for address, shown in links:
        if "state=ended" in address:
            continue
        listed = reader.get(address.replace("&amp;", "&"))
        assert listed.status_code == 200
        counted = re.findall(r"<tr[^>]*data-id|<tr[^>]*id=\"row-", listed.text)
        found = len(counted) or listed.text.count('class="cell-title"')
        assert found == int(shown), address


def test_reading_the_page_asks_the_database_as_often_for_many_channels(browser_client, engine, work, made):
    reader = person(browser_client)
    reader.get("/alerts/channels")
    with statements(engine) as before:
        reader.get("/alerts/channels")
    for number in range(12):
        channels.create(work, Wish(f"채널 {number}", "slack", SECRET), look_up=lambda *_: ["93.184.216.34"])
    work.commit()
    with statements(engine) as after:
        reader.get("/alerts/channels")

    assert len(after) == len(before)
    assert len(after) <= 22


def test_a_channel_is_made_changed_and_paused_on_its_pages(browser_client, session):
    owner = person(browser_client)
    added = owner.post("/alerts/channels/new", data=NEW)
    assert added.status_code == 303
    key = session.scalars(select(channels.AlertChannel.key)).one()
    page = owner.get(f"/alerts/channels/{key}")
    assert "very-secret" not in page.text
    assert "https://hooks.slack.example/…" in page.text

    saved = owner.post(f"/alerts/channels/{key}", data=NEW | {"name": "밤 당직", "address": "", "version": 1})
    paused = owner.post(f"/alerts/channels/{key}/pause", data={"paused": "1", "version": 2, "reason": "점검"})
    assert (saved.status_code, paused.status_code) == (303, 303)
    assert "점검" in owner.get(f"/alerts/channels/{key}").text
    stale = owner.post(f"/alerts/channels/{key}", data=NEW | {"version": 1})
    assert stale.status_code == 409
    assert owner.post(f"/alerts/channels/{key}/pause", data={"paused": "0", "version": 3}).status_code == 303


def test_a_form_that_is_wrong_says_where(browser_client):
    owner = person(browser_client)

    answer = owner.post("/alerts/channels/new", data=NEW | {"address": "http://10.0.0.1/x"})
    assert answer.status_code == 422
    assert "https://로 시작하는 주소만" in answer.text
    assert owner.post("/alerts/channels/new", data=NEW | {"name": ""}).status_code == 422


@pytest.mark.parametrize(("role", "sites"), [("manager", ("*",)), ("manager", ("본관",)), ("auditor", ("*",))])
def test_others_look_and_do_not_change(browser_client, made, role, sites):
    reader = person(browser_client, role, sites)

    assert reader.get("/alerts/channels").status_code == 200
    assert reader.get(f"/alerts/channels/{made.key}").status_code == 200
    assert reader.get("/alerts/channels/new").status_code == 403
    assert reader.post(f"/alerts/channels/{made.key}/pause", data={"paused": "1"}).status_code == 403
    tries = reader.post(f"/alerts/channels/{made.key}/try").status_code
    assert tries == (303 if (role, sites) == ("manager", ("*",)) else 403)


def test_names_that_are_markup_are_words(browser_client, work):
    name = "<img src=x onerror=alert(1)>"
    channels.create(work, Wish(name, "slack", SECRET), look_up=lambda *_: ["93.184.216.34"])
    work.commit()
    text = person(browser_client).get("/alerts/channels").text

    assert name not in text
    assert "&lt;img src=x" in text


def test_the_api_makes_changes_and_pauses_channels(api, session):
    owner = api("owner")
    made = owner.post(A, json=NEW)
    key = made.json["key"]
    assert made.status_code == 201
    assert "very-secret" not in made.text
    changed = owner.put(f"{A}/{key}", json={"name": "밤", "kind": "slack", "version": 1})
    paused = owner.post(f"{A}/{key}/pause", json={"paused": True, "reason": "교체", "version": 2})

    assert (changed.json["name"], changed.json["target"]) == ("밤", "https://hooks.slack.example/…")
    assert (paused.json["paused"], paused.json["version"]) == (True, 3)
    assert [one["key"] for one in owner.get(A).json] == [key]
    assert owner.put(f"{A}/{key}", json={"name": "밤", "kind": "slack", "version": 1}).status_code == 409
    assert owner.put(f"{A}/nothing", json={"name": "밤", "kind": "slack", "version": 1}).status_code == 404
    assert api("manager").post(A, json=NEW).status_code == 403
    assert owner.post(A, json=NEW | {"secret": 1}).status_code == 422


def test_the_list_of_alerts_names_the_channel(browser_client, made, session):
    reader = person(browser_client)
    assert "현장 슬랙" in reader.get("/alerts").text
    session.execute(update(AlertDelivery).values(channel="webhook-gone", target="https://gone.example/…"))
    session.commit()
    assert "https://gone.example/…" in reader.get("/alerts").text


def test_what_to_do_about_a_channel_in_trouble_is_said_in_the_language_of_the_reader(browser_client, made):
    page = browser_client("owner", language="en").get("/alerts/channels").text

    assert "Put right what is wrong, then send a trial" in page
    assert "고친 뒤" not in page
