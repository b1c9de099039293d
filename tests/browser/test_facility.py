"""Work orders and SLA policies in a real browser: on both screens, in both languages, by keyboard and by thumb."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy.orm import sessionmaker

from console.core.clock import FixedClock
from console.core.context import unit_of_work
from console.core.database import make_engine
from console.domain.facility_sla.policy import HOURS, SlaPolicy
from console.domain.work_orders.requests import NewOrder
from console.services.facility_sla import policies, proposals, replays
from console.services.facility_sla.whatif import Wish
from console.services.work_orders import actions, create, escalation, holds
from tests.browser.seed import SITES
from tests.conftest import actor_of

HOUR = timedelta(hours=1)
SCREENS = [(1440, "light"), (390, "light"), (1440, "dark"), (390, "dark")]


@pytest.fixture
def facility(site):
    """A late order that waited, and a proposal of somebody else with its replay; gives the order's id."""
    engine = make_engine(site.database)
    config, now = site.app.extensions["console_config"], datetime.now(UTC)

    def at(hours, act, username="lee"):
        clock = FixedClock(now - hours * HOUR)
        with unit_of_work(
            sessionmaker(engine), actor=actor_of("owner", username=username), clock=clock, config=config
        ) as ctx:
            return act(ctx)

    at(60, lambda ctx: policies.put(ctx, SlaPolicy(HOURS, 60), site=SITES[1]))
    new = NewOrder("변전실 2호기 절연저항 저하", SITES[0], "변전실", priority="critical", reporter="강야간")
    order = at(7, lambda ctx: create.create(ctx, new)).id
    at(6.7, lambda ctx: actions.acknowledge(ctx, order, "lee"))
    at(6, lambda ctx: holds.hold(ctx, order, "parts", "부싱 입고 대기"))
    at(5, lambda ctx: holds.resume(ctx, order))
    at(4, escalation.escalate)
    wanted = SlaPolicy({**HOURS, "critical": 12}, 30)
    proposal = at(3, lambda ctx: proposals.propose(ctx, wanted, Wish(), note="야간 자재"), "kim")

    def replay(ctx):
        made = replays.run(ctx, wanted, site=None, days=30)
        replays.keep(ctx, made, wanted, proposal.id)
        return made

    assert at(1, replay).proven
    engine.dispose()
    return order


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize(("width", "theme"), SCREENS)
def test_order_form_and_policies_fit_and_are_accessible(page_as, axe, facility, width, theme, lang):
    page = page_as("owner", width=width, theme=theme, lang=lang)
    for address in (f"/work-orders/{facility}", "/work-orders/new", "/work-orders/rules", "/sla", "/sla/propose"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        assert axe(page) == [], address


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize(("width", "theme"), SCREENS)
def test_the_list_fits_in_all_its_forms_and_is_accessible(page_as, axe, facility, width, theme, lang):
    page = page_as("owner", width=width, theme=theme, lang=lang)
    for query in ("", "?view=board", "?view=calendar&state=all", "?view=calendar&span=week&state=all"):
        page.goto(f"/work-orders{query}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, query
        assert axe(page) == [], query


def test_a_step_for_many_is_shown_before_it_is_done(page_as, axe, facility):
    page = page_as("owner", lang="en")
    page.goto("/work-orders")
    page.locator("[data-select]").first.check()
    page.get_by_role("button", name="Assign…").click()
    dialog = page.locator("#bulk-dialog")
    dialog.get_by_label("Assignee").select_option(index=1)
    expect(dialog.locator("#bulk-told")).to_contain_text("1 of 1 would change.")
    assert axe(page) == []
    dialog.get_by_role("button", name="Assign", exact=True).click()
    expect(page.locator(".k-toast")).to_contain_text("Changed: 1")
    expect(dialog).to_be_hidden()


def test_on_a_phone_one_button_leads_through_the_order(page_as, facility):
    page = page_as("operator", width=390)
    page.goto(f"/work-orders/{facility}")
    bar = page.locator(".order-bar")
    with page.expect_file_chooser() as chooser:
        bar.get_by_text("조치 후 사진 찍기").click()
    chooser.value.set_files([{"name": "after.txt", "mimeType": "text/plain", "buffer": b"4.2 MOhm"}])
    page.locator("#evidence-after [data-evidence-files]").get_by_text("after.txt").first.wait_for()
    # Nothing else was pressed: what is missing has read itself again, and the toast does not lie on the button.
    expect(page.locator("#order-needs")).to_contain_text("조치 후 사진 완료")
    expect(page.locator("#order-state")).to_contain_text("1개가 남았습니다")
    expect(page.locator(".k-toast")).to_be_visible()
    bar.get_by_text("작업 완료…").click(timeout=5000)
    page.locator("#complete textarea").fill("부싱 교체")
    page.context.set_offline(True)
    page.locator("#complete button[type=submit]").click()
    expect(page.locator("#complete [role=alert]")).to_contain_text("신호가 없어 보내지 않았습니다")
    page.context.set_offline(False)
    page.locator("#complete button[type=submit]").click()
    page.get_by_text("작업지시를 완료했습니다").first.wait_for()
    assert page.locator(".order-bar").count() == 0


def test_the_order_waits_and_goes_on_by_keyboard(page_as, facility):
    page = page_as("operator")
    page.goto(f"/work-orders/{facility}")
    page.locator(".page-actions [data-dialog=hold]").focus()
    page.keyboard.press("Enter")
    page.locator("#hold-note").fill("부싱")
    page.locator("#hold button[type=submit]").press("Enter")
    page.locator(".page-actions form button").first.wait_for()
    assert page.locator("[data-dialog=hold]").count() == 0


def test_a_proposal_is_approved_upon_its_replay(page_as, facility):
    page = page_as("owner")
    page.goto("/sla")
    assert page.get_by_text("모두 일치합니다").count() == 1
    page.locator("[data-dialog=approve]").click()
    page.locator("#approve button[type=submit]").click()
    page.get_by_text("기다리는 제안이 없습니다").first.wait_for()


def test_without_script_the_page_is_there(page_as, facility):
    page = page_as("owner", script=False)
    page.goto("/sla")
    assert page.get_by_text("변전실 2호기 절연저항 저하").count() == 1
