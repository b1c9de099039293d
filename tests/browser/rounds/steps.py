"""What somebody does in a round on the phone, and the template that they walk."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from console.domain.inspections.points import Limits, Point
from tests.browser.seed import SITES
from tests.support.files import png

PASSWORD = "a long enough sentence"
SITE = SITES[0]
POINTS = (
    Point("temp", "권선 온도", section="변압기 2호 · TR-02", unit="°C", maps_to="winding_temp_c"),
    Point(
        "ins",
        "절연저항 R–E",
        section="변압기 2호 · TR-02",
        guide="1,000 V로 1분.",
        unit="MΩ",
        limits=Limits(danger_low=1, warn_low=5),
    ),
    Point("leak", "누수·소음·냄새", kind="choice", section="공통", choices=(("없음", "normal"), ("있음", "danger"))),
    Point("memo", "특이 사항", kind="text", section="공통", optional=True),
)


def begin(page: Page, template: int) -> None:
    page.goto(f"/inspections/rounds?site={SITE}")
    page.locator(f"a[href*='/inspections/rounds/{template}?']").click()
    ready(page)


def ready(page: Page) -> None:
    page.wait_for_selector("html[data-round=ready]", state="attached")


def fill(page: Page, value: str) -> None:
    page.locator(".round-screen:visible .round-field input").fill(value)


def onward(page: Page) -> None:
    page.locator("[data-next]").click()


def walk(page: Page, value: str = "0.4") -> None:
    """Answer every point, up to the end."""
    fill(page, "78")
    onward(page)
    fill(page, value)
    onward(page)
    if page.locator("[data-ask]:visible").count():
        onward(page)
    page.locator(".round-screen:visible .round-choice").first.click()
    onward(page)
    onward(page)
    expect(page.locator("[data-screen=finish]")).to_be_visible()


def sign(page: Page) -> None:
    pad = page.locator("[data-sign]")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    page.mouse.down()
    for step in range(1, 12):
        page.mouse.move(box["x"] + 60 + 12 * step, box["y"] + 40 + (20 if step % 2 else -10))
    page.mouse.up()
    expect(page.locator("[name=signed]")).to_be_checked()


def send(page: Page) -> None:
    page.locator("[data-send]").click()


def photo(page: Page, name: str) -> None:
    picture = {"name": name, "mimeType": "image/png", "buffer": png()}
    page.locator(".round-screen:visible [data-photo]").set_input_files([picture])
    expect(page.locator(".round-screen:visible [data-photos]")).to_contain_text(name.removesuffix(".png"))
