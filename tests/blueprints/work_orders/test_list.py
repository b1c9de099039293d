"""The list of orders in its forms: table, board and calendar under one address, and steps for many orders."""

import json
import re
from datetime import timedelta

import pytest

from tests.factories import make_user
from tests.factories.work_orders import add_order

HOUR = timedelta(hours=1)
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def manager(browser_client):
    return browser_client("manager", ("본관",), username="park", language="en")


@pytest.fixture
def orders(session, clock):
    """A late one, one in progress, one that waits, one done today, one done long ago, and one of another site."""
    now = clock.now()
    make_user(session, now=now, username="kim", display_name="김정비", role="operator", site_scope=("본관",))
    begun = {"status": "acked", "acknowledged_at": now, "assignee": "kim"}
    made = {
        "late": add_order(session, now, title="Late pump", due_at=now - HOUR),
        "begun": add_order(session, now, title="Open door", **begun),
        "waits": add_order(session, now, title="Slow lift", waiting_reason="parts", **begun),
        "done": add_order(session, now, title="New lamp", status="completed", completed_at=now),
        "old": add_order(session, now, title="Old lamp", status="completed", completed_at=now - 90 * HOUR),
        "far": add_order(session, now, title="Far door", site="별관"),
    }
    ids = {name: row.id for name, row in made.items()}
    session.commit()
    return ids


def column(page, key):
    return page[page.index(f'id="col-{key}"') :].split("</section>")[0]


def test_the_board_has_a_column_for_each_state_under_the_same_filters(manager, orders):
    page = manager.get("/work-orders?view=board").text

    assert "Late pump" in column(page, "open")
    assert "Open door" in column(page, "acked")
    assert "Slow lift" in column(page, "waiting")
    assert "New lamp" in column(page, "today")
    assert "Old lamp" not in page
    assert "Far door" not in page
    narrowed = manager.get("/work-orders?view=board&assignee=kim", headers=PARTIAL).text
    assert "Late pump" not in narrowed
    assert "Open door" in narrowed
    assert "view=board" in re.search(r'data-query="([^"]*)"', narrowed).group(1)


def test_a_long_column_shows_more_of_itself_and_leads_to_the_table(manager, session, clock):
    for number in range(20):
        add_order(session, clock.now(), title=f"Order {number:02}")
    session.commit()

    assert manager.get("/work-orders?view=board").text.count("board-card-title") == 15
    longer = manager.get("/work-orders?view=board&expand=open").text
    assert longer.count("board-card-title") == 20


def test_the_calendar_shows_each_order_on_the_day_it_is_due(manager, session, clock, orders):
    now = clock.now()
    # 23:30 and 00:30 in Seoul, the last of one month and the first of the next one.
    add_order(session, now, title="Last minute", due_at=now.replace(month=3, day=31, hour=14, minute=30))
    add_order(session, now, title="First minute", due_at=now.replace(month=3, day=31, hour=15, minute=30))
    session.commit()
    page = manager.get("/work-orders?view=calendar&at=2026-03-15").text
    days = page.split('<li class="cal-day')

    def day_of(title):
        return next(re.search(r"</span> (\d+ \w{3})", day).group(1) for day in days if title in day)

    assert (day_of("Last minute"), day_of("First minute")) == ("31 Mar", "1 Apr")
    assert len(days) - 1 == 42
    week = manager.get("/work-orders?view=calendar&span=week&at=2026-03-31").text
    assert week.count('<li class="cal-day') == 7
    assert "at=2026-04-07" in week
    assert manager.get("/work-orders?view=calendar&at=nonsense&span=x").status_code == 200


def test_a_day_with_more_orders_leads_to_its_rows(manager, session, clock):
    now = clock.now()
    for number in range(5):
        add_order(session, now, title=f"Order {number}", due_at=now + HOUR)
    session.commit()
    page = manager.get("/work-orders?view=calendar").text
    address = re.search(r'href="([^"]*due_from=2026-03-02[^"]*)"', page).group(1).replace("&amp;", "&")

    assert "2 more" in page
    assert manager.get(address).text.count('class="cell-title"') == 5


