"""What people read of a page: its words by language, without code and what programs alone read."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from sqlalchemy import MetaData, String, select
from werkzeug.test import TestResponse

HANGUL = re.compile(r"[가-힣ㄱ-ㅎ]+")
# A word of Latin letters; what is joined by signs is one word.
LATIN = re.compile(r"[A-Za-z](?:[\w@:/.%+-]*\w)?", re.ASCII)
# Codes, addresses, numbers of things and names of programs with their version; what is in capitals is a code as well.
CODE = re.compile(r"[^a-z]*|.*[\d@:/.].*|txt")
# The number of a plan is chance: its first half may be letters alone.
PLAN = re.compile(r"\b[0-9a-f]{4}·[0-9a-f]{4}\b")
# The beginning of a hash: its letters can look like a word.
HEX = re.compile(r"(?<![\w-])(?=[a-f]*[0-9])[0-9a-f]{8,}\b")
# A raw word of the API or a key: small letters joined by underscores.
RAW = re.compile(r"(?<![\w/.-])[a-z]+(?:_[a-z]+)+(?![\w/.-])")
HEADER = re.compile(r"Content-Transfer-Encoding|Plural-Forms|MIME-Version|Project-Id-Version")
SILENT = {"script", "style", "template", "code", "pre", "svg", "textarea"}
SAID = {"title", "aria-label", "placeholder", "alt", "data-label"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag in SILENT or dict(attrs).get("translate") == "no":
            self._silent.append(tag)
        if not self._silent:
            self.said += [value for name, value in attrs if name in SAID and value]

    def handle_endtag(self, tag):
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_data(self, data):
        if not self._silent and data.strip():
            self.said.append(" ".join(data.split()))


def read(text: str) -> list[str]:
    """Return what a page says: its texts and the attributes that are read out or shown."""
    reader = _Reader()
    reader.feed(text)
    return reader.said


def english(text: str) -> set[str]:
    """Return the words of a text that are neither Korean nor a code."""
    return {word for word in LATIN.findall(HEX.sub("", PLAN.sub("", text))) if not CODE.fullmatch(word)}


def foreign(text: str, stored: set[str]) -> set[str]:
    """Return the runs of Hangul in a text that nobody wrote; of names the first syllables stand for a picture."""
    known = stored | {one[:2] for one in stored} | {"한국어"}
    return set(HANGUL.findall(text)) - known


def stored_hangul(session) -> set[str]:
    """Return every run of Hangul that stands in the database: names, titles and notes of people."""
    found: set[str] = set()
    tables = MetaData()
    tables.reflect(session.get_bind())
    for table in tables.tables.values():
        columns = [column for column in table.c if isinstance(column.type, String) or "JSON" in str(column.type)]
        for row in session.execute(select(*columns)) if columns else ():
            for value in row:
                found.update(HANGUL.findall(str(value)))
    return found


def words_of(response: TestResponse) -> str:
    """Return the text of an answer without its tags, each gap as one blank."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.text))
