"""A person comes: made by an owner, signs in, chooses a password, leaves. With scripts and without."""

from __future__ import annotations

import re

import pyotp
import pytest

NEW = "a much better password"


def make_person(owner, name):
    """Add a user on the page; returns the one-time password that is shown."""
    owner.goto("/admin/users/new")
    owner.fill("#username", name)
    owner.fill("#display_name", "신입 기사")
    owner.check("input[name=reach][value=all]")
    owner.click("form.stack button[type=submit]")
    owner.wait_for_selector("#secret-value")
    return owner.inner_text("#secret-value").strip()


@pytest.mark.parametrize(("script", "name"), [(True, "newcomer"), (False, "plain")])
def test_from_invitation_to_sign_out(page_as, script, name):
    password = make_person(page_as("owner", script=script), name)
    page = page_as(None, script=script, width=390)

    page.goto("/account")
    assert "/sign-in?next=" in page.url
    page.fill("#username", name)
    page.fill("#password", password)
    page.click("button.btn-primary")
    assert re.search(r"/account/password\?next=%2Faccount$", page.url)
    page.goto("/admin/users")
    assert page.url.endswith("/account/password")
    page.fill("#current", password)
    page.fill("#new", NEW)
    page.fill("#again", NEW)
    page.click("button.btn-primary")
    page.wait_for_load_state()
    assert page.url.endswith("/overview")
    page.goto("/account")
    page.click("form[action$='/end'] button")
    assert page.url.endswith("/sign-in")
    page.goto("/account")
    assert "/sign-in" in page.url


def test_a_wrong_password_puts_the_message_in_focus_and_keeps_the_name(page_as):
    page = page_as(None)
    page.goto("/sign-in")
    page.fill("#username", "kim")
    page.fill("#password", "wrong password")
    page.click("button.btn-primary")
    page.wait_for_selector("[data-error-summary]")

    assert page.evaluate("document.activeElement.matches('[data-error-summary]')")
    assert page.input_value("#username") == "kim"
    assert page.input_value("#password") == ""
    assert all("422" in problem for problem in vars(page)["problems"])
    vars(page)["problems"].clear()


def test_a_dangerous_dialog_waits_for_the_typed_name_and_gives_the_focus_back(page_as):
    page = page_as("owner")
    make_person(page, "leaver")
    page.click(".breadcrumbs a >> nth=1")
    page.click("a[data-dialog=deactivate]")
    page.wait_for_selector("#deactivate[open]")
    assert page.evaluate("document.activeElement.name") == "confirm"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.dialog") == "deactivate"

    page.click("a[data-dialog=deactivate]")
    page.fill("#deactivate-confirm", "leaver")
    page.click("#deactivate button[type=submit]")
    page.wait_for_load_state()
    assert page.locator("text=사용 중지").count() >= 1


def test_a_token_is_shown_once_and_can_be_copied(page_as):
    page = page_as("owner")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/admin/users/2/tokens/new")
    page.fill("#label", "nightly")
    page.click("form.stack button[type=submit]")
    page.wait_for_selector("#secret-value")
    token = page.inner_text("#secret-value").strip()

    assert re.fullmatch(r"kaos_[\w-]{32}", token)
    page.click("[data-copy]")
    assert page.evaluate("navigator.clipboard.readText()") == token
    page.click("a.btn-primary")
    page.wait_for_load_state()
    assert token not in page.content()


@pytest.mark.parametrize(("script", "name"), [(True, "with-phone"), (False, "with-phone-plain")])
def test_a_second_factor_from_the_account_to_the_next_sign_in(page_as, script, name):
    password = make_person(page_as("owner", script=script), name)
    page = page_as(None, script=script, width=390)
    page.goto("/sign-in")
    page.fill("#username", name)
    page.fill("#password", password)
    page.click("button.btn-primary")
    page.fill("#current", password)
    page.fill("#new", NEW)
    page.fill("#again", NEW)
    page.click("button.btn-primary")
    page.wait_for_load_state()
    page.goto("/account/second-factor")
    page.fill("#password", NEW)
    page.click("form[action$='/begin'] button")
    secret = page.inner_text("#second-factor-secret").strip()
    assert page.get_attribute("a[href^='otpauth:']", "href").count(secret) == 1
    assert page.is_visible("svg[viewBox] path[fill='#000']")
    page.fill("#code", pyotp.TOTP(secret).now())
    page.click("form[action$='/confirm'] button")
    page.wait_for_selector("[data-recovery-code]")
    code = page.inner_text("[data-recovery-code] >> nth=0")

    other = page_as(None, script=script, width=390)
    other.goto("/sign-in?next=/account")
    other.fill("#username", name)
    other.fill("#password", NEW)
    other.click("button.btn-primary")
    other.fill("#code", code)
    other.click("button.btn-primary")
    other.wait_for_url("**/account")
