"""A phone in one hand, outdoors: what is named, what is reached, what comes first."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.steps import only_problems
from tests.support.files import EICAR, png

PHONE = 390


@pytest.mark.parametrize("address", ["/jobs", "/audit", "/board?view=table", "/programme"])
def test_values_of_a_row_begin_at_one_edge(page_as, address):
    page = page_as("owner", width=PHONE)
    page.goto(address)

    edges = page.locator(".k-table-cards tbody tr").first.evaluate(
        """row => [...row.querySelectorAll('td[data-label]:not(.cell-main):not(.is-blank)')].map((cell) => {
             // A link that edits in place reaches under the label; what it says begins where the others begin.
             const range = document.createRange();
             range.selectNodeContents(cell.querySelector('[data-inline]') ?? cell);
             const boxes = [...range.getClientRects()].filter((box) => box.width > 1);
             return Math.round(Math.min(...boxes.map((box) => box.left)));
           })"""
    )
    assert len(edges) > 1
    assert max(edges) - min(edges) <= 1


def test_the_address_of_an_api_answer_stands_above_it(page_as):
    page = page_as("owner", width=PHONE)
    page.goto("/api/public/post-mvp")

    assert page.get_by_role("heading", name="/api/public/post-mvp").bounding_box()["width"] > 100
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE


@pytest.mark.parametrize("address", ["/overview", "/gate", "/board", "/autopilot", "/my-work"])
def test_ways_onward_are_large_enough_for_a_thumb(page_as, address):
    page = page_as("owner", width=PHONE)
    page.goto(address)
    page.wait_for_load_state("networkidle")

    seen = page.evaluate(
        """() => [...document.querySelectorAll('main :is(.link-more, .btn, .rules a, .panel-head > a, .chip)')]
             .filter((one) => one.checkVisibility() && one.getBoundingClientRect().width > 1)
             .map((one) => [one.textContent.trim(), one.getBoundingClientRect().height])"""
    )
    assert seen
    assert [words for words, height in seen if height < 44] == []


def test_a_row_is_chosen_with_a_thumb(page_as):
    page = page_as("manager", width=PHONE)
    page.goto("/board?view=table")

    box = page.locator("td.table-select .form-check").first.bounding_box()
    assert box["width"] >= 44
    assert box["height"] >= 44


def test_the_way_back_from_a_week_fits_a_thumb(page_as):
    page = page_as("owner", width=PHONE)
    page.goto("/programme/w15")

    back = page.locator(".breadcrumbs a").first
    assert back.bounding_box()["height"] >= 44
    back.click()
    page.wait_for_url("**/programme")


@pytest.mark.parametrize("address", ["/gate", "/autopilot/policy", "/account"])
def test_long_names_leave_their_values_room(page_as, address):
    page = page_as("owner", width=PHONE, lang="en")
    page.goto(address)

    widths = page.locator(".details > dd:visible").evaluate_all("all => all.map((one) => one.offsetWidth)")
    assert all(width >= 80 for width in widths), widths


def _begun(page, show="assigned"):
    """Open My work with an item that work has begun on; give its number."""
    page.goto(f"/my-work?show={show}")
    page.wait_for_selector("html.has-script", state="attached")
    if page.locator("a[data-dialog^=done-]").count() == 0:
        page.locator("form[action$='/start'] button").first.click()
    return str(page.locator("a[data-dialog^=done-]").first.get_attribute("data-dialog")).removeprefix("done-")


def _photo(page, scope):
    """Take a photo: the tap on the button opens the camera, which gives a picture."""
    with page.expect_file_chooser() as chosen:
        scope.locator(".evidence-camera").tap()
    chosen.value.set_files([{"name": "IMG_0007.png", "mimeType": "image/png", "buffer": png()}])


@pytest.mark.parametrize(("from_page", "lang"), [(False, "ko"), (True, "en")])
def test_photo_note_and_done_take_three_taps(page_as, axe, from_page, lang):
    page = page_as("operator", width=PHONE, lang=lang)
    number = _begun(page)
    if from_page:
        page.goto(f"/board/items/{number}?work=assigned")
        page.wait_for_selector("html.has-script", state="attached")

    page.locator(f"a[data-dialog=done-{number}]").tap()
    sheet = page.locator("dialog[open]")
    assert axe(page) == []
    assert sheet.evaluate("one => one.scrollWidth - one.clientWidth") <= 0
    _photo(page, sheet)
    # The note is where the keyboard writes next: it takes no tap.
    expect(sheet.locator("textarea")).to_be_focused()
    page.keyboard.type("패킹 교체")
    sheet.locator("button[type=submit]").tap()

    expect(page.locator(".k-toast").last).to_contain_text("완료" if lang == "ko" else "Reported as done")
    expect(page).to_have_url(re.compile(r"/my-work\?show=assigned$"))
    expect(page.locator(f"a[data-dialog=done-{number}]")).to_have_count(0)
    page.goto(f"/board/items/{number}")
    expect(page.locator(".evidence-file")).to_contain_text("IMG_0007")
    expect(page.locator("textarea[id^=completion_note-]")).to_have_value("패킹 교체")


def test_a_photo_that_is_refused_holds_the_report_back(page_as):
    page = page_as("operator", width=PHONE)
    number = _begun(page)
    page.locator(f"a[data-dialog=done-{number}]").tap()
    sheet = page.locator("dialog[open]")
    sheet.locator("[data-pick]").last.set_input_files(
        [{"name": "virus.txt", "mimeType": "text/plain", "buffer": EICAR}]
    )
    sheet.locator("button[type=submit]").tap()

    expect(sheet.locator("[data-queue] li")).to_have_attribute("data-state", "fault")
    sheet.locator("button[type=submit]").tap()
    expect(sheet.locator("[data-queue] button")).to_be_focused()
    sheet.locator("[data-queue] button").tap()
    sheet.locator("button[type=submit]").tap()
    expect(page.locator(f"a[data-dialog=done-{number}]")).to_have_count(0)
    only_problems(page, 422)


def test_evidence_comes_before_the_folded_form_and_close_leads_back_to_my_work(page_as):
    page = page_as("operator", width=PHONE)
    number = _begun(page)
    page.locator(f"[data-row][data-id='{number}'] .work-title").tap()
    page.wait_for_selector("html.has-script", state="attached")

    evidence = page.locator("[data-evidence]").bounding_box()["y"]
    fold = page.locator(".drawer-fold")
    assert evidence < fold.bounding_box()["y"]
    expect(fold).not_to_have_attribute("open", "")
    fold.locator("summary").tap()
    expect(fold.locator("select[name=status]")).to_be_visible()
    page.locator("[data-drawer-close]").tap()
    expect(page).to_have_url(re.compile(r"/my-work\?show=assigned$"))


def test_a_comment_and_a_change_keep_the_way_back_to_my_work(page_as):
    page = page_as("operator")
    number = _begun(page)
    page.goto(f"/board/items/{number}?work=assigned")
    page.wait_for_selector("html.has-script", state="attached")
    expect(page.locator(".drawer-fold")).to_have_attribute("open", "")
    page.locator("textarea[id^=completion_note-]").fill("부품 대기")
    page.locator("form[id^=editor-] .form-actions button").click()
    expect(page.locator(".k-toast")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"/my-work\?show=assigned$"))


def test_the_badge_of_my_work_counts_what_is_due_today(page_as):
    page = page_as("operator", width=PHONE)
    page.goto("/my-work")
    today = page.locator(".chip-active").inner_text().split()[-1]
    badge = page.locator(".bottombar a[aria-current] .rail-count")

    assert today == (badge.inner_text() if badge.count() else "0")


def test_the_last_entry_of_the_account_menu_is_reached(page_as):
    page = page_as("owner", width=PHONE)
    page.goto("/overview")
    page.locator(".topbar .menu > summary").last.click()

    # Whatever lies above it would take the touch instead.
    page.locator(".topbar .menu[open] .menu-item").last.click(timeout=3000)
    expect(page.locator("input[name=password]")).to_be_visible()
