"""Sentences for people that are decided below the web layer and translated where they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Text:
    """An English sentence with its values, translatable by its message id.

    `str(text)` is the English sentence for API answers and logs; pages show `{{ text|tr }}`.
    """

    msgid: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.msgid % dict(self.params) if self.params else self.msgid

    def as_dict(self) -> dict[str, Any]:
        """Give the form that is stored beside a message so that a later reader sees their own language."""
        return {"msgid": self.msgid, "params": dict(self.params)}


def T(msgid: str, **params: Any) -> Text:
    """Mark `msgid` for translation and bind its values, written as `%(name)s` in the text."""
    return Text(msgid, params)


def N_(msgid: str) -> str:
    """Mark a constant text for translation without translating it yet."""
    return msgid
