"""Forms never lose work: answers, other rows, Back, ended sessions, lost answers, conflicts, slow networks."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select, update
from sqlalchemy.orm import sessionmaker

from console.core.config import Config
from console.core.database import make_engine
from console.core.process import ProcessRuntime, worker_name
from console.models.identity import User, WebSession
from console.services.identity.passwords import make_hash
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from tests.browser.server import Served

WIDTHS = pytest.mark.parametrize(("width", "lang"), [(1440, "ko"), (390, "en")])
PASSWORD = "a long enough sentence"


@pytest.fixture(scope="module")
def base(site: Served):
    """A factory of sessions on the served database."""
    engine = make_engine(site.database)
    yield sessionmaker(engine)
    engine.dispose()


@pytest.fixture
def end_sessions(base):
    """Return what ends every browser session, as an owner or the clock would."""

    def end() -> None:
        with base() as session:
            session.execute(update(WebSession).values(revoked_at=datetime.now(UTC), revoked_reason="test"))
            session.commit()

    return end


def _open(page: Page, address: str = "/board") -> None:
    page.goto(address)
    page.wait_for_selector("html.has-script", state="attached")


def _drawer(page: Page, place: int = -1) -> str:
    """Open an item beside the board; return its address."""
    _open(page)
    link = page.locator("a.board-card-title").nth(place)
    address = str(link.get_attribute("href"))
    link.click()
    expect(page.locator("[data-drawer]")).to_be_visible()
    return address


def _note(page: Page):
    return page.locator("textarea[id^=completion_note-]")


def _comment(page: Page):
    return page.locator("[id^=commenting-] textarea")


def _save(page: Page) -> None:
    page.locator("form[id^=editor-] .form-actions button[type=submit]").click()


def _send_comment(page: Page) -> None:
    page.locator("[id^=commenting-] button[type=submit]").click()


@WIDTHS
def test_an_answer_leaves_the_other_forms_of_the_drawer_as_they_are(page_as, width, lang):
    page = page_as("manager", width=width, lang=lang)
    _drawer(page)
    _comment(page).fill("half a comment")
    page.locator("[data-evidence-form] [name=note]").fill("half a note of a file")
    _note(page).fill(f"saved {width}")

    _save(page)
    expect(page.locator(".k-toast")).to_be_visible()

    expect(_comment(page)).to_have_value("half a comment")
    expect(page.locator("[data-evidence-form] [name=note]")).to_have_value("half a note of a file")
    expect(_note(page)).to_have_value(f"saved {width}")

    _note(page).fill("half a note")
    _comment(page).fill(f"a comment {width}")
    _send_comment(page)
    expect(page.locator(".k-timeline", has_text=f"a comment {width}")).to_be_visible()
    expect(_comment(page)).to_have_value("")
    expect(_note(page)).to_have_value("half a note")
    # What was kept can still be saved: nobody else has changed the item.
    _save(page)
    expect(page.locator("form[id^=editor-] .conflict")).to_have_count(0)
    expect(page.locator(".k-timeline", has_text="half a note").first).to_be_visible()


def test_a_week_keeps_the_words_of_its_drawer_too(page_as):
    page = page_as("manager")
    _open(page, "/programme/w07")
    if page.locator("a.board-card-title").count() == 0:
        page.goto("/programme/w07?site=" + "한빛마을 3단지")
        page.locator("form[action*=begin] button").click()
        page.wait_for_selector("a.board-card-title")
    page.locator("a.board-card-title").first.click()
    _comment(page).fill("half a comment")
    _note(page).fill("noted")
    _save(page)
    expect(page.locator(".k-toast", has_text="W07").last).to_be_visible()
    expect(_comment(page)).to_have_value("half a comment")


@WIDTHS
def test_another_row_and_back_keep_what_was_written(page_as, width, lang):
    page = page_as("manager", width=width, lang=lang)
    address = _drawer(page, 0)
    _comment(page).fill("a word")
    _note(page).fill("another word")
    if width > 600:
        page.locator("a.board-card-title").nth(1).click()
        expect(page.locator(".k-toast", has_text="보관")).to_be_visible()
        page.locator(f'a.board-card-title[href="{address}"]').click()
        expect(_comment(page)).to_have_value("a word")
        expect(_note(page)).to_have_value("another word")
    page.go_back()
    page.goto(address)

    expect(_comment(page)).to_have_value("a word")
    expect(_note(page)).to_have_value("another word")
    page.locator("[data-draft-drop]").first.click()
    page.locator("[data-draft-drop]").first.click()
    expect(_comment(page)).to_have_value("")
    expect(page.locator("[data-draft]")).to_have_count(0)
    page.reload()
    expect(_comment(page)).to_have_value("")


def test_a_touched_form_follows_what_others_store_and_shows_what_clashes(page_as):
    page, other = page_as("manager", lang="en"), page_as("owner", lang="en")
    address = _drawer(page, 0)
    _note(page).fill("mine")
    _open(other, address)
    _note(other).fill("theirs")
    other.locator("form[id^=editor-] .form-actions button").click()
    expect(other.locator(".k-toast")).to_be_visible()

    _comment(page).fill("meanwhile")
    _send_comment(page)
    expect(page.locator(".k-timeline", has_text="meanwhile")).to_be_visible()
    _save(page)

    notice = page.locator("form[id^=editor-] .conflict")
    expect(notice).to_be_focused()
    expect(notice.locator("thead")).to_contain_text("Stored (김대표)")
    expect(notice.locator("thead")).to_contain_text("Yours")
    expect(notice.locator("tbody tr", has_text="theirs")).to_contain_text("mine")
    notice.get_by_role("link", name="Take the stored values").click()
    expect(_note(page)).to_have_value("theirs")
    expect(page.locator("[data-draft]")).to_have_count(0)
    page.problems.clear()  # The browser reports the 409 itself.


# The end of a session ------------------------------------------------------------------------------------------------
@pytest.fixture
def password(base, site):
    """Give the manager a password to sign in with."""
    with base() as session:
        user = session.scalar(select(User).where(User.id == site.company.ids["manager"]))
        user.password_hash = make_hash(site.app.extensions["console_config"], PASSWORD)
        session.commit()
    return PASSWORD


def _sign_in_again(page: Page, password: str) -> None:
    dialog = page.locator("#sign-in-again")
    expect(dialog).to_be_visible()
    expect(dialog.locator("input[name=username]")).to_have_value("kim")
    dialog.locator("input[name=password]").fill("wrong")
    dialog.locator("form [type=submit]").click()
    expect(dialog.locator(".error-summary")).to_be_visible()
    dialog.locator("input[name=password]").fill(password)
    dialog.locator("input[name=password]").press("Enter")
    expect(dialog).to_have_count(0)


def _only(page: Page, *statuses: int) -> None:
    """Pass over what the browser itself reports of refusals that were provoked."""
    left = [said for said in page.problems if not any(f"status of {status}" in said for status in statuses)]
    assert left == []
    page.problems.clear()


@WIDTHS
def test_a_session_that_ended_is_mended_over_the_drawer(page_as, end_sessions, password, axe, width, lang):
    page = page_as("manager", width=width, lang=lang)
    _drawer(page)
    here = page.url
    _comment(page).fill("not lost")
    _note(page).fill(f"kept {width}")
    end_sessions()

    _save(page)
    expect(page.locator("#sign-in-again")).to_be_visible()
    assert axe(page) == []
    _sign_in_again(page, password)

    expect(page.locator(".k-toast").last).to_be_visible()
    expect(_note(page)).to_have_value(f"kept {width}")
    expect(_comment(page)).to_have_value("not lost")
    assert page.url == here
    _only(page, 401, 422)


def test_a_card_and_a_field_and_a_file_wait_for_the_sign_in(page_as, end_sessions, password):
    page = page_as("manager", lang="en")
    _open(page)
    number = page.locator("#col-pending .board-card-meta span").first.inner_text()
    end_sessions()
    page.keyboard.press("j")
    page.keyboard.press("m")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    _sign_in_again(page, password)
    expect(page.locator(".k-toast", has_text=number)).to_be_visible()
    expect(page.locator("#col-in_progress .board-card", has_text=number)).to_be_visible()

    end_sessions()
    page.locator(".k-toast", has_text=number).get_by_role("button", name="Undo").click()
    _sign_in_again(page, password)
    expect(page.locator("#col-pending .board-card", has_text=number)).to_be_visible()

    end_sessions()
    page.locator(".board-card", has_text=number).locator("[data-inline=assignee]").click()
    _sign_in_again(page, password)
    page.locator(".board-card select").press("Escape")

    page.locator("a.board-card-title").last.click()
    page.locator("[data-pick]").first.set_input_files(
        {"name": "a.txt", "mimeType": "text/plain", "buffer": b"a file that waits"}
    )
    end_sessions()
    page.locator("[data-send]").click()
    _sign_in_again(page, password)
    expect(page.locator(".evidence-file", has_text="a.txt")).to_be_visible()
    _only(page, 401, 422)


def test_a_board_that_is_no_longer_renewed_says_so_and_goes_on_afterwards(page_as, end_sessions, password):
    page = page_as("manager", lang="en")
    _open(page)
    end_sessions()

    banner = page.locator("#stale")
    expect(banner).to_contain_text(re.compile(r"Your session has ended.*\d\d:\d\d"), timeout=20_000)
    banner.get_by_role("button", name="Sign in").click()
    with page.expect_response(lambda answer: "/board" in answer.url and answer.status in (200, 304)):
        _sign_in_again(page, password)

    expect(banner).to_have_count(0)
    _only(page, 401, 422)


def test_a_plain_form_comes_back_to_its_page_with_its_words(page_as, end_sessions, password):
    page = page_as("manager", lang="en")
    _open(page, "/board/new")
    page.locator("#title").fill("a pump that leaks")
    end_sessions()
    page.locator("main form button[type=submit]").click()

    page.wait_for_url("**/sign-in?next=%2Fboard%2Fnew")
    page.locator("input[name=username]").fill("kim")
    page.locator("input[name=password]").fill(password)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url("**/board/new")

    expect(page.locator("#title")).to_have_value("a pump that leaks")
    page.locator("main form .form-actions button").click()
    page.wait_for_url("**/board/items/*")
    _open(page, "/board/new")
    expect(page.locator("#title")).to_have_value("")


def test_a_refused_move_says_why(page_as):
    page = page_as("manager", lang="en")
    _open(page)
    number = page.locator("#col-pending .board-card-meta span").first.inner_text()
    page.route("**/board/items/*", lambda route: route.fulfill(status=403, body="", content_type="text/html"))
    page.locator(".board-card", has_text=number).drag_to(page.locator("#col-blocked"))

    expect(page.locator(".k-toast")).to_have_text(re.compile("You have no permission"))
    expect(page.locator("#col-pending .board-card", has_text=number)).to_be_visible()
    _only(page, 403)


# Answers that are lost -----------------------------------------------------------------------------------------------
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
    _drawer(page, 1)
    _lose_the_answer(page, "**/comments*")
    words = f"once only {lang}"
    _comment(page).fill(words)
    _send_comment(page)

    unknown = {"ko": "저장되었는지 알 수 없습니다", "en": "Whether it was saved is not known"}[lang]
    expect(page.locator(".k-toast", has_text=unknown)).to_be_visible()
    expect(_comment(page)).to_have_value(words)
    _send_comment(page)

    expect(page.locator(".k-timeline li", has_text=words)).to_have_count(1)
    expect(_comment(page)).to_have_value("")
    # The same words once more, on purpose, are another comment.
    _comment(page).fill(words)
    _send_comment(page)
    expect(page.locator(".k-timeline li", has_text=words)).to_have_count(2)
    page.problems.clear()


def test_a_change_whose_answer_was_lost_is_no_conflict_with_oneself(page_as):
    page = page_as("manager", lang="en")
    _drawer(page, 1)
    _lose_the_answer(page, "**/board/items/*")
    _note(page).fill("stored although nobody heard")
    _save(page)
    expect(page.locator(".k-toast", has_text="not known")).to_be_visible()

    _save(page)

    expect(page.locator(".k-toast", has_text="saved already")).to_be_visible()
    expect(page.locator(".conflict")).to_have_count(0)
    expect(_note(page)).to_have_value("stored although nobody heard")
    page.problems.clear()


def test_a_file_that_is_there_is_not_added_again(page_as):
    page = page_as("manager", lang="en")
    _drawer(page)
    for _time in (1, 2):
        page.locator("[data-pick]").first.set_input_files(
            {"name": "same.txt", "mimeType": "text/plain", "buffer": b"the very same"}
        )
        page.locator("[data-send]").click()
        expect(page.locator("[data-queue] li")).to_have_count(0)
    expect(page.locator(".k-toast", has_text="It is there already: same.txt")).to_be_visible()
    expect(page.locator(".evidence-file", has_text="same.txt")).to_have_count(1)


# Waiting -------------------------------------------------------------------------------------------------------------
@WIDTHS
def test_waiting_is_seen_at_once(page_as, width, lang):
    page = page_as("manager", width=width, lang=lang)
    _open(page, "/board?view=table")
    page.evaluate(
        """() => { window.seen = [];
           new MutationObserver((all) => { for (const one of all) if (one.target.getAttribute('aria-busy'))
             window.seen.push(one.target.id || one.target.tagName); })
           .observe(document.body, { subtree: true, attributeFilter: ['aria-busy'] }); }"""
    )
    page.locator("a.cell-title").first.click()
    expect(page.locator("[data-drawer]")).to_be_visible()
    assert "drawer-slot" in page.evaluate("window.seen")
    page.keyboard.press("Escape")
    page.locator("a[data-inline=status]").first.click()
    expect(page.locator("[data-inline-form]")).to_be_visible()
    page.keyboard.press("Escape")
    assert "list-board" in page.evaluate("window.seen") or "TD" in page.evaluate("window.seen")
    assert page.locator("[aria-busy=true]").count() == 0


def test_a_card_that_waits_cannot_be_moved_and_a_second_move_follows(page_as):
    page = page_as("manager", lang="en")
    _open(page)
    number = page.locator("#col-pending .board-card-meta span").first.inner_text()
    card = page.locator(".board-card", has_text=number)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/board/items/*", hold)
    card.drag_to(page.locator("#col-blocked"))
    expect(card).to_have_attribute("aria-busy", "true")
    page.locator("#col-blocked").hover()
    begin = "one => one.dispatchEvent(new DragEvent('dragstart', { bubbles: true, cancelable: true }))"
    assert card.evaluate(begin) is False
    expect(page.locator("#col-blocked .board-card", has_text=number)).to_be_visible()
    assert len(held) == 1

    held[0].continue_()
    page.unroute("**/board/items/*")
    expect(card).not_to_have_attribute("aria-busy", "true")
    card.drag_to(page.locator("#col-pending"))
    expect(page.locator("#col-pending .board-card", has_text=number)).to_be_visible()
    expect(page.locator(".k-toast-error")).to_have_count(0)


def test_a_field_opens_once_however_often_it_is_pressed(page_as):
    page = page_as("manager", lang="en")
    _open(page, "/board?view=table")
    page.locator("a[data-inline=assignee]").first.dblclick()
    field = page.locator("[data-inline-form] select")
    expect(field).to_have_count(1)
    field.press("Escape")
    expect(page.locator("[data-inline-form]")).to_have_count(0)


def test_a_field_that_meets_a_conflict_says_it_once_with_both_values(page_as):
    page, other = page_as("manager", lang="en"), page_as("owner", lang="en")
    _open(page, "/board?view=table")
    row = page.locator("tr[data-row]").first
    row.locator("a[data-inline=status]").click()
    address = str(row.locator("a.cell-title").get_attribute("href"))
    _open(other, address)
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
    _only(page, 409)


def test_a_file_dropped_beside_the_panel_never_replaces_the_page(page_as):
    page = page_as("manager")
    _drawer(page, 2)
    handle = page.evaluate_handle(
        "() => { const data = new DataTransfer();"
        " data.items.add(new File(['measured'], '측정.txt', { type: 'text/plain' })); return data; }"
    )
    for place in ("[data-drawer] h2", "main h1"):
        prevented = page.locator(place).evaluate(
            """(target, data) => ['dragover', 'drop'].map((type) => !target.dispatchEvent(
                 new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true })))""",
            handle,
        )
        assert prevented == [True, True]
    expect(page.locator("[data-queue] li")).to_have_count(1)


@WIDTHS
def test_a_report_that_comes_too_late_keeps_its_words_and_says_what_changed(page_as, width, lang):
    page, other = page_as("operator", width=width, lang=lang), page_as("owner", lang=lang)
    _open(page, "/my-work?show=assigned")
    if page.locator("a[data-dialog^=done-]").count() == 0:
        page.locator("form[action$='/start'] button").first.click()
    page.locator("a[data-dialog^=done-]").first.click()
    dialog = page.locator("dialog[open]")
    number = str(dialog.get_attribute("id")).removeprefix("done-")
    _open(other, f"/board/items/{number}")
    _note(other).fill(f"another word {width}")
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
    _only(page, 409)


# Work of a worker ----------------------------------------------------------------------------------------------------
def test_a_bulk_action_of_a_worker_tells_its_end_in_the_page(page_as, site, monkeypatch):
    config = site.app.extensions["console_config"]
    monkeypatch.setitem(site.app.extensions, "console_config", config.replaced(TRACKER_BULK_DIRECT_ROWS=1))
    runtime = ProcessRuntime.of(Config.for_tests(DATABASE_URL=site.database))
    page = page_as("manager", lang="en")
    _open(page, "/board?view=table")
    page.locator("[data-select-page]").check()
    page.locator("[data-bulk]").get_by_role("button", name="Assign…").click()
    page.locator("#bulk-dialog select").select_option("kim")
    page.locator("#bulk-dialog").get_by_role("button", name="Assign").click()

    expect(page.locator("#bulk-run progress")).to_be_visible()
    expect(page.locator("[data-select]:checked")).to_have_count(0)
    run_id = int(re.findall(r"#(\d+)", page.locator("#bulk-run").inner_text())[0])
    with runtime.by_hand() as ctx:
        assert run_engine.perform(ctx, registry.find, run_id, worker_name()) is not None
    runtime.engine.dispose()

    toast = page.locator(".k-toast", has_text="Changed:")
    expect(toast).to_be_visible()
    expect(page.locator("#bulk-run progress")).to_have_count(0)
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator(".k-toast", has_text="Taken back")).to_be_visible()


def test_a_dry_run_of_the_autopilot_says_how_it_ended(page_as, site):
    runtime = ProcessRuntime.of(Config.for_tests(DATABASE_URL=site.database))
    page = page_as("owner", lang="en")
    _open(page, "/autopilot")
    page.get_by_role("button", name="Dry run").first.click()
    link = page.locator("[id^=run-] a", has_text="Run #").first
    expect(page.locator("[id^=run-][data-poll-every='2']")).to_be_visible()
    run_id = int(re.findall(r"#(\d+)", link.inner_text())[0])
    with runtime.by_hand() as ctx:
        assert run_engine.perform(ctx, registry.find, run_id, worker_name()) is not None
    runtime.engine.dispose()

    toast = page.locator(".k-toast")
    expect(toast).to_be_visible()
    expect(toast.get_by_role("link", name="Result")).to_have_attribute("href", f"/autopilot/runs/{run_id}")
