"""Waiting is seen at once, nothing is sent twice, and the work of a worker tells its end in the page."""

from __future__ import annotations

import re

from playwright.sync_api import Route, expect

from console.core.config import Config
from console.core.process import ProcessRuntime, worker_name
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from tests.browser.steps import WIDTHS, open_page, renewed


@WIDTHS
def test_waiting_is_seen_at_once(page_as, width, lang):
    page = page_as("manager", width=width, lang=lang)
    open_page(page, "/board?view=table")
    page.evaluate(
        """() => { window.seen = [];
           new MutationObserver((all) => { for (const one of all) if (one.target.getAttribute('aria-busy'))
             window.seen.push(one.target.id || one.target.tagName); })
           .observe(document.body, { subtree: true, attributeFilter: ['aria-busy'] }); }"""
    )
    page.locator("a.cell-title").first.click()
    expect(page.locator("[data-drawer]")).to_be_visible()
    assert "drawer-slot" in page.evaluate("window.seen")
    page.keyboard.press("Escape")
    page.locator("a[data-inline=status]").first.click()
    expect(page.locator("[data-inline-form]")).to_be_visible()
    page.keyboard.press("Escape")
    assert "list-board" in page.evaluate("window.seen") or "TD" in page.evaluate("window.seen")
    assert page.locator("[aria-busy=true]").count() == 0


def test_a_card_that_waits_cannot_be_moved_and_a_second_move_follows(page_as):
    page = page_as("manager", lang="en")
    open_page(page)
    number = page.locator("#col-pending .board-card-meta span").first.inner_text()
    card = page.locator(".board-card", has_text=number)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/board/items/*", hold)
    card.drag_to(page.locator("#col-blocked"))
    expect(card).to_have_attribute("aria-busy", "true")
    page.locator("#col-blocked").hover()
    begin = "one => one.dispatchEvent(new DragEvent('dragstart', { bubbles: true, cancelable: true }))"
    assert card.evaluate(begin) is False
    expect(page.locator("#col-blocked .board-card", has_text=number)).to_be_visible()
    assert len(held) == 1

    with renewed(page):
        held[0].continue_()
        page.unroute("**/board/items/*")
    expect(card).not_to_have_attribute("aria-busy", "true")
    card.drag_to(page.locator("#col-pending"))
    expect(page.locator("#col-pending .board-card", has_text=number)).to_be_visible()
    expect(page.locator(".k-toast-error")).to_have_count(0)


def test_a_field_opens_once_however_often_it_is_pressed(page_as):
    page = page_as("manager", lang="en")
    open_page(page, "/board?view=table")
    page.locator("a[data-inline=assignee]").first.dblclick()
    field = page.locator("[data-inline-form] select")
    expect(field).to_have_count(1)
    field.press("Escape")
    expect(page.locator("[data-inline-form]")).to_have_count(0)


# Work of a worker ----------------------------------------------------------------------------------------------------
def test_a_bulk_action_of_a_worker_tells_its_end_in_the_page(page_as, site, monkeypatch):
    config = site.app.extensions["console_config"]
    monkeypatch.setitem(site.app.extensions, "console_config", config.replaced(TRACKER_BULK_DIRECT_ROWS=1))
    runtime = ProcessRuntime.of(Config.for_tests(DATABASE_URL=site.database))
    page = page_as("manager", lang="en")
    open_page(page, "/board?view=table")
    page.locator("[data-select-page]").check()
    page.locator("[data-bulk]").get_by_role("button", name="Assign…").click()
    page.locator("#bulk-dialog select").select_option("kim")
    page.locator("#bulk-dialog").get_by_role("button", name="Assign").click()

    expect(page.locator("#bulk-run progress")).to_be_visible()
    expect(page.locator("[data-select]:checked")).to_have_count(0)
    run_id = int(re.findall(r"#(\d+)", page.locator("#bulk-run").inner_text())[0])
    with runtime.by_hand() as ctx:
        assert run_engine.perform(ctx, registry.find, run_id, worker_name()) is not None
    runtime.engine.dispose()

    toast = page.locator(".k-toast", has_text="Changed:")
    expect(toast).to_be_visible()
    expect(page.locator("#bulk-run progress")).to_have_count(0)
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator(".k-toast", has_text="Taken back")).to_be_visible()


def test_a_dry_run_of_the_autopilot_says_how_it_ended(page_as, site):
    runtime = ProcessRuntime.of(Config.for_tests(DATABASE_URL=site.database))
    page = page_as("owner", lang="en")
    open_page(page, "/autopilot")
    page.get_by_role("button", name="Dry run").first.click()
    link = page.locator("[id^=run-] a", has_text="Run #").first
    expect(page.locator("[id^=run-][data-poll-every='2']")).to_be_visible()
    run_id = int(re.findall(r"#(\d+)", link.inner_text())[0])
    with runtime.by_hand() as ctx:
        assert run_engine.perform(ctx, registry.find, run_id, worker_name()) is not None
    runtime.engine.dispose()

    toast = page.locator(".k-toast")
    expect(toast).to_be_visible()
    expect(toast.get_by_role("link", name="Result")).to_have_attribute("href", f"/autopilot/runs/{run_id}")
