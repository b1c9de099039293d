"""The page of completion rules, and what an order's page says of them."""

import re

import pytest

from tests.factories import make_site
from tests.factories.work_orders import add_order


@pytest.fixture
def order(session, clock):
    make_site(session, "본관", now=clock.now())
    row = add_order(session, clock.now(), trade="electric", status="acked", assignee="kim")
    session.commit()
    return f"/work-orders/{row.id}"


def test_rules_are_set_for_a_site_and_shown_on_its_orders(browser_client, order):
    owner = browser_client("owner", username="olga", language="en")
    page = owner.get("/work-orders/rules?site=본관").text
    assert "no rules yet" in page
    sent = {"of_site": "본관", "revision": "0", "photo_electric": "low", "measurement_electric": "high"}
    saved = owner.post("/work-orders/rules", data={**sent, "text_electric": "low", "enforced": "1", "reason": "audit"})
    assert saved.status_code == 303
    page = owner.get("/work-orders/rules?site=본관").text
    assert "an order is not completed without them" in page
    assert "Electric, Photo after the work: not asked → all orders" in page
    assert owner.post("/work-orders/rules", data=sent).status_code == 412

    shown = owner.get(order).text
    assert shown.count("needed at this site") == 2
    assert re.search(r'<textarea[^>]* id="sheet-complete" required', shown.replace("\n", " "))
    refused = owner.post(f"{order}/complete", data={"resolution_notes": "new fuse"})
    assert refused.status_code == 422
    assert "A photo after the work" in refused.text
    assert "new fuse" in refused.text


def test_only_administrators_set_them(browser_client, order):
    assert browser_client("manager").get("/work-orders/rules").status_code == 403
    scoped = browser_client("owner", ("본관",), username="scoped", language="en")
    assert "본관" in scoped.get("/work-orders/rules").text
    sent = {"of_site": "별관", "revision": "0", "photo_electric": "low"}
    assert scoped.post("/work-orders/rules", data=sent).status_code == 403
