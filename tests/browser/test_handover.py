"""A shift hands over in a real browser: line by line, on both screens, in both languages, by thumb."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import sessionmaker

from console.core.clock import FixedClock
from console.core.context import unit_of_work
from console.core.database import make_engine
from console.domain.work_orders.requests import NewOrder
from console.services.handover import changes
from console.services.work_orders import create
from tests.browser.seed import SITES
from tests.conftest import actor_of

HOUR = timedelta(hours=1)
SCREENS = [(1440, "light"), (390, "light"), (1440, "dark"), (390, "dark")]


@pytest.fixture
def handed_over(site):
    """A night with a late order and a note, handed over an hour ago; gives the id of the handover."""
    engine = make_engine(site.database)
    config, now = site.app.extensions["console_config"], datetime.now(UTC)

    def at(hours, act):
        actor, clock = actor_of("owner", username="kang"), FixedClock(now - hours * HOUR)
        with unit_of_work(sessionmaker(engine), actor=actor, clock=clock, config=config) as ctx:
            return act(ctx)

    order = NewOrder("변전실 2호기 절연저항 저하", SITES[0], "변전실", priority="critical", due_at=now - 2 * HOUR)
    at(4, lambda ctx: create.create(ctx, order))
    at(3, lambda ctx: changes.add_note(ctx, SITES[0], "정문 차단기 손으로 열어 둠"))
    made = at(1, lambda ctx: changes.give(ctx, SITES[0], 0))
    engine.dispose()
    return made.id


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize(("width", "theme"), SCREENS)
def test_handovers_fit_and_are_accessible(page_as, axe, handed_over, width, theme, lang):
    page = page_as("owner", width=width, theme=theme, lang=lang)
    for address in (
        f"/handover/{handed_over}",
        f"/handover?site={SITES[0]}&next=1",
        "/handover",
        "/handover/list",
        "/overview",
    ):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        assert axe(page) == [], address


def test_on_a_phone_every_line_is_confirmed_and_then_it_is_taken_over(page_as, handed_over):
    page = page_as("owner", width=390)
    page.goto(f"/handover/{handed_over}")
    first = page.locator(".handover-line").first
    first.locator("summary").click()
    first.locator("textarea").fill("업체에 연락했습니까?")
    first.get_by_text("보내기").click()
    page.locator(".handover-said").get_by_text("업체에 연락했습니까?").wait_for()
    while (waiting := page.locator(".handover-act form[action$='/confirm'] button")).count():
        count = waiting.count()
        waiting.first.click()
        page.wait_for_function(
            "count => document.querySelectorAll(\".handover-act form[action$='/confirm'] button\").length < count",
            arg=count,
        )
    page.locator(".order-bar button").click()
    page.locator(".k-tag-ok").get_by_text("인수 완료").wait_for()