def test_tabs_keep_the_form_and_the_own_views_stand_behind_them(manager, orders):
    address = "/work-orders?view=board&priority=high"
    manager.post("/views", data={"list": "work_orders", "name": "My urgent ones", "address": address})
    page = manager.get("/work-orders?view=board").text
    tabs = page[page.index('class="tabs"') :].split("</nav>")[0]

    assert "due=late&amp;view=board" in tabs
    assert "My urgent ones" in tabs


def test_a_step_for_many_is_taken_back_from_its_message(manager, orders):
    ids = [orders["late"], orders["begun"]]
    assert "60 s" in dialog(manager, "assign", ids=ids).text
    done = manager.post("/work-orders/bulk/apply", data={"action": "assign", "ids": ids, "value": "-"}, headers=PARTIAL)
    told = json.loads(done.headers["HX-Trigger"])["toast"]

    back = manager.post(told["undo"], data={"token": told["token"]}, headers=PARTIAL)

    assert told["undo"] == "/work-orders/bulk/undo"
    assert json.loads(back.headers["HX-Trigger"])["toast"]["message"] == "Taken back: 1"
    assert "orders-changed" in json.loads(back.headers["HX-Trigger"])
    assert manager.post(told["undo"], data={"token": told["token"]}, headers=PARTIAL).status_code == 410
    assert "undo" not in dialog(manager, "begin", ids=ids).text


def tab(page, name):
    """Return how many rows the tab of a view has, None where it does not say."""
    found = re.search(rf">{name}\s*(?:<span[^>]*>(\d+)</span>)?\s*</a>", page)
    return found[1] and int(found[1])


def test_own_views_say_how_many_orders_they_have(manager, orders, session, clock):
    kept = {
        "All of them": "/work-orders?state=all",
        "Late ones": "/work-orders?due=late",
        "Gone": "/work-orders?floor=3",
        "Strange": "/work-orders?due=someday",
    }
    for name, address in kept.items():
        manager.post("/views", data={"list": "work_orders", "name": name, "address": address})
    before = {name: tab(manager.get("/work-orders").text, name) for name in kept}
    add_order(session, clock.now(), due_at=clock.now() - HOUR)
    session.commit()
    after = {name: tab(manager.get("/work-orders").text, name) for name in kept}

    assert before["Late ones"] >= 1
    assert (before["Gone"], before["Strange"]) == (None, None)
    assert after == {**before, "All of them": before["All of them"] + 1, "Late ones": before["Late ones"] + 1}


def test_own_views_count_what_their_reader_may_see(browser_client, orders):
    counted = []
    for number, sites in enumerate((("본관",), ("별관",))):
        person = browser_client("operator", sites, username=f"reader{number}")
        address = "/work-orders?state=all"
        person.post("/views", data={"list": "work_orders", "name": "All of them", "address": address})
        counted.append(tab(person.get("/work-orders").text, "All of them"))

    assert counted[0] != counted[1]
    assert sum(counted) <= len(orders)


def test_rows_show_how_much_of_their_time_is_used(manager, session, clock):
    now = clock.now()
    add_order(session, now - HOUR, title="Half", due_at=now + HOUR)
    add_order(session, now - HOUR, title="Past", due_at=now - HOUR / 2)
    add_order(session, now, title="Waits", due_at=now + 90 * HOUR, status="acked", waiting_reason="parts")
    add_order(session, now, title="Over", status="completed", completed_at=now)
    session.commit()
    page = manager.get("/work-orders?state=all").text
    rows = {name: page.split(f">{name}</a>")[1].split("</tr>")[0] for name in ("Half", "Past", "Waits", "Over")}

    assert 'due-soon"\n  value="50"' in rows["Half"]
    assert 'due-late"\n  value="100"' in rows["Past"]
    assert 'due-wait"\n  value="0"' in rows["Waits"]
    assert "due-bar" not in rows["Over"]


