"""The daily check in a real browser: the checks, the run through the queue, phone and desk, both languages."""

from __future__ import annotations

from tests.browser.steps import WIDTHS


@WIDTHS
def test_the_page_fits_and_is_accessible(page_as, axe, width, lang):
    page = page_as("owner", lang=lang, width=width)
    page.goto("/ops/daily-check")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page) == []


def test_the_check_is_asked_for_without_leaving_the_page(page_as):
    page = page_as("manager", lang="en")
    page.goto("/ops/daily-check")

    page.locator("#run-ops_daily_check").get_by_role("button", name="Run now").click()

    page.locator("#run-ops_daily_check").get_by_text("Queued").wait_for()
    assert page.url.endswith("/ops/daily-check")


def test_without_script_everything_is_there(page_as):
    page = page_as("owner", lang="en", script=False)
    page.goto("/ops/daily-check")

    assert page.locator("#checks tbody tr").count() >= 20
    assert page.locator(".strip > li").count() == 30
