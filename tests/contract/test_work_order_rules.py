"""Completion rules over the API: their envelope, and the answer of an order that lacks what its site insists on."""

import pytest

from tests.factories import make_site
from tests.factories.work_orders import add_order

PATH = "/api/admin/policies/work-order-completion"


@pytest.fixture
def order(session, clock):
    make_site(session, "본관", now=clock.now())
    row = add_order(session, clock.now(), trade="electric")
    session.commit()
    return f"/api/work-orders/{row.id}"


def test_the_api_refuses_only_where_the_site_switched_it_on(api, order):
    owner, operator = api("owner", username="olga"), api("operator", username="kim")
    stored = owner.put(f"{PATH}?site=본관", json={"photo_electric": "low", "text_electric": "low"})
    assert (stored.status_code, stored.json["source"], stored.json["policy"]["enforced"]) == (200, "site", False)
    assert stored.headers["ETag"] == '"1"'
    assert operator.patch(f"{order}/complete", json={}).status_code == 200
    assert operator.patch(f"{order}/reopen", json={}).status_code == 200

    assert owner.put(f"{PATH}?site=본관", json={"enforced": True}, headers={"If-Match": '"0"'}).status_code == 412
    assert owner.put(f"{PATH}?site=본관", json={"enforced": True}).status_code == 200
    refused = operator.patch(f"{order}/complete", json={})
    assert (refused.status_code, refused.json["code"]) == (422, "incomplete")
    assert [(one["type"], one["loc"]) for one in refused.json["detail"]] == [
        ("completion_rule", ["body", "after_photo"]),
        ("completion_rule", ["body", "completion"]),
    ]
    assert operator.get(order).json["status"] == "open"


def test_what_nobody_set_demands_nothing(api, order):
    found = api("owner").get(PATH).json

    assert found["source"] == "built_in"
    assert set(found["policy"].values()) == {False, "never"}
    assert api("owner").put(PATH, json={"enforced": True}).status_code == 422
    assert api("manager").get(PATH).status_code == 403
