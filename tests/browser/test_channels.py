"""The alert channels in a real browser: health, trials, pauses, and every figure leads to its rows."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy.orm import sessionmaker

from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import SYSTEM, unit_of_work
from console.core.database import make_engine
from console.domain.alerts.alerts import answered
from console.services.alerts import channels, delivery
from console.services.alerts import outbox as alerts
from console.services.alerts.channels import Wish
from tests.browser.steps import open_page

NAMES = {
    "시설팀 Slack": ("slack", "https://hooks.slack.example/T0/a"),
    "야간 당직 Teams": ("teams", "https://teams.example/b"),
    "관리소장 메일": ("mail", "chief@example.com"),
}


@pytest.fixture
def eventful(site):
    """Three weeks of alerts over three channels, of which one died two hours ago and one recovered in between."""
    clock = FixedClock(datetime.now(UTC) - timedelta(hours=6) * 82 - timedelta(minutes=5))
    config = Config.for_tests()
    engine = make_engine(site.database)
    factory = sessionmaker(engine)

    class Receivers:
        down: frozenset[str] = frozenset()

        def send(self, one, *_args):
            return answered(503 if one.name in self.down else 200)

    def work():
        return unit_of_work(factory, actor=SYSTEM, clock=clock, config=config)

    with work() as ctx:
        for name, (kind, address) in NAMES.items():
            channels.create(ctx, Wish(name, kind, address), look_up=lambda *_: ["93.184.216.34"])
        known = {key: one for key, one in channels.opened(ctx).items() if one.name in NAMES}
    places = Receivers()
    for number in range(21 * 4):
        places.down = frozenset({"야간 당직 Teams"} if number in (20, 21, 46) else ())
        if number >= 21 * 4 - 2:
            places.down = frozenset({"시설팀 Slack"})
        with work() as ctx:
            for _again in range(4 if number >= 21 * 4 - 2 else 1):
                alerts.raise_alert(ctx, "sla_escalation", {"event": "sla_escalation", "text": "변전실"})
        with work() as ctx:
            rules = delivery.states.rules_of(config)
        delivery.deliver(work, places, known, most_attempts=10, rules=rules)
        clock.advance(timedelta(hours=6) if number < 21 * 4 - 2 else timedelta(minutes=1))
    engine.dispose()


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_the_pages_fit_and_are_accessible(eventful, page_as, axe, width, theme, lang):
    page = page_as("owner", width=width, theme=theme, lang=lang)
    for number, address in enumerate(("/alerts/channels", "/alerts/channels/new", "/alerts/channels/incidents")):
        open_page(page, address)
        if folder := os.environ.get("SHOTS"):
            page.screenshot(path=f"{folder}/{number}-{width}-{lang}-{theme}.png", full_page=True)

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert axe(page) == []


def test_the_worst_stands_first_and_a_figure_opens_its_rows(eventful, page_as):
    page = page_as("owner")
    open_page(page, "/alerts/channels")
    first = page.locator("tbody tr").first
    expect(first).to_contain_text("시설팀 Slack")
    expect(first).to_contain_text("발송 차단")

    first.locator("a", has_text="8").first.click()
    page.wait_for_url("**/alerts?channel=*")
    expect(page.locator("tbody tr").first).to_contain_text("시설팀 Slack")


def test_a_channel_is_made_and_paused_by_keyboard(page_as):
    page = page_as("owner", lang="en")
    open_page(page, "/alerts/channels/new")
    page.get_by_label("Name").fill("Night desk")
    page.get_by_label("Kind").select_option("mail")
    page.get_by_label("Address").fill("night@example.com")
    page.get_by_role("button", name="Add").press("Enter")
    page.wait_for_url("**/alerts/channels")
    page.get_by_role("link", name="Night desk").press("Enter")
    page.get_by_role("button", name="Pause…").press("Enter")
    page.locator("dialog[open] textarea").fill("The desk moves")
    page.locator("dialog[open]").get_by_role("button", name="Pause").press("Enter")

    page.get_by_text("The desk moves").first.wait_for()
    expect(page.get_by_text("n…@example.com").first).to_be_visible()
