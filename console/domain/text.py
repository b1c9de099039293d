"""Sentences for people that are decided below the web layer and translated where they are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Text:
    """An English sentence with its values, translatable by its message id.

    `str(text)` is the English sentence for API answers and logs; pages show `{{ text|tr }}`. A value may be a tuple of
    sentences, which are read one after another.
    """

    msgid: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.msgid % spoken(self.params, str) if self.params else self.msgid

    def as_dict(self) -> dict[str, Any]:
        """Return the form that is stored beside a message so that a later reader sees their own language."""
        params = {
            key: [text.as_dict() for text in value] if isinstance(value, tuple) else value
            for key, value in self.params.items()
        }
        return {"msgid": self.msgid, "params": params}


def spoken(params: Mapping[str, Any], say: Callable[[Any], str]) -> dict[str, Any]:
    """Return the values of a sentence, with sentences among them said by `say` and joined."""
    return {
        key: ", ".join(str(say(one)) for one in value) if isinstance(value, (tuple, list)) else value
        for key, value in params.items()
    }


def T(msgid: str, **params: Any) -> Text:
    """Mark `msgid` for translation and bind its values, written as `%(name)s` in the text."""
    return Text(msgid, params)


def N_(msgid: str) -> str:
    """Mark a constant text for translation without translating it yet."""
    return msgid
