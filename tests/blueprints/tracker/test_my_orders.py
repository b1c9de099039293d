"""Work orders in My work, beside the items: whose they are, what comes first, and what can be taken."""

import pytest
from sqlalchemy import select

from console.models.identity import User
from console.models.work_orders import WorkOrder
from tests.factories import make_site
from tests.factories.tracker import HOUR, add_item
from tests.factories.work_orders import add_order

SITE, OTHER = "한빛마을 3단지", "푸른숲 타워"


@pytest.fixture
def lee(browser_client, session, clock):
    """A technician of one site with an item and orders of every kind."""
    now = clock.now()
    for name in (SITE, OTHER):
        make_site(session, name, now=now)
    session.commit()
    client = browser_client("operator", (SITE,), username="lee", display_name="이정비", language="en")
    user_id = session.scalar(select(User.id).where(User.username == "lee"))
    mine = {"site": SITE, "assignee": "lee", "assignee_user_id": user_id}
    begun = {"status": "acked", "acknowledged_at": now}
    add_item(session, now, 1, due_at=now + HOUR, item_name="Item of today", **mine)
    add_order(session, now, title="Late order", due_at=now - HOUR, **mine)
    add_order(session, now, title="Waiting order", due_at=now + 2 * HOUR, waiting_reason="parts", **begun, **mine)
    add_order(session, now, title="Far order", due_at=now + 100 * HOUR, **begun, **mine)
    add_order(session, now, title="Free order", site=SITE)
    add_order(session, now, title="Foreign order", site=OTHER)
    add_order(session, now, title="Done order", status="completed", completed_at=now, **mine)
    session.commit()
    return client


TITLES = ("Item of today", "Late order", "Waiting order", "Far order", "Free order", "Foreign order", "Done order")


@pytest.mark.parametrize(
    ("show", "titles"),
    [
        ("today", ["Late order", "Item of today", "Waiting order"]),
        ("assigned", ["Late order", "Item of today", "Waiting order", "Far order"]),
        ("claimable", ["Free order"]),
    ],
)
def test_items_and_orders_stand_in_one_list_by_their_due_dates(lee, show, titles):
    page = lee.get(f"/my-work?show={show}").text

    assert sorted((title for title in TITLES if f"{title}</a>" in page), key=page.index) == titles


def test_the_status_line_and_the_rail_count_both(lee):
    page = lee.get("/my-work").text

    assert "1 late" in page
    assert "2 due within 24 h" in page
    assert "1 waits for others" in page
    assert "Today 3" in page
    assert "Assigned 4" in page
    assert 'class="rail-count">3<' in page


def test_an_order_is_begun_and_taken_from_there(lee, session):
    late, free = (
        session.scalar(select(WorkOrder.id).where(WorkOrder.title == f"{word} order")) for word in ("Late", "Free")
    )

    assert f'action="/work-orders/{late}/begin"' in lee.get("/my-work").text
    assert f'action="/work-orders/{free}/take"' in lee.get("/my-work?show=claimable").text
    assert lee.post(f"/work-orders/{free}/take").status_code == 303
    assert "Free order</a>" in lee.get("/my-work?show=assigned").text


def test_who_only_reads_takes_nothing_and_sees_nothing_of_other_sites(browser_client, session, clock):
    now = clock.now()
    add_order(session, now, title="Free order", site=SITE)
    add_order(session, now, title="Foreign order", site=OTHER, assignee="audrey")
    session.commit()
    auditor = browser_client("auditor", (SITE,), username="audrey")

    assert "Free order" not in auditor.get("/my-work?show=claimable").text
    assert "Foreign order" not in auditor.get("/my-work?show=assigned").text
