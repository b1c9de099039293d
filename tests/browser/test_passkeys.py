"""Passkeys with a real browser and the device that it pretends to have: made, used at the door, taken away."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.test_identity import NEW, make_person

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}

KNOWN = {
    "ko": "이 기기에 이미 등록된 패스키가 있습니다.",
    "en": "This device holds a passkey of yours already.",
}


@pytest.fixture
def at_localhost(page_as, site):
    """Return `at_localhost(lang=, width=)`: a page under a name, because an IP address knows no passkeys."""

    def build(**options):
        page = page_as(None, **options)
        page.set_default_timeout(15_000)
        vars(page)["home"] = f"http://localhost:{urlsplit(site.address).port}"
        lang = {"name": "lang", "value": options.get("lang", "ko"), "url": vars(page)["home"]}
        page.context.add_cookies([lang])
        return page

    return build


def go(page, address):
    page.goto(vars(page)["home"] + address)


def device_of(page, passkeys=()):
    """Give the browser of a page a device that holds these passkeys; returns what reads them."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    device = session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]
    for passkey in passkeys:
        session.send("WebAuthn.addCredential", {"authenticatorId": device, "credential": passkey})
    return lambda: session.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]


def sign_in(page, name, password):
    go(page, "/sign-in?next=/account")
    page.fill("#username", name)
    page.fill("#password", password)
    page.click("button.btn-primary")


def first_password(page, name, password):
    sign_in(page, name, password)
    page.fill("#current", password)
    page.fill("#new", NEW)
    page.fill("#again", NEW)
    page.click("button.btn-primary")
    page.wait_for_load_state()


def make_passkey(page, name):
    go(page, "/account/second-factor")
    page.click("a[href='/account/passkeys/new']")
    page.fill("#name", name)
    page.fill("#password", NEW)
    page.click("form[action$='/passkeys/new'] button[type=submit]")
    page.click("[data-passkey=create]")


@pytest.mark.parametrize(("lang", "name", "width"), [("ko", "with-key", 390), ("en", "with-key-en", 1440)])
def test_a_passkey_from_the_account_to_the_next_sign_in_and_away(page_as, at_localhost, axe, lang, name, width):
    password = make_person(page_as("owner"), name)
    page = at_localhost(lang=lang, width=width)
    held = device_of(page)
    first_password(page, name, password)
    make_passkey(page, "work phone")
    page.wait_for_selector("[data-recovery-code]")
    go(page, "/account/second-factor")
    assert page.is_visible("text=work phone")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert [one["rpId"] for one in held()] == ["localhost"]
    # The same device a second time: it says that it holds one.
    make_passkey(page, "again")
    page.wait_for_selector("[data-passkey-said]:not([hidden])")
    assert page.inner_text("[data-passkey-said]") == KNOWN[lang]

    other = at_localhost(lang=lang, width=width)
    device_of(other, held())
    sign_in(other, name, NEW)
    expect(other.locator("[data-passkey=get]")).to_be_focused()
    assert axe(other) == []
    other.click("[data-passkey=get]")
    other.wait_for_url("**/account")
    go(other, "/account/second-factor")
    other.click("#passkeys a[href*='/account/passkeys/'] >> nth=0")
    other.click("form[action$='/remove'] button")
    other.wait_for_selector("[data-passkey=get]")
    assert axe(other) == []
    other.click("[data-passkey=get]")
    other.wait_for_url("**/account/second-factor")
    assert other.locator("text=work phone").count() == 0

    # Without a second factor the password is enough again.
    last = at_localhost(lang=lang)
    sign_in(last, name, NEW)
    last.wait_for_url("**/account")


def test_a_browser_without_the_passkey_says_so_and_takes_a_recovery_code(page_as, at_localhost):
    password = make_person(page_as("owner"), "with-lost-key")
    page = at_localhost()
    device_of(page)
    first_password(page, "with-lost-key", password)
    make_passkey(page, "lost")
    page.wait_for_selector("[data-recovery-code]")
    code = page.inner_text("[data-recovery-code] >> nth=0")

    other = at_localhost()
    device_of(other)
    sign_in(other, "with-lost-key", NEW)
    other.click("[data-passkey=get]")
    other.wait_for_selector("[data-passkey-said]:not([hidden])")
    assert other.is_enabled("[data-passkey=get]")
    other.fill("#code", code)
    other.click("form button[type=submit] >> text=로그인")
    other.wait_for_url("**/account")


def test_over_a_page_whose_session_has_ended_the_passkey_is_asked_for_there(page_as, at_localhost):
    password = make_person(page_as("owner"), "with-key-over")
    page = at_localhost()
    device_of(page)
    first_password(page, "with-key-over", password)
    make_passkey(page, "phone")
    page.wait_for_selector("[data-recovery-code]")
    go(page, "/account")
    page.fill("#display_name", "새 이름")
    page.context.clear_cookies(name="kaos_session")
    page.evaluate("htmx.ajax('GET', '/account', {target: '#content'})")
    page.wait_for_selector("#sign-in-again[open]")
    page.fill("#sign-in-again #password", NEW)
    page.click("#sign-in-again button[type=submit]")
    page.click("#sign-in-again [data-passkey=get]")
    page.wait_for_selector("#sign-in-again", state="detached")
    assert page.input_value("#display_name") == "새 이름"
    vars(page)["problems"].clear()


def test_without_script_there_is_a_code_and_no_dead_button(page_as, at_localhost):
    password = make_person(page_as("owner"), "with-key-plain")
    page = at_localhost()
    device_of(page)
    first_password(page, "with-key-plain", password)
    make_passkey(page, "phone")
    page.wait_for_selector("[data-recovery-code]")
    code = page.inner_text("[data-recovery-code] >> nth=0")

    plain = at_localhost(script=False)
    sign_in(plain, "with-key-plain", NEW)
    assert plain.is_hidden("[data-passkey]")
    plain.fill("#code", code)
    plain.click("button[type=submit] >> text=로그인")
    plain.wait_for_url("**/account")
