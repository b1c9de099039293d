"""Kinds of values in addresses."""

from __future__ import annotations

from werkzeug.routing import BaseConverter, ValidationError

from console.domain.catalogue import WEEKS


class WeekConverter(BaseConverter):
    """The code of a week that has a tracker, such as `w02`; an address with any other word does not exist."""

    regex = r"w\d{2}"

    def to_python(self, value: str) -> str:
        """Give the code; raises ValidationError for a week that the catalogue does not have."""
        if value not in WEEKS:
            raise ValidationError
        return value


ALL = {"week": WeekConverter}
