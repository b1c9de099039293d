"""Hangul as people type it to find something: the first consonant of each syllable."""

from __future__ import annotations

# In the order of the syllables: each consonant begins the same number of them.
INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_FIRST, _EACH = ord("가"), 588
# One consonant begins a good part of all words.
_LEAST = 2


def syllables_of(words: str) -> tuple[tuple[str, str], ...]:
    """Return for each consonant in `words` the first and the last syllable that begins with it; blanks do not count.

    Empty unless the words are first consonants alone, two of them at least.
    """
    letters = words.replace(" ", "")
    if len(letters) < _LEAST or not all(letter in INITIALS for letter in letters):
        return ()
    begins = (_FIRST + INITIALS.index(letter) * _EACH for letter in letters)
    return tuple((chr(begin), chr(begin + _EACH - 1)) for begin in begins)


def initials(text: str) -> str:
    """Return a text with each syllable as its first consonant, without blanks; other characters stay."""
    return "".join(_initial(letter) for letter in text if letter != " ")


def _initial(letter: str) -> str:
    place = (ord(letter) - _FIRST) // _EACH
    return INITIALS[place] if 0 <= place < len(INITIALS) else letter


def stands_in(words: str, text: str) -> bool:
    """Return whether words stand in a text, by their letters (case does not matter) or by their first consonants."""
    if words.casefold() in text.casefold():
        return True
    return bool(syllables_of(words)) and words.replace(" ", "") in initials(text)
