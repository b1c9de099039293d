"""One thing, one word: every text keeps to `docs/GLOSSARY.md` and to its rules for writers."""

from __future__ import annotations

import re

import pytest

from console.domain.programme import catalogue, documents
from console.domain.remediation.plan import REMEDIES
from console.domain.runbook.runbook import registered
from console.services.runbook import runbook
from console.ui.labels.common import OWNER_ROLES
from tools import translations
from tools.structure import ROOT

GLOSSARY = (ROOT / "docs" / "GLOSSARY.md").read_text("utf-8")
# What a rule forbids: a pattern of Korean, and a text that it finds.
RULES = {
    "requests end in -해 주십시오": (r"(?<!주)(?<!보)십시오|세요", "파일을 선택하십시오"),
    "questions end in -할까요": (r"니까\?|시겠습니까", "배정을 되돌립니까?"),
    "no space before a bracket": (r"\S \((?!%)", "매일 09:45 (서울)"),
    "no particle that depends on the last sound": (
        r"%\(\w+\)s[”’\"]?(?:이|가|은|는|을|를|과|와|으로|로)(?![가-힣])|\((?:를|가|는|이|은)\)",
        "%(name)s을(를) 삭제할까요?",
    ),
    "ranges with ~": (r"%\(\w+\)s[–-]%\(\w+\)s", "%(first)s–%(last)s"),
    "digits for numbers": (r"이레|사흘|분의 [0-9일]|열 명 중|다섯 중", "5분의 1 감소"),
    "words as they are spelled": (r"그 사이|(?<![가-힣])더는 |바꾸었", "그 사이에 바뀌었습니다"),
}


def tables(heading: str) -> list[list[str]]:
    """Return the rows of the table under a heading."""
    part = GLOSSARY.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


TERMS = tables("Terms")
ROLES: dict[str, str] = {row[0]: row[1] for row in tables("Roles of work")}
CATALOGUE = translations.merged("ko")


def strings(text) -> list[str]:
    """Return a text, or its singular and plural."""
    return [text or ""] if text is None or isinstance(text, str) else list(text)


def listed(cell: str) -> list[str]:
    return [word.strip() for word in cell.split(", ") if word.strip()]


def without(text: str, terms: list[str]) -> str:
    """Return a text without some terms."""
    for term in terms:
        text = text.replace(term, "")
    return text


def korean() -> list[str]:
    """Return every Korean text, those of the programme's documents among them."""
    said = [one for message in CATALOGUE if message.id for one in strings(message.string)]
    return [*said, *(text["ko"] for text in written())]


def written():
    """Return every text of the documents of the programme, in both languages."""
    return [
        text for one in (*documents.PACKS.values(), documents.PLAN, documents.POST_MVP) for text in documents.texts(one)
    ]


def english() -> set[str]:
    """Return every English text that the sources say."""
    said = {one for found in translations.texts() for one in strings(found.msgid)}
    return said | {text["en"] for text in written()}


def test_a_text_that_is_a_term_is_translated_by_it():
    wrong = []
    for terms, words, *_rest in TERMS:
        pairs = [(terms, words)] if terms in CATALOGUE else zip(listed(terms), listed(words), strict=True)
        for term, word in pairs:
            message = CATALOGUE.get(term)
            if message is not None and strings(message.string)[0] != word:
                wrong.append(f"{term}: {message.string} instead of {word}")

    assert wrong == []


def test_words_that_the_glossary_replaced_are_gone():
    said, unsaid = korean(), english()
    korean_words = [word for *_rest, words in TERMS for word in listed(words)]
    # A word that was replaced may live on inside another term.
    kept = {word: [term for row in TERMS for term in listed(row[1]) if word in term] for word in korean_words}
    english_words = [(word, re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")) for row in TERMS for word in listed(row[2])]

    assert len(korean_words) > 40
    wrong = [(word, text) for word in korean_words for text in said if word in without(text, kept[word])]
    assert wrong == []
    assert [f"{word}: {text}" for word, found in english_words for text in unsaid if found.search(text)] == []


@pytest.mark.parametrize("rule", RULES)
def test_texts_keep_the_rules_for_writers(rule):
    pattern, wrong = RULES[rule]

    assert re.search(pattern, wrong)
    assert [text for text in korean() if re.search(pattern, text)] == []


def _owners(lists):
    """Return whom the entries of a week name as their owners."""
    names = ("owner", "owner_role", "trainer", "host", "escalate_to", "champion_role")
    return [row[name] for rows in lists.values() for row in rows for name in names if name in row]


def test_every_role_of_work_has_its_name():
    weeks = catalogue.WEEKS.values()
    used = {
        *(remedy.owner_role for remedy in REMEDIES.values()),
        *(check.owner_role for check in registered()),
        *(one.entry.owner for week in weeks for one in week.entries),
        *(week.owner for week in weeks),
        *(one["owner"] for one in documents.PACKS.values()),
        *(role for one in documents.PACKS.values() for role in _owners(one["lists"])),
    }

    assert runbook.needed_facts()  # the services bring the checks
    assert {one for role in used for one in role.split(" + ")} <= set(OWNER_ROLES)
    assert set(OWNER_ROLES) == set(ROLES)
    assert {role: CATALOGUE[role].string for role in ROLES} == ROLES
