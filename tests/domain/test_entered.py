"""Text that comes in: composed, LF, trimmed, visible, storable."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.entered import UnwritableError, entered, entered_value, same_name, visible, writable

INVISIBLE = [
    "\u200b",
    "\ufeff",
    "\u3164",
    "\u115f\u1160",
    "\uffa0",
    "\u2800",
    "\u00ad",
    "\u034f",
    "\ufe0f",
    " \u3000\n",
]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (unicodedata.normalize("NFD", "펌프 점검"), "펌프 점검"),
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("\ufeff\u200b title \u2060\t", "title"),
        ("a\u200db", "a\u200db"),
        ("❤️", "❤️"),
        ("🏴\U000e0067\U000e0062\U000e007f", "🏴\U000e0067\U000e0062\U000e007f"),
        ("0", "0"),
        ("", ""),
    ],
)
def test_is_stored_in_one_form(typed: str, kept: str) -> None:
    assert entered(typed) == kept


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
def test_what_shows_nothing_is_empty(text: str) -> None:
    assert entered(text) == ""
    assert entered(text + "가") != ""


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud83d", "x\udfff"], ids=ascii)
def test_what_no_database_can_store_is_refused(text: str) -> None:
    for exactly in (False, True):
        with pytest.raises(UnwritableError):
            entered(text, exactly=exactly)
    with pytest.raises(UnwritableError):
        entered_value({"a": [{text: 1}]})
    assert entered(writable("q" + text)) in ("q", "qab", "qx")


@given(st.text())
def test_a_second_time_changes_nothing(text: str) -> None:
    once = entered(writable(text))
    assert entered(once) == once
    assert once == "" or any(map(visible, once))
    assert "\r" not in once
    assert unicodedata.is_normalized("NFC", once)


def test_values_are_made_whole_and_passwords_left() -> None:
    sent = {" site ": " 본관 ", "current_password": "  pass\r\n", "list": ["a ", 1, None, {"new_password": [" b "]}]}
    assert entered_value(sent) == {
        "site": "본관",
        "current_password": "  pass\r\n",
        "list": ["a", 1, None, {"new_password": [" b "]}],
    }


def test_names_that_look_alike_are_the_same() -> None:
    assert same_name("ＯＷＮＥＲ") == same_name("owner") == same_name("Owner ")
    assert same_name(unicodedata.normalize("NFD", "김시설")) == same_name("김시설")
