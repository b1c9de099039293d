"""Who may call the endpoints of the remediation tracker, and what stays out of reach."""

import pytest

from tests.contract.automation import T
from tests.factories.tracker import add_item

ENDPOINTS = [
    ("post", "sync", {}),
    ("get", "items", None),
    ("get", "items.csv", None),
    ("post", "items", {"title": "x"}),
    ("get", "items/1", None),
    ("patch", "items/1", {}),
    ("post", "items/1/claim", {}),
    ("post", "items/1/close", {}),
    ("post", "items/1/comments", {"text": "x"}),
    ("get", "items/1/events", None),
    ("post", "items/bulk", {"action": "assign", "ids": [1]}),
    ("post", "undo", {"token": "x"}),
    ("get", "overview", None),
    ("get", "readiness", None),
    ("get", "completion", None),
    ("post", "complete", {"force": True}),
    ("get", "completion/history", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ENDPOINTS)
def test_who_may_call(api, client, method, path, body):
    assert getattr(client, method)(f"{T}/{path}", json=body).status_code == 401
    answers = {}
    for role in ("owner", "manager", "auditor"):
        answers[role] = getattr(api(role), method)(f"{T}/{path}", json=body)
        assert answers[role].data

    assert answers["owner"].status_code not in {401, 403}
    assert answers["manager"].status_code not in {401, 403}
    # Assignees work on their own items whatever their role: of these the caller learns only that there is none.
    open_to_readers = method == "get" or path in {"items/1", "undo", "items/1/comments"}
    assert (answers["auditor"].status_code == 403) == (not open_to_readers)


def test_the_missing_permission_is_named_as_published(api):
    refused = api("auditor").post(f"{T}/sync", json={})

    assert (refused.status_code, refused.json["detail"]) == (403, "Missing permission: admins:manage")


def test_other_sites_are_out_of_reach(api, session, clock):
    row = add_item(session, clock.now(), 1, site="푸른숲 타워")
    item_id = row.id
    session.commit()
    scoped = api("manager", ("한빛마을 3단지",))

    assert scoped.get(f"{T}/items").json == []
    for method, path, body in (
        ("get", f"items/{item_id}", None),
        ("patch", f"items/{item_id}", {"status": "done"}),
        ("get", f"items/{item_id}/events", None),
        ("post", f"items/{item_id}/claim", {}),
    ):
        answer = getattr(scoped, method)(f"{T}/{path}", json=body)
        assert (answer.status_code, answer.json["detail"]) == (403, "Site access denied")
    for path in ("items", "items.csv", "overview", "readiness"):
        assert scoped.get(f"{T}/{path}", query_string={"site": "푸른숲 타워"}).status_code == 403
    bulk = scoped.post(f"{T}/items/bulk", json={"action": "assign", "assignee": "x", "ids": [item_id]})
    assert (bulk.json["total"], bulk.json["missing"]) == (0, 1)
    refused = scoped.post(f"{T}/complete", json={"force": True})
    assert (refused.status_code, refused.json["detail"]) == (403, "Global site scope required")
    assert api("owner").get(f"{T}/items/{item_id}").json["assignee"] is None
