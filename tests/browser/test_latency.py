"""Response times in a real browser: the worst route first, another one chosen, wide and narrow, light and dark."""

from __future__ import annotations

import pytest

from tests.browser.steps import WIDTHS


@WIDTHS
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_fits_and_is_accessible(page_as, axe, width, lang, theme):
    page = page_as("owner", width=width, lang=lang, theme=theme)
    page.goto("/ops/latency")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page) == []


def test_the_worst_route_is_shown_until_another_is_chosen(page_as):
    page = page_as("auditor", lang="en")
    page.goto("/ops/latency")
    assert "/api/work-orders" in page.locator("#route-title").inner_text()
    assert page.get_by_text("Slower since the deploy").count() == 1

    page.get_by_role("link", name="/health", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**route=GET**health#route-title")
    page.get_by_role("link", name="7 days").click()

    page.wait_for_url("**days=7")
    assert "/health" in page.locator("#route-title").inner_text()
    assert page.locator(".seg [aria-current]").inner_text() == "7 days"


def test_everything_is_there_without_script(page_as):
    page = page_as("owner", lang="en", script=False, width=390)
    page.goto("/ops/latency")

    assert page.locator(".route-table tbody tr").count() == 5
    assert page.locator("#burn-alerts tbody tr").count() == 2
    page.get_by_text("As a table").click()
    page.locator(".chart-table tbody tr").first.wait_for()
