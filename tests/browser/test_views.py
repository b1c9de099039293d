"""Saved views and the forms of a CSV in a browser: kept, opened, renamed and deleted by keyboard and thumb."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.steps import WIDTHS, open_page

WORDS = {
    "ko": ("점검 \U0001f6e0 급한 것", "이름만 바꾼 것"),
    "en": ("Most urgent", "Renamed only"),
}


def _menu(page: Page, key: str) -> None:
    page.locator(f"details[id$=-{key}][data-menu] > summary").first.focus()
    page.keyboard.press("Enter")


def _row(page: Page, name: str) -> Locator:
    return page.locator("[data-row]", has=page.locator("a.cell-title", has_text=name))


@WIDTHS
def test_a_view_is_saved_renamed_and_deleted_without_the_mouse(page_as, axe, width, lang):
    page = page_as("manager", width=width, lang=lang)
    first, second = WORDS[lang]
    open_page(page, "/board?view=table&due=overdue")
    _menu(page, "views")
    name = page.locator("input[id^=view-name-]")
    expect(name).to_be_visible()
    assert axe(page) == []
    name.fill(first)
    name.press("Enter")
    expect(page.locator("[data-toast]").first).to_contain_text(first)
    assert "due=overdue" in page.url

    open_page(page, "/views")
    opener = _row(page, first).locator("[data-dialog^=view-change]")
    opener.press("Enter")
    dialog = page.locator("dialog[open]")
    expect(dialog).to_be_visible()
    assert axe(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(opener).to_be_focused()
    opener.press("Enter")
    dialog.locator("input[name=name]").fill(second)
    dialog.locator("input[name=name]").press("Enter")
    expect(_row(page, second)).to_have_count(1)
    expect(_row(page, first)).to_have_count(0)

    _row(page, second).locator("[data-dialog^=view-delete]").press("Enter")
    expect(dialog).to_contain_text(second)
    assert axe(page) == []
    dialog.locator("button[type=submit]").press("Enter")
    expect(_row(page, second)).to_have_count(0)
    # Between two pages there is no row either.
    expect(page.locator("h1")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@WIDTHS
def test_the_forms_of_a_csv_are_a_menu_that_says_which_is_which(page_as, axe, width, lang):
    page = page_as("auditor", width=width, lang=lang)
    open_page(page, "/audit")
    _menu(page, "csv")
    items = page.locator("details[id$=-csv] .menu-item")
    expect(items).to_have_count(2)
    expect(items.first).to_be_visible()
    assert axe(page) == []

    for number, begins in enumerate((b"\xef\xbb\xbf", b"\xef\xbb\xbf")):
        with page.expect_download() as waited:
            items.nth(number).click()
        assert waited.value.path().read_bytes().startswith(begins)
        if not items.first.is_visible():
            _menu(page, "csv")


@pytest.mark.parametrize("width", [1440, 390])
def test_a_name_that_exists_is_asked_about_before_it_is_replaced(page_as, axe, width):
    page = page_as("manager", width=width)
    for _turn in range(2):
        open_page(page, "/board?view=table&due=overdue")
        _menu(page, "views")
        page.locator("input[id^=view-name-]").fill("같은 이름")
        page.locator("input[id^=view-name-]").press("Enter")
        page.wait_for_load_state()

    expect(page.locator("button[name=replace]")).to_be_visible()
    page.problems[:] = [said for said in page.problems if "409" not in said]
    assert axe(page) == []
    page.locator("button[name=replace]").press("Enter")
    expect(page.locator("[data-toast]").first).to_contain_text("같은 이름")
    open_page(page, "/views")
    expect(_row(page, "같은 이름")).to_have_count(1)
