"""Work orders as published: paths, fields, words, bounds, status codes."""

import io
from datetime import timedelta

import pytest

from tests.factories.work_orders import add_asset, add_order

ORDERS = "/api/work-orders"
NEW = {"title": "Pump leaks", "site": "본관", "location": "B1"}
FIELDS = [
    "id",
    "title",
    "description",
    "site",
    "location",
    "priority",
    "status",
    "assignee",
    "reporter",
    "inspection_id",
    "due_at",
    "acknowledged_at",
    "completed_at",
    "resolution_notes",
    "is_escalated",
    "is_overdue",
    "created_at",
    "updated_at",
]
EVENT_FIELDS = [
    "id",
    "work_order_id",
    "event_type",
    "actor_username",
    "from_status",
    "to_status",
    "note",
    "detail",
    "created_at",
]


@pytest.fixture
def owner(api):
    return api("owner", username="olga")


def made(client, **values):
    response = client.post(ORDERS, json={**NEW, **values})
    assert response.status_code == 201, response.text
    return response.json


def test_the_published_fields_come_first_in_their_order(owner):
    order = made(owner)

    assert list(order)[: len(FIELDS)] == FIELDS
    assert order["due_at"] == "2026-03-03T00:00:00.000000+00:00"
    assert (order["priority"], order["status"], order["description"], order["inspection_id"]) == (
        "medium",
        "open",
        "",
        None,
    )
    assert owner.get(f"{ORDERS}/{order['id']}").json == order


