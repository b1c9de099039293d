"""What callers ask of work orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class NewOrder:
    """A new order; without `due_at` (aware UTC) the SLA policy gives one, without `location` the asset does."""

    title: str
    site: str
    location: str = ""
    description: str = ""
    priority: str = "medium"
    assignee: str | None = None
    reporter: str | None = None
    inspection_id: int | None = None
    due_at: datetime | None = None
    asset_id: int | None = None
    trade: str = "other"
    source: str = "manual"


@dataclass(frozen=True)
class OrderChange:
    """A change of an open order; None leaves a field as it is, "" takes the assignee away, 0 the asset.

    A new priority or due date (aware UTC) needs a reason.
    """

    title: str | None = None
    description: str | None = None
    location: str | None = None
    priority: str | None = None
    assignee: str | None = None
    due_at: datetime | None = None
    trade: str | None = None
    asset_id: int | None = None
    reason: str = ""
