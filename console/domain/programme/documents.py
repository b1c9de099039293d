"""The documents of the programme: one for each week, beside them the plan around the weeks and what follows after them.

They are content, not code: JSON files in `packs/`, every text in English and Korean. What may stand in them is said in
`console/inputs/pack_documents.py`; which lists a week has and how its files are written in `layouts.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Document = Mapping[str, Any]
FOLDER = Path(__file__).parent / "packs"
LANGUAGES = ("en", "ko")
_WORDS = frozenset(LANGUAGES)


def load(path: Path) -> dict[str, Any]:
    """Return one document; raises ValueError with its name when it is no JSON object."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path.name}: must be an object")
    return found


# One more file here is one more week: calendar, addresses, files, tracker and permissions follow from it.
PACKS: dict[str, Document] = {path.stem: load(path) for path in sorted(FOLDER.glob("w[0-9][0-9].json"))}
PLAN: Document = load(FOLDER / "plan.json")
POST_MVP: Document = load(FOLDER / "post_mvp.json")


def is_words(value: object) -> bool:
    """Return whether a value is one text in both languages."""
    return isinstance(value, Mapping) and value.keys() == _WORDS


def said(value: Any, language: str) -> Any:
    """Return a part of a document with every text in one language; everything else stays as it is."""
    if isinstance(value, Mapping):
        if is_words(value):
            return value[language]
        return {key: said(one, language) for key, one in value.items()}
    return [said(one, language) for one in value] if isinstance(value, (list, tuple)) else value


def texts(value: Any) -> Iterator[Mapping[str, str]]:
    """Return every text of a part of a document, in both languages."""
    if isinstance(value, Mapping):
        if is_words(value):
            yield value
        else:
            for one in value.values():
                yield from texts(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from texts(one)
