"""Kinds of values in addresses."""

from __future__ import annotations

from werkzeug.routing import BaseConverter, IntegerConverter, Map, ValidationError

from console.domain.ids import MAX_ID
from console.domain.programme.catalogue import WEEKS
from console.domain.programme.documents import PACKS


class WeekConverter(BaseConverter):
    """The code of a week that has a tracker, such as `w02`; an address with any other word does not exist."""

    regex = r"w\d{2}"

    def to_python(self, value: str) -> str:
        """Return the code; raises ValidationError for a week that the catalogue does not have."""
        if value not in WEEKS:
            raise ValidationError
        return value


class PackConverter(BaseConverter):
    """The code of a week that publishes something, such as `w05`; an address with any other word does not exist."""

    regex = r"w\d{2}"

    def to_python(self, value: str) -> str:
        """Return the code; raises ValidationError for a week without lists of its own."""
        if value not in PACKS or not PACKS[value]["layout"]:
            raise ValidationError
        return value


class RowConverter(IntegerConverter):
    """The id of a row; the address of a number that no row can have does not exist."""

    def __init__(self, url_map: Map) -> None:
        """Bound the number: no database takes a larger one."""
        super().__init__(url_map, max=MAX_ID)


ALL = {"week": WeekConverter, "pack": PackConverter, "int": RowConverter}
