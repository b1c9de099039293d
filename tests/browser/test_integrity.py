"""The integrity of evidence and archives in a real browser: what is broken leads to where it belongs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy.orm import sessionmaker

from console.core.clock import FixedClock
from console.core.context import SYSTEM, Context
from console.core.database import make_engine
from console.domain.archives.archives import QUALITY_REPORT
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from tests.browser.steps import open_page
from tests.factories.recovery import add_drill
from tests.support import reports

PAGE = "/ops/integrity"


@pytest.fixture
def broken(site):
    """Let a night's reading find an archive of reports gone, one changed, and the backup of the last drill gone."""
    now = datetime.now(UTC)
    config = site.app.extensions["console_config"]
    engine = make_engine(site.database)
    factory = sessionmaker(engine)
    reports.produce(factory, config, now - timedelta(days=2))
    folder = config.path(QUALITY_REPORT.path)
    next(folder.glob("*.json")).unlink()
    next(folder.glob("*.csv")).write_bytes(b"forged")
    with factory() as session:
        add_drill(session, now - timedelta(days=3))
        session.commit()
        night = Context(session, FixedClock(now - timedelta(hours=9)), SYSTEM, config)
        run_engine.execute(night, registry.get("ops_evidence_archive_integrity"), {})
    engine.dispose()


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")])
def test_it_fits_and_is_accessible(page_as, axe, width, theme, lang):
    page = page_as("owner", width=width, theme=theme, lang=lang)
    open_page(page, PAGE)

    assert page.locator(".tabs [aria-current]").inner_text() == {"ko": "무결성", "en": "Integrity"}[lang]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page) == []


@pytest.mark.usefixtures("broken")
def test_what_is_broken_leads_to_where_it_belongs_by_keyboard(page_as):
    page = page_as("auditor", lang="en")
    open_page(page, PAGE)
    expect(page.locator(".page-status")).to_contain_text("3 files are not what was stored")

    page.get_by_role("link", name="ops-quality-report-").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/ops/quality*")
    page.go_back()
    page.get_by_role("link", name="dr-rehearsal-").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/ops/recovery/runs/*")


def test_a_reading_is_asked_for_without_leaving_the_page(page_as):
    page = page_as("owner", lang="en")
    open_page(page, PAGE)

    page.get_by_role("button", name="Run now").press("Enter")

    page.locator("#run-ops_evidence_archive_integrity").get_by_text("Queued").wait_for()


@pytest.mark.usefixtures("broken")
def test_without_script_everything_is_there(page_as):
    page = page_as("owner", lang="en", script=False, width=390)
    page.goto(PAGE)

    assert page.get_by_text("Changed since").count()
    page.get_by_role("button", name="Run now").click()
    page.wait_for_url(f"**{PAGE}")
    page.get_by_text("Queued").first.wait_for()