def test_the_published_walk_through_an_order(owner):
    path = f"{ORDERS}/{made(owner)['id']}"

    comment = owner.post(f"{path}/comments", json={"comment": "on my way"})
    assert (comment.status_code, list(comment.json)[: len(EVENT_FIELDS)]) == (201, EVENT_FIELDS)
    assert owner.patch(f"{path}/ack", json={"assignee": "kim"}).json["status"] == "acked"
    assert owner.patch(f"{path}/ack", json={}).json["detail"] == "Invalid status transition: acked -> acked"
    assert owner.patch(f"{path}/cancel", json={"reason": "double"}).json["resolution_notes"] == "double"
    refused = owner.patch(f"{path}/complete", json={"resolution_notes": "done"})
    assert (refused.status_code, refused.json["detail"]) == (409, "Invalid status transition: canceled -> completed")
    assert owner.patch(f"{path}/reopen", json={}).json["status"] == "open"
    assert owner.patch(f"{path}/complete", json={"resolution_notes": "done"}).json["resolution_notes"] == "done"
    again = owner.patch(f"{path}/complete", json={})
    assert (again.status_code, again.json["resolution_notes"]) == (200, "done")
    events = owner.get(f"{path}/events")
    assert [event["event_type"] for event in events.json] == ["created", "comment", *["status_changed"] * 4]
    assert events.headers["X-Total-Count"] == "6"
    assert events.json[2]["detail"] == {"assignee": "kim"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", " \t"),
        ("title", "x" * 201),
        ("site", " "),
        ("site", "x" * 121),
        ("location", ""),
        ("location", "x" * 121),
        ("priority", "urgent"),
        ("assignee", "x" * 81),
        ("reporter", "x" * 81),
        ("due_at", "tomorrow"),
        ("due_at", "9999-01-01T00:00:00Z"),
        ("inspection_id", 77),
        ("asset_id", 77),
        ("trade", "garden"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(owner, field, value):
    refused = owner.post(ORDERS, json={**NEW, field: value})

    assert refused.status_code == 422
    assert owner.get(ORDERS).json == []


def test_instants_are_kept_in_utc(owner):
    assert made(owner, due_at="2026-03-05T09:00:00+09:00")["due_at"] == "2026-03-05T00:00:00.000000+00:00"
    assert made(owner, due_at="2026-03-05T09:00:00")["due_at"] == "2026-03-05T09:00:00.000000+00:00"


def test_an_asset_of_another_site_is_400(owner, session, clock):
    asset_id = add_asset(session, clock.now()).id
    session.commit()

    refused = owner.post(ORDERS, json={**NEW, "site": "별관", "asset_id": asset_id})
    assert refused.status_code == 400
    filled = owner.post(ORDERS, json={"title": "Hot", "site": "본관", "asset_id": asset_id})
    assert (filled.status_code, filled.json["location"]) == (201, "전기실")


def test_lists_are_bare_arrays_newest_first_with_total_and_link(owner, session, clock):
    hours = [timedelta(hours=number // 2) for number in range(5)]
    numbers = [add_order(session, clock.now() + later).id for later in hours]
    session.commit()

    page = owner.get(f"{ORDERS}?limit=2")
    assert [order["id"] for order in page.json] == numbers[:2:-1]
    assert page.headers["X-Total-Count"] == "5"
    link = page.headers["Link"]
    assert link.endswith('rel="next"')
    second = owner.get(link[1 : link.index(">")])
    assert [order["id"] for order in second.json] == numbers[2:0:-1]
    third = owner.get(f"{ORDERS}?limit=2&cursor={second.headers['X-Next-Cursor'].replace('+', '%2B')}")
    assert [order["id"] for order in third.json] == numbers[:1]
    assert "Link" not in third.headers
    assert [order["id"] for order in owner.get(f"{ORDERS}?limit=2&offset=4").json] == numbers[:1]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "offset=-1", "status=done", "priority=x", "cursor=x", "due=never", "trade=x"]
)
def test_bounds_of_the_list(owner, query):
    assert owner.get(f"{ORDERS}?{query}").status_code == 422


@pytest.mark.parametrize("query", ["limit=0", "limit=301", "offset=-1"])
def test_bounds_of_the_history(owner, query):
    assert owner.get(f"{ORDERS}/{made(owner)['id']}/events?{query}").status_code == 422


def test_filters_of_programs(owner, session, clock):
    now = clock.now()
    done = {"status": "completed", "completed_at": now}
    ids = {
        "mine": add_order(session, now, assignee="kim", priority="high", due_at=now - timedelta(hours=1)).id,
        "free": add_order(session, now, site="별관", trade="fire").id,
        "waits": add_order(session, now, status="acked", waiting_reason="parts", assignee="lee").id,
        "done": add_order(session, now, assignee="lee", is_escalated=True, **done).id,
    }
    session.commit()

    def found(query):
        return {
            name for name, number in ids.items() for one in owner.get(f"{ORDERS}?{query}").json if one["id"] == number
        }

    assert found("status=completed") == {"done"}
    assert found("site=별관") == {"free"}
    assert found("priority=high") == found("due=late") == {"mine"}
    assert found("unassigned=true") == {"free"}
    assert found("unassigned=false") == {"mine", "waits", "done"}
    assert found("waiting=1") == {"waits"}
    assert found("is_escalated=true") == {"done"}
    assert found("is_escalated=false&trade=fire") == {"free"}
    assert found("assignee=lee") == {"waits", "done"}
    assert found("created_to=2026-03-02T00:00:00Z") == set()
    assert found("created_from=2026-03-02T00:00:00Z") == set(ids)


def test_comments_have_1_to_2000_characters(owner):
    path = f"{ORDERS}/{made(owner)['id']}/comments"

    for words in ("", "  ", "x" * 2001):
        assert owner.post(path, json={"comment": words}).status_code == 422
    assert owner.post(path, json={"comment": "x" * 2000}).status_code == 201


def test_a_body_is_needed_even_where_every_field_has_a_default(owner):
    path = f"{ORDERS}/{made(owner)['id']}"

    assert owner.patch(f"{path}/ack").status_code in (400, 415, 422)
    assert owner.patch(f"{path}/ack", json={}).status_code == 200


def test_an_unknown_order_is_404_and_one_of_another_site_403(owner, api, session, clock):
    number = add_order(session, clock.now(), site="별관").id
    session.commit()
    scoped = api("manager", ("본관",), username="mina")

    assert owner.get(f"{ORDERS}/999999").json["detail"] == "Work order not found"
    assert scoped.get(f"{ORDERS}/999999").status_code == 404
    for path in (f"{ORDERS}/{number}", f"{ORDERS}/{number}/events", f"{ORDERS}/{number}/holds", f"{ORDERS}?site=별관"):
        refused = scoped.get(path)
        assert (refused.status_code, refused.json["detail"]) == (403, "Site access denied")
    assert scoped.get(ORDERS).json == []
    assert api("manager", (), username="nana").get(ORDERS).json == []
    assert scoped.post(ORDERS, json={**NEW, "site": "별관"}).status_code == 403


def test_changes_with_events_and_versions(owner):
    order = made(owner)
    path = f"{ORDERS}/{order['id']}"

    assert owner.patch(path, json={"priority": "critical"}).status_code == 422
    changed = owner.patch(path, json={"priority": "critical", "reason": "flood", "version": 1})
    assert (changed.json["priority"], changed.headers["ETag"]) == ("critical", '"2"')
    assert owner.patch(path, json={"title": "Valve", "version": 1}).status_code == 409
    assert owner.patch(path, json={"title": "Valve"}, headers={"If-Match": '"1"'}).status_code == 412
    assert owner.patch(path, json={"assignee": "kim"}).json["assignee"] == "kim"
    assert owner.patch(path, json={"assignee": ""}).json["assignee"] is None
    assert owner.post(f"{path}/claim").json["assignee"] == "olga"
    assert owner.post(f"{path}/claim").status_code == 409


def test_waiting_over_the_api(owner):
    path = f"{ORDERS}/{made(owner)['id']}"

    assert owner.post(f"{path}/hold", json={"reason": "parts"}).status_code == 409
    owner.patch(f"{path}/ack", json={})
    assert owner.post(f"{path}/hold", json={"reason": "luck"}).status_code == 422
    waiting = owner.post(f"{path}/hold", json={"reason": "parts", "until": "2026-03-04T00:00:00Z"}).json
    assert (waiting["status"], waiting["waiting_reason"]) == ("acked", "parts")
    assert owner.post(f"{path}/resume", json={}).json["waiting_reason"] is None
    assert [one["reason"] for one in owner.get(f"{path}/holds").json] == ["parts"]


def test_the_same_key_makes_one_order_and_gives_its_answer_again(owner, api):
    key = {"Idempotency-Key": "round-7"}
    first = owner.post(ORDERS, json=NEW, headers=key)
    again = owner.post(ORDERS, json=NEW, headers=key)

    assert (again.status_code, again.json, again.headers["ETag"]) == (201, first.json, first.headers["ETag"])
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert len(owner.get(ORDERS).json) == 1
    other = owner.post(ORDERS, json={**NEW, "title": "Valve"}, headers=key)
    assert other.status_code == 422
    assert api("owner", username="omar").post(ORDERS, json=NEW, headers=key).json["id"] != first.json["id"]


@pytest.mark.parametrize("key", ["", "x" * 201, "é"])
def test_a_key_that_is_none_is_refused(owner, key):
    assert owner.post(ORDERS, json=NEW, headers={"Idempotency-Key": key}).status_code == 422
    assert owner.get(ORDERS).json == []


def test_a_refused_request_does_not_use_up_its_key(owner):
    key = {"Idempotency-Key": "k"}

    assert owner.post(ORDERS, json={**NEW, "title": ""}, headers=key).status_code == 422
    assert owner.post(ORDERS, json={**NEW, "asset_id": 77}, headers=key).status_code == 422
    assert owner.post(ORDERS, json=NEW, headers=key).status_code == 201


def test_the_service_names_its_addresses(client):
    found = client.get("/api/service-info").json

    assert found["work_order_api"] == ORDERS
    assert found["work_order_events_api"] == "/api/work-orders/{id}/events"


def sent(client, path, content=b"measured", key=None, **form):
    headers = {"Idempotency-Key": key} if key else {}
    data = {"file": (io.BytesIO(content), "a.txt", "text/plain"), **form}
    return client.post(path, data=data, headers=headers, content_type="multipart/form-data")


def test_files_before_and_after_the_work(owner, api):
    path = f"{ORDERS}/{made(owner)['id']}/evidence"
    first = sent(owner, path, phase="before", note="seen", key="photo-1")
    again = sent(owner, path, phase="before", note="seen", key="photo-1")
    second = sent(owner, path, b"done")

    assert (first.status_code, second.status_code) == (201, 201)
    assert again.json == first.json
    assert (first.json["part"], first.json["note"], second.json["part"]) == ("before", "seen", "after")
    assert [one["id"] for one in owner.get(path).json] == [second.json["id"], first.json["id"]]
    order = owner.get(path.removesuffix("/evidence")).json
    assert (order["evidence_before"], order["evidence_after"]) == (1, 1)
    file = f"{ORDERS}/evidence/{first.json['id']}"
    got = owner.get(f"{file}/download")
    assert (got.data, got.headers["X-Evidence-SHA256"]) == (b"measured", first.json["sha256"])
    assert owner.post(f"{file}/remove", json={}).status_code == 422
    assert owner.post(f"{file}/remove", json={"reason": "wrong order"}).status_code == 200
    assert owner.get(f"{file}/download").json["detail"] == "Work order evidence not found"
    for wrong in ({"phase": "later"}, {"file": "words"}):
        assert sent(owner, path, **wrong).status_code == 422
    assert sent(owner, path, b"").status_code == 400
    elsewhere = api("operator", ("별관",))
    assert sent(elsewhere, path).status_code == 403
    assert elsewhere.get(f"{ORDERS}/evidence/{second.json['id']}/download").status_code == 403
    assert sent(owner, f"{ORDERS}/9999/evidence").status_code == 404


def test_an_order_may_name_an_inspection_of_its_site_that_the_caller_may_see(owner, api):
    def inspection(site):
        body = {
            "site": site,
            "location": "B1",
            "cycle": "daily",
            "inspector": "kim",
            "inspected_at": "2026-03-01T00:00Z",
        }
        return owner.post("/api/inspections", json=body).json["id"]

    here, far = inspection("본관"), inspection("별관")
    order = made(owner, inspection_id=here)
    assert (order["inspection_id"], order["source"]) == (here, "inspection")
    assert [one["id"] for one in owner.get(f"{ORDERS}?inspection_id={here}").json] == [order["id"]]
    assert owner.post(ORDERS, json={**NEW, "inspection_id": far}).status_code == 400
    mine = api("operator", ("본관",))
    assert made(mine, inspection_id=here)["inspection_id"] == here
    # What lies outside the scope is not even there.
    assert mine.post(ORDERS, json={**NEW, "inspection_id": far}).status_code == 422
    assert len(owner.get(ORDERS).json) == 2
