"""The audit page in a browser: an entry beside the list, a month verified, everything verified by a worker."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from console.core.config import Config
from console.core.process import ProcessRuntime, worker_name
from console.services.jobs import engine as run_engine
from console.services.jobs import registry


@pytest.fixture
def place(site):
    # The folder of the served application: a checkpoint without its line in a file is a finding.
    folder = site.app.extensions["console_config"].path("DATA_DIR")
    made = ProcessRuntime.of(Config.for_tests(DATABASE_URL=site.database, DATA_DIR=str(folder)))
    yield made
    made.engine.dispose()


def test_an_entry_opens_beside_the_list_and_escape_brings_the_list_back(page_as, axe):
    page = page_as("auditor", lang="en")
    page.goto("/audit?status=success")
    opener = page.locator("#list-audit .cell-title").first
    opener.click()

    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("Proof")
    expect(drawer).to_contain_text("as it was written")
    expect(drawer).to_be_focused()
    assert re.search(r"/audit/entries/\d+\?status=success$", page.url)
    assert axe(page) == []
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    assert page.url.endswith("/audit?status=success")
    expect(opener).to_be_focused()


def test_an_entry_has_an_address_that_opens_it_again(page_as):
    page = page_as("auditor", lang="en")
    page.goto("/audit")
    page.locator("#list-audit .cell-title").first.click()
    page.wait_for_url(re.compile(r"/audit/entries/\d+"))
    page.reload()

    expect(page.get_by_role("dialog")).to_contain_text("Proof")
    page.get_by_role("link", name="Close").click()
    expect(page).to_have_url(re.compile(r"/audit$"))


def test_a_month_is_verified_while_one_waits(page_as):
    page = page_as("auditor", lang="en")
    page.goto("/audit")
    page.get_by_role("link", name="Verify and archive").click()
    page.get_by_role("button", name="Verify now").click()

    expect(page.locator("#audit-month")).to_contain_text("verified, nothing wrong")


def test_everything_is_verified_by_a_worker_before_ones_eyes(page_as, place):
    page = page_as("auditor", lang="en")
    page.goto("/audit/month")
    panel = page.locator("#run-audit_chain_verify")
    panel.get_by_role("button", name="Run now").click()
    expect(panel).to_contain_text("Queued")
    run_id = int(panel.get_by_role("link", name=re.compile("Run #")).get_attribute("href").rpartition("/")[2])
    with place.by_hand() as ctx:
        assert run_engine.perform(ctx, registry.find, run_id, worker_name()) is not None

    expect(panel).to_contain_text("entries verified, nothing wrong")


def test_without_script_the_page_reads_filters_and_verifies(page_as):
    page = page_as("auditor", lang="en", script=False)
    page.goto("/audit")
    page.locator("#list-audit .cell-title").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("Proof")
    page.goto("/audit")
    page.get_by_role("link", name="Verify and archive").click()
    page.get_by_role("button", name="Verify now").click()

    expect(page.locator("#audit-month")).to_contain_text("verified, nothing wrong")


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_it_fits_a_phone_and_everybody_can_use_it(page_as, axe, lang):
    page = page_as("auditor", width=390, lang=lang)
    page.goto("/audit")

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert axe(page) == []
    page.locator("#list-audit .cell-title").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
