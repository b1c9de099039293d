"""What somebody asks of a handover."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BriefAsked:
    """What a brief is about: how far it looks back and ahead (hours), and how many rows it lists at most."""

    site: str | None = None
    window_hours: int = 12
    due_soon_hours: int = 6
    max_items: int = 10
