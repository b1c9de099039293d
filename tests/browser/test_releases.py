"""The page of the releases in a real browser: the tab, one record, the command to copy, on both screens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import sessionmaker

from console.core.clock import FixedClock
from console.core.context import unit_of_work
from console.core.database import make_engine
from console.inputs.releases import SmokeRecordIn
from console.services.releases import checklist, smoke
from tests.conftest import actor_of


@pytest.fixture
def releases(site):
    """Three recorded releases: in order, with findings, and critical."""
    engine = make_engine(site.database)
    config = site.app.extensions["console_config"]
    bad = {"id": "ui_main_shell", "status": "failed", "message": "the page lacks id=nav"}
    good = {"id": "ui_main_shell", "status": "ok", "message": "the page has its 4 markers"}
    told = (
        ("2026.11-1", {"rollback_ready": True, "runbook_gate_passed": True, "checks": [good]}),
        ("2026.11-2", {"rollback_ready": False, "runbook_gate_passed": True, "checks": [good]}),
        ("2026.11-3-아주-긴-이름의-배포-" + "x" * 60, {"status": "failed", "checks": [bad], "notes": "다시 확인"}),
    )
    for days, (name, values) in zip((9, 5, 0), told, strict=True):
        clock = FixedClock(datetime.now(UTC) - timedelta(days=days, minutes=3))
        with unit_of_work(sessionmaker(engine), actor=actor_of(), clock=clock, config=config) as ctx:
            sha256 = checklist.guide().sha256
            given = SmokeRecordIn(deploy_id=name, base_url="https://console.example",
                                  rollback_reference_sha256=sha256, **values)  # fmt: skip
            smoke.record(ctx, given)
    engine.dispose()


@pytest.mark.usefixtures("releases")
@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "light"), (1440, "dark")])
def test_list_and_record_fit_and_are_accessible(page_as, axe, width, theme, lang):
    page = page_as("owner", width=width, theme=theme, lang=lang)
    page.goto("/ops/deploys")

    tab = page.locator(".tabs [aria-current]")
    assert tab.inner_text() == {"ko": "배포", "en": "Deploys"}[lang]
    edges = tab.evaluate("one => [one.getBoundingClientRect().left, one.getBoundingClientRect().right]")
    assert 0 <= edges[0] < edges[1] <= width, "also where the row of tabs is longer than the screen"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page) == []

    page.get_by_role("link", name="2026.11-3").first.click()
    page.locator("h1", has_text="2026.11-3").wait_for()

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page) == []


@pytest.mark.usefixtures("releases")
def test_the_list_narrows_by_result_and_a_record_opens_by_keyboard(page_as):
    page = page_as("auditor", lang="en")
    page.goto("/ops/deploys?status=critical")

    assert page.locator("table tbody tr").count() == 1
    page.locator("a.cell-title").focus()
    page.keyboard.press("Enter")

    page.get_by_text("The page of the console lacks something of its frame.").first.wait_for()


def test_without_script_the_checklist_is_there(page_as):
    page = page_as("owner", lang="en", script=False, width=390)
    page.goto("/ops/deploys")

    assert page.get_by_text("Recorded releases").count()
    assert "python -m console.deploy verify" in page.locator("#checklist").inner_text()
