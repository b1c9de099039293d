"""What is asked for when an inspection is stored or a template is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.domain.inspections.points import Answer, Point
from console.domain.inspections.readings import NO_READINGS, Readings


@dataclass(frozen=True)
class PointAnswer:
    """An answer with the words beside it and the instant (aware UTC) at which it was given, None for that of all."""

    answer: Answer
    note: str = ""
    measured_at: datetime | None = None


@dataclass(frozen=True)
class NewInspection:
    """An inspection to be stored; instants are aware UTC. Texts are as they are stored."""

    site: str
    location: str
    cycle: str
    inspector: str
    inspected_at: datetime
    readings: Readings = NO_READINGS
    notes: str = ""
    template_id: int | None = None
    answers: tuple[PointAnswer, ...] = ()
    started_at: datetime | None = None
    signed_by: str = ""
    round_key: str | None = None


@dataclass(frozen=True)
class NewTemplate:
    """A template to be made, or the next version of one: `site` None for all sites."""

    code: str
    name: str
    location: str
    cycle: str
    points: tuple[Point, ...]
    site: str | None = None
