"""The weeks that have a tracker. One more entry here is one more week: routes, pages, permissions follow from it."""

from __future__ import annotations

from console.domain.programme import catalogue_early, catalogue_late
from console.domain.programme.week import Week

# Insertion order is the order of the pages.
WEEKS: dict[str, Week] = {week.code: week for week in (*catalogue_early.WEEKS, *catalogue_late.WEEKS)}
# The weeks that have figures and nothing to do.
FIGURES: dict[str, Week] = {week.code: week for week in catalogue_early.FIGURES}


def calendar() -> dict[str, Week]:
    """Return all weeks in the order of the calendar."""
    both = WEEKS | FIGURES
    return {code: both[code] for code in sorted(both)}


def reads() -> tuple[str, ...]:
    """Return the permissions that show a week, one for each."""
    return tuple(permission for week in WEEKS.values() for permission in week.programme.read)