def dialog(client, action, **sent):
    return client.post("/work-orders/bulk", data={"action": action, **sent}, headers=PARTIAL)


def test_a_step_for_many_says_first_what_it_changes(manager, orders):
    ids = [orders["late"], orders["begun"], orders["far"]]
    asked = dialog(manager, "assign", ids=ids).text
    assert "Assign 2 orders" in asked
    assert "1 of the chosen orders are gone or not for you." in asked
    assert "김정비: 2 open" in asked

    told = manager.post("/work-orders/bulk/count", data={"action": "assign", "ids": ids, "value": "kim"}).text
    assert "1 of 2 would change." in told
    assert "2 → 3 open" in told
    assert "1 of 2" not in manager.post("/work-orders/bulk/count", data={"action": "assign", "ids": ids}).text

    done = manager.post(
        "/work-orders/bulk/apply", data={"action": "assign", "ids": ids, "value": "kim"}, headers=PARTIAL
    )
    assert done.status_code == 200
    assert "orders-changed" in done.headers["HX-Trigger"]
    assert "Late pump" in manager.get("/work-orders?assignee=kim").text


@pytest.mark.parametrize("action", ["assign", "priority", "due", "begin", "wait", "complete", "comment"])
def test_every_step_has_its_dialog(manager, orders, action):
    answer = dialog(manager, action, ids=[orders["late"]])

    assert answer.status_code == 200
    assert 'id="bulk-dialog"' in answer.text
    assert answer.text.count('name="expected" value="1"') == 1


def test_orders_that_refuse_a_step_are_named_with_their_reason(manager, orders):
    sent = {"action": "wait", "ids": [orders["late"], orders["begun"]], "value": "parts", "text": "seal"}
    told = manager.post("/work-orders/bulk/count", data=sent).text
    assert f"#{orders['late']}</span> is left out:" in told
    assert "Only a work order in progress can wait" in told

    result = manager.post("/work-orders/bulk/apply", data=sent, headers=PARTIAL).text
    assert "Not everything could be changed" in result


def test_a_whole_list_is_changed_as_it_was_counted(manager, session, clock, orders):
    sent = {"action": "comment", "all": "1", "query": "assignee=kim&view=board", "text": "checked", "expected": "2"}
    add_order(session, clock.now(), title="Another", assignee="kim")
    session.commit()
    refused = manager.post("/work-orders/bulk/apply", data=sent, headers=PARTIAL)
    assert "The list has 3 orders now, and had 2" in refused.headers["HX-Trigger"]
    assert manager.post("/work-orders/bulk/apply", data={**sent, "expected": "3"}).status_code == 303


@pytest.mark.parametrize(
    "sent",
    [
        {"action": "fly", "ids": ["1"]},
        {"action": "assign", "ids": ["1"]},
        {"action": "priority", "ids": ["1"], "value": "high"},
        {"action": "assign", "ids": ["x"], "value": "kim"},
        {"action": "due", "ids": ["1"], "value": "2026-02-30T09:00", "text": "x"},
    ],
)
def test_what_cannot_be_is_refused_in_words(manager, orders, sent):
    assert manager.post("/work-orders/bulk/apply", data=sent).status_code == 422


def test_who_may_only_read_chooses_nothing(browser_client, orders):
    auditor = browser_client("auditor", username="audrey")

    assert "data-select" not in auditor.get("/work-orders").text
    assert auditor.post("/work-orders/bulk/apply", data={"action": "begin", "ids": ["1"]}).status_code == 403


def test_chosen_orders_are_downloaded_alone(manager, orders):
    lines = manager.get(f"/work-orders/csv?ids={orders['late']}&ids={orders['old']}").text.splitlines()

    assert len(lines) == 3
    assert manager.get("/work-orders/csv?ids=x").status_code == 422
