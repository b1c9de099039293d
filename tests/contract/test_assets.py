"""Assets over the API: paths, fields, bounds, status codes."""

import pytest

from tests.factories.work_orders import add_asset, add_order

ASSETS = "/api/assets"
NEW = {"site": "본관", "code": "TR-01", "name": "변압기 1호"}
FIELDS = [
    *("id", "site", "code", "name", "kind", "place", "serial", "installed_on", "parent_id", "is_active"),
    *("created_by", "updated_by", "created_at", "updated_at", "version", "parent_code", "parent_name"),
    *("open_orders", "last_inspected_at"),
]


@pytest.fixture
def owner(api):
    return api("owner", username="olga")


def made(client, **values):
    response = client.post(ASSETS, json={**NEW, **values})
    assert response.status_code == 201, response.text
    return response


def test_an_asset_is_answered_with_its_fields_and_version(owner):
    response = made(owner, installed_on="2020-05-01", kind="변압기", place="전기실", serial="S-7")

    assert list(response.json) == FIELDS
    assert response.headers["ETag"] == '"1"'
    assert response.json["installed_on"] == "2020-05-01"
    assert owner.get(f"{ASSETS}/{response.json['id']}").json == response.json


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("site", ""),
        ("site", "x" * 121),
        ("code", ""),
        ("code", " "),
        ("code", "x" * 41),
        ("name", ""),
        ("name", "x" * 201),
        ("kind", "x" * 41),
        ("place", "x" * 121),
        ("serial", "x" * 121),
        ("installed_on", "yesterday"),
        ("installed_on", 5),
        ("parent_id", 77),
        ("parent_id", 0),
        ("colour", "red"),
    ],
)
def test_what_cannot_be_is_422_and_leaves_nothing(owner, field, value):
    assert owner.post(ASSETS, json={**NEW, field: value}).status_code == 422
    assert owner.get(ASSETS).headers["X-Total-Count"] == "0"


def test_a_code_that_is_there_is_409_and_a_sending_twice_is_one(owner):
    key = {"Idempotency-Key": "asset-1"}
    first = owner.post(ASSETS, json=NEW, headers=key)

    assert owner.post(ASSETS, json=NEW, headers=key).json == first.json
    assert owner.post(ASSETS, json=NEW).status_code == 409


def test_a_change_takes_the_version_that_was_looked_at(owner):
    path = f"{ASSETS}/{made(owner).json['id']}"

    changed = owner.patch(path, json={"name": "변압기", "version": 1})
    assert (changed.status_code, changed.json["version"], changed.headers["ETag"]) == (200, 2, '"2"')
    assert owner.patch(path, json={"name": "A", "version": 1}).status_code == 409
    assert owner.patch(path, json={"name": "A"}, headers={"If-Match": '"1"'}).status_code == 412
    assert owner.patch(path, json={"is_active": False}).json["is_active"] is False
    own = owner.patch(path, json={"parent_id": changed.json["id"], "is_active": True})
    assert own.status_code == 422
    assert owner.patch(f"{ASSETS}/99", json={}).status_code == 404


def test_the_list_is_filtered_and_sliced(owner, session, clock):
    for number in range(3):
        add_asset(session, clock.now(), f"P-{number}", kind="pump", name=f"펌프 {number}")
    add_asset(session, clock.now(), "TR-01", is_active=False)
    add_asset(session, clock.now(), "TR-01", site="별관")
    session.commit()

    def codes(query):
        found = owner.get(f"{ASSETS}?{query}")
        assert found.status_code == 200, found.text
        return [one["code"] for one in found.json]

    assert codes("") == ["TR-01", "P-0", "P-1", "P-2", "TR-01"]
    assert codes("kind=pump&limit=2&offset=1") == ["P-1", "P-2"]
    assert codes("site=본관&code=TR-01&is_active=false") == ["TR-01"]
    assert codes("q=펌프 2") == ["P-2"]
    assert owner.get(f"{ASSETS}?kind=pump&limit=1").headers["X-Total-Count"] == "3"
    assert owner.get(f"{ASSETS}?limit=101").status_code == 422


def test_a_caller_sees_the_assets_of_his_sites(api, session, clock):
    add_asset(session, clock.now())
    far = add_asset(session, clock.now(), site="별관").id
    session.commit()
    caller = api("operator", ("본관",))

    assert [one["site"] for one in caller.get(ASSETS).json] == ["본관"]
    assert caller.get(f"{ASSETS}?site=별관").status_code == 403
    for path in (f"{ASSETS}/{far}", f"{ASSETS}/{far}/history", f"{ASSETS}/{far}/readings"):
        assert caller.get(path).status_code == 403
    assert caller.post(ASSETS, json=NEW).status_code == 403
    assert api("manager", ("본관",)).post(ASSETS, json={**NEW, "site": "별관"}).status_code == 403
    assert api("operator", ()).get(ASSETS).json == []


def test_the_history_and_the_readings_of_an_asset(owner, session, clock):
    asset = made(owner).json["id"]
    add_order(session, clock.now(), asset_id=asset, title="Hot", trade="electric")
    session.commit()
    sent = {"site": "본관", "location": "전기실", "cycle": "monthly", "inspector": "kim"}
    sent |= {"inspected_at": "2026-02-01T00:00:00Z", "insulation_mohm": 0.5, "asset_id": asset}
    stored = owner.post("/api/inspections", json=sent)
    assert (stored.status_code, stored.json["asset_id"]) == (201, asset)

    past = owner.get(f"{ASSETS}/{asset}/history")
    assert [(one["kind"], one["state"]) for one in past.json] == [("work_order", "open"), ("inspection", "danger")]
    assert past.headers["X-Total-Count"] == "2"
    (reading,) = owner.get(f"{ASSETS}/{asset}/readings").json
    assert (reading["code"], reading["value"], reading["limits"]) == ("insulation_mohm", 0.5, {"danger_low": 1.0})
    assert [one["id"] for one in owner.get(f"/api/inspections?asset_id={asset}").json] == [stored.json["id"]]


def test_an_inspection_at_another_site_than_its_asset_is_400(owner, session, clock):
    asset = add_asset(session, clock.now()).id
    session.commit()
    sent = {
        "site": "별관",
        "location": "B1",
        "cycle": "daily",
        "inspector": "kim",
        "inspected_at": "2026-02-01T00:00:00Z",
    }

    assert owner.post("/api/inspections", json={**sent, "asset_id": asset}).status_code == 400
    assert owner.post("/api/inspections", json={**sent, "asset_id": 99}).status_code == 422
    assert owner.get("/api/inspections").json == []
