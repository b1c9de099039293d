"""Ids in addresses: no number is 422, a number that no row has is 404 in the words of its subject."""

import re

import pytest

from tests.contract.routes import routes

BEYOND = "99999999999999999999"


def addressed_by_number(app):
    """Return the routes with an id; other parts of addresses are words (`job_name`, and the id of a sample file)."""
    return [route for route in routes(app) if re.search(r"(?<!<sample)_id>", route.rule)]


@pytest.mark.parametrize("number", ["0", "-1", "2147483648", BEYOND, "9" * 400])
@pytest.mark.parametrize(
    ("method", "address", "words"),
    [
        ("POST", "/api/admin/users/{}/tokens", "Admin user not found"),
        ("PATCH", "/api/admin/users/{}/active", "Admin user not found"),
        ("POST", "/api/admin/tokens/{}/rotate", "Admin token not found"),
        ("POST", "/api/admin/tokens/{}/revoke", "Admin token not found"),
        ("GET", "/api/ops/governance/gate/remediation/tracker/items/{}", "Remediation tracker item not found"),
        ("PATCH", "/api/adoption/w02/tracker/items/{}", "W02 tracker item not found"),
        ("GET", "/api/adoption/w02/tracker/evidence/{}/download", "W02 evidence not found"),
    ],
)
def test_a_number_that_no_row_can_have_is_not_found(api, method, address, words, number):
    bodies = {"active": {"is_active": True}, "{}": {"status": "done"}}
    body = None if method == "GET" else bodies.get(address.rpartition("/")[2], {})
    response = api("owner").open(address.format(number), method=method, json=body)

    assert response.status_code == 404
    assert response.json["detail"] == words


def test_what_is_no_number_is_refused_with_its_place_after_the_permission(app, api):
    owner, wrong = api("owner"), []
    for route in addressed_by_number(app):
        if not route.is_api:
            continue
        response = owner.open(route.address.replace("987654321", "abc"), method=route.method, json={})
        places = [part["loc"] for part in response.json["detail"]] if response.status_code == 422 else []
        if ["path"] not in [place[:1] for place in places]:
            wrong.append(f"{route}: {response.status_code} {places}")

    assert wrong == []
    assert api("operator", username="low").post("/api/admin/tokens/abc/revoke").status_code == 403


def test_no_address_with_a_huge_number_crashes(app, api):
    owner, crashed = api("owner"), []
    for route in addressed_by_number(app):
        for number in ("0", "2147483648", BEYOND):
            address = re.sub("987654321", number, route.address)
            response = owner.open(address, method=route.method, headers={"Accept": "text/html"})
            if response.status_code >= 500:
                crashed.append(f"{route.method} {address}: {response.status_code}")
            response.close()

    assert crashed == []
