"""What is asked for when an inspection is stored or a template is made."""

from __future__ import annotations

from dataclasses import dataclass, field
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
class FindingOrder:
    """A work order that a point is to get in the same send; without a priority its verdict gives one.

    `code` is that of the point, or of a published measurement. `assignee` None leaves it to whoever takes it.
    """

    code: str
    priority: str | None = None
    title: str = ""
    assignee: str | None = None


@dataclass(frozen=True)
class NewInspection:
    """An inspection to be stored; instants are aware UTC. Texts are as they are stored.

    `signature` is what was drawn (`signature.is_drawing`), `orders` what findings are to become.
    """

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
    # Told apart in `said`: what was sent before there were these is still the same sending.
    signature: str = field(default="", repr=False)
    orders: tuple[FindingOrder, ...] = field(default=(), repr=False)
    # None: that of the template, if it has one.
    asset_id: int | None = field(default=None, repr=False)

    @property
    def said(self) -> str:
        """Return everything that was sent as one text: two sendings are the same when their texts are."""
        beside = (self.signature, self.orders)
        said = repr(self) if not any(beside) else f"{self!r}{beside!r}"
        return said if self.asset_id is None else f"{said}#{self.asset_id}"


@dataclass(frozen=True)
class NewTemplate:
    """A template to be made, or the next version of one: `site` None for all sites, which have no asset in common.

    `base_version` is the version that it was written over, 0 for a new one; None asks nothing.
    """

    code: str
    name: str
    location: str
    cycle: str
    points: tuple[Point, ...]
    site: str | None = None
    base_version: int | None = None
    asset_id: int | None = None
