"""The board in a real browser: drawer, moving, editing in place, bulk, undo, conflicts, phone, without script."""

from __future__ import annotations

import csv
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import open_page, renewed


def _card(page: Page, number: str):
    return page.locator(".board-card", has_text=number)


def _first(page: Page) -> str:
    """The number of the first card that waits."""
    return page.locator("#col-pending .board-card-meta span").first.inner_text()


def test_an_item_opens_beside_the_board_under_its_own_address(page_as):
    page = page_as("manager")
    open_page(page)
    title = page.locator("a.board-card-title").first
    words = title.inner_text()

    title.click()

    drawer = page.locator("[data-drawer]")
    expect(drawer.locator("h2[id^=item-]")).to_have_text(words)
    page.wait_for_url("**/board/items/*")
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/board$"))
    assert page.evaluate("document.activeElement.hasAttribute('data-row')")
    page.go_back()
    expect(page.locator(".drawer-head h2")).to_have_text(words)


def test_a_card_is_moved_by_keys_and_the_move_taken_back(page_as):
    page = page_as("manager", lang="en")
    open_page(page)
    number = _first(page)

    page.keyboard.press("j")
    page.keyboard.press("m")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")

    expect(page.locator("#col-in_progress .board-card", has_text=number)).to_be_focused()
    toast = page.locator(".k-toast", has_text=number)
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator("#col-pending .board-card", has_text=number)).to_be_visible()


def test_escape_leaves_a_move(page_as):
    page = page_as("manager")
    open_page(page)
    number = _first(page)

    page.keyboard.press("j")
    page.keyboard.press("m")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")

    expect(page.locator("#col-pending .board-card", has_text=number)).to_be_visible()
    expect(page.locator(".is-moving, .is-over")).to_have_count(0)


def test_a_card_is_dragged_to_another_column_and_back(page_as):
    page = page_as("manager")
    open_page(page)
    number = _first(page)

    with renewed(page):
        _card(page, number).drag_to(page.locator("#col-blocked"))
    expect(page.locator("#col-blocked .board-card", has_text=number)).to_be_visible()
    expect(page.locator(".k-toast", has_text=number)).to_be_visible()
    _card(page, number).drag_to(page.locator("#col-pending"))
    expect(page.locator("#col-pending .board-card", has_text=number)).to_be_visible()


def test_an_assignee_is_chosen_in_the_card_by_keys(page_as):
    page = page_as("manager", lang="en")
    open_page(page)
    number = _first(page)
    who = _card(page, number).locator("[data-inline=assignee]")
    before = who.text_content()

    page.keyboard.press("j")
    page.keyboard.press("a")
    chooser = _card(page, number).locator("select")
    expect(chooser).to_be_focused()
    chooser.select_option("kim")
    chooser.press("Enter")

    toast = page.locator(".k-toast", has_text=number)
    expect(toast).to_contain_text("김관리")
    toast.get_by_role("button", name="Undo").click()
    expect(who).to_have_text(before)


def test_escape_leaves_a_field_as_it_was(page_as):
    page = page_as("manager")
    open_page(page, "/board?view=table")
    row = page.locator("tr[data-row]").first
    before = row.inner_text()

    row.locator("[data-inline=status]").click()
    expect(row.locator("select")).to_be_focused()
    row.locator("select").press("Escape")

    expect(row.locator("form")).to_have_count(0)
    assert row.inner_text() == before


def test_a_conflict_shows_both_versions(page_as):
    first, second = page_as("manager", lang="en"), page_as("owner", lang="en")
    for page in (first, second):
        open_page(page)
    address = first.locator("a.board-card-title").last.get_attribute("href")
    for page, words in ((first, "theirs"), (second, "mine")):
        page.goto(address)
        page.locator("textarea[id^=completion_note-]").fill(words)
    first.locator("form[id^=editor-] button[type=submit]").click()
    expect(first.locator(".k-toast")).to_be_visible()

    second.locator("form[id^=editor-] button[type=submit]").click()

    notice = second.locator("form[id^=editor-] .notice")
    expect(notice).to_contain_text("theirs")
    expect(notice).to_contain_text("mine")
    expect(second.locator("textarea[id^=completion_note-]")).to_have_value("mine")
    second.problems.clear()  # The browser reports the 409 itself.


def test_many_are_changed_at_once_and_taken_back(page_as):
    page = page_as("manager", lang="en")
    open_page(page, "/board?view=table")

    page.locator("[data-select-page]").check()
    page.locator("[data-bulk]").get_by_role("button", name="Assign…").click()
    dialog = page.locator("#bulk-dialog")
    dialog.get_by_role("button", name="Assign").click()
    expect(dialog).to_be_visible()  # nobody was chosen yet, so nothing happens
    expect(dialog.locator("#bulk-told")).to_have_text("")  # nothing is said before it is true
    dialog.locator("select").select_option("lee")
    expect(dialog.locator("#bulk-told")).to_contain_text("would change")
    first = dialog.locator("#bulk-told").inner_text()
    for choice in ("-", "lee"):  # counted again at every choice
        with page.expect_response(lambda answer: "/bulk/count" in answer.url):
            dialog.locator("select").select_option(choice)
    expect(dialog.locator("#bulk-told")).to_have_text(first)
    dialog.get_by_role("button", name="Assign").click()

    toast = page.locator(".k-toast", has_text="Changed")
    expect(toast).to_be_visible()
    expect(dialog).to_be_hidden()
    expect(page.locator("tr[data-row]").first).to_contain_text("이정비")
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator("tr[data-row]", has_text="이정비")).not_to_have_count(page.locator("tr[data-row]").count())


