"""Inspections over the API (API contract, inspections)."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select

from console.models.audit import AuditLog
from console.models.inspections import Inspection
from tests.factories import make_site

URL = "/api/inspections"
SITE, OTHER = "한빛마을 3단지", "Site B"
ASKED = ["site", "location", "cycle", "inspector", "inspected_at", "transformer_kva", "voltage_r", "voltage_s"]
ASKED += ["voltage_t", "current_r", "current_s", "current_t", "winding_temp_c", "grounding_ohm", "insulation_mohm"]
PUBLISHED = [*ASKED, "notes", "id", "risk_level", "risk_flags", "created_at"]
BODY = {"site": SITE, "location": "변전실", "cycle": "monthly", "inspector": "강야간"}
BODY["inspected_at"] = "2026-03-01T10:00:00+09:00"


def body(**values):
    return {**BODY, **values}


def test_an_inspection_is_stored_judged_and_read_with_the_published_keys(api, session):
    caller = api("operator")
    made = caller.post(URL, json=body(insulation_mohm=0.1, grounding_ohm=30))
    read = caller.get(f"{URL}/{made.json['id']}")

    assert (made.status_code, read.status_code) == (201, 200)
    assert made.json == read.json
    assert list(made.json)[: len(PUBLISHED)] == PUBLISHED
    assert (made.json["risk_level"], made.json["risk_flags"]) == ("danger", ["insulation_low"])
    assert made.json["inspected_at"] == "2026-03-01T01:00:00.000000+00:00"
    assert (made.json["notes"], made.json["voltage_r"], made.json["rule_version"]) == ("", None, "1")
    entry = session.scalars(select(AuditLog).where(AuditLog.action == "inspection_create")).one()
    assert (entry.resource_type, entry.resource_id) == ("inspection", str(made.json["id"]))


@pytest.mark.parametrize(
    ("values", "level", "flags"),
    [
        ({}, "normal", []),
        ({"insulation_mohm": 1}, "danger", ["insulation_low"]),
        ({"insulation_mohm": 1.0001}, "normal", []),
        ({"winding_temp_c": 90}, "danger", ["temp_high"]),
        ({"winding_temp_c": 89.99}, "normal", []),
        ({"voltage_r": 97, "voltage_s": 100, "voltage_t": 103}, "normal", []),
        ({"voltage_r": 96.9, "voltage_s": 100, "voltage_t": 103.1}, "warning", ["voltage_unbalance"]),
        ({"voltage_r": 0, "voltage_s": 0, "voltage_t": 0}, "normal", []),
        ({"voltage_r": 10, "voltage_s": 100}, "normal", []),
        ({"current_r": 0, "current_s": 900, "current_t": 1, "grounding_ohm": 900}, "normal", []),
        (
            {"insulation_mohm": 0, "winding_temp_c": 120, "voltage_r": 1, "voltage_s": 2, "voltage_t": 3},
            "danger",
            ["insulation_low", "temp_high", "voltage_unbalance"],
        ),
    ],
)
def test_the_published_rules_decide_to_the_letter(api, values, level, flags):
    made = api("operator").post(URL, json=body(**values))

    assert (made.status_code, made.json["risk_level"], made.json["risk_flags"]) == (201, level, flags)


@pytest.mark.parametrize(
    "values",
    [
        {"voltage_r": -1},
        {"voltage_r": 1e308},
        {"insulation_mohm": -0.1},
        {"winding_temp_c": 1001},
        {"winding_temp_c": "NaN"},
        {"winding_temp_c": "Infinity"},
        {"grounding_ohm": "0,4"},
        {"grounding_ohm": True},
        {"grounding_ohm": [1]},
        {"site": " "},
        {"site": "a,b"},
        {"site": "x" * 121},
        {"location": "\u200b \t"},
        {"location": "x" * 121},
        {"cycle": ""},
        {"cycle": "x" * 41},
        {"inspector": "x" * 81},
        {"inspector": None},
        {"inspected_at": 1772000000},
        {"inspected_at": "2026-13-01T00:00:00Z"},
        {"notes": None},
        {"results": [{"code": "x", "value": 1}]},
        {"round_key": "short"},
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(api, session, values):
    refused = api("operator").post(URL, json=body(**values))

    assert refused.status_code == 422
    assert refused.json["detail"]
    assert session.scalar(select(func.count()).select_from(Inspection)) == 0


@pytest.mark.parametrize("raw", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_are_refused(api, raw):
    sent = json.dumps(body(winding_temp_c=0)).replace('"winding_temp_c": 0', f'"winding_temp_c": {raw}')
    refused = api("operator").post(URL, data=sent, headers={"Content-Type": "application/json"})

    assert refused.status_code in (400, 422)
    assert api("operator").get(URL).json == []


def test_numbers_may_be_text_and_a_zero_has_no_sign(api):
    made = api("operator").post(URL, json=body(winding_temp_c="78.5", insulation_mohm="-0"))

    assert (made.json["winding_temp_c"], str(made.json["insulation_mohm"])) == (78.5, "0.0")


def test_missing_fields_and_a_missing_body_are_refused(api):
    caller = api("operator")

    assert caller.post(URL).status_code in (400, 422)
    assert caller.post(URL, json={}).status_code == 422
    for name in BODY:
        assert caller.post(URL, json={key: one for key, one in BODY.items() if key != name}).status_code == 422


def test_names_of_sites_are_those_of_their_records(api, session, clock):
    make_site(session, "HQ", now=clock.now())
    session.commit()
    caller = api("operator", ("HQ",))

    assert [caller.post(URL, json=body(site=name)).json["site"] for name in ("HQ", " HQ ", "hq")] == ["HQ"] * 3


def test_the_list_is_newest_first_and_bounded(api):
    caller = api("operator")
    days = (3, 1, 2, 2)
    made = [caller.post(URL, json=body(inspected_at=f"2026-02-0{day}T00:00:00Z")).json["id"] for day in days]
    found = caller.get(URL)

    assert [one["id"] for one in found.json] == [made[0], made[3], made[2], made[1]]
    assert found.headers["X-Total-Count"] == "4"
    assert [one["id"] for one in caller.get(f"{URL}?limit=2&offset=1").json] == [made[3], made[2]]
    assert caller.get(f"{URL}?offset=4").json == []
    for query in ("limit=0", "limit=101", "offset=-1", "limit=x", "cursor=x", "cursor=2026-01-01T00:00:00Z~0"):
        assert caller.get(f"{URL}?{query}").status_code == 422
    assert caller.get(f"{URL}?risk_level=critical").status_code == 422


def test_a_cursor_walks_through_without_sliding(api):
    caller = api("operator")
    for _number in range(7):
        caller.post(URL, json=BODY)
    seen, address = [], f"{URL}?limit=3&site={SITE}"
    while address:
        answer = caller.get(address)
        seen += [one["id"] for one in answer.json]
        caller.post(URL, json=body(inspected_at="2026-03-02T00:00:00Z"))
        address = answer.headers["Link"].partition(">")[0].lstrip("<") if "Link" in answer.headers else ""

    assert seen == [7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("query", "number"),
    [
        (f"site={OTHER}", 1),
        ("site=nowhere", 0),
        ("risk_level=danger", 1),
        ("inspected_from=2026-03-01T01:00:00Z", 2),
        ("inspected_from=2026-03-01T01:00:01Z", 0),
        ("inspected_to=2026-03-01T01:00:00Z", 0),
        ("inspector=강야간", 2),
        ("inspector=nobody", 0),
        ("template_id=1", 0),
    ],
)
def test_the_list_is_narrowed(api, query, number):
    caller = api("operator")
    caller.post(URL, json=body(insulation_mohm=0.4))
    caller.post(URL, json=body(site=OTHER))

    assert len(caller.get(f"{URL}?{query}").json) == number


@pytest.mark.parametrize(("role", "writes"), [("owner", 201), ("manager", 201), ("operator", 201), ("auditor", 403)])
def test_who_reads_and_who_writes(api, role, writes):
    caller = api(role)

    assert caller.post(URL, json=BODY).status_code == writes
    assert caller.get(URL).status_code == 200


@pytest.mark.parametrize("role", ["owner", "manager", "operator"])
def test_sites_bound_what_is_seen_and_written(api, role):
    first = api("owner").post(URL, json=body(site=OTHER)).json["id"]
    mine = api(role, (SITE,))

    assert mine.post(URL, json=body(site=OTHER)).json["detail"] == "Site access denied"
    assert mine.post(URL, json=BODY).status_code == 201
    assert [one["site"] for one in mine.get(URL).json] == [SITE]
    assert mine.get(f"{URL}?site={OTHER}").status_code == 403
    assert (mine.get(f"{URL}/{first}").status_code, mine.get(f"{URL}/{first}/results").status_code) == (403, 403)
    assert mine.get(f"{URL}/999999").json["detail"] == "Inspection not found"
    assert mine.get(f"/inspections/{first}/print").status_code == 403
    assert api(role, ()).get(URL).json == []


def test_the_same_key_is_carried_out_once(api, session):
    caller = api("operator")
    headers = {"Idempotency-Key": "round-1"}
    first, again = (caller.post(URL, json=BODY, headers=headers) for _time in range(2))
    other = caller.post(URL, json=body(notes="x"), headers=headers)

    assert (first.status_code, again.status_code, again.json) == (201, 201, first.json)
    assert (again.headers["Idempotency-Replayed"], "Idempotency-Replayed" in first.headers) == ("true", False)
    assert other.status_code == 422
    assert session.scalar(select(func.count()).select_from(Inspection)) == 1
    assert api("operator").post(URL, json=BODY, headers=headers).json["id"] != first.json["id"]


def test_a_refused_request_does_not_use_its_key_up(api):
    caller = api("operator")
    headers = {"Idempotency-Key": "round-2"}

    assert caller.post(URL, json=body(site=" "), headers=headers).status_code == 422
    assert caller.post(URL, json=BODY, headers=headers).status_code == 201


def test_a_round_is_known_by_its_own_key(api):
    caller = api("operator")
    first, again = (caller.post(URL, json=body(round_key="phone-0001")) for _time in range(2))
    other = caller.post(URL, json=body(round_key="phone-0001", notes="x"))

    assert (first.status_code, again.status_code, again.json) == (201, 201, first.json)
    assert (other.status_code, other.json["detail"]) == (409, "Another round was sent under this key")
    assert api("operator").post(URL, json=body(round_key="phone-0001")).json["id"] != first.json["id"]


LABELS = ["Site", "Location", "Cycle", "Inspector", "Inspected At", "Risk Level", "Risk Flags", "Transformer (kVA)"]
LABELS += ["Voltage (R/S/T)", "Current (R/S/T)", "Winding Temp (C)", "Grounding (ohm)", "Insulation (Mohm)"]
LABELS += ["Notes", "Created At"]


def test_the_sheet_has_the_published_rows_and_runs_nothing(api):
    caller = api("auditor", username="kim")
    hostile = "<script>alert(1)</script>"
    made = api("operator").post(URL, json=body(location=hostile, notes="한 줄", insulation_mohm=0, voltage_r=220))
    sheet = caller.get(f"/inspections/{made.json['id']}/print")
    text = sheet.text

    assert (sheet.status_code, sheet.mimetype) == (200, "text/html")
    places = [text.index(f'<th scope="row">{label}</th>') for label in LABELS]
    assert places == sorted(places)
    assert f"<title>Inspection #{made.json['id']}</title>" in text
    assert f"Inspection Report #{made.json['id']}</h1>" in text
    assert "<td>0</td>" in text
    assert "<td>220 / - / -</td>" in text
    assert "<td>insulation_low</td>" in text
    assert '<th scope="row">Insulation resistance</th><td>0 MΩ</td><td>&gt; 1</td><td>danger</td>' in text
    assert hostile not in text
    assert "unsafe" not in sheet.headers["Content-Security-Policy"]


def test_the_service_names_its_address(client):
    info = client.get("/api/service-info").json
    modules = client.get("/api/public/modules", headers={"Accept": "application/json"}).json["modules"]

    assert info["inspection_api"] == URL
    hrefs = [link["href"] for one in modules if one["id"] == "inspection-ops" for link in one["links"]]
    assert hrefs == [URL, "/inspections/{id}/print"]


def test_a_round_of_a_program_brings_its_orders_and_its_signature(api, session):
    sent = body(insulation_mohm=0.4, signature="M1 2L3 4", orders=[{"code": "insulation_mohm"}], round_key="phone-0001")
    caller = api("operator")
    made = caller.post(URL, json=sent)
    order = caller.get(f"/api/work-orders?inspection_id={made.json['id']}").json

    assert made.status_code == 201
    assert [(one["priority"], one["site"]) for one in order] == [("critical", SITE)]
    assert caller.get(f"{URL}/{made.json['id']}/results").json[0]["work_order_id"] == order[0]["id"]
    assert caller.post(URL, json=sent).json == made.json
    for wrong in ({"signature": "M1 2"}, {"orders": [{"code": "x", "priority": "soon"}]}, {"orders": [{"code": "x"}]}):
        assert caller.post(URL, json=body(**wrong)).status_code == 422


def test_halves_of_a_round_leave_nothing_and_the_whole_is_kept_once(api, session):
    whole = json.dumps(body(insulation_mohm=0.4, orders=[{"code": "insulation_mohm"}], round_key="phone-0001"))
    caller = api("operator")
    headers = {"Content-Type": "application/json"}
    halves = [caller.post(URL, data=whole[: len(whole) // 2], headers=headers) for _time in "12"]
    sent = [caller.post(URL, data=whole, headers=headers) for _time in "123"]

    assert {one.status_code for one in halves} <= {400, 422}
    assert {one.status_code for one in sent} == {201}
    assert len({one.json["id"] for one in sent}) == 1
    assert session.scalar(select(func.count()).select_from(Inspection)) == 1
    assert len(caller.get("/api/work-orders").json) == 1


def test_a_finding_is_closed_and_an_inspection_countersigned_by_a_program(api):
    mine = api("operator", username="kang")
    made = mine.post(URL, json=body(insulation_mohm=0.4)).json
    path, other = f"{URL}/{made['id']}", api("manager", username="park")

    assert (made["asset_id"], made["countersigned_by"], made["countersigned_at"]) == (None, "", None)
    closed = other.post(f"{path}/findings/insulation_mohm/close", json={"reason": "측정 실수"})
    assert (closed.status_code, closed.json["closed_reason"], closed.json["closed_by"]) == (200, "측정 실수", "park")
    assert other.post(f"{path}/findings/insulation_mohm/close", json={"reason": "또"}).status_code == 409
    assert other.post(f"{path}/findings/nothing/close", json={"reason": "또"}).status_code == 404
    for wrong in ({}, {"reason": ""}, {"reason": "x" * 501}):
        assert other.post(f"{path}/findings/insulation_mohm/close", json=wrong).status_code == 422

    assert mine.post(f"{path}/countersign", json={}).status_code == 409
    assert other.post(f"{path}/countersign", json={"note": "확인"}).json["countersigned_at"] is not None
    assert other.post(f"{path}/countersign", json={}).status_code == 409
    told = other.get(f"{path}/events").json
    assert [(one["event_type"], one["note"]) for one in told] == [
        ("finding_closed", "측정 실수"),
        ("countersigned", "확인"),
    ]
    assert api("auditor").post(f"{path}/countersign", json={}).status_code == 403
    assert api("manager", ("다른 곳",)).get(f"{path}/events").status_code == 403
