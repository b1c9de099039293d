"""Inputs of what reaches people themselves: addresses, choices, names in channels."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from console.domain.alerts.quiet import DAY
from console.domain.ids import MAX_ID
from console.inputs.alert_channels import Kind, Level
from console.inputs.base import BodyModel, PathModel, RowId, SiteName

Minute = Annotated[int, Field(ge=0, lt=DAY)]
Weekday = Annotated[int, Field(ge=0, le=6)]


class AddressPath(PathModel):
    """One of the own addresses."""

    address_id: RowId


class AddressIn(BodyModel):
    """A new address of the caller; it is never answered again."""

    kind: Kind
    address: str = Field(min_length=3, max_length=2000)
    name: str = Field("", max_length=60)


class CodeIn(BodyModel):
    """The code that was sent to an address."""

    code: str = Field(min_length=1, max_length=20)


class AddressPauseIn(BodyModel):
    """Whether an address is paused, at the version that the caller saw."""

    paused: bool
    version: int = Field(ge=1, le=MAX_ID)


class ChoicesIn(BodyModel):
    """All that the caller chooses, at the version that they saw (0: nothing was chosen yet).

    No site is all of one's own. Quiet hours are minutes after midnight in `zone`, on the days on which they begin
    (0 is Monday); null is none.
    """

    event_types: list[Annotated[str, Field(max_length=80)]] = Field(max_length=50)
    least_level: Level = "info"
    sites: list[SiteName] = Field(default_factory=list, max_length=200)
    only_mine: bool = True
    quiet_start: Minute | None = None
    quiet_end: Minute | None = None
    quiet_days: list[Weekday] = Field(default_factory=lambda: list(range(7)), max_length=7)
    zone: str = Field("", max_length=64)
    critical_passes: bool = True
    version: int = Field(ge=0, le=MAX_ID)


class ChannelNameIn(BodyModel):
    """What the caller is called in a channel; an empty name is taken away."""

    channel: str = Field(min_length=1, max_length=40)
    name: str = Field("", max_length=120)
