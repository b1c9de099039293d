"""The daily check in a real browser: the checks, the run through the queue, phone and desk, both languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy.orm import sessionmaker

from console.core.clock import FixedClock
from console.core.context import SYSTEM, Context
from console.core.database import make_engine
from console.domain.jobs import names as job_names
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from tests.browser.steps import WIDTHS


@pytest.fixture
def checked(site):
    """Run the daily check of the last three days."""
    engine, config = make_engine(site.database), site.app.extensions["console_config"]
    for days in (2, 1, 0):
        clock = FixedClock(datetime.now(UTC) - timedelta(days=days, minutes=50))
        with sessionmaker(engine)() as session:
            ctx = Context(session, clock, SYSTEM, config)
            run_engine.execute(ctx, registry.get(job_names.DAILY_CHECK), trigger="cron")
    engine.dispose()


@WIDTHS
def test_the_page_fits_and_is_accessible(page_as, axe, width, lang):
    page = page_as("owner", lang=lang, width=width)
    page.goto("/ops/daily-check")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page) == []


@WIDTHS
def test_so_it_is_with_runs_and_everything_unfolded(checked, page_as, axe, width, lang):
    page = page_as("owner", lang=lang, width=width)
    page.goto("/ops/daily-check")
    page.locator("#passing > summary").click()

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page) == []


def test_on_a_phone_the_button_comes_first_then_what_fails(checked, page_as):
    page = page_as("owner", lang="en", width=390)
    page.goto("/ops/daily-check")

    button = page.locator("#run-ops_daily_check button.btn-primary").bounding_box()
    failing = page.locator("#checks tbody tr").first.bounding_box()
    assert button["y"] < failing["y"]
    assert not page.locator("#passing tbody tr").first.is_visible()


def test_what_was_unfolded_stays_so_when_the_page_reads_itself_again(checked, page_as):
    page = page_as("owner", lang="en")
    page.goto("/ops/daily-check")
    page.locator("#passing > summary").click()
    page.locator("h1").click()
    page.evaluate("""async () => {
        const part = document.getElementById('daily');
        part.kaTag = '';
        part.dataset.pollEvery = '0.2';
        part.insertAdjacentHTML('beforeend', '<i id="old"></i>');
        document.dispatchEvent(new Event('visibilitychange'));
    }""")
    expect(page.locator("#old")).to_have_count(0, timeout=40_000)
    expect(page.locator("#passing tbody tr").first).to_be_visible()


def test_a_failing_check_leads_to_its_item_and_back(checked, page_as):
    page = page_as("owner", lang="en")
    page.goto("/ops/daily-check")
    row = page.locator("#checks tbody tr").filter(has=page.get_by_role("link", name="GR-")).first
    row.get_by_role("link", name="GR-").click()

    expect(page.locator("[data-drawer]")).to_be_visible()


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
