"""First consonants of Hangul: what they find, and when words are none."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from console.domain.hangul import INITIALS, initials, stands_in, syllables_of

SYLLABLES = st.text(st.characters(min_codepoint=ord("가"), max_codepoint=ord("힣")), min_size=2, max_size=6)


def test_each_consonant_stands_for_the_syllables_that_begin_with_it():
    assert syllables_of("ㄱ ㅎ") == (("가", "깋"), ("하", "힣"))
    assert syllables_of("ㄲㅆ") == (("까", "낗"), ("싸", "앃"))


def test_one_consonant_vowels_and_other_letters_are_ordinary_words():
    assert [syllables_of(words) for words in ("ㄱ", "ㅏㅏ", "ㄱa", "가나", "", "ㄳㄳ")] == [()] * 6


def test_words_stand_in_a_text_by_letters_or_first_consonants():
    assert stands_in("PUMP", "pump 3호")
    assert stands_in("ㅂㅈㅅ", "지하 배전실")
    assert stands_in("ㅈㅎㅂ", "지하 배전실")
    assert not stands_in("ㅂㅈㄱ", "지하 배전실")


@given(SYLLABLES, st.booleans())
def test_the_first_consonants_of_a_text_find_it(text, parted):
    first = initials(text)
    # The letter that composes a syllable is another one than the letter that is typed alone.
    decomposed = [unicodedata.normalize("NFD", letter)[0] for letter in text]

    assert first == "".join(INITIALS[ord(letter) - 0x1100] for letter in decomposed)
    assert stands_in(" ".join(first) if parted else first, f"1층 {text} 앞")
    assert all(begin <= letter <= end for (begin, end), letter in zip(syllables_of(first), text, strict=True))
