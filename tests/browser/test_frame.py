"""The frame in a real browser: keyboard, palette, dialogs, toasts, theme, and all of it without script."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

# Controls that are less high than they should be; the sign beside a figure has its number as the larger target.
SMALL_TARGETS = """least => {
  const all = "button, summary, input:not([type=hidden]), .btn, .rail-link, .menu-item, .bottombar a";
  return [...document.querySelectorAll(all)]
    .filter((one) => one.offsetParent && !one.closest(".hint"))
    .filter((one) => { const { height } = one.getBoundingClientRect(); return height > 1 && height < least - 0.5; })
    .map((one) => one.outerHTML.slice(0, 120));
}"""


def test_the_palette_finds_a_place_by_its_initial_consonants(page_as):
    page = page_as("manager")
    page.goto("/views")

    page.keyboard.press("Control+k")
    page.keyboard.type("ㄴㅇㅁ")

    expect(page.locator("#palette [role=option]").first).to_contain_text("내 업무")
    page.keyboard.press("Enter")
    page.wait_for_url("**/my-work")


def test_escape_closes_the_palette_and_gives_the_focus_back(page_as):
    page = page_as("manager")
    page.goto("/views")
    page.locator(".brand").focus()

    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.locator("#palette")).to_be_hidden()
    expect(page.locator(".brand")).to_be_focused()


def test_rows_are_walked_marked_and_opened_by_keys(page_as):
    page = page_as("manager")
    page.goto("/components")

    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")

    expect(page.locator("#list-sample tr.is-current")).to_have_attribute("data-id", "1031")
    expect(page.locator("#list-sample [data-bulk-count]")).to_have_text("1건 선택")
    page.keyboard.press("Enter")
    assert page.url.endswith("#list-sample")


def test_shortcuts_keep_quiet_in_fields_and_dialogs(page_as):
    page = page_as("manager")
    page.goto("/components")

    page.locator("#quick-sample").fill("")
    page.locator("#quick-sample").press("j")
    expect(page.locator("tr.is-current")).to_have_count(0)
    page.locator("#part-dialog [data-dialog=sample-dialog]").click()
    page.keyboard.press("?")

    expect(page.locator("#keys")).to_have_count(0)


def test_shortcuts_can_be_switched_off(page_as):
    page = page_as("manager")
    page.goto("/components")

    page.keyboard.press("?")
    page.locator("[data-keys-toggle]").click()
    page.keyboard.press("j")

    expect(page.locator("tr.is-current")).to_have_count(0)


def test_select_all_sends_the_filter_instead_of_ids(page_as):
    page = page_as("manager")
    page.goto("/components?status=pending")

    page.locator("#list-sample [data-select-page]").check()
    page.locator("#list-sample [data-bulk-all]").click()

    expect(page.locator("#list-sample [data-bulk-count]")).to_contain_text("128")
    chosen = page.locator("#list-sample").evaluate("list => `${list.dataset.all} ${list.dataset.query}`")
    assert chosen == "yes ?status=pending"


def test_a_filter_swaps_the_list_only_and_moves_the_address(page_as):
    page = page_as("manager")
    page.goto("/components")
    page.evaluate("window.stillTheSame = true")

    page.locator("#menu-sample-status summary").click()
    page.locator("#menu-sample-status .menu-item").first.click()
    page.wait_for_url("**/components?status=pending")

    assert page.evaluate("window.stillTheSame")
    expect(page.locator("#list-sample .chip-active")).to_contain_text("대기")
    page.go_back()
    page.wait_for_url("**/components")


def test_a_view_is_saved_from_the_menu_of_its_list(page_as):
    page = page_as("manager")
    page.goto("/components?status=blocked")

    page.locator("#menu-sample-views summary").click()
    page.locator("#menu-sample-views input[name=name]").fill("막힌 일")
    assert page.url.endswith("/components?status=blocked")
    page.locator("#menu-sample-views button[type=submit]").click()

    expect(page.locator("[data-toast]")).to_contain_text("막힌 일")
    assert page.url.endswith("/components?status=blocked")
    page.locator("#menu-sample-views summary").click()
    expect(page.locator("#menu-sample-views .menu-item[aria-current]")).to_contain_text("막힌 일")


def test_paper_has_the_content_and_no_controls(page_as):
    page = page_as("manager", theme="dark")
    page.emulate_media(media="print")
    page.goto("/components?status=blocked")

    expect(page.locator(".rail")).to_be_hidden()
    expect(page.locator(".topbar")).to_be_hidden()
    expect(page.locator("#list-sample table")).to_be_visible()
    expect(page.locator("#list-sample .chip-active")).to_be_visible()
    assert page.locator(".btn:visible").count() == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_typing_searches_after_a_moment_and_keeps_the_words(page_as):
    page = page_as("manager")
    page.goto("/components")

    page.locator("#quick-sample").press_sequentially("펌프")
    page.wait_for_url("**q=**")

    expect(page.locator("#quick-sample")).to_have_value("펌프")
    expect(page.locator("#quick-sample")).to_be_focused()


def test_a_dialog_opens_takes_the_focus_and_gives_it_back(page_as, axe):
    page = page_as("manager")
    page.goto("/components")
    opener = page.locator("#part-dialog [data-dialog=sample-dialog]")

    opener.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#sample-dialog")).to_be_visible()
    assert axe(page) == []
    page.keyboard.press("Escape")

    expect(opener).to_be_focused()


def test_a_dangerous_action_waits_for_its_word(page_as):
    page = page_as("manager")
    page.goto("/components")
    page.locator("#part-dialog [data-dialog=sample-confirm]").click()

    page.locator("#sample-confirm-confirm").fill("no")
    expect(page.locator("#sample-confirm button[type=submit]")).to_be_disabled()
    page.locator("#sample-confirm-confirm").fill("ci")

    expect(page.locator("#sample-confirm button[type=submit]")).to_be_enabled()


def test_an_answer_brings_a_toast_that_can_be_closed(page_as):
    page = page_as("manager")
    page.goto("/components")

    page.locator("#part-dialog form button[type=submit]").click()
    toast = page.locator("[data-toast]")
    expect(toast).to_contain_text("저장했습니다")
    expect(toast).to_have_attribute("role", "status")
    toast.locator("[data-toast-close]").click()

    expect(toast).to_have_count(0)


def test_a_failed_request_says_so_and_changes_nothing(page_as):
    page = page_as("manager")
    page.goto("/components")
    broken = {"status": 500, "content_type": "text/html", "body": "<!doctype html>no"}
    page.route("**/components?*", lambda route: route.fulfill(**broken))

    page.locator("#sample-by-site").click()

    expect(page.locator("[data-toast=error]")).to_contain_text("처리하지 못했습니다")
    expect(page.locator("#list-sample table")).to_be_visible()
    page.problems.clear()


def test_a_lost_connection_is_told(page_as):
    page = page_as("manager")
    page.goto("/components")
    page.context.set_offline(True)

    page.locator("#sample-by-site").click()

    expect(page.locator("[data-toast=error]")).to_contain_text("연결할 수 없습니다")
    page.problems.clear()


def test_the_theme_changes_at_once_and_stays(page_as):
    page = page_as("manager")
    page.goto("/views")

    page.locator("[data-theme-toggle]").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()

    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_countdown_goes_on_in_the_words_of_the_page(page_as):
    page = page_as("manager")
    page.clock.install()
    page.goto("/components")
    shown = page.locator("[data-countdown]").nth(5)
    before = shown.inner_text()

    page.clock.fast_forward("02:00:00")

    assert "남음" in before
    expect(shown).not_to_have_text(before)


def test_unsaved_changes_are_not_lost_silently(page_as):
    page = page_as("manager")
    page.goto("/components")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))

    page.locator("#part-form input[name=title]").first.press_sequentially("펌프")
    page.goto("/views")

    assert asked == ["beforeunload"]


def test_the_sheet_of_a_phone_opens_and_closes(page_as, axe):
    page = page_as("operator", width=390)
    page.goto("/my-work")

    page.locator("[data-nav-open]").click()
    expect(page.locator("#nav")).to_be_visible()
    assert axe(page) == []
    page.keyboard.press("Escape")

    expect(page.locator("#nav")).to_be_hidden()


def test_a_menu_of_a_phone_is_a_sheet_that_nothing_clips(page_as):
    page = page_as("manager", width=390)
    page.goto("/components")

    page.locator("#menu-sample-status summary").click()

    box = page.locator("#menu-sample-status .menu-list").bounding_box()
    assert (box["x"], round(box["width"]), round(box["y"] + box["height"])) == (0, 390, 844)


@pytest.mark.parametrize("width", [1440, 390])
def test_targets_are_large_enough(page_as, width):
    page = page_as("manager", width=width)
    page.goto("/overview")
    least = 24 if width > 600 else 44

    small = page.evaluate(SMALL_TARGETS, least)

    assert small == []


@pytest.mark.parametrize("address", ["/overview", "/my-work", "/components", "/views", "/api/docs"])
def test_a_page_can_be_zoomed_to_four_times(page_as, address):
    # 1280 px at 400 % leave 320 px for the page.
    page = page_as("manager", width=320)

    page.goto(address)

    assert page.evaluate("document.documentElement.scrollWidth") <= 320


class TestWithoutScript:
    def test_filters_are_links(self, page_as):
        page = page_as("manager", script=False)
        page.goto("/components")

        page.locator("#menu-sample-status summary").click()
        page.locator("#menu-sample-status .menu-item").first.click()
        page.wait_for_url("**/components?menu=status")
        page.locator("main .menu-item").first.click()

        page.wait_for_url("**/components?status=pending")

    def test_dialogs_open_by_their_address(self, page_as):
        page = page_as("manager", script=False)
        page.goto("/components")

        page.locator("#part-dialog a[href='#sample-dialog']").click()

        expect(page.locator("#sample-dialog")).to_be_visible()

    def test_the_sheet_opens_by_its_address(self, page_as):
        page = page_as("manager", script=False, width=390)
        page.goto("/overview")

        page.locator("[data-nav-open]").click()

        expect(page.locator("#nav")).to_be_visible()

    def test_work_is_started_by_a_plain_form(self, page_as):
        page = page_as("operator", script=False, width=390)
        page.goto("/my-work?show=assigned")

        page.locator(".card-item button[type=submit]").first.click()

        expect(page.locator("[data-toast]")).to_contain_text("작업을 시작했습니다")

    def test_language_is_chosen_by_a_plain_form(self, page_as):
        page = page_as("manager", script=False)
        page.goto("/views")

        page.locator(".topbar button[name=lang]").first.click()

        expect(page.locator("html")).to_have_attribute("lang", "en")


def test_a_drawer_opens_beside_the_gallery_and_gives_the_focus_back(page_as):
    page = page_as("operator", lang="en")
    page.goto("/components")
    card = page.locator("[data-row][data-id='36']")
    card.get_by_role("link", name="옥상 배수구 청소").click()

    expect(page.get_by_role("dialog", name="옥상 배수구 청소")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="옥상 배수구 청소")).to_have_count(0)
    expect(card).to_be_focused()
    assert page.url.endswith("/components")
