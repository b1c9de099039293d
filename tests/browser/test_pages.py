"""Every page in both languages, both themes, wide and narrow: it opens, fits, and everybody can use it."""

from __future__ import annotations

import pytest

from console import create_app
from console.core.config import Config
from console.ui.frame import nav_items

# Each pair of language, theme and width occurs; all eight combinations would only cost time.
VARIANTS = ((1440, "light", "ko"), (1440, "dark", "en"), (390, "light", "en"), (390, "dark", "ko"))
EXTRA = ("/search?q=GR", "/no-such-page", "/api/docs", "/board?view=table", "/programme/packs/w04")

# What a reader cannot see whole: the title in the bar of a phone, and tables that slide under the edge of their panel.
# Code and the API's tables of fields may slide; they say so with a tab stop.
CUT = """() => [...document.querySelectorAll('.topbar-title, .table-wrap:not([tabindex])')]
  .filter((one) => one.checkVisibility())
  .filter((one) => one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1)
  .map((one) => one.textContent.trim().slice(0, 60))"""


def _addresses() -> list[str]:
    """Places of the rail and every other page that a module calls its own."""
    app = create_app(Config.for_tests())
    named = {place.endpoint for place in nav_items(app)}
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in rule.methods and not rule.arguments]
    pages = {rule.rule for rule in rules if rule.endpoint in named or rule.endpoint.endswith(".page")}
    # Figures for a monitoring system are no page, whatever their view is called.
    return sorted((pages | set(EXTRA)) - {"/metrics"})


@pytest.mark.parametrize(("width", "theme", "lang"), VARIANTS)
@pytest.mark.parametrize("address", _addresses())
def test_a_page_opens_fits_and_is_accessible(page_as, axe, address, width, theme, lang):
    page = page_as("owner", width=width, theme=theme, lang=lang)

    response = page.goto(address)
    page.wait_for_selector("html.has-script", state="attached")

    assert response.status == (404 if address == "/no-such-page" else 200)
    if address == "/no-such-page":
        page.problems.clear()  # The browser reports the 404 itself.
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT) == []
    assert page.locator("html").get_attribute("lang") == lang
    assert page.locator("h1").count() == 1
    assert axe(page) == []


@pytest.mark.parametrize("role", ["manager", "operator", "auditor"])
def test_the_rail_leads_nobody_to_a_closed_door(page_as, role):
    page = page_as(role)
    page.goto("/overview")
    links = [link.get_attribute("href") for link in page.locator(".rail-link").all()]

    statuses = {link: page.goto(link).status for link in links}

    assert links
    assert set(statuses.values()) == {200}


def test_every_page_has_a_title_of_its_own(page_as):
    page = page_as("owner", script=False)
    titles: dict[str, list[str]] = {}
    for address in _addresses():
        page.goto(address)
        titles.setdefault(page.title(), []).append(address.partition("?")[0])
    page.problems.clear()

    assert all(title.endswith(" · KA Facility OS") for title in titles)
    assert {title: found for title, found in titles.items() if len(set(found)) > 1} == {}


def test_the_colours_of_the_system_hide_neither_the_strip_nor_the_current_place(page_as):
    page = page_as("owner", width=390)
    page.emulate_media(forced_colors="active")
    page.goto("/components")
    shown = """() => [getComputedStyle(document.querySelector('.strip > .strip-late')).backgroundColor,
      getComputedStyle(document.querySelector('.strip > .strip-soon')).backgroundColor]"""

    late, soon = page.evaluate(shown)
    page.goto("/overview")
    current = page.locator(".bottombar [aria-current]").evaluate("(one) => getComputedStyle(one).outlineStyle")

    assert late != soon
    assert current == "solid"


@pytest.mark.parametrize(
    ("address", "current"),
    [("/autopilot", ".tabs > [aria-current]"), ("/my-work", ".chip-active"), ("/board", ".seg > [aria-current]")],
)
def test_the_colours_of_the_system_show_what_is_chosen(page_as, address, current):
    page = page_as("owner")
    page.emulate_media(forced_colors="active")
    page.goto(address)

    for one in (current, ".rail-link[aria-current]"):
        assert page.locator(one).first.evaluate("(one) => getComputedStyle(one).outlineStyle") == "solid"


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_on_a_tablet_the_rail_leaves_the_table_its_width(page_as, axe, lang):
    page = page_as("owner", width=820, lang=lang)
    page.goto("/board?view=table")

    assert page.locator(".rail").bounding_box()["width"] <= 90
    words = page.locator(".rail-link span:first-of-type")
    assert words.evaluate_all("all => all.filter((one) => one.scrollWidth > 80 || !one.offsetHeight).length") == 0
    assert page.locator("tbody td").nth(2).bounding_box()["width"] >= 150
    assert page.evaluate("document.documentElement.scrollWidth") <= 820
    assert axe(page) == []


@pytest.mark.parametrize("address", ["/board", "/programme/w07", "/autopilot/policy"])
def test_the_smallest_screen_holds_the_page(page_as, address):
    page = page_as("owner", width=320, lang="en")
    page.goto(address)

    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_on_a_low_screen_the_bars_scroll_away(page_as):
    page = page_as("owner", width=320)
    page.set_viewport_size({"width": 320, "height": 256})
    page.goto("/overview")
    page.mouse.wheel(0, 600)
    page.wait_for_function("scrollY > 100")

    assert page.locator(".topbar").bounding_box()["y"] < -50
    assert page.locator(".bottombar").bounding_box()["y"] >= 256


def test_the_bar_of_the_phone_never_hides_what_has_the_focus(page_as):
    page = page_as("owner", width=390)
    page.goto("/components")
    bar = page.locator(".bottombar")
    below = """(one) => {
      const { activeElement: active } = document, box = active.getBoundingClientRect();
      const under = box.top + box.height / 2 > one.getBoundingClientRect().top;
      return active.closest('main') && under ? active.outerHTML : null;
    }"""

    hidden = []
    for _ in range(60):
        page.keyboard.press("Tab")
        hidden.append(bar.evaluate(below))

    assert set(hidden) == {None}


def test_the_links_in_a_figure_lead_to_their_own_rows(page_as):
    page = page_as("owner")
    page.goto("/components")
    link = page.locator(".stat:has(.stat-link) .stat-foot a").first

    assert link.evaluate("""(one) => {
      const box = one.getBoundingClientRect();
      return document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2) === one;
    }""")
