"""The page of a week in a real browser: its measures lead to their rows, the policy is changed and found back."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.browser.seed import SITES

SITE = quote(SITES[0])


@pytest.mark.parametrize(
    ("width", "lang", "theme"), [(1440, "ko", "light"), (390, "ko", "light"), (1440, "en", "dark")]
)
def test_the_pages_of_a_week_are_usable_by_everybody(page_as, axe, width, lang, theme):
    page = page_as("owner", width=width, lang=lang, theme=theme)
    for address in (
        f"/programme/w10?site={SITE}",
        f"/programme/w08?site={SITE}",
        "/programme/w07/sites",
        f"/programme/w14?site={SITE}",
        f"/programme/w09/policy?site={SITE}",
    ):
        page.goto(address)
        page.wait_for_selector("html.has-script", state="attached")
        assert axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_site_differs_and_finds_back(page_as):
    page = page_as("manager", lang="en")
    page.goto(f"/programme/w10?site={SITE}")
    page.get_by_role("link", name="Only for this site…").click()
    page.get_by_label("Goal of the readiness score").fill("60")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".page-status")).to_contain_text("This site's own")
    expect(page.locator("#changes")).to_contain_text("75 → 60")

    page.get_by_role("button", name="Back to inherited").click()

    expect(page.locator(".page-status")).to_contain_text("Built in")


def test_the_week_is_run_and_only_what_blocks_is_shown(page_as):
    page = page_as("owner", lang="en")
    page.goto(f"/programme/w07?site={SITE}")
    begin = page.locator('form[action^="/programme/w07/begin"] button')
    if begin.count():
        begin.click()
    page.get_by_role("link", name="Only what blocks").click()
    page.wait_for_url(re.compile("blocking=1"))
    page.get_by_role("link", name="Show everything").click()
    page.get_by_role("button", name="Run the week").click()
    expect(page.locator(".k-toast")).to_contain_text("The weekly run was started")
