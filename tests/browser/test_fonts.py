"""Pages are drawn alike everywhere: with the fonts of the packages, never with those that a machine has."""

import pytest

ADDRESS = "http://127.0.0.1/fonts"  # answered by the browser itself
PAGE = """<!doctype html><meta charset=utf-8>
<p id=plain style="font-family: sans-serif">한글</p><p id=code style="font-family: monospace">한글</p>
<p id=other style="font-family: 'Noto Sans CJK KR', 'DejaVu Sans'">한글</p>"""


@pytest.fixture
def page(chromium):
    context = chromium.new_context()
    context.grant_permissions(["local-fonts"], origin=ADDRESS)
    context.route(ADDRESS, lambda route: route.fulfill(body=PAGE, content_type="text/html"))
    opened = context.new_page()
    opened.goto(ADDRESS)
    yield opened
    context.close()


def test_the_browser_sees_the_fonts_of_the_packages_alone(page):
    seen = set(page.evaluate("async () => (await queryLocalFonts()).map(font => font.family)"))

    assert seen == {"Open Sans", "Pretendard Variable"}


@pytest.mark.parametrize("where", ["plain", "code", "other"])
def test_hangul_is_drawn_with_pretendard_whatever_a_page_asks_for(page, where):
    asked = page.context.new_cdp_session(page)
    asked.send("DOM.enable")
    asked.send("CSS.enable")
    top = asked.send("DOM.getDocument")["root"]["nodeId"]
    node = asked.send("DOM.querySelector", {"nodeId": top, "selector": f"#{where}"})["nodeId"]
    (font,) = asked.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]

    assert (font["familyName"], font["glyphCount"]) == ("Pretendard Variable", 2)
