"""The translation catalogue outside a request: for texts that services store and for people's mails.

Pages use the same compiled catalogues through Flask-Babel.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.dates import format_date
from babel.support import NullTranslations, Translations

from console.domain.hangul import stands_in
from console.domain.text import Text, spoken

LOCALES = ("ko", "en")
DEFAULT_LOCALE = "ko"
# Numbers in sentences that count nothing.
NO_COUNTS = frozenset({"id", "run", "seq", "number", "revision", "version", "year", "port", "code", "size"})
FOLDER = Path(__file__).parents[1] / "translations"


@lru_cache(maxsize=len(LOCALES))
def catalogue(locale: str) -> NullTranslations:
    """Return the compiled catalogue of `locale`; English is the source and needs none."""
    return Translations.load(FOLDER, [locale])


def translate(locale: str, msgid: str, **params: Any) -> str:
    """Return `msgid` in `locale` with its values filled in; no text stays none."""
    if not msgid:  # a catalogue keeps its own header under the empty text
        return ""
    text = catalogue(locale).gettext(msgid)
    return text % counted(params) if params else text


@lru_cache(maxsize=256)
def written_alike(words: str, texts: frozenset[str]) -> tuple[str, ...]:
    """Return those of `texts` in which words stand in any language, in all languages and sorted.

    What is stored in one language is found by those who read it in another.
    """
    told = ({translate(locale, text) for locale in LOCALES} for text in texts)
    return tuple(sorted({text for forms in told if any(stands_in(words, one) for one in forms) for text in forms}))


def translate_number(locale: str, one: str, many: str, num: int) -> str:
    """Return the form of a sentence in `locale` that fits a number of things, without its values."""
    return catalogue(locale).ngettext(one, many, num)


def day_in(locale: str, day: date) -> str:
    """Return a day in `locale` as it stands below an axis: the year is said elsewhere."""
    return format_date(day, {"ko": "M월 d일", "en": "d MMM"}[locale], locale=locale)


def counted(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a sentence with counts as every page writes them: 3,011."""
    return {
        name: f"{value:,}" if type(value) is int and name not in NO_COUNTS else value for name, value in params.items()
    }


def text_in(locale: str, text: Text | Mapping[str, Any] | str) -> str:
    """Return a sentence decided below the web layer, or its stored form, in `locale`."""
    if isinstance(text, Text):
        return translate(locale, text.msgid, **spoken(text.params, lambda inner: text_in(locale, inner)))
    if isinstance(text, Mapping):
        if isinstance(own := text.get(locale), str):
            return own
        params = spoken(text.get("params") or {}, lambda inner: text_in(locale, inner))
        return translate(locale, str(text.get("msgid", "")), **params)
    return text
