"""Pictures of every page in both languages, both themes, wide and narrow: for the eye, not for a comparison by machine.

    python -m tools.screenshots                 all pages
    python -m tools.screenshots /board /gate    these addresses only

The pictures go to the folder screenshots (not in git), named page-language-theme-width.png.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from console.ui.frame import nav_items
from tests.browser.server import Served, served
from tests.support.chromium import chromium_launch_options
from tools.node import ROOT

FOLDER = ROOT / "screenshots"
VARIANTS = (
    (1440, "light", "ko"),
    (1440, "dark", "ko"),
    (1440, "light", "en"),
    (390, "light", "ko"),
    (390, "dark", "en"),
)
EXTRA = ("/search?q=GR", "/no-such-page", "/api/docs", "/api/public/modules", "/board?view=table", "/board/items/1")


def addresses(site: Served) -> list[str]:
    """Return every page that needs no argument, and some that do."""
    named = {place.endpoint for place in nav_items(site.app)}
    rules = [rule for rule in site.app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments]
    return sorted(
        {r.rule for r in rules if r.endpoint in named or r.endpoint.endswith(".page")} - {"/metrics"} | set(EXTRA)
    )


def shoot(browser: Browser, site: Served, wanted: list[str], role: str | None) -> int:
    """Take the pictures as somebody of `role`, None being a stranger; returns how many."""
    taken = 0
    for width, theme, lang in VARIANTS:
        context = browser.new_context(
            base_url=site.address,
            viewport={"width": width, "height": 900 if width > 600 else 844},
            locale=lang,
            color_scheme="dark" if theme == "dark" else "light",
            timezone_id="Asia/Seoul",
        )
        cookies = [{"name": "lang", "value": lang}, {"name": "theme", "value": theme}]
        cookies += [site.cookie(role)] if role else []
        made: list[Any] = [{**cookie, "url": site.address} for cookie in cookies]
        context.add_cookies(made)
        page = context.new_page()
        for address in wanted:
            page.goto(address)
            page.wait_for_load_state("networkidle")
            too_wide = page.evaluate("document.documentElement.scrollWidth") > width
            name = re.sub(r"[^a-z0-9]+", "-", address.lower()).strip("-") or "door"
            page.screenshot(path=FOLDER / f"{name}-{lang}-{theme}-{width}.png", full_page=True)
            taken += 1
            if too_wide:
                print(f"{address} is wider than {width} px ({lang}, {theme})")
        context.close()
    return taken


def main(arguments: list[str]) -> int:
    """Serve the small company of the browser tests and take the pictures; returns the exit code."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**chromium_launch_options())
        taken = shoot(browser, site, arguments or addresses(site), "owner")
        taken += 0 if arguments else shoot(browser, site, ["/sign-in"], None)
        browser.close()
    print(f"{taken} pictures in {FOLDER.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
