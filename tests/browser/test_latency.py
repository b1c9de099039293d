"""Response times in a real browser: the worst route first, another one chosen, wide and narrow, light and dark."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import sessionmaker

from console.core.database import make_engine
from console.domain.alerts.alerts import BURNS
from console.models.alerts import AlertDelivery
from console.models.reliability import BurnAlert
from tests.browser.steps import WIDTHS


@WIDTHS
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_fits_and_is_accessible(page_as, axe, width, lang, theme):
    page = page_as("owner", width=width, lang=lang, theme=theme)
    page.goto("/ops/latency")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page) == []


def test_the_worst_route_is_shown_until_another_is_chosen(page_as):
    page = page_as("auditor", lang="en")
    page.goto("/ops/latency")
    assert "/api/work-orders" in page.locator("#route-title").inner_text()
    assert page.get_by_text("Slower since the deploy").count() == 1

    page.get_by_role("link", name="/health", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**route=GET**health#route-title")
    page.get_by_role("link", name="7 days").click()

    page.wait_for_url("**days=7")
    assert "/health" in page.locator("#route-title").inner_text()
    assert page.locator(".seg [aria-current]").inner_text() == "7 days"


def test_everything_is_there_without_script(page_as):
    page = page_as("owner", lang="en", script=False, width=390)
    page.goto("/ops/latency")

    assert page.locator(".route-table tbody tr").count() == 5
    assert page.locator("#burn-alerts tbody tr").count() == 2
    page.get_by_text("As a table").click()
    page.locator(".chart-table tbody tr").first.wait_for()


@pytest.fixture
def told(site):
    """Let the fast burn of the worst route have reached a channel."""
    engine, now = make_engine(site.database), datetime.now(UTC)
    with sessionmaker(engine)() as session:
        delivery = AlertDelivery(
            message_id="msg_burn",
            event_type=BURNS,
            channel="primary",
            target="https://hooks.example/…",
            status="success",
            attempt_count=1,
            last_attempt_at=now,
            created_at=now,
            updated_at=now,
        )
        session.add(delivery)
        session.flush()
        alert = session.scalars(select(BurnAlert).where(BurnAlert.endpoint_key == "GET /api/work-orders")).first()
        alert.told_json = [{"target": delivery.target, "delivery_id": delivery.id}]
        session.commit()
    engine.dispose()


@pytest.mark.usefixtures("told")
@WIDTHS
def test_an_alert_is_marked_as_false_from_the_page_of_its_route(page_as, axe, width, lang):
    page = page_as("owner", width=width, lang=lang)
    page.goto("/ops/latency")
    word = {"ko": "잘못 울림으로 표시", "en": "Mark as false"}[lang]
    assert axe(page) == []

    page.locator("#burn-alerts").get_by_role("link", name=word).focus()
    page.keyboard.press("Enter")
    page.locator("dialog[open] textarea").fill("A drill")
    page.locator("dialog[open]").get_by_role("button", name=word).press("Enter")
    page.get_by_text("A drill").first.wait_for()
    page.goto("/ops/latency")

    page.locator(
        "#burn-alerts .k-tag", has_text={"ko": "잘못 울림으로 표시됨", "en": "Marked as false"}[lang]
    ).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
