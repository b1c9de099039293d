"""A week in a real browser: begun, worked by keys and by mouse, closed; on every width and in both languages."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.seed import SITES
from tests.browser.steps import open_page

SITE = quote(SITES[0])


def _begun(page: Page, week: str) -> None:
    """Open a week at the site, and begin it when nobody has."""
    open_page(page, f"/programme/{week}?site={SITE}")
    begin = page.locator(f'form[action^="/programme/{week}/begin"] button')
    if begin.count():
        begin.click()
        page.wait_for_selector("html.has-script .board-card")


def test_a_week_is_found_begun_and_worked_by_keys(page_as):
    page = page_as("manager", lang="en")
    open_page(page, "/programme")
    page.locator("a.cell-title", has_text="W03").click()
    expect(page.locator("h1")).to_have_text("W03 · Go-live onboarding")
    _begun(page, "w03")
    number = page.locator("#col-pending .board-card-meta span").first.inner_text()

    page.keyboard.press("j")
    page.keyboard.press("m")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")

    expect(page.locator("#col-in_progress .board-card", has_text=number)).to_be_visible()
    page.locator(".k-toast", has_text=number).get_by_role("button", name="Undo").click()
    expect(page.locator("#col-pending .board-card", has_text=number)).to_be_visible()


def test_a_card_of_a_week_is_dragged_and_opened_beside_the_board(page_as):
    page = page_as("operator")
    _begun(page, "w02")
    number = page.locator("#col-pending .board-card-meta span").first.inner_text()
    card = page.locator(".board-card", has_text=number)

    # To its head: the middle of a long column lies below the window, and scrolling would pick another card.
    card.drag_to(page.locator("#col-blocked h2"))
    expect(page.locator("#col-blocked .board-card", has_text=number)).to_be_visible()
    page.locator("#col-blocked a.board-card-title").first.click()

    expect(page.locator(".drawer-head h2")).to_be_visible()
    page.wait_for_url(re.compile(r"/programme/w02/items/\d+"))
    page.keyboard.press("Escape")
    expect(page.locator("[data-drawer]")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/programme/w02\?site="))


def test_many_items_of_a_week_are_assigned_at_once(page_as):
    page = page_as("manager", lang="en")
    _begun(page, "w04")
    page.get_by_role("link", name="Table").click()
    page.locator("[data-select-page]").check()
    page.locator("[data-bulk]").get_by_role("button", name="Assign…").click()
    dialog = page.locator("#bulk-dialog")
    dialog.locator("select").select_option("lee")
    dialog.get_by_role("button", name="Assign").click()

    expect(page.locator(".k-toast", has_text="Changed")).to_be_visible()
    expect(page.locator("tr[data-row]").first).to_contain_text("이정비")


def test_failing_rules_of_a_week_lead_to_their_rows(page_as):
    page = page_as("manager", lang="en")
    _begun(page, "w09")
    link = page.locator("#readiness li.late a").last
    count = int(re.search(r": (\d+)", link.inner_text()).group(1))

    link.click()

    expect(page.locator("tr[data-row]")).to_have_count(count)


@pytest.mark.parametrize(("width", "theme", "lang"), [(1440, "light", "ko"), (390, "dark", "en")])
def test_the_pages_of_the_programme_fit_and_are_accessible(page_as, axe, width, theme, lang):
    page = page_as("manager", width=width, theme=theme, lang=lang)
    _begun(page, "w07")
    begun = f"/programme/w07?site={SITE}"
    for address in ("/programme", begun, f"{begun}&view=table", f"/programme/w15?site={SITE}", "/programme/w07"):
        open_page(page, address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        assert page.locator("h1").count() == 1
        assert axe(page) == [], address
    open_page(page, begun)
    page.locator("a.board-card-title").first.click()
    expect(page.locator("[data-drawer]")).to_be_visible()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_script_a_week_reads_and_submits(page_as):
    page = page_as("operator", lang="en", script=False)
    page.goto(f"/programme/w10?site={SITE}")
    page.get_by_role("button", name="Begin the week").click()
    page.locator("a.board-card-title").first.click()
    page.locator("textarea[id^=completion_note-]").fill("by hand")
    page.locator("form[id^=editor-] button[type=submit]").click()

    assert re.search(r"/programme/w10/items/\d+", page.url)
    assert page.locator("textarea[id^=completion_note-]").input_value() == "by hand"


def test_an_auditor_sees_the_weeks_and_is_offered_nothing(page_as):
    page = page_as("auditor")
    open_page(page, f"/programme/w14?site={SITE}")

    expect(page.locator("h1")).to_contain_text("W14")
    expect(page.locator('form[action*="/begin"], [draggable=true], [data-inline], [data-select]')).to_have_count(0)
