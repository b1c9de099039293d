"""A real browser on a served application: `page_as(role)` gives a page of somebody who is signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.server import Served, served
from tests.support.chromium import chromium_launch_options

ROOT = Path(__file__).parent.parent.parent
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

# How long a busy machine takes says nothing about a page; what is there is seen at once all the same.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The application with its small company, served on loopback."""
    with served(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture(autouse=True)
def _as_made(site: Served) -> None:
    """Let every test meet the company as it was made, whatever tests did before."""
    site.reset()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium_launch_options())
        yield browser
        browser.close()


@pytest.fixture
def page_as(site: Served, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Return `page_as(role, width=, theme=, lang=, script=)`: a page whose `problems` are errors that it met.
    Errors of scripts, of the console and breaches of the content security policy fail the test at its end; a test
    that provokes some empties the list. role=None is somebody who is not signed in.
    """
    contexts = []
    problems: list[str] = []

    def build(
        role: str | None = "owner", *, width: int = 1440, theme: str = "light", lang: str = "ko", script: bool = True
    ) -> Page:
        context = chromium.new_context(
            base_url=site.address,
            viewport={"width": width, "height": 900 if width > 600 else 844},
            has_touch=width < 600,
            locale=lang,
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
            java_script_enabled=script,
            timezone_id="Asia/Seoul",
        )
        contexts.append(context)
        cookies: list[Any] = [{"name": "lang", "value": lang}, {"name": "theme", "value": theme}]
        if role is not None:
            cookies.append(site.cookie(role))
        context.add_cookies([{**cookie, "url": site.address} for cookie in cookies])
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(f"script: {error}"))
        page.on("console", lambda said: problems.append(f"console: {said.text}") if said.type == "error" else None)
        vars(page)["problems"] = problems
        return page

    yield build
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture(scope="session")
def axe_source() -> str:
    return AXE.read_text(encoding="utf-8")


@pytest.fixture
def axe(axe_source: str) -> Callable[[Page], list[str]]:
    """Return `axe(page)`: a sentence for each serious or critical accessibility defect of the page as it stands."""

    def run(page: Page) -> list[str]:
        page.evaluate(axe_source)
        found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']} ({one['impact']}): {node['html'][:160]} {' '.join(map(str, node['target']))}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"][:5]
        ]

    return run
