"""What people and clients ask of the tracker, whatever door they come through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class ItemChange:
    """What is to change; None leaves a field as it is, an empty assignee or note clears it.

    A new due date needs a reason.
    """

    assignee: str | None = None
    status: str | None = None
    completion_checked: bool | None = None
    completion_note: str | None = None
    due_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True)
class NewItem:
    """An item added by hand; without `due_at` it is due `sla_hours` from now."""

    title: str
    action: str = ""
    reason: str = ""
    site: str | None = None
    owner_role: str = "Ops Manager"
    priority: int = 4
    required: bool = False
    sla_hours: int = 24
    due_at: datetime | None = None
    assignee: str | None = None


@dataclass(frozen=True)
class Selection:
    """Which items: those with `ids`, or, with `everything`, all that the filters and the search match."""

    ids: tuple[int, ...] = ()
    everything: bool = False
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    search: str = ""


@dataclass(frozen=True)
class BulkChange:
    """What to do with each: `assign`, `status`, `due` or `close`; only the fields of that action count.

    `only_able` leaves out the items that the assignee could not work on; the API takes any text otherwise.
    """

    action: str
    assignee: str = ""
    status: str = ""
    due_at: datetime | None = None
    reason: str = ""
    only_able: bool = False
