"""Assets in a real browser: on both screens, in both languages, by keyboard, and in the form of a work order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import sessionmaker

from console.core.clock import FixedClock
from console.core.context import unit_of_work
from console.core.database import make_engine
from console.domain.assets.requests import NewAsset
from console.domain.inspections.readings import Readings
from console.domain.inspections.requests import NewInspection
from console.domain.work_orders.requests import NewOrder
from console.services.assets import change
from console.services.inspections import create as inspections
from console.services.work_orders import create
from tests.browser.seed import SITES
from tests.conftest import actor_of

DAY = timedelta(days=1)
SCREENS = [(1440, "light"), (390, "light"), (1440, "dark"), (390, "dark")]


@pytest.fixture
def transformer(site):
    """A transformer with a part, four months of readings and three orders of one trade; gives its id."""
    engine = make_engine(site.database)
    config, now = site.app.extensions["console_config"], datetime.now(UTC)

    def at(days, act):
        clock = FixedClock(now - days * DAY)
        with unit_of_work(
            sessionmaker(engine), actor=actor_of("owner", username="lee"), clock=clock, config=config
        ) as ctx:
            return act(ctx)

    new = NewAsset(SITES[0], "TR-01", "변압기 1호", "변압기", "변전실", "HD-1151", date(2014, 3, 2))
    asset = at(130, lambda ctx: change.create(ctx, new)).id
    at(130, lambda ctx: change.create(ctx, NewAsset(SITES[0], "FU-01", "퓨즈 링크", "퓨즈", "변전실", parent_id=asset)))
    for days, value in ((120, 71.0), (90, 74.0), (60, 79.5), (30, 86.0), (1, 91.5)):
        found = Readings(winding_temp_c=value, insulation_mohm=12.0 - days / 100)
        at(
            days,
            lambda ctx, found=found: inspections.create(
                ctx,
                NewInspection(SITES[0], "변전실", "monthly", "이정훈", ctx.now(), found, asset_id=asset),
            ),
        )
    for days, title in ((50, "권선 온도 높음"), (25, "냉각팬 소음"), (0.5, "변압기 1호 권선 과열")):
        order = NewOrder(title, SITES[0], asset_id=asset, trade="electric", priority="high")
        at(days, lambda ctx, order=order: create.create(ctx, order))
    engine.dispose()
    return asset


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize(("width", "theme"), SCREENS)
def test_list_asset_and_form_fit_and_are_accessible(page_as, axe, transformer, width, theme, lang):
    page = page_as("owner", width=width, theme=theme, lang=lang)
    for address in ("/assets", f"/assets/{transformer}", "/assets/new", f"/assets/{transformer}/edit"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        assert axe(page) == [], address


def test_an_asset_is_added_by_keyboard_and_retired(page_as, transformer):
    page = page_as("manager")
    page.goto("/assets/new")
    page.locator("#f-code").fill("PU-01")
    page.locator("#f-name").fill("급수 펌프")
    page.locator("#f-site").select_option(SITES[0])
    page.locator("#f-parent").fill("tr-01")
    page.locator("#f-parent").press("Enter")
    page.get_by_role("heading", name="PU-01 급수 펌프").wait_for()
    page.locator("[data-dialog=retire]").press("Enter")
    page.locator("#retire button[type=submit]").click()
    page.get_by_text("설비를 철거로 처리했습니다").first.wait_for()


def test_the_form_of_an_order_says_that_it_is_the_fourth_time(page_as, transformer):
    page = page_as("operator")
    page.goto(f"/assets/{transformer}")
    page.locator(".page-actions").get_by_text("새 작업지시").click()
    assert page.locator("#f-asset").input_value() == "TR-01"
    page.locator("#f-trade").select_option("electric")
    page.get_by_text("90일 안에 4번째").wait_for()
    page.locator("#f-trade").select_option("fire")
    page.get_by_text("90일 안에").wait_for(state="detached")


def test_without_script_the_asset_is_there(page_as, transformer):
    page = page_as("auditor", script=False)
    page.goto(f"/assets/{transformer}?point=:insulation_mohm")
    assert page.get_by_text("변압기 1호 권선 과열").count() == 1
    assert page.locator("#trend svg").count() >= 1
