"""A phone in one hand, outdoors: what is named, what is reached, what comes first."""

from __future__ import annotations

import pytest

PHONE = 390


@pytest.mark.parametrize("address", ["/jobs", "/audit", "/board?view=table", "/programme"])
def test_values_of_a_row_begin_at_one_edge(page_as, address):
    page = page_as("owner", width=PHONE)
    page.goto(address)

    edges = page.locator(".k-table-cards tbody tr").first.evaluate(
        """row => [...row.querySelectorAll('td[data-label]:not(.cell-main):not(.is-blank)')].map((cell) => {
             // A link that edits in place reaches under the label; what it says begins where the others begin.
             const range = document.createRange();
             range.selectNodeContents(cell.querySelector('[data-inline]') ?? cell);
             const boxes = [...range.getClientRects()].filter((box) => box.width > 1);
             return Math.round(Math.min(...boxes.map((box) => box.left)));
           })"""
    )
    assert len(edges) > 1
    assert max(edges) - min(edges) <= 1


def test_the_address_of_an_api_answer_stands_above_it(page_as):
    page = page_as("owner", width=PHONE)
    page.goto("/api/public/modules")

    assert page.get_by_role("heading", name="/api/public/modules").bounding_box()["width"] > 100
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE


@pytest.mark.parametrize("address", ["/overview", "/gate", "/board", "/autopilot", "/my-work"])
def test_ways_onward_are_large_enough_for_a_thumb(page_as, address):
    page = page_as("owner", width=PHONE)
    page.goto(address)
    page.wait_for_load_state("networkidle")

    seen = page.evaluate(
        """() => [...document.querySelectorAll('main :is(.link-more, .btn, .rules a, .panel-head > a, .chip)')]
             .filter((one) => one.checkVisibility() && one.getBoundingClientRect().width > 1)
             .map((one) => [one.textContent.trim(), one.getBoundingClientRect().height])"""
    )
    assert seen
    assert [words for words, height in seen if height < 44] == []


def test_a_row_is_chosen_with_a_thumb(page_as):
    page = page_as("manager", width=PHONE)
    page.goto("/board?view=table")

    box = page.locator("td.table-select .form-check").first.bounding_box()
    assert box["width"] >= 44
    assert box["height"] >= 44


def test_the_way_back_from_a_week_fits_a_thumb(page_as):
    page = page_as("owner", width=PHONE)
    page.goto("/programme/w15")

    back = page.locator(".breadcrumbs a").first
    assert back.bounding_box()["height"] >= 44
    back.click()
    page.wait_for_url("**/programme")


@pytest.mark.parametrize("address", ["/gate", "/autopilot/policy", "/account"])
def test_long_names_leave_their_values_room(page_as, address):
    page = page_as("owner", width=PHONE, lang="en")
    page.goto(address)

    widths = page.locator(".details > dd:visible").evaluate_all("all => all.map((one) => one.offsetWidth)")
    assert all(width >= 80 for width in widths), widths
