"""How many statements the pages and the API of work orders send: the same for one order and for many."""

from datetime import timedelta

import pytest

from tests.factories.work_orders import add_asset, add_order
from tests.support.statements import statements

MANY = 60
# After somebody's write, when nothing that was read before counts any more.
FROZEN = {
    "page": 8,
    "late": 8,
    "closed": 8,
    "search": 8,
    "board": 10,
    "calendar": 8,
    "api": 3,
    "api behind a cursor": 3,
    "api of one": 2,
    "detail": 13,
    "events": 4,
}


@pytest.fixture
def orders(session, clock):
    """Return the id of the last of many orders: of two people, with things and places, some late, some closed."""
    now = clock.now()
    asset = add_asset(session, now)
    made = [
        add_order(
            session,
            now - timedelta(minutes=number),
            title=f"Order {number}",
            assignee=("kim", None)[number % 2],
            asset_id=asset.id,
            due_at=now + timedelta(hours=number - 20),
            **({"status": "completed", "completed_at": now} if number % 10 == 9 else {}),
        ).id
        for number in range(MANY)
    ]
    session.commit()
    return made


def asked(client, path, session, clock, count):
    client.get(path)
    # Written past the program, so that no answer may go by what was read before.
    add_order(session, clock.now(), title=f"Another {count}")
    session.commit()
    with statements() as seen:
        response = client.get(path)
    assert response.status_code == 200, response.text
    return len(seen)


def test_pages_and_api_of_orders_keep_the_number_of_their_statements(browser_client, api, orders, session, clock):
    person, program = browser_client("manager", username="kim"), api("manager", username="lee")
    for name, address in (("Mine", "/work-orders?assignee=me"), ("All", "/work-orders?state=all&q=Order")):
        person.post("/views", data={"list": "work_orders", "name": name, "address": address})
    cursor = program.get("/api/work-orders?limit=10").headers["X-Next-Cursor"]
    paths = {
        "page": (person, "/work-orders"),
        "late": (person, "/work-orders?due=late&site=본관"),
        "closed": (person, "/work-orders?state=closed&sort=-completed_at&page=1"),
        "search": (person, "/work-orders?q=Order"),
        "board": (person, "/work-orders?view=board"),
        "calendar": (person, "/work-orders?view=calendar&state=all"),
        "api": (program, "/api/work-orders?limit=50"),
        "api behind a cursor": (program, f"/api/work-orders?limit=50&cursor={cursor.replace('+', '%2B')}"),
        "api of one": (program, f"/api/work-orders/{orders[0]}"),
        "detail": (person, f"/work-orders/{orders[0]}"),
        "events": (program, f"/api/work-orders/{orders[0]}/events"),
    }
    counted = {
        name: asked(client, path, session, clock, number) for number, (name, (client, path)) in enumerate(paths.items())
    }

    assert counted == FROZEN
