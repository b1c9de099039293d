"""One's own alerts in a real browser: an address, what reaches one, quiet hours, and a name in a channel."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select
from sqlalchemy.orm import sessionmaker

from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import SYSTEM, Actor, unit_of_work
from console.core.database import make_engine
from console.domain.alerts.alerts import answered
from console.models.identity import User
from console.services.alerts import channels, delivery, personal, personal_choices
from console.services.alerts import outbox as alerts
from console.services.alerts.channels import Wish as ChannelWish
from console.services.alerts.personal_choices import Wish
from tests.browser.steps import open_page
from tests.factories.work_orders import add_order

PAGE = "/account/alerts"


def outside(_host, _port):
    return ["93.184.216.34"]


@pytest.fixture
def reached(site):
    """The owner has three addresses: one works, one fails, one waits for its code; and messages of each kind."""
    clock = FixedClock(datetime.now(UTC) - timedelta(hours=1))
    config, engine = Config.for_tests(), make_engine(site.database)
    factory = sessionmaker(engine)

    class Receivers:
        def send(self, one, *_args):
            return answered(503 if one.kind == "teams" else 200)

    with factory() as session:
        user = session.scalars(select(User).where(User.role == "owner").order_by(User.id)).first()
        own = Actor("session", user.username, role="owner", permissions=("*",), site_scope=("*",), user_id=user.id)
    with unit_of_work(factory, actor=own, clock=clock, config=config) as ctx:
        for kind, address, name in (
            ("slack", "https://hooks.slack.example/T0/a", "업무용 휴대전화"),
            ("teams", "https://teams.example/b", "시설팀 Teams"),
            ("mail", "chief@example.com", "사무실 메일"),
        ):
            personal.add(ctx, kind=kind, address=address, name=name, look_up=outside)
        channels.create(ctx, ChannelWish("현장 Slack", "slack", "https://hooks.slack.example/c"), look_up=outside)
        personal_choices.change(ctx, Wish(("sla_escalation",), quiet_start=1320, quiet_end=420), version=0)

    def work():
        return unit_of_work(factory, actor=SYSTEM, clock=clock, config=config)

    with delivery.sending_with(Receivers()):
        for number in range(3):
            with work() as ctx:
                row = add_order(ctx.session, ctx.now(), assignee=own.username, title=f"주문 {number}")
                line = {"id": row.id, "site": row.site, "assignee": own.username, "priority": "critical"}
                alerts.raise_alert(ctx, "sla_escalation", {"event": "sla_escalation", "orders": [line]})
            if number:
                with work() as ctx:
                    delivery.deliver_due(ctx, limit=100)
    engine.dispose()


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_the_page_fits_and_is_accessible(reached, page_as, axe, width, theme, lang):
    page = page_as("owner", width=width, theme=theme, lang=lang)
    open_page(page, PAGE)
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/own-{width}-{lang}-{theme}.png", full_page=True)

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page) == []


def test_an_address_comes_is_chosen_for_and_goes(page_as):
    page = page_as("operator")
    open_page(page, "/account")
    page.get_by_role("link", name="내 알림").click()
    page.get_by_label("종류").select_option("slack")
    page.get_by_label("이름").first.fill("업무용 휴대전화")
    page.get_by_label("주소").first.fill("https://hooks.slack.example/T0/very-secret")
    page.get_by_role("button", name="추가").click()
    expect(page.locator("#addresses tbody tr")).to_have_count(1)
    assert "very-secret" not in page.content()

    page.get_by_label("방해 금지 시작", exact=False).first.fill("22:00")
    page.get_by_label("방해 금지 종료").fill("07:00")
    page.locator("#choices").get_by_role("button", name="저장").click()
    expect(page.get_by_label("방해 금지 종료")).to_have_value("07:00")

    page.get_by_role("button", name="삭제…").click()
    page.get_by_role("dialog").get_by_role("button", name="삭제").click()
    expect(page.locator("#addresses tbody tr")).to_have_count(0)
