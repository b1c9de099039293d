"""Translations: merge the fragments of each language into the compiled catalogue that the console reads.

    python -m tools.translations            compile what has changed
    python -m tools.translations extract    list the texts that a language still lacks; exit code 1 if there are any

Fragments are `console/translations/<language>/<subject>.po`; the msgid is the English text, so English has none.
The documents of the programme hold both languages themselves and are one fragment each.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from console.domain.programme.catalogue import texts_of
from console.domain.programme.documents import FOLDER as DOCUMENTS
from console.domain.programme.documents import load
from tools.node import ROOT

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

CONSOLE = ROOT / "console"
FOLDER = CONSOLE / "translations"
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
    "N_": None,
    "T": None,
}
SOURCES = (
    (CONSOLE, "**/*.py", "python"),
    (ROOT / "workers", "**/*.py", "python"),
    (CONSOLE / "templates", "**/*.html", "jinja2.ext:babel_extract"),
    (CONSOLE / "partials", "**/*.html", "jinja2.ext:babel_extract"),
)
PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?[-#0+]*\d*(?:\.\d+)?[sdifgr%]")

MessageId = str | tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """A text in the sources: where it stands, and its English (singular and plural, where it has both)."""

    place: str
    msgid: MessageId

    @property
    def key(self) -> str:
        """Return the part of the text under which catalogues file it."""
        return self.msgid if isinstance(self.msgid, str) else self.msgid[0]


def languages() -> list[str]:
    """Return the languages that have fragments."""
    return sorted(path.name for path in FOLDER.glob("*/") if any(path.glob("*.po")))


def fragments(language: str) -> list[Path]:
    """Return the fragments of a language in the order in which they are merged."""
    return [*sorted((FOLDER / language).glob("*.po")), *(documents() if language == "ko" else ())]


def documents() -> list[Path]:
    """Return the documents of the weeks."""
    return sorted(DOCUMENTS.glob("w*.json"))


def texts() -> Iterator[Found]:
    """Return every text that the sources mark for translation."""
    from babel.messages.extract import extract_from_file

    for folder, pattern, method in SOURCES:
        for path in sorted(folder.glob(pattern)):
            options = {"extensions": "jinja2.ext.do", "silent": "false"} if method != "python" else {}
            for line, message, _comments, _context in extract_from_file(method, path, KEYWORDS, options=options):
                msgid: MessageId = message if isinstance(message, str) else tuple(message)
                if msgid and msgid[0]:
                    yield Found(f"{path.relative_to(ROOT)}:{line}", msgid)
    for path in documents():
        yield from (Found(f"{path.relative_to(ROOT)}:1", english) for english, _korean in texts_of(load(path)))


def read(path: Path) -> Catalog:
    """Return one fragment; raises ValueError with its name when it is not a proper PO file or document."""
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import PoFileError, read_po

    if path.suffix == ".json":
        said = Catalog(locale="ko")
        for english, korean in texts_of(load(path)):
            said.add(english, korean)
        return said
    try:
        with path.open("rb") as file:
            return read_po(file, locale=path.parent.name, abort_invalid=True)
    except PoFileError as error:
        raise ValueError(f"{path.relative_to(ROOT)}: {error}") from None


def merged(language: str) -> Catalog:
    """Return all fragments of a language as one catalogue; of two different translations the first one stays."""
    from babel.messages.catalog import Catalog

    whole = Catalog(locale=language)
    for path in fragments(language):
        for message in read(path):
            if message.id and message.id not in whole and not message.fuzzy:
                whole.add(message.id, message.string)
    return whole


def contradictions(language: str) -> list[str]:
    """Return a sentence for each text that two fragments, or one fragment twice, translate differently."""
    seen: dict[MessageId, tuple[str, Path]] = {}
    problems = []
    for path in fragments(language):
        for message in read(path):
            if not message.id:
                continue
            said = str(message.string)
            before, where = seen.setdefault(_hashable(message.id), (said, path))
            if before != said:
                problems.append(f"{message.id!r}: {where.name} says {before!r}, {path.name} says {said!r}")
    return problems


def missing(language: str) -> list[str]:
    """Return place and text of everything that a language does not translate."""
    whole = merged(language)
    lines = []
    for found in texts():
        message = whole.get(found.key)
        if message is None or not all(_strings(message.string)):
            lines.append(f"{found.place}: {found.key!r}")
    return lines


def mismatches(language: str) -> list[str]:
    """Return a sentence for each translation whose placeholders are not those of its text."""
    problems = []
    for path in fragments(language):
        for message in read(path):
            ids = _strings(message.id)
            allowed = {name for one in ids for name in placeholders(one)}
            for string in filter(None, _strings(message.string)):
                # A plural may leave its number out where the words say it; nothing may be asked for that is not given.
                fits = placeholders(string) == allowed or (len(ids) > 1 and placeholders(string) < allowed)
                if ids[0] and not fits:
                    problems += [f"{path.name}: {string!r} does not take what {ids[0]!r} gives"]
    return problems


def placeholders(text: str) -> set[str]:
    """Return the placeholders of a text: names, or the mark itself for a nameless one."""
    return {match.group(1) or match.group() for match in PLACEHOLDER.finditer(text) if match.group() != "%%"}


def _strings(text: str | list[str] | tuple[str, ...] | None) -> list[str]:
    return [text or ""] if text is None or isinstance(text, str) else list(text)


def _hashable(msgid: str | list[str] | tuple[str, ...]) -> MessageId:
    return msgid if isinstance(msgid, str) else tuple(msgid)


def compile_all() -> list[str]:
    """Compile the languages whose fragments have changed; returns their names."""
    done = []
    for language in languages():
        digest = hashlib.sha256()
        for path in (*fragments(language), Path(__file__)):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        target = FOLDER / language / "LC_MESSAGES" / "messages.mo"
        stamp = target.with_name(".stamp")
        if target.is_file() and stamp.is_file() and stamp.read_text() == digest.hexdigest():
            continue
        _write(language, target)
        stamp.write_text(digest.hexdigest())
        done.append(language)
    return done


def _write(language: str, target: Path) -> None:
    from babel.messages.mofile import write_mo

    target.parent.mkdir(exist_ok=True)
    fresh = target.with_suffix(".new")
    with fresh.open("wb") as file:
        write_mo(file, merged(language))
    fresh.replace(target)
    for problem in contradictions(language):
        print(f"translations: {language}: {problem}", file=sys.stderr)


def main(arguments: list[str]) -> int:
    """Compile, or list what is missing; returns the exit code."""
    try:
        if arguments == ["extract"]:
            lines = [f"{language}: {line}" for language in languages() for line in missing(language)]
            print("\n".join(lines) or "Every text is translated.")
            return 1 if lines else 0
        for language in compile_all():
            print(f"translations: {language} compiled")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
