"""What browser tests do and wait for again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, Page, expect

WIDTHS = pytest.mark.parametrize(("width", "lang"), [(1440, "ko"), (390, "en")])


def open_page(page: Page, address: str = "/board") -> None:
    page.goto(address)
    page.wait_for_selector("html.has-script", state="attached")


def open_drawer(page: Page, place: int = -1) -> str:
    """Open an item beside the board; return its address."""
    open_page(page)
    link = page.locator("a.board-card-title").nth(place)
    address = str(link.get_attribute("href"))
    link.click()
    expect(page.locator("[data-drawer]")).to_be_visible()
    return address


def note_of(page: Page) -> Locator:
    """Give the note of the form that changes an item; on a phone the form is unfolded for it."""
    folded = page.locator(".drawer-fold:not([open]) > summary")
    if folded.count():
        folded.click()
    return page.locator("textarea[id^=completion_note-]")


def comment_of(page: Page) -> Locator:
    return page.locator("[id^=commenting-] textarea")


def save_item(page: Page) -> None:
    page.locator("form[id^=editor-] .form-actions button[type=submit]").click()


def send_comment(page: Page) -> None:
    page.locator("[id^=commenting-] button[type=submit]").click()


def only_problems(page: Page, *statuses: int) -> None:
    """Pass over what the browser itself reports of refusals that were provoked."""
    problems: list[str] = vars(page)["problems"]
    left = [said for said in problems if not any(f"status of {status}" in said for status in statuses)]
    assert left == []
    problems.clear()


@contextmanager
def renewed(page: Page) -> Iterator[None]:
    """Wait, after the block, until the board has read itself again: its cards lie elsewhere then."""
    page.evaluate(
        """() => { window.renewed = new Promise((done) => document.addEventListener('htmx:finally:request', (event) => {
             if (event.detail.ctx.sourceElement.matches('[hx-swap=outerMorph]')) done(); })); }"""
    )
    yield
    page.evaluate("() => window.renewed")
