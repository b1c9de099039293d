import pytest

from console.ui.labels.common import ERROR_TITLES, STATUS, initials, status_word

TONES = {"late", "soon", "ok", "wait", "plain", "accent"}


def test_every_word_has_a_known_hue_and_never_colour_alone():
    assert {word.tone for word in STATUS.values()} <= TONES
    assert all(word.icon for word in STATUS.values() if word.tone != "plain")


def test_an_unknown_word_is_shown_as_it_is():
    assert status_word("brand_new").label == "brand_new"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("김관리", "김관"), ("Anna Berg", "AB"), ("anna", "AN"), ("x", "X"), ("", "?"), (None, "?"), ("  ", "?")],
)
def test_a_person_has_two_characters(name, shown):
    assert initials(name) == shown


def test_every_error_that_pages_show_has_a_title():
    from console.ui.errors import TITLES

    assert set(ERROR_TITLES) >= TITLES
