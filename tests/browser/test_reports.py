"""The quality reports in a real browser: the figures, a week of the past, the papers, and the page on paper."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect
from sqlalchemy.orm import sessionmaker

from console.core.database import make_engine
from tests.browser.steps import open_page
from tests.support import reports

PAGE = "/ops/quality"


def monday_morning(weeks_ago: int = 0) -> datetime:
    """Return ten past nine of the last Monday in Seoul, or of one before it."""
    local = datetime.now(ZoneInfo("Asia/Seoul"))
    monday = (local - timedelta(days=local.weekday())).replace(hour=9, minute=10, second=0, microsecond=0)
    monday -= timedelta(weeks=1 if monday > local else 0)
    return (monday - timedelta(weeks=weeks_ago)).astimezone(UTC)


@pytest.fixture
def reported(site, _as_made):
    """Let the company have three weekly reports and a monthly one; they are made once."""
    if site.reset("reports-"):
        return
    engine = make_engine(site.database)
    factory = sessionmaker(engine)
    config = site.app.extensions["console_config"]
    with factory() as session:
        reports.fill_weeks(session, datetime.now(UTC), 9)
    for weeks in (4, 1, 0):
        reports.produce(factory, config, monday_morning(weeks))
    reports.produce(factory, config, monday_morning(), "monthly")
    engine.dispose()
    site.keep("reports-")


@pytest.mark.parametrize("window", ["weekly", "monthly"])
@pytest.mark.parametrize(("width", "lang", "theme"), [(1440, "ko", "light"), (390, "en", "dark"), (390, "ko", "light")])
def test_it_fits_and_is_accessible(page_as, axe, reported, width, lang, theme, window):
    page = page_as("auditor", width=width, lang=lang, theme=theme)
    open_page(page, f"{PAGE}?window={window}")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page) == []
    expect(page.locator(".stat")).to_have_count(4)


def test_days_below_an_axis_are_said_as_days(page_as, reported):
    page = page_as("owner")
    open_page(page, PAGE)

    labels = page.locator("svg[aria-labelledby^=report-days] text[text-anchor=middle]").all_text_contents()

    assert labels
    assert all("월" in label and label.strip().endswith("일") for label in labels)


def test_a_week_of_the_strip_opens_its_report(page_as, reported):
    page = page_as("owner")
    open_page(page, PAGE)
    newest = page.locator(".page-status").inner_text()

    page.locator(".strip a").first.click()

    page.wait_for_url("**/ops/quality?report=*")
    assert page.locator(".page-status").inner_text() != newest


def test_a_paper_comes_as_a_download(page_as, reported):
    page = page_as("owner", lang="en")
    open_page(page, PAGE)

    with page.expect_download() as waiting:
        page.get_by_role("link", name="PDF (KO)").first.click()

    assert waiting.value.suggested_filename.endswith(".ko.pdf")
    assert waiting.value.path().read_bytes().startswith(b"%PDF-")


def test_a_report_is_asked_for_without_leaving_the_page(page_as, reported):
    page = page_as("owner", lang="en")
    open_page(page, f"{PAGE}?window=monthly")

    page.locator("#report-month").fill("2026-01")
    page.get_by_role("button", name="Run now").click()

    page.locator("#run-ops_quality_report_monthly").get_by_text("Queued").wait_for()


def test_on_paper_stands_the_report_alone(page_as, reported):
    page = page_as("owner")
    page.set_viewport_size({"width": 703, "height": 1000})
    page.emulate_media(media="print")
    page.goto(PAGE)

    expect(page.locator("#report-days-title")).to_be_attached()
    expect(page.locator(".stat").first).to_be_visible()
    expect(page.get_by_role("button", name="지금 실행")).to_be_hidden()
    expect(page.locator(".listing")).to_be_hidden()


def test_without_script_everything_is_there(page_as, reported):
    page = page_as("owner", script=False)
    page.goto(PAGE)

    page.get_by_role("link", name="월간").click()
    assert page.locator("h1").inner_text() == "품질 보고"
    page.get_by_role("button", name="지금 실행").click()
    page.wait_for_url("**/ops/quality?window=monthly")
    page.get_by_text("대기").first.wait_for()