def test_a_person_is_found_by_name_and_by_initials(page_as):
    page = page_as("manager", lang="ko")
    open_page(page, "/board?view=table")
    page.locator("[data-select-page]").check()
    page.locator("[data-bulk]").get_by_role("button", name="배정…").click()
    dialog = page.locator("#bulk-dialog")
    # A field to search in appears where there are many; the company of this test is small.
    dialog.locator("select").evaluate(
        """(select) => {
          for (let number = 0; number < 300; number += 1) select.append(new Option(`박일꾼 ${number}`, `p${number}`));
          select.setAttribute('data-people', '');
          select.dispatchEvent(new CustomEvent('ka:added', { bubbles: true }));
        }"""
    )
    search = dialog.get_by_role("searchbox")

    for words in ("ㅇㅈㅂ", "이정", "lee"):
        search.fill(words)
        expect(dialog.locator("select")).to_have_value("lee")
        expect(dialog.locator("#bulk-told")).to_contain_text("바뀝니다")
        search.fill("nobody of that name")
        expect(dialog.locator("select")).to_have_value("")
        expect(dialog.locator("#bulk-told")).to_have_text("")


@pytest.mark.parametrize("view", ["board", "table"])
def test_the_csv_of_the_bulk_bar_holds_the_chosen_rows(page_as, view):
    page = page_as("manager", lang="en")
    open_page(page, f"/board?view={view}")
    boxes = page.locator("[data-select]")
    chosen = [boxes.nth(place).input_value() for place in (0, 1)]
    numbers = [
        page.locator(f'[data-row][data-id="{one}"]').get_by_text(re.compile("^GR-")).inner_text() for one in chosen
    ]
    for place in (0, 1):
        boxes.nth(place).check(force=True)

    with page.expect_download() as held:
        page.locator("[data-bulk-csv]").click()

    with held.value.path().open(encoding="utf-8-sig", newline="") as file:
        assert sorted(row["No."] for row in csv.DictReader(file)) == sorted(numbers)


def test_what_a_card_of_the_table_lets_change_is_large_enough_for_a_thumb(page_as):
    page = page_as("manager", width=390)
    open_page(page, "/board?view=table")

    heights = page.locator("tr[data-row] :is(a[data-inline], a.cell-title)").evaluate_all(
        "links => links.map((link) => link.getBoundingClientRect().height)"
    )

    assert heights
    assert min(heights) >= 44


def test_failing_rules_lead_to_their_rows(page_as):
    page = page_as("manager", lang="en")
    open_page(page)
    link = page.locator("#readiness li.late a").first
    count = int(link.inner_text().rpartition(" ")[2])

    link.click()

    expect(page.locator("tr[data-row]")).to_have_count(count)


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("view", ["board", "table"])
def test_the_drawer_is_accessible_on_every_width(page_as, axe, lang, view):
    for width in (1440, 390):
        page = page_as("manager", lang=lang, width=width)
        open_page(page, f"/board?view={view}")
        page.locator("a.board-card-title, a.cell-title").first.click()
        expect(page.locator("[data-drawer]")).to_be_visible()

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert axe(page) == []


def test_without_script_the_board_reads_and_submits(page_as):
    page = page_as("manager", lang="en", script=False)
    page.goto("/board")
    page.locator("a.board-card-title").last.click()
    page.locator("textarea[id^=completion_note-]").fill("by hand")
    page.locator("form[id^=editor-] button[type=submit]").click()

    assert "/board/items/" in page.url
    assert "saved" in page.locator(".k-toast").inner_text()
    assert page.locator("textarea[id^=completion_note-]").input_value() == "by hand"
    page.locator("[data-drawer-close]").click()
    page.get_by_role("link", name="Table").click()
    assert page.locator("tr[data-row]").count() >= 1


def test_an_auditor_sees_everything_and_is_offered_nothing(page_as):
    page = page_as("auditor")
    open_page(page)

    expect(page.locator(".board-card").first).to_be_visible()
    expect(page.locator("[draggable=true], [data-inline], [data-select], [data-key=c]")).to_have_count(0)


def test_the_open_drawer_shows_what_was_taken_back(page_as):
    page = page_as("manager", lang="en")
    page.goto("/board")
    page.locator(".board-card-title").last.click()
    drawer = page.locator("[data-drawer]")
    status = drawer.get_by_label("Status")
    before = status.input_value()
    status.select_option("blocked" if before != "blocked" else "in_progress")
    drawer.get_by_role("button", name="Save").click()

    page.get_by_role("button", name="Undo").click()

    expect(status).to_have_value(before)


@pytest.mark.parametrize("script", [True, False])
def test_rows_have_boxes_only_where_something_answers_to_them(page_as, script):
    page = page_as("manager", script=script)
    page.goto("/board?view=table")

    page.locator("[data-row]").first.wait_for()
    assert page.locator("td.table-select").first.is_visible() is script
    assert page.locator("th.table-select").first.is_visible() is script

    page.goto("/board")
    page.locator(".board-card").first.hover()
    assert page.locator(".board-card [data-select]").first.is_visible() is script
    assert page.locator("[data-move]").first.is_visible() is script
