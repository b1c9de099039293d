"""The door of all texts that come by address or form: they are made as they are stored before anybody reads them."""

from __future__ import annotations

import re
from typing import Any, cast

from flask import request
from htmx_flask.requests import HtmxAwareRequest
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.utils import cached_property

from console.domain.entered import UnwritableError, entered, is_secret, writable
from console.domain.errors import Invalid
from console.domain.text import T

Fields = MultiDict[str, str]
FORM = "application/x-www-form-urlencoded"
FORMS = (FORM, "multipart/form-data")
NOT_ASCII = re.compile(rb"[\x80-\xff]")
# Half of a surrogate pair as UTF-8 would write it; the parser does not tell it from text that is spelt like this.
HALF_PAIR = re.compile(rb"%ED%[AB]", re.IGNORECASE)
MOST_BLAMED = 20


class EnteredRequest(HtmxAwareRequest):
    """A request whose `args` and `form` hold texts as `entered` makes them.

    Where that is refused they hold the rest of the text, so that the error page can read them; the guard calls
    `refuse_unwritable` before the view.
    """

    query_string: bytes

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # An address whose sender did not escape its letters.
        self.query_string = NOT_ASCII.sub(lambda found: b"%%%02X" % found[0][0], self.query_string)
        self._refused: dict[str, set[str]] = {"query": set(), "body": set()}

    @cached_property
    def args(self) -> Fields:
        """Return the parameters of the address."""
        if HALF_PAIR.search(self.query_string):
            self._refused["query"].add("")
        return self._taken("query", super().args)

    def _load_form_data(self) -> None:
        if "form" in self.__dict__:
            return
        if self.mimetype == FORM and HALF_PAIR.search(self.get_data(cache=True)):
            self._refused["body"].add("")
        super()._load_form_data()
        self.__dict__["form"] = self._taken("body", self.__dict__["form"])

    def _taken(self, where: str, sent: Fields) -> Fields:
        pairs = []
        for name, text in sent.items(multi=True):
            try:
                pairs.append((entered(name), entered(text, exactly=is_secret(name))))
            except UnwritableError:
                plain = writable(name)
                self._refused[where].add(plain)
                pairs.append((plain, writable(text)))
        return ImmutableMultiDict(pairs)

    @property
    def unwritable(self) -> list[tuple[str, str]]:
        """Return where and in which fields characters were sent that no database can store."""
        found = [("path", name) for name, value in (self.view_args or {}).items() if _broken(value)]
        fields = [("query", self.args)]
        if self.mimetype in FORMS:
            fields.append(("body", self.form))
        for where, _read in fields:
            found += [(where, name) for name in sorted(self._refused[where])]
        return found


def refuse_unwritable() -> None:
    """Raise Invalid when the address or the form of this request holds characters that no database can store."""
    found = cast("EnteredRequest", request).unwritable
    if found:
        message = T("The request contains characters that no text has")
        blamed = [{"type": "value_error", "loc": [where, name[:200]], "msg": message} for where, name in found]
        raise Invalid(blamed[:MOST_BLAMED])


def _broken(value: Any) -> bool:
    return isinstance(value, str) and writable(value) != value
