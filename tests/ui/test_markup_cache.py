"""Drawings that are kept: the key decides, and the store stays within its bound."""

from __future__ import annotations

from datetime import timedelta

from markupsafe import Markup

from console.ui.markup_cache import Drawings, kept, steady


def test_a_drawing_is_made_once_for_each_key():
    drawings, made = Drawings(), []

    def draw(text):
        made.append(text)
        return Markup(text)

    texts = [drawings.get(key, lambda key=key: draw(key)) for key in ("a", "b", "a", "b", "c")]

    assert (texts, made) == (["a", "b", "a", "b", "c"], ["a", "b", "c"])


def test_the_least_used_drawings_leave_when_it_gets_too_much():
    drawings = Drawings(most=10)
    for key in ("a", "b"):
        drawings.get(key, lambda: Markup("12345"))
    drawings.get("a", lambda: Markup("again"))

    drawings.get("c", lambda: Markup("12345"))

    assert len(drawings) == 2
    assert drawings.get("a", lambda: Markup("again")) == "12345"
    assert drawings.get("b", lambda: Markup("again")) == "again"


def test_one_that_is_too_long_for_the_store_is_drawn_all_the_same():
    drawings = Drawings(most=3)

    assert drawings.get("a", lambda: Markup("12345")) == "12345"
    assert len(drawings) == 0


def test_language_and_members_of_lists_belong_to_the_key(app):
    def draw(word):
        return Markup(f"<b>{word}</b>")

    def ask(language, names, word):
        with app.test_request_context(headers={"Accept-Language": language}):
            return steady(("test", names), draw, word)

    assert ask("ko", ["x"], "하나") == "<b>하나</b>"
    assert ask("en", ["x"], "one") == "<b>one</b>"
    assert ask("ko", ["x"], "둘") == "<b>하나</b>"
    assert ask("ko", ["x", "y"], "둘") == "<b>둘</b>"


def test_what_says_a_time_is_drawn_again_in_the_next_minute(app, clock):
    def ask(word):
        with app.test_request_context():
            return kept(("test-minute",), Markup, word)

    assert [ask("one"), ask("two")] == ["one", "one"]
    clock.advance(timedelta(minutes=1))
    assert ask("three") == "three"
