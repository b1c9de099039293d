"""A round in a basement without a signal, with a tab that closes and a session that ends."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from playwright.sync_api import expect
from sqlalchemy import select, update

from console.models.evidence import EvidenceFile
from console.models.identity import WebSession
from tests.browser.rounds.steps import SITE, begin, fill, onward, photo, ready, send, walk
from tests.browser.steps import only_problems


def test_a_round_goes_on_after_the_tab_was_closed_without_a_signal(page_as, counted, template):
    page = page_as("operator", width=390, lang="en")
    begin(page, template)
    address = page.url
    page.reload()
    ready(page)
    page.context.set_offline(True)
    fill(page, "78")
    onward(page)
    fill(page, "3.9")
    expect(page.locator("[data-kept]")).to_contain_text("Offline")
    page.wait_for_timeout(300)
    page.close()

    again = page.context.new_page()
    again.goto(address)
    ready(again)
    expect(again.locator(".round-screen:visible .round-field input")).to_have_value("3.9")
    onward(again)
    again.locator(".round-choice").first.click()
    onward(again)
    onward(again)
    expect(again.locator("[data-offline]")).to_be_visible()
    again.locator("[name=signed]").check()
    send(again)
    expect(again.locator("[data-queue] li")).to_contain_text("waits for the signal")
    assert counted() == 0

    # The list of what is kept opens without a signal as well.
    again.goto("/inspections/rounds")
    expect(again.locator("[data-queue] li")).to_contain_text("변전실 월간 점검")
    again.context.set_offline(False)
    expect(again.locator("[data-queue] li")).to_contain_text("Sent", timeout=20_000)
    assert counted() == 1
    vars(page)["problems"].clear()


def test_an_answer_that_was_lost_on_the_way_makes_no_second_round(page_as, counted, template):
    page = page_as("operator", width=390, lang="en")
    begin(page, template)
    walk(page, "11")
    lost = []

    def lose(route):
        if route.request.method == "POST" and len(lost) < 2:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route("**/inspections/rounds/*", lose)
    send(page)
    expect(page.locator("[data-queue] li")).to_contain_text("waits for the signal")
    page.locator("[data-queue] button").click()
    page.wait_for_function("() => document.querySelector('[data-queue] li').dataset.why === 'waiting'")
    page.locator("[data-queue] button").click()
    page.wait_for_url(re.compile(r"/inspections/\d+$"))

    assert lost == [201, 201]
    assert counted() == 1
    vars(page)["problems"].clear()


def test_a_session_that_ended_loses_nothing(page_as, base, counted, password, template):
    page = page_as("operator", width=390, lang="en")
    begin(page, template)
    walk(page, "11")
    with base() as session:
        session.execute(update(WebSession).values(revoked_at=datetime.now(UTC), revoked_reason="test"))
        session.commit()
    send(page)

    dialog = page.locator("#sign-in-again")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.locator("[data-queue] li")).to_contain_text("Sign in, and it is sent")
    assert counted() == 0
    page.locator("[data-queue] button").click()
    dialog.locator("input[name=password]").fill(password)
    dialog.locator("input[name=password]").press("Enter")
    page.wait_for_url(re.compile(r"/inspections/\d+$"))
    assert counted() == 1
    only_problems(page, 401)


def test_the_worker_leads_to_the_sign_in_while_there_is_a_signal(page_as, base, template):
    page = page_as("operator", width=390, lang="en")
    begin(page, template)
    address = page.url
    page.reload()
    ready(page)
    with base() as session:
        session.execute(update(WebSession).values(revoked_at=datetime.now(UTC), revoked_reason="test"))
        session.commit()
    page.goto(address)

    page.wait_for_url("**/sign-in?next=*")
    expect(page.locator("input[name=password]")).to_be_visible()


def test_nobody_is_shown_what_was_kept_after_a_sign_out(page_as, site, template):
    page = page_as("operator", lang="en")
    begin(page, template)
    fill(page, "78")
    expect(page.locator("[data-kept]")).to_contain_text("Kept")
    page.goto(f"/inspections/rounds?site={SITE}")
    expect(page.locator("[data-queue] li")).to_contain_text("Not finished: 1 of 4")
    page.locator(".topbar .menu summary").last.click()
    page.locator("[data-forget-drafts] button").click()
    page.wait_for_url("**/sign-in*")
    page.context.set_offline(True)
    page.goto("/inspections/rounds")

    expect(page.locator("[data-shell-words]")).to_contain_text("Nobody is signed in")
    expect(page.locator("[data-kept-here]")).to_be_hidden()
    page.context.set_offline(False)
    page.context.add_cookies([{**site.cookie("operator"), "url": site.address}])
    page.goto(f"/inspections/rounds?site={SITE}")
    expect(page.locator("[data-queue] li")).to_contain_text("Not finished: 1 of 4")
    vars(page)["problems"].clear()


def test_another_person_on_the_same_phone_neither_sees_nor_sends_it(page_as, site, counted, template):
    page = page_as("operator", width=390, lang="en")
    begin(page, template)
    page.context.set_offline(True)
    walk(page, "11")
    send(page)
    expect(page.locator("[data-queue] li")).to_be_visible()
    page.context.add_cookies([{**site.cookie("manager"), "url": site.address}])
    page.context.set_offline(False)
    other = page.context.new_page()
    other.goto(f"/inspections/rounds?site={SITE}")
    other.wait_for_selector("html[data-round=ready]", state="attached")
    expect(other.locator("[data-kept-here]")).to_be_hidden()
    page.wait_for_timeout(500)
    assert counted() == 0

    begin(other, template)
    expect(other.locator(".round-field input:visible")).to_have_value("")
    other.context.add_cookies([{**site.cookie("operator"), "url": site.address}])
    other.goto(f"/inspections/rounds?site={SITE}")
    expect(other.locator("[data-queue] li")).to_contain_text("Sent", timeout=20_000)
    assert counted() == 1
    vars(page)["problems"].clear()


def test_a_second_tab_does_not_take_back_what_the_first_one_finished(page_as, counted, template):
    page = page_as("operator", width=390, lang="en")
    begin(page, template)
    fill(page, "78")
    other = page.context.new_page()
    other.goto(page.url)
    ready(other)
    expect(other.locator(".round-field input:visible")).to_have_value("78")
    walk(page, "11")
    page.context.set_offline(True)
    send(page)
    expect(page.locator("[data-queue] li")).to_contain_text("waits for the signal")
    fill(other, "79")
    expect(other.locator("[data-kept]")).to_contain_text("another tab")
    # Whichever tab is first sends; here the other one is, and tells the one in which it was finished.
    page.evaluate("navigator.locks.request = async () => undefined")
    page.context.set_offline(False)
    page.wait_for_url(re.compile(r"/inspections/\d+$"), timeout=20_000)
    assert counted() == 1
    vars(page)["problems"].clear()


def test_photos_wait_with_their_round_and_follow_it_once(page_as, base, counted, template):
    page = page_as("operator", width=390, lang="en")
    begin(page, template)
    page.context.set_offline(True)
    fill(page, "78")
    photo(page, "one.png")
    photo(page, "two.png")
    page.reload()
    ready(page)
    expect(page.locator(".round-screen:visible [data-photos] li")).to_have_count(2)
    walk(page, "11")
    expect(page.locator("[data-along]")).to_contain_text("Photos: 2")
    send(page)
    expect(page.locator("[data-queue] li")).to_contain_text("waits for the signal")
    lost = []

    def lose(route):
        if not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route("**/inspections/rounds/photos", lose)
    page.context.set_offline(False)
    expect(page.locator("[data-queue] li")).to_contain_text("photos to go", timeout=20_000)
    assert counted() == 1
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_url(re.compile(r"/inspections/\d+$"), timeout=20_000)
    expect(page.locator("#evidence-winding_temp_c .evidence-file")).to_have_count(2)
    with base() as session:
        kept = session.scalars(select(EvidenceFile).where(EvidenceFile.inspection_id.is_not(None))).all()
        assert sorted(one.file_name for one in kept) == ["one.png", "two.png"]
    vars(page)["problems"].clear()
