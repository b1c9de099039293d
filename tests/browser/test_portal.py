"""The published programme in a real browser: nobody signed in, both languages and themes, wide, narrow, on paper."""

from __future__ import annotations

import pytest

PAGES = (
    "/web/adoption",
    "/web/adoption?part=summary",
    "/web/adoption/w02",
    "/web/adoption/w05",
    "/web/adoption/w09",
    "/web/adoption/w04/common-mistakes",
    "/web/adoption/post-mvp",
    "/api/public/modules",
)
VARIANTS = ((1440, "light", "ko"), (1440, "dark", "en"), (390, "light", "en"), (390, "dark", "ko"))


@pytest.mark.parametrize(("width", "theme", "lang"), VARIANTS)
@pytest.mark.parametrize("address", PAGES)
def test_a_published_page_fits_and_is_accessible_to_everybody(page_as, axe, address, width, theme, lang):
    page = page_as(None, width=width, theme=theme, lang=lang)
    page.goto(address)

    assert page.locator("html").get_attribute("lang") == lang
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page) == []


def test_the_way_from_the_door_to_a_week_and_back_without_a_cookie(page_as):
    page = page_as(None, script=False)
    page.context.clear_cookies()
    page.goto("/sign-in")
    page.get_by_role("link", name="누구나 볼 수 있는 주간 프로그램").click()
    page.get_by_role("link", name="English", exact=True).click()
    page.get_by_role("link", name="W05 · Usage consistency").click()

    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("h1").inner_text() == "W05 · Usage consistency"
    with page.expect_download() as taken:
        page.get_by_role("link", name="Checklist (CSV)").click()
    assert taken.value.suggested_filename == "ka-facility-os-adoption-w05-usage-consistency-missions.csv"
    page.get_by_role("link", name="W06").click()
    page.get_by_role("link", name="Programme", exact=True).click()
    assert page.url.endswith("/web/adoption?lang=en")
    page.get_by_label("Search the weeks").fill("retention")
    page.get_by_role("button", name="Search").click()
    assert page.locator("tbody tr", has_text="W05").count() == 0
    assert [cookie for cookie in page.context.cookies() if "/web/" in cookie["path"]] == []


def test_a_week_on_paper_keeps_its_lists(page_as):
    page = page_as(None, lang="ko")
    page.goto("/web/adoption/w02")
    page.emulate_media(media="print")

    assert page.locator(".topbar").is_hidden()
    assert page.get_by_role("heading", name="근무 시작 전에 점검하기").is_visible()


def test_whoever_looked_at_the_preview_can_publish_afterwards(page_as):
    page = page_as("owner")
    page.goto("/programme/packs/w02")
    page.locator('[name="focus.ko"]').fill("표준 절차 다지기")
    for _time in range(2):
        with page.context.expect_page() as beside:
            page.get_by_role("button", name="미리 보기").press("Enter")
        assert "표준 절차 다지기" in beside.value.locator("main").inner_text()
        beside.value.close()
    page.locator("[name=reason]").press("Enter")

    page.get_by_text("W02 자료를 공개했습니다").wait_for()
    assert page.locator('[name="focus.ko"]').input_value() == "표준 절차 다지기"
