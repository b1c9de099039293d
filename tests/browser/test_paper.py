"""What comes out of the printer: the content of a page at the width of paper, not its phone layout."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

A4_PIXELS = 703  # A4 less its margins, at 96 dots per inch


def _on_paper(page: Page, address: str) -> Page:
    page.set_viewport_size({"width": A4_PIXELS, "height": 1000})
    page.emulate_media(media="print")
    page.goto(address)
    return page


@pytest.mark.parametrize("address", ["/board?view=table", "/audit", "/jobs", "/programme"])
def test_a_list_is_printed_as_a_table_with_its_heads(page_as, address):
    page = _on_paper(page_as("owner"), address)

    head = page.locator(".k-table thead th:not(.table-select)").last
    assert head.bounding_box()["height"] > 10
    row = page.locator(".k-table tbody tr").first
    expect(row).to_have_css("display", "table-row")
    expect(page.locator(".rail")).to_be_hidden()


def test_the_page_of_an_item_prints_the_item_alone(page_as):
    page = page_as("owner")
    page.goto("/board")
    address = page.locator(".board-card-title").first.get_attribute("href")
    _on_paper(page, address)

    expect(page.locator(".drawer-section > .details")).to_be_visible()
    expect(page.locator(".listing")).to_be_hidden()
    expect(page.locator(".drawer form").first).to_be_hidden()
