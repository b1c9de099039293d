"""The jobs page in a browser: a dialog that starts a job, and a run that moves before one's eyes."""

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
    made = ProcessRuntime.of(Config.for_tests(DATABASE_URL=site.database))
    yield made
    made.engine.dispose()


def carry_out(place, run_id: int) -> None:
    with place.by_hand() as ctx:
        assert run_engine.perform(ctx, registry.find, run_id, worker_name()) is not None


def test_a_job_is_started_in_a_dialog_and_its_run_ends_before_ones_eyes(page_as, place):
    page = page_as("owner", lang="en")
    page.goto("/jobs")
    page.get_by_text("Run a job").click()
    page.get_by_role("link", name="Remove old job runs", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("A dry run decides and reports the same")
    dialog.get_by_label("Keep for days").fill("0")
    dialog.get_by_role("button", name="Dry run").click()
    expect(dialog.locator(".invalid-feedback")).to_be_visible()
    page.problems.clear()  # the browser tells its console about every 422
    dialog.get_by_label("Keep for days").fill("30")
    dialog.get_by_role("button", name="Dry run").click()

    page.wait_for_url(re.compile(r"/jobs/runs/\d+$"))
    expect(page.locator("[data-poll]")).to_contain_text("Queued")
    carry_out(place, int(page.url.rpartition("/")[2]))
    expect(page.locator("[data-poll]")).to_contain_text("Success")
    expect(page.locator("[data-poll]")).to_contain_text("keep_days")
    assert page.locator("[data-poll]").get_attribute("data-poll-every") == "0"


def test_a_waiting_run_is_stopped_from_its_page(page_as):
    page = page_as("owner", lang="en")
    page.goto("/jobs/identity_clean_up/start")
    page.get_by_role("button", name="Run now").click()
    page.wait_for_url(re.compile(r"/jobs/runs/\d+$"))
    page.get_by_role("button", name="Stop…").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop the run").click()

    expect(page.locator("#content")).to_contain_text("Stopped on request. Nothing of it was kept.")
    expect(page.get_by_role("button", name="Try again…")).to_be_visible()


def test_the_form_of_a_job_works_without_script(page_as, place):
    page = page_as("owner", lang="en", script=False)
    page.goto("/jobs")
    page.locator("a[href='/jobs/identity_clean_up/start']").last.click()
    page.get_by_role("button", name="Dry run").click()

    run_id = int(page.url.rpartition("/")[2])
    carry_out(place, run_id)
    page.reload()
    expect(page.locator("#content")).to_contain_text("Success")
