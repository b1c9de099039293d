"""Forms never lose work: other answers, other rows, Back, conflicts, answers that were lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.steps import (
    WIDTHS,
    comment_of,
    note_of,
    only_problems,
    open_drawer,
    open_page,
    save_item,
    send_comment,
)


@WIDTHS
def test_an_answer_leaves_the_other_forms_of_the_drawer_as_they_are(page_as, width, lang):
    page = page_as("manager", width=width, lang=lang)
    open_drawer(page)
    comment_of(page).fill("half a comment")
    page.locator("[data-evidence-form] [name=note]").fill("half a note of a file")
    note_of(page).fill(f"saved {width}")

    save_item(page)
    expect(page.locator(".k-toast")).to_be_visible()

    expect(comment_of(page)).to_have_value("half a comment")
    expect(page.locator("[data-evidence-form] [name=note]")).to_have_value("half a note of a file")
    expect(note_of(page)).to_have_value(f"saved {width}")

    note_of(page).fill("half a note")
    comment_of(page).fill(f"a comment {width}")
    send_comment(page)
    expect(page.locator(".k-timeline", has_text=f"a comment {width}")).to_be_visible()
    expect(comment_of(page)).to_have_value("")
    expect(note_of(page)).to_have_value("half a note")
    # What was kept can still be saved: nobody else has changed the item.
    save_item(page)
    expect(page.locator("form[id^=editor-] .conflict")).to_have_count(0)
    expect(page.locator(".k-timeline", has_text="half a note").first).to_be_visible()


def test_a_week_keeps_the_words_of_its_drawer_too(page_as):
    page = page_as("manager")
    open_page(page, "/programme/w07")
    if page.locator("a.board-card-title").count() == 0:
        page.goto("/programme/w07?site=" + "한빛마을 3단지")
        page.locator("form[action*=begin] button").click()
        page.wait_for_selector("a.board-card-title")
    page.locator("a.board-card-title").first.click()
    comment_of(page).fill("half a comment")
    note_of(page).fill("noted")
    save_item(page)
    expect(page.locator(".k-toast", has_text="W07").last).to_be_visible()
    expect(comment_of(page)).to_have_value("half a comment")


@WIDTHS
def test_another_row_and_back_keep_what_was_written(page_as, width, lang):
    page = page_as("manager", width=width, lang=lang)
    address = open_drawer(page, 0)
    comment_of(page).fill("a word")
    note_of(page).fill("another word")
    if width > 600:
        page.locator("a.board-card-title").nth(1).click()
        expect(page.locator(".k-toast", has_text="보관")).to_be_visible()
        page.locator(f'a.board-card-title[href="{address}"]').click()
        expect(comment_of(page)).to_have_value("a word")
        expect(note_of(page)).to_have_value("another word")
    page.go_back()
    page.goto(address)

    expect(comment_of(page)).to_have_value("a word")
    expect(note_of(page)).to_have_value("another word")
    page.locator("[data-draft-drop]").first.click()
    page.locator("[data-draft-drop]").first.click()
    expect(comment_of(page)).to_have_value("")
    expect(page.locator("[data-draft]")).to_have_count(0)
    page.reload()
    expect(comment_of(page)).to_have_value("")


def test_a_touched_form_follows_what_others_store_and_shows_what_clashes(page_as):
    page, other = page_as("manager", lang="en"), page_as("owner", lang="en")
    address = open_drawer(page, 0)
    note_of(page).fill("mine")
    open_page(other, address)
    note_of(other).fill("theirs")
    other.locator("form[id^=editor-] .form-actions button").click()
    expect(other.locator(".k-toast")).to_be_visible()

    comment_of(page).fill("meanwhile")
    send_comment(page)
    expect(page.locator(".k-timeline", has_text="meanwhile")).to_be_visible()
    save_item(page)

    notice = page.locator("form[id^=editor-] .conflict")
    expect(notice).to_be_focused()
    expect(notice.locator("thead")).to_contain_text("Stored (김대표)")
    expect(notice.locator("thead")).to_contain_text("Yours")
    expect(notice.locator("tbody tr", has_text="theirs")).to_contain_text("mine")
    notice.get_by_role("link", name="Take the stored values").click()
    expect(note_of(page)).to_have_value("theirs")
    expect(page.locator("[data-draft]")).to_have_count(0)
    page.problems.clear()  # The browser reports the 409 itself.


def test_a_field_that_meets_a_conflict_says_it_once_with_both_values(page_as):
    page, other = page_as("manager", lang="en"), page_as("owner", lang="en")
    open_page(page, "/board?view=table")
    row = page.locator("tr[data-row]").first
    row.locator("a[data-inline=status]").click()
    address = str(row.locator("a.cell-title").get_attribute("href"))
    open_page(other, address)
    status = other.locator("select[id^=status-]")
    theirs = "blocked" if status.input_value() != "blocked" else "in_progress"
    status.select_option(theirs)
    other.locator("form[id^=editor-] .form-actions button").click()
    expect(other.locator(".k-toast")).to_be_visible()

    page.locator("[data-inline-form] select").select_option("pending")
    page.locator("[data-inline-form] select").press("Enter")

    toast = page.locator(".k-toast")
    expect(toast).to_have_count(1)
    expect(toast).to_contain_text("stored")
    expect(toast).to_contain_text("yours")
    only_problems(page, 409)


@WIDTHS
def test_a_report_that_comes_too_late_keeps_its_words_and_says_what_changed(page_as, width, lang):
    page, other = page_as("operator", width=width, lang=lang), page_as("owner", lang=lang)
    open_page(page, "/my-work?show=assigned")
    if page.locator("a[data-dialog^=done-]").count() == 0:
        page.locator("form[action$='/start'] button").first.click()
    page.locator("a[data-dialog^=done-]").first.click()
    dialog = page.locator("dialog[open]")
    number = str(dialog.get_attribute("id")).removeprefix("done-")
    open_page(other, f"/board/items/{number}")
    note_of(other).fill(f"another word {width}")
    other.locator("form[id^=editor-] .form-actions button").click()
    expect(other.locator(".k-toast")).to_be_visible()

    dialog.locator("textarea").fill("what I did")
    dialog.locator("button[type=submit]").click()
    notice = page.locator("dialog[open] [data-error-summary]")
    expect(notice).to_be_focused()
    expect(notice).to_contain_text(f"another word {width}")
    expect(page.locator("dialog[open] textarea")).to_have_value("what I did")
    page.locator("dialog[open] button[type=submit]").click()

    expect(page.locator("dialog[open]")).to_have_count(0)
    undo = page.locator(".k-toast button", has_text="Undo" if lang == "en" else "되돌리기").last
    undo.click()
    expect(page.locator(".k-toast").last).to_be_visible()
    only_problems(page, 409)


def test_a_file_dropped_beside_the_panel_never_replaces_the_page(page_as):
    page = page_as("manager")
    open_drawer(page, 2)
    handle = page.evaluate_handle(
        "() => { const data = new DataTransfer();"
        " data.items.add(new File(['measured'], '측정.txt', { type: 'text/plain' })); return data; }"
    )
    for place in (".drawer-head h2", "main h1"):
        prevented = page.locator(place).evaluate(
            """(target, data) => ['dragover', 'drop'].map((type) => !target.dispatchEvent(
                 new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true })))""",
            handle,
        )
        assert prevented == [True, True]
    expect(page.locator("[data-evidence] [data-queue] li")).to_have_count(1)


# Answers that are lost ---------------------------------------------------------------------------------------------
def _lose_the_answer(page: Page, address: str) -> None:
    """Let the next POST reach the server, but not its answer the page."""

    def lose(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        route.fetch()
        route.abort()
        page.unroute(address)

    page.route(address, lose)


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_comment_whose_answer_was_lost_is_added_once(page_as, lang):
    page = page_as("manager", lang=lang)
    open_drawer(page, 1)
    _lose_the_answer(page, "**/comments*")
    words = f"once only {lang}"
    comment_of(page).fill(words)
    send_comment(page)

    unknown = {"ko": "저장되었는지 알 수 없습니다", "en": "Whether it was saved is not known"}[lang]
    expect(page.locator(".k-toast", has_text=unknown)).to_be_visible()
    expect(comment_of(page)).to_have_value(words)
    send_comment(page)

    expect(page.locator(".k-timeline li", has_text=words)).to_have_count(1)
    expect(comment_of(page)).to_have_value("")
    # The same words once more, on purpose, are another comment.
    comment_of(page).fill(words)
    send_comment(page)
    expect(page.locator(".k-timeline li", has_text=words)).to_have_count(2)
    page.problems.clear()


def test_a_change_whose_answer_was_lost_is_no_conflict_with_oneself(page_as):
    page = page_as("manager", lang="en")
    open_drawer(page, 1)
    _lose_the_answer(page, "**/board/items/*")
    note_of(page).fill("stored although nobody heard")
    save_item(page)
    expect(page.locator(".k-toast", has_text="not known")).to_be_visible()

    save_item(page)

    expect(page.locator(".k-toast", has_text="saved already")).to_be_visible()
    expect(page.locator(".conflict")).to_have_count(0)
    expect(note_of(page)).to_have_value("stored although nobody heard")
    page.problems.clear()


def test_a_file_that_is_there_is_not_added_again(page_as):
    page = page_as("manager", lang="en")
    open_drawer(page)
    for _time in (1, 2):
        page.locator("[data-evidence] [data-pick]").first.set_input_files(
            {"name": "same.txt", "mimeType": "text/plain", "buffer": b"the very same"}
        )
        page.locator("[data-evidence] [data-send]").click()
        expect(page.locator("[data-evidence] [data-queue] li")).to_have_count(0)
    expect(page.locator(".k-toast", has_text="It is there already: same.txt")).to_be_visible()
    expect(page.locator(".evidence-file", has_text="same.txt")).to_have_count(1)
