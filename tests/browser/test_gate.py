"""The gate in a real browser: evidence, run through the queue, and the same without script."""

from __future__ import annotations

import pytest


def test_a_rule_shows_its_evidence_and_leads_to_its_source(page_as):
    page = page_as("owner", lang="en")
    page.goto("/gate")

    rule = page.locator("#rule-preflight_no_error")
    rule.locator("summary").click()
    rule.get_by_role("link", name="Open the source").click()

    page.wait_for_url("**/ops/preflight")


def test_the_run_is_asked_for_without_leaving_the_page(page_as):
    page = page_as("manager", lang="en")
    page.goto("/gate")

    page.locator("#run-ops_governance_gate").get_by_role("button", name="Run now").click()

    page.locator("#run-ops_governance_gate").get_by_text("Queued").wait_for()
    assert page.locator("#run-ops_governance_gate").get_by_role("button", name="Run now").is_disabled()
    assert page.url.endswith("/gate")


@pytest.mark.parametrize("width", [1440, 390])
def test_without_script_everything_is_there(page_as, width):
    page = page_as("owner", lang="en", script=False, width=width)
    page.goto("/gate")

    assert page.locator(".verdict").inner_text() in ("GO", "NO-GO")
    assert page.locator("#rules li[id^=rule-]").count() == 7
    page.get_by_role("link", name="All verdicts").click()
    page.locator("table tbody tr").first.wait_for()
    assert page.locator("table tbody tr").count() >= 10
    page.locator("table tbody tr a").first.click()
    assert page.locator("h1").inner_text().startswith("Verdict #")


@pytest.mark.parametrize("address", ["/gate/history", "/gate/runs/3"])
def test_the_other_pages_fit_and_are_accessible(page_as, axe, address):
    page = page_as("owner", width=390)
    page.goto(address)

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert axe(page) == []


def test_the_security_page_keeps_its_period(page_as):
    page = page_as("auditor", lang="en")
    page.goto("/ops/security")

    page.get_by_role("link", name="90 days").click()

    page.wait_for_url("**/ops/security?days=90")
    assert page.locator(".seg [aria-current]").inner_text() == "90 days"
