"""Snooze on the pages of an order and of an item, in lists and My work, and for programs."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from console.models.identity import User
from console.models.snoozes import Snooze
from tests.factories.tracker import add_item
from tests.factories.work_orders import add_order

HOUR = timedelta(hours=1)
WORDS = {"for": "4h", "reason": "Parts <b>arrive</b> at noon"}


@pytest.fixture
def person(browser_client):
    return browser_client("operator", ("본관",), username="kim", display_name="Kim", language="en")


@pytest.fixture
def places(session, clock, person):
    """The page of an order, and that of an item of the board, both of kim."""
    now = clock.now()
    mine = {"assignee": "kim", "assignee_user_id": session.scalar(select(User.id).where(User.username == "kim"))}
    order = add_order(session, now, title="Pump", status="acked", acknowledged_at=now, **mine)
    item = add_item(session, now, 1, site="본관", item_name="Valve", due_at=now + HOUR, **mine)
    session.commit()
    return {"order": f"/work-orders/{order.id}", "item": f"/board/items/{item.id}"}


@pytest.mark.parametrize("thing", ["order", "item"])
def test_a_person_snoozes_sees_it_everywhere_and_ends_it(person, places, session, thing):
    path = places[thing]
    assert "No reminders until" not in person.get(path).text
    answer = person.post(f"{path}/snooze", data=WORDS)
    assert (answer.status_code, answer.location.partition("?")[0]) == (303, path)

    page = person.get(path).text
    assert "Kim put them off" in page
    assert "Parts &lt;b&gt;arrive&lt;/b&gt; at noon" in page
    assert f'action="{path}/snooze"' not in page
    addresses = {"order": ["/work-orders", "/work-orders?view=board"], "item": ["/board", "/board?view=table"]}
    only = f"{addresses[thing][0]}?snoozed=1"
    for address in (*addresses[thing], only, "/my-work?show=assigned", "/open-work"):
        assert "No reminders until" in person.get(address).text, address
    again = person.post(f"{path}/snooze", data=WORDS)
    assert "Reminders are put off already" in (again.text + person.get(path).text)

    person.post(f"{path}/snooze/end")
    assert "No reminders until" not in person.get(path).text
    session.rollback()
    assert session.scalars(select(Snooze.ended_why)).all() == ["ended"]


def test_a_mark_in_a_list_goes_when_the_snooze_is_over(person, places, clock):
    person.post(f"{places['order']}/snooze", data={**WORDS, "for": "1h"})
    assert "No reminders until" in person.get("/work-orders").text
    clock.advance(HOUR)

    assert "No reminders until" not in person.get("/work-orders").text


@pytest.mark.parametrize("sent", [{"for": "9y", "reason": "x"}, {"for": "1h", "reason": " "}])
@pytest.mark.parametrize("thing", ["order", "item"])
def test_a_form_that_does_not_fit_leaves_nothing(person, places, session, thing, sent):
    person.post(f"{places[thing]}/snooze", data=sent)

    session.rollback()
    assert session.scalars(select(Snooze)).all() == []


def test_programs_snooze_look_and_end(api, places, clock):
    client = api("manager")
    until = (clock.now() + HOUR).isoformat()
    for path in (
        f"/api{places['order']}",
        f"/api/ops/governance/gate/remediation/tracker/items/{places['item'].rpartition('/')[2]}",
    ):
        made = client.post(f"{path}/snooze", json={"until": until, "reason": "parts"})
        assert (made.status_code, made.json["until_at"][:19], made.json["ended_at"]) == (201, until[:19], None)
        assert client.post(f"{path}/snooze", json={"until": until, "reason": "parts"}).status_code == 409
        assert client.post(f"{path}/snooze", json={"until": until}).status_code == 422
        ended = client.post(f"{path}/snooze/end")
        assert (ended.status_code, ended.json["ended_why"]) == (200, "ended")
        assert client.post(f"{path}/snooze/end").status_code == 409
        assert [one["id"] for one in client.get(f"{path}/snoozes").json] == [made.json["id"]]
        assert client.post(f"{path[:-1]}99999/snooze", json={"until": until, "reason": "x"}).status_code == 404
