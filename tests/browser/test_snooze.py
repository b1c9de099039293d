"""Snooze and the objective for recoveries in a real browser: on both screens, in both languages, light and dark."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect
from sqlalchemy.orm import sessionmaker

from console.core.clock import FixedClock
from console.core.context import unit_of_work
from console.core.database import make_engine
from console.domain.work_orders.requests import NewOrder
from console.services.work_orders import create
from tests.browser.seed import SITES
from tests.browser.steps import open_drawer
from tests.conftest import actor_of

SCREENS = [(1440, "light", "ko"), (390, "dark", "ko"), (390, "light", "en"), (1440, "dark", "en")]


@pytest.fixture
def order(site):
    """An order that can be snoozed; gives its address."""
    engine = make_engine(site.database)
    clock, config = FixedClock(datetime.now(UTC)), site.app.extensions["console_config"]
    with unit_of_work(sessionmaker(engine), actor=actor_of("owner"), clock=clock, config=config) as ctx:
        made = create.create(ctx, NewOrder("지하 배수펌프 2호기 정지", SITES[0], "지하 2층 펌프실", priority="high"))
    engine.dispose()
    return f"/work-orders/{made.id}"


@pytest.mark.parametrize(("width", "theme", "lang"), SCREENS)
def test_a_thing_is_snoozed_and_reminds_again(page_as, axe, order, width, theme, lang):
    page = page_as("owner", width=width, theme=theme, lang=lang)

    def right(name):
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert axe(page) == [], name

    for kind in ("order", "item"):
        if kind == "order":
            page.goto(order)
        else:
            open_drawer(page)
        page.locator("[data-dialog=snooze]").click()
        expect(page.locator("#snooze")).to_be_visible()
        right(f"{kind}-dialog")
        page.locator("#snooze-reason").fill("내일 오전 10시에 업체가 부품을 가져옵니다.")
        page.locator("#snooze button[type=submit]").click()
        again = page.locator("form[action*='/snooze/end'] button")
        expect(again).to_be_visible()
        right(kind)
    for address in ("/work-orders", "/board?view=table", "/alerts/channels/objective"):
        page.goto(address)
        right(address.strip("/").replace("/", "-").partition("?")[0])
    page.goto(order)
    again.click()
    expect(page.locator("[data-dialog=snooze]")).to_be_visible()
