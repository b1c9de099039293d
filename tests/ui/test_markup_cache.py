"""Drawings that are kept: the key decides, and the store stays within its bound."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from uuid import uuid4

from markupsafe import Markup

from console.ui.markup_cache import DAY, Drawings, cached_markup, cached_rows, timed
from console.ui.reader import zone


def test_a_drawing_is_made_once_for_each_key():
    drawings, made = Drawings(), []

    def draw(text):
        made.append(text)
        return Markup(text)

    texts = [drawings.get(key, lambda key=key: draw(key)) for key in ("a", "b", "a", "b", "c")]

    assert (texts, made) == (["a", "b", "a", "b", "c"], ["a", "b", "c"])


def test_the_least_used_drawings_leave_when_it_gets_too_much():
    drawings = Drawings(most=12)
    for key in ("a", "b"):
        drawings.get(key, lambda: Markup("12345"))
    drawings.get("a", lambda: Markup("again"))

    drawings.get("c", lambda: Markup("12345"))

    assert len(drawings) == 2
    assert drawings.get("a", lambda: Markup("again")) == "12345"
    assert drawings.get("b", lambda: Markup("again")) == "again"


def test_the_text_of_a_key_counts_as_well():
    drawings = Drawings(most=20_000)
    for number in range(10):
        drawings.get(("sites", ("/board?q=" + "x" * 8_000 + str(number), True)), lambda: Markup("12345"))

    assert len(drawings) == 2


def test_one_that_is_too_long_for_the_store_is_drawn_all_the_same():
    drawings = Drawings(most=3)

    assert drawings.get("a", lambda: Markup("12345")) == "12345"
    assert len(drawings) == 0


def test_language_and_members_of_lists_belong_to_the_key(app):
    def draw(word):
        return Markup(f"<b>{word}</b>")

    def ask(language, names, word):
        with app.test_request_context(headers={"Accept-Language": language}):
            return cached_markup(("test", names), draw, word)

    assert ask("ko", ["x"], "하나") == "<b>하나</b>"
    assert ask("en", ["x"], "one") == "<b>one</b>"
    assert ask("ko", ["x"], "둘") == "<b>하나</b>"
    assert ask("ko", ["x", "y"], "둘") == "<b>둘</b>"


def test_words_of_time_are_filled_in_each_time_and_the_rest_is_drawn_once(app, clock):
    drawn, said, own = [], [], uuid4().hex  # nobody has drawn this before

    def words(due, _own):
        said.append(clock.now())
        return Markup(f"{int((due - clock.now()).total_seconds() // 60)} min")

    def row(due):
        drawn.append(due)
        return Markup(f"<td>{timed(words, due, own)}</td><td>{timed(words, due, own)}</td>")

    due = clock.now() + timedelta(minutes=9)

    def ask():
        with app.test_request_context():
            return cached_markup(("test-time", own, due), row, due)

    assert [ask(), ask()] == ["<td>9 min</td><td>9 min</td>"] * 2
    clock.advance(timedelta(minutes=1))
    assert ask() == "<td>8 min</td><td>8 min</td>"
    assert (len(drawn), len(said)) == (1, 2)


def test_a_deadline_that_passes_within_the_minute_is_told(app, clock):
    due = clock.now() + timedelta(seconds=20)

    def ask():
        with app.test_request_context():
            return timed(lambda due: Markup("late" if clock.now() > due else "soon"), due)

    before = ask()
    clock.advance(timedelta(seconds=21))
    assert (before, ask()) == ("soon", "late")


def test_words_of_a_day_change_with_the_day_of_the_reader(app, clock):
    said = []

    def ask():
        with app.test_request_context():
            return timed(lambda _due: Markup(str(said.append(1) or len(said))), clock.now().date(), seconds=DAY)

    first = ask()
    clock.advance(timedelta(hours=1))
    assert ask() == first
    clock.advance(timedelta(hours=24))
    assert ask() != first


def test_of_the_rows_of_a_list_only_the_changed_one_is_drawn_again(app):
    drawn, own = [], uuid4().hex

    def draw(row, more):
        drawn.append(row)
        return Markup("<td>{}{}</td>").format(row, more)

    def ask(*rows, more="!"):
        with app.test_request_context():
            return cached_rows((own, more), rows, draw, more)

    assert ask("a", "<") == ask("a", "<") == "<td>a!</td><td>&lt;!</td>"
    assert ask("a", "c") == "<td>a!</td><td>c!</td>"
    assert ask() == ""
    assert drawn == ["a", "<", "c"]
    assert ask("a", more="?") == "<td>a?</td>"


def test_rows_that_are_kept_together_read_like_rows_that_are_drawn_now(app, clock):
    chance, own, texts = Random(7), uuid4().hex, []

    def words(due, _own):
        minute = clock.now().replace(second=0, microsecond=0)
        return Markup(f"{'late' if clock.now() > due else 'soon'} {(due - minute) // timedelta(minutes=1)}")

    def today(_own):
        return Markup(f"{clock.now().astimezone(zone()):%d}")

    def draw(due):
        return Markup(f"<td>{timed(words, due, own)} {timed(today, own, seconds=DAY)}</td>")

    rows = tuple(clock.now() + timedelta(seconds=chance.randint(-90, 90_000)) for _ in range(5))
    for _ in range(150):
        with app.test_request_context():
            kept = cached_rows((own,), rows, draw)
            assert kept == "".join(f"<td>{words(row, own)} {today(own)}</td>" for row in rows)
        texts.append(kept)
        clock.advance(timedelta(seconds=chance.choice((0, 1, 7, 30, 59, 3_600))))

    assert len(set(texts)) > 50


def test_nobody_can_write_a_mark_into_a_text(app):
    with app.test_request_context():
        assert cached_markup(("test-mark",), lambda: Markup("\x020\x03")) == "\x020\x03"
