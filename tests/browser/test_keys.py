"""Keyboard and screen reader in a real browser: what is said, where the focus goes, and every menu while it is open."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.steps import WIDTHS, open_page

PAGES = ("/board", "/board?view=table", "/alerts", "/audit", "/jobs", "/admin/users", "/admin/tokens")

# The defects of the menu that is open, each with the element that has it.
MENU_DEFECTS = """async menu => {
  const found = await axe.run(menu, {resultTypes: ["violations"]});
  return found.violations.filter(one => ["serious", "critical"].includes(one.impact))
    .flatMap(one => one.nodes.map(node => `${one.id}: ${node.html.slice(0, 120)}`));
}"""


def _open_menu(page: Page, selector: str) -> None:
    page.locator(f"{selector} > summary").click()
    expect(page.locator(f"{selector} :is(.menu-item, input)").first).to_be_visible()


def test_the_number_of_rows_is_said_after_a_filter_and_stays(page_as):
    page = page_as("manager")
    open_page(page, "/board?view=table")

    page.locator("[data-list] .filter-search input[type=search]").fill("GR")
    page.wait_for_url("**q=GR**")

    expect(page.locator("#announcer")).to_have_text(page.locator("[data-list]").get_attribute("data-announce"))


def test_a_menu_that_fills_says_nothing(page_as):
    page = page_as("manager")
    open_page(page, "/board?view=table")

    page.locator("[data-list] [data-select]").first.check(force=True)
    said = page.locator("#announcer").inner_text()
    _open_menu(page, "[data-list] details[id$=-columns]")

    assert said
    assert page.locator("#announcer").inner_text() == said


@pytest.mark.parametrize("address", ["/board", "/board?view=table", "/admin/users", "/alerts"])
def test_the_focus_stays_at_the_menu_whose_choice_was_taken_and_at_the_filter_that_was_removed(page_as, address):
    page = page_as("owner")
    open_page(page, address)
    menu = page.locator("[data-list] .filters > details[data-menu]").first
    name = menu.get_attribute("id")
    _open_menu(page, f"#{name}")

    page.locator(f"#{name} .menu-item").first.focus()
    page.keyboard.press("Enter")
    page.locator("[data-list] .chip-x").wait_for()

    expect(page.locator(f"#{name} > summary")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(f"#{name}")).not_to_have_attribute("open", "")
    page.locator("[data-list] .chip-x").focus()
    page.keyboard.press("Enter")
    page.locator("[data-list] .chip-x").wait_for(state="detached")
    expect(page.locator(f"#{name} > summary")).to_be_focused()


def test_an_undo_gives_the_focus_back_to_the_card(page_as):
    page = page_as("manager")
    open_page(page, "/board")
    for key in ("j", "m", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#col-in_progress .board-card:focus")).to_have_count(1)
    undo = page.locator("[data-toast] button", has_text="되돌리기")
    undo.focus()

    page.keyboard.press("Enter")

    undo.wait_for(state="detached")
    expect(page.locator(".board-card:focus")).to_have_count(1)


def test_back_out_of_a_drawer_gives_the_focus_to_its_row(page_as):
    page = page_as("manager", width=390)
    open_page(page, "/board")
    page.locator("a.board-card-title").first.click()
    page.locator("[data-drawer]").wait_for()

    page.go_back()

    page.locator("[data-drawer]").wait_for(state="detached")
    expect(page.locator(".board-card:focus")).to_have_count(1)


@pytest.mark.parametrize("address", PAGES)
def test_every_menu_is_sound_while_it_is_open(page_as, axe_source, address):
    page = page_as("owner")
    open_page(page, address)
    page.evaluate(axe_source)
    defects = []
    menus = page.locator(".topbar details[data-menu], [data-list] details[data-menu]")
    assert menus.count() > 0

    for menu in menus.all():
        menu.locator("> summary").click()
        page.wait_for_function("menu => !menu.querySelector('noscript')", arg=menu.element_handle())
        defects += menu.evaluate(MENU_DEFECTS)
        page.keyboard.press("Escape")

    assert defects == []


def test_the_palette_says_how_many_it_found_and_when_there_is_nothing(page_as, axe):
    page = page_as("manager")
    open_page(page, "/views")
    page.keyboard.press("Control+k")
    status = page.locator("#palette [role=status]")
    expect(status).to_have_text("12건 찾음")

    page.keyboard.type("zzqqy")

    expect(status).to_have_text("결과가 없습니다")
    expect(status).to_be_visible()
    assert axe(page) == []


def test_the_sheet_of_phones_keeps_the_focus_until_it_is_closed(page_as):
    page = page_as("manager", width=390)
    open_page(page, "/views")
    page.locator("[data-nav-open]").click()

    for _ in range(60):
        page.keyboard.press("Tab")
        assert page.evaluate("['nav', ''].includes(document.activeElement.closest('#nav, body').id)")
    page.keyboard.press("Escape")

    expect(page.locator("#nav.is-open")).to_have_count(0)
    expect(page.locator("[data-nav-open]")).to_be_focused()


def test_a_card_falls_into_a_column_below_its_last_card(page_as):
    page = page_as("manager")
    open_page(page, "/board")

    heights = page.locator("[data-column]").evaluate_all("all => all.map(one => Math.round(one.offsetHeight))")

    assert len(heights) == 4
    assert len(set(heights)) == 1


def test_the_heads_of_the_columns_stay_while_the_board_scrolls(page_as):
    page = page_as("manager")
    open_page(page, "/board")
    page.locator("body").evaluate("() => { document.querySelector('[data-column]').style.minHeight = '3000px'; }")

    page.evaluate("scrollTo(0, 1500)")

    tops = page.locator(".board-col-head").evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
    assert all(0 <= top < 120 for top in tops)


def test_a_word_without_spaces_breaks_and_leaves_the_other_columns_in_sight(page_as):
    page = page_as("manager")
    open_page(page, "/board?view=table")

    page.locator("[data-list] a.cell-title").first.evaluate("one => { one.textContent = 'https://'.padEnd(300, 'x'); }")

    assert page.locator("[data-list] .table-wrap").evaluate("one => one.scrollWidth <= one.clientWidth")
    assert page.locator("[data-list] a.cell-title").first.evaluate("one => one.closest('td').offsetWidth") >= 180


@WIDTHS
def test_a_full_column_is_shown_step_by_step_and_the_table_has_the_rest(page_as, monkeypatch, width, lang):
    monkeypatch.setattr("console.services.tracker.board.COLUMN_LIMIT", 1)
    monkeypatch.setattr("console.services.tracker.board.COLUMN_STEP", 1)
    monkeypatch.setattr("console.services.tracker.board.COLUMN_STEPS", 2)
    page = page_as("manager", width=width, lang=lang)
    open_page(page, "/board?view=table")
    page.locator("[data-row]").nth(3).wait_for()
    for pressed in ("j", "x") * 4 + ("m",):
        page.keyboard.press(pressed)
    page.locator("#bulk-dialog select").select_option("pending")
    page.locator("#bulk-dialog button[type=submit]").click()
    page.locator("[data-toast] [data-undo]").wait_for()
    open_page(page, "/board")
    cards, more = page.locator("#col-pending .board-card"), page.locator("#col-pending > a")
    next_words = "다음 1건 더 보기(남은 %d건)" if lang == "ko" else "Next 1 of %d more"

    for shown in (2, 3):
        expect(more).to_have_text(next_words % (5 - shown))
        more.focus()
        page.keyboard.press("Enter")
        expect(cards).to_have_count(shown)
        expect(cards.nth(shown - 1)).to_be_focused()
    page.reload()
    expect(cards).to_have_count(3)

    page.locator("#col-pending > a", has_text="표에서" if lang == "ko" else "in the table").click()
    page.wait_for_url("**view=table**")
    assert "status=pending" in page.url
    assert page.locator("[data-list] tbody tr").count() == 4


@WIDTHS
@pytest.mark.parametrize("view", ["board", "table"])
@pytest.mark.parametrize(("key", "value"), [("a", "lee"), ("m", "blocked")])
def test_with_rows_selected_a_key_acts_on_all_of_them(page_as, width, lang, view, key, value):
    page = page_as("manager", width=width, lang=lang)
    open_page(page, f"/board?view={view}")
    for pressed in ("j", "x", "j", "x", key):
        page.keyboard.press(pressed)
    dialog = page.locator("#bulk-dialog")
    expect(dialog.locator("input[name=ids]")).to_have_count(2)
    expect(dialog.locator("select")).to_be_focused()

    ids = [box.input_value() for box in dialog.locator("input[name=ids]").all()]
    dialog.locator("select").select_option(value)
    label = dialog.locator("select option:checked").inner_text()
    dialog.locator("button[type=submit]").click()

    expect(page.locator("[data-toast] [data-undo]")).to_be_visible()
    for one in ids:
        row = page.locator(f'[data-row][data-id="{one}"]')
        if (view, key) == ("board", "m"):
            expect(page.locator(f"#col-{value}").locator(row)).to_have_count(1)
        else:
            expect(row).to_contain_text(label)
    expect(page.locator("[data-row] form")).to_have_count(0)
    expect(page.locator("[data-row].is-current")).to_be_focused()


def test_without_a_selection_the_keys_act_on_the_row(page_as):
    page = page_as("manager")
    open_page(page, "/board?view=table")
    for pressed in ("j", "x", "x", "a"):
        page.keyboard.press(pressed)

    expect(page.locator("[data-row].is-current select")).to_be_focused()
    expect(page.locator("#bulk-dialog")).to_have_count(0)


def test_the_keys_work_from_the_box_of_a_row(page_as):
    page = page_as("manager")
    open_page(page, "/board?view=table")
    page.locator("[data-select]").first.click()
    expect(page.locator("[data-select]").first).to_be_focused()

    page.keyboard.press("m")

    expect(page.locator("#bulk-dialog input[name=ids]")).to_have_count(1)


@WIDTHS
def test_a_key_leads_to_the_bar_of_the_selection_and_escape_back_to_the_row(page_as, width, lang):
    page = page_as("manager", width=width, lang=lang)
    open_page(page, "/board?view=table")
    page.keyboard.press("b")
    assert page.evaluate("document.activeElement === document.body")
    for pressed in ("j", "j", "x", "b"):
        page.keyboard.press(pressed)
    first = page.locator("[data-bulk] > button").first
    expect(first).to_be_focused()

    page.keyboard.press("Enter")
    expect(page.locator("#bulk-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(first).to_be_focused()
    page.keyboard.press("Escape")

    expect(page.locator("[data-row]").nth(1)).to_be_focused()
    expect(page.locator("[data-bulk]")).to_be_visible()


@WIDTHS
def test_a_key_takes_the_last_change_back_and_leaves_the_focus_at_the_card(page_as, width, lang):
    page = page_as("manager", width=width, lang=lang)
    open_page(page, "/board")
    card = page.locator("#col-pending .board-card").first.get_attribute("data-id")
    for pressed in ("j", "m", "ArrowRight", "Enter"):
        page.keyboard.press(pressed)
    expect(page.locator(f'#col-in_progress [data-row][data-id="{card}"]')).to_be_focused()
    expect(page.locator("[data-toast] [data-undo]")).to_be_visible()

    page.keyboard.press("Control+Shift+z")
    expect(page.locator("[data-toast] [data-undo]")).to_be_visible()
    page.keyboard.press("Control+z")

    expect(page.locator(f'#col-pending [data-row][data-id="{card}"]')).to_be_focused()
    expect(page.locator("[data-toast] [data-undo]")).to_have_count(0)


def test_in_a_field_the_key_of_the_undo_belongs_to_the_field(page_as):
    page = page_as("manager")
    open_page(page, "/board")
    card = page.locator("#col-pending .board-card").first.get_attribute("data-id")
    for pressed in ("j", "m", "ArrowRight", "Enter"):
        page.keyboard.press(pressed)
    expect(page.locator("[data-toast] [data-undo]")).to_be_visible()

    page.locator(".filter-search input").press("Control+z")
    page.wait_for_timeout(300)

    expect(page.locator("[data-toast] [data-undo]")).to_be_visible()
    expect(page.locator(f'#col-in_progress [data-row][data-id="{card}"]')).to_be_visible()


@pytest.mark.parametrize(("lang", "words"), [("ko", "방금 바꾼 것 되돌리기"), ("en", "Undo the last change")])
def test_the_list_of_keys_names_the_bar_and_the_undo(page_as, lang, words):
    page = page_as("manager", lang=lang)
    open_page(page, "/board")
    page.keyboard.press("?")

    keys = page.locator("#keys .keys")
    expect(keys.locator("span", has_text=words)).to_be_visible()
    expect(keys.locator("kbd", has_text=re.compile("^B$"))).to_be_visible()
    expect(keys.locator("span:has(kbd)", has_text="CtrlZ")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("address", PAGES)
def test_every_menu_takes_the_arrow_keys(page_as, address, width):
    page = page_as("owner", width=width)
    open_page(page, address)
    menus = [menu for menu in page.locator("[data-list] details[data-menu]").all() if menu.is_visible()]
    assert menus

    for menu in menus:
        menu.locator("> summary").focus()
        page.keyboard.press("ArrowDown")
        expect(menu.locator(".menu-list :focus")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(menu.locator("> summary")).to_be_focused()


def test_a_menu_that_fills_late_takes_the_arrow_from_no_other(page_as):
    page = page_as("owner", width=390)
    open_page(page, "/jobs")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/jobs?*menu=*", hold)
    first, second = (page.locator(f"details[id^=menu-][id$=-{key}]") for key in ("job", "status"))
    for menu in (first, second):
        menu.locator("> summary").focus()
        with page.expect_request("**/jobs?*menu=*"):
            page.keyboard.press("ArrowDown")

    held[0].continue_()
    expect(first.locator("[data-menu-body] .menu-item")).not_to_have_count(0)
    held[1].continue_()

    expect(second.locator(".menu-list :focus")).to_have_count(1)


def test_a_menu_without_choices_shows_its_sentence_to_the_arrow_keys(page_as):
    page = page_as("owner")
    open_page(page, "/alerts")
    menu = page.locator("details[id^=menu-][id$=-channel]")
    menu.locator("> summary").focus()

    page.keyboard.press("ArrowDown")

    expect(menu.locator("p")).to_be_focused()
    expect(menu.locator("p")).to_have_text("선택할 값이 없습니다")


@WIDTHS
def test_from_the_field_of_a_long_menu_the_keys_lead_to_what_was_found(page_as, width, lang):
    page = page_as("manager", width=width, lang=lang)
    open_page(page, "/board?view=table")
    menu = page.locator("details[id$=-assignee]")
    # A field to narrow appears where there are many; the company of this test is small.
    menu.locator(".menu-list").evaluate("list => { list.dataset.filterable = 'yes'; }")
    menu.locator("> summary").focus()
    page.keyboard.press("Enter")
    field = menu.locator("[data-narrow]")
    expect(field).to_be_focused()
    expect(menu.locator(".menu-item").nth(1)).to_be_visible()

    page.keyboard.press("ArrowDown")
    expect(menu.locator(".menu-item").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    page.keyboard.press("Enter")
    expect(menu.locator(".menu-item").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.insert_text("이정비")
    page.keyboard.press("Enter")

    page.wait_for_url("**assignee=lee**")
    expect(menu.locator("> summary")).to_be_focused()


def test_a_filter_that_is_typed_can_be_added_from_the_further_ones(page_as):
    page = page_as("auditor", lang="en")
    open_page(page, "/audit")
    page.locator("details[id$=-more] > summary").focus()
    page.keyboard.press("ArrowDown")
    field = page.get_by_label("Request")
    expect(field).to_be_focused()

    page.keyboard.type("nobody-asked")
    page.keyboard.press("Enter")

    page.wait_for_url("**request_id=nobody-asked**")
    expect(page.locator("[data-list] .chip-active")).to_contain_text("nobody-asked")
