"""What the pages of the published programme show: the weeks by today's date, found by phase and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from console.domain.programme.documents import Document
from console.domain.programme.week import phase_of
from console.services.programme.editions import Edition


@dataclass(frozen=True)
class PortalWeek:
    """A week of the published calendar. `state` is `past`, `running` or `coming` on the day that was asked for."""

    document: Document
    first: date
    last: date
    state: str

    @property
    def code(self) -> str:
        """Return the word of its addresses."""
        return str(self.document["code"])

    @property
    def label(self) -> str:
        """Return the week as people write it: `W02`."""
        return self.code.upper()

    @property
    def published(self) -> bool:
        """Whether the week has a page of its own."""
        return bool(self.document["layout"])


@dataclass(frozen=True)
class Calendar:
    """The weeks that were asked for, and how far the whole programme is."""

    weeks: tuple[PortalWeek, ...]
    all_weeks: tuple[PortalWeek, ...]

    @property
    def phases(self) -> Mapping[str, int]:
        """Return the phases in the order of the calendar, with the number of their weeks."""
        found: dict[str, int] = {}
        for week in self.all_weeks:
            found[week.document["phase"]] = found.get(week.document["phase"], 0) + 1
        return found

    @property
    def done(self) -> int:
        """Return how many weeks are over; Saturday and Sunday still belong to theirs."""
        return sum(week.state == "past" for week in self.all_weeks)

    @property
    def percent(self) -> int:
        """Return the share of weeks that are over, 0 to 100."""
        return round(self.done / len(self.all_weeks) * 100)

    @property
    def running(self) -> PortalWeek | None:
        """Return the week of the day that was asked for."""
        return next((week for week in self.all_weeks if week.state == "running"), None)


def calendar(found: Edition, today: date, language: str, *, phase: str = "", words: str = "") -> Calendar:
    """Return the weeks of a phase whose focus, owner or metric has the words; all of them when nothing is asked."""
    everything = tuple(_week(found, one, today) for one in found.weeks)
    wanted = words.strip().casefold()

    def fits(week: PortalWeek) -> bool:
        one = week.document
        said = (one["phase"], one["owner"], one["focus"][language], one["success_metric"][language], one["code"])
        return phase in ("", one["phase"]) and wanted in " ".join(said).casefold()

    return Calendar(tuple(week for week in everything if fits(week)), everything)


def _week(found: Edition, document: Document, today: date) -> PortalWeek:
    first, last = found.days(document["code"])
    return PortalWeek(document, first, last, phase_of(today, first))


def neighbours(found: Edition, code: str) -> tuple[str | None, str | None]:
    """Return the codes of the weeks before and after one that have a page."""
    codes = [one["code"] for one in found.with_pack]
    here = codes.index(code)
    return (codes[here - 1] if here else None, codes[here + 1] if here + 1 < len(codes) else None)
