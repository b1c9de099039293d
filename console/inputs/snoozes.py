"""Types and bounds of snoozes, of work orders and of items alike."""

from __future__ import annotations

from pydantic import Field

from console.domain.alerts.snooze import REASON_MOST
from console.inputs.base import BodyModel, InstantIn


class SnoozeIn(BodyModel):
    """Until when nobody is to be reminded, seven days at most, and why."""

    until: InstantIn
    reason: str = Field(min_length=1, max_length=REASON_MOST)
