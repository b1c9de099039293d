"""One's own alerts over the API: addresses, choices, names; nobody else's, and never what is secret."""

import pytest
from sqlalchemy import select

from console.models.personal_alerts import PersonalAddress
from console.services.alerts import delivery
from tests.services.alerts.test_guard import Receivers

A = "/api/auth/me/alerts"
HOOK = "https://hooks.example.com/T0/very-secret"
ADDRESS = [
    *("id", "name", "kind", "target", "confirmed", "paused", "state", "last_success_at", "last_error"),
    *("created_at", "version"),
]
CHOICES = [
    *("event_types", "least_level", "sites", "only_mine", "quiet_start", "quiet_end", "quiet_days", "zone"),
    *("critical_passes", "version"),
]


@pytest.fixture
def places():
    found = Receivers()
    with delivery.sending_with(found):
        yield found


def test_an_address_from_its_beginning_to_its_end(api, places):
    kim = api("operator", ("본관",), username="kim")
    made = kim.post(f"{A}/addresses", json={"kind": "slack", "address": HOOK, "name": "업무 전화"})
    assert (made.status_code, list(made.json)) == (201, ADDRESS)
    one = f"{A}/addresses/{made.json['id']}"
    assert kim.post(f"{one}/try").json == {"status": "success", "error": None}
    assert places.addresses() == [HOOK]
    paused = kim.post(f"{one}/pause", json={"paused": True, "version": 1})
    assert (paused.json["paused"], paused.json["version"]) == (True, 2)
    assert kim.post(f"{one}/pause", json={"paused": False, "version": 1}).status_code == 409
    own = kim.get(A)
    assert list(own.json) == ["addresses", "choices", "names"]
    assert (list(own.json["choices"]), own.json["names"]) == (CHOICES, [])
    assert "very-secret" not in own.text + made.text
    assert kim.delete(one).json == {"id": made.json["id"], "status": "removed"}
    assert kim.get(A).json["addresses"] == []


def test_a_mail_address_waits_for_its_code_and_wrong_ones_count(api, places, session):
    kim = api("operator", username="kim")
    made = kim.post(f"{A}/addresses", json={"kind": "mail", "address": "kim@example.com"})
    assert (made.json["confirmed"], made.json["target"]) == (False, "k…@example.com")
    one, code = f"{A}/addresses/{made.json['id']}", places.seen[0][2]["code"]
    assert kim.post(f"{one}/try").json["code"] == "address_unconfirmed"
    assert kim.post(f"{one}/code").json["code"] == "code_sent"
    wrong = "1" * 8 if code != "1" * 8 else "2" * 8
    assert kim.post(f"{one}/confirm", json={"code": wrong}).status_code == 422
    assert session.scalars(select(PersonalAddress.code_tries)).one() == 1
    assert kim.post(f"{one}/confirm", json={"code": code}).json["confirmed"] is True


def test_choices_are_kept_as_they_were_sent(api):
    kim = api("operator", ("본관",), username="kim")
    sent = {
        "event_types": ["sla_escalation"],
        "least_level": "warning",
        "sites": ["본관"],
        "only_mine": False,
        "quiet_start": 1320,
        "quiet_end": 420,
        "quiet_days": [0, 1],
        "zone": "Asia/Tokyo",
        "critical_passes": False,
    }
    kept = kim.put(f"{A}/choices", json={**sent, "version": 0})
    assert kept.json == {**sent, "version": 1}
    for wrong, status in (
        ({"version": 0}, 409),
        ({"sites": ["별관"]}, 422),
        ({"quiet_end": None}, 422),
        ({"quiet_end": 1320}, 422),
        ({"quiet_start": 1440}, 422),
        ({"quiet_days": [7]}, 422),
        ({"event_types": ["address_code"]}, 422),
    ):
        assert kim.put(f"{A}/choices", json={**sent, "version": 1, **wrong}).status_code == status
    assert kim.get(A).json["choices"] == kept.json


def test_a_name_is_kept_for_channels_of_ones_sites(api):
    owner, kim = api("owner", username="boss"), api("operator", ("본관",), username="kim")
    keys = [
        owner.post("/api/ops/alerts/channels", json={"name": name, "kind": kind, "address": HOOK, "sites": sites})
        for name, kind, sites in (("여기", "teams", ["본관"]), ("저기", "slack", ["별관"]), ("기계", "webhook", []))
    ]
    here, there, machine = (one.json["key"] for one in keys)
    kept = kim.put(f"{A}/names", json={"channel": here, "name": "kim@example.com"})
    assert kept.json == [{"channel": here, "title": "여기", "kind": "teams", "name": "kim@example.com"}]
    for other in (there, machine, "nonsense"):
        assert kim.put(f"{A}/names", json={"channel": other, "name": "x"}).status_code == 404
    assert kim.put(f"{A}/names", json={"channel": here}).json[0]["name"] == ""


def test_what_is_somebody_elses_is_not_there(api, places):
    kim, owner = api("operator", username="kim"), api("owner", username="boss")
    made = kim.post(f"{A}/addresses", json={"kind": "webhook", "address": HOOK})
    one = f"{A}/addresses/{made.json['id']}"
    asked = [
        owner.post(f"{one}/try"),
        owner.post(f"{one}/code"),
        owner.post(f"{one}/confirm", json={"code": "1"}),
        owner.post(f"{one}/pause", json={"paused": True, "version": 1}),
        owner.delete(one),
    ]
    assert [answer.status_code for answer in asked] == [404] * 5
    assert (owner.get(A).json["addresses"], places.seen) == ([], [])
    # What is published of channels stays as it was.
    assert owner.get("/api/ops/alerts/channels").json == []
    assert owner.get("/api/ops/alerts/channels/guard").json["channels"] == []


def test_a_sign_in_without_an_account_has_no_alerts(app, client):
    assert client.get(A).status_code == 401
