"""Recovery drills in a browser: what was proven, the tables, the certificate on paper."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy.orm import sessionmaker

from console.core.database import make_engine
from tests.browser.steps import WIDTHS, open_page
from tests.factories.recovery import add_drill, add_failed_drill


@pytest.fixture(autouse=True)
def drills(site):
    """Twelve weeks of drills, one of which a full disk stopped."""
    engine, now = make_engine(site.database), datetime.now(UTC)
    with sessionmaker(engine)() as session:
        for weeks in range(12, 0, -1):
            at = now - timedelta(days=7 * weeks - 6)
            if weeks == 7:
                add_failed_drill(session, at)
            else:
                add_drill(session, at, recovery_seconds=38 + weeks % 5)
        session.commit()
    engine.dispose()


@WIDTHS
def test_the_page_of_drills_is_readable_for_everybody(page_as, axe, width, lang):
    page = page_as("owner", width=width, lang=lang)
    open_page(page, "/ops/recovery")

    expect(page.locator("#drill-title")).to_be_visible()
    expect(page.locator("#drill-runs .late").first).to_contain_text("disk full" if lang == "en" else "디스크 부족")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_drill_its_tables_and_its_certificate(page_as, axe, theme):
    page = page_as("owner", theme=theme)
    open_page(page, "/ops/recovery")

    expect(page.locator("#tables tbody tr").first).to_be_visible()
    page.locator("#recovery .panel-foot a").first.click()
    expect(page.locator(".verdict")).to_be_visible()
    assert axe(page) == []
    page.emulate_media(media="print")
    expect(page.locator(".rail")).to_be_hidden()
    expect(page.locator(".k-table tbody tr").first).to_have_css("display", "table-row")


def test_a_failed_drill_says_why(page_as):
    page = page_as("owner")
    open_page(page, "/ops/recovery")
    page.locator("#drill-runs .panel-foot a").click()

    expect(page.locator("#recovery")).to_contain_text("No space left on device")
