"""Guards over the texts: whatever the console can say, it can say in Korean."""

from collections import Counter

import pytest

from tools import translations

LANGUAGES = translations.languages()


def test_korean_is_there():
    assert "ko" in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language):
    assert translations.missing(language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_takes_the_values_that_the_text_gives(language):
    assert translations.mismatches(language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_fragments_do_not_contradict_each_other(language):
    assert translations.contradictions(language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_waits_for_approval(language):
    fuzzy = [
        f"{path.name}: {message.id!r}"
        for path in translations.fragments(language)
        for message in translations.read(path)
        if message.fuzzy and message.id
    ]

    assert fuzzy == []


def test_texts_are_found_in_templates_and_in_python():
    endings = Counter(found.place.rpartition(":")[0].rpartition(".")[2] for found in translations.texts())

    assert endings["html"] > 0
    assert endings["py"] > 0
