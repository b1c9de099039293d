"""A session that ended is noticed, told and mended in place, without losing a letter."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update
from sqlalchemy.orm import sessionmaker

from console.core.database import make_engine
from console.models.identity import User, WebSession
from console.services.identity.passwords import make_hash
from tests.browser.server import Served
from tests.browser.steps import WIDTHS, comment_of, note_of, only_problems, open_drawer, open_page, save_item

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


@WIDTHS
def test_a_session_that_ended_is_mended_over_the_drawer(page_as, end_sessions, password, axe, width, lang):
    page = page_as("manager", width=width, lang=lang)
    open_drawer(page)
    here = page.url
    comment_of(page).fill("not lost")
    note_of(page).fill(f"kept {width}")
    end_sessions()

    save_item(page)
    expect(page.locator("#sign-in-again")).to_be_visible()
    assert axe(page) == []
    _sign_in_again(page, password)

    expect(page.locator(".k-toast").last).to_be_visible()
    expect(note_of(page)).to_have_value(f"kept {width}")
    expect(comment_of(page)).to_have_value("not lost")
    assert page.url == here
    only_problems(page, 401, 422)


def test_a_card_and_a_field_and_a_file_wait_for_the_sign_in(page_as, end_sessions, password):
    page = page_as("manager", lang="en")
    open_page(page)
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
    page.locator("[data-evidence] [data-pick]").first.set_input_files(
        {"name": "a.txt", "mimeType": "text/plain", "buffer": b"a file that waits"}
    )
    end_sessions()
    page.locator("[data-evidence] [data-send]").click()
    _sign_in_again(page, password)
    expect(page.locator(".evidence-file", has_text="a.txt")).to_be_visible()
    only_problems(page, 401, 422)


def test_a_board_that_is_no_longer_renewed_says_so_and_goes_on_afterwards(page_as, end_sessions, password):
    page = page_as("manager", lang="en")
    open_page(page)
    end_sessions()

    banner = page.locator("#stale")
    expect(banner).to_contain_text(re.compile(r"Your session has ended.*\d\d:\d\d"), timeout=20_000)
    banner.get_by_role("button", name="Sign in").click()
    with page.expect_response(lambda answer: "/board" in answer.url and answer.status in (200, 304)):
        _sign_in_again(page, password)

    expect(banner).to_have_count(0)
    only_problems(page, 401, 422)


def test_a_plain_form_comes_back_to_its_page_with_its_words(page_as, end_sessions, password):
    page = page_as("manager", lang="en")
    open_page(page, "/board/new")
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
    open_page(page, "/board/new")
    expect(page.locator("#title")).to_have_value("")


def test_a_refused_move_says_why(page_as):
    page = page_as("manager", lang="en")
    open_page(page)
    number = page.locator("#col-pending .board-card-meta span").first.inner_text()
    page.route("**/board/items/*", lambda route: route.fulfill(status=403, body="", content_type="text/html"))
    page.locator(".board-card", has_text=number).drag_to(page.locator("#col-blocked"))

    expect(page.locator(".k-toast")).to_have_text(re.compile("You have no permission"))
    expect(page.locator("#col-pending .board-card", has_text=number)).to_be_visible()
    only_problems(page, 403)
