"""Text that comes in: by form, address, JSON, file name or command line, always through `entered`."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from console.domain.text import N_

# Beside those with “password” in their name: fields of the forms that change one.
SECRETS = frozenset({"current", "new", "again"})
UNWRITABLE = N_("must not contain NUL or broken characters")
# What no database can store: NUL, and half of a surrogate pair.
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
_LINE_BREAK = re.compile("\r\n?")
# Characters of letter, mark or symbol kind that show nothing: fillers of Hangul, the empty Braille cell, joiners of
# marks and choices of a variant.
_NOTHING = "\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0000-\U000e0fff"
_SHOWS_NOTHING = re.compile(f"[{_NOTHING}]")
# Without width and without meaning at either end of a text; joiners inside and after letters have one.
_AROUND = "\u200b\u2060\ufeff"


class UnwritableError(ValueError):
    """The text holds characters that no database can store."""

    def __init__(self) -> None:
        super().__init__(UNWRITABLE)


def entered(text: str, *, exactly: bool = False) -> str:
    """Return a text as it is stored and searched for: composed (NFC), LF line breaks, nothing invisible around it.

    A text in which nothing can be seen is empty. With `exactly` blanks stay, as passwords need it. Raises
    UnwritableError for NUL and for half of a surrogate pair.
    """
    if text.isascii() and text.isalnum():
        return text
    if _UNWRITABLE.search(text):
        raise UnwritableError
    if exactly:
        return text
    composed = _LINE_BREAK.sub("\n", unicodedata.normalize("NFC", text))
    return _trimmed(composed) if any(map(visible, composed)) else ""


def entered_value(value: Any, *, exactly: bool = False) -> Any:
    """Return a value of a form or of JSON with every text in it as `entered` makes it; names of passwords stay exact.

    Raises UnwritableError.
    """
    if isinstance(value, str):
        return entered(value, exactly=exactly)
    if isinstance(value, dict):
        return {
            entered(name) if isinstance(name, str) else name: entered_value(one, exactly=exactly or is_secret(name))
            for name, one in value.items()
        }
    return [entered_value(one, exactly=exactly) for one in value] if isinstance(value, list) else value


def is_secret(name: Any) -> bool:
    """Return whether a field of this name is taken as it was typed, blanks and all."""
    return isinstance(name, str) and (name in SECRETS or "password" in name.casefold())


def writable(text: str) -> str:
    """Return a text without the characters that no database can store, for showing what was refused."""
    return _UNWRITABLE.sub("", text)


def visible(character: str) -> bool:
    """Return whether a reader sees something of a character."""
    # A character that this Unicode version does not know yet may be one that the reader's does.
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp") and not _SHOWS_NOTHING.match(
        character
    )


def same_name(name: str) -> str:
    """Return the form in which names are compared: without case, width and spacing."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _trimmed(text: str) -> str:
    while (shorter := text.strip().strip(_AROUND)) != text:
        text = shorter
    return text
