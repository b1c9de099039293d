"""Types and bounds of work orders (API contract, work orders)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from console.domain.ids import MAX_ID
from console.domain.work_orders.requests import NewOrder, OrderChange
from console.inputs.base import (
    SITE_LIMIT,
    BodyModel,
    InstantIn,
    PathModel,
    QueryModel,
    RowId,
    SiteFilter,
    SiteName,
    WrittenBody,
)
from console.inputs.evidence import EvidenceForm

StatusWord = Literal["open", "acked", "completed", "canceled"]
PriorityWord = Literal["low", "medium", "high", "critical"]
TradeWord = Literal["electric", "mechanical", "fire", "elevator", "building", "other"]
PhaseWord = Literal["before", "after"]
HoldWord = Literal["contractor", "parts", "access", "weather", "approval"]
SourceWord = Literal["manual", "inspection", "plan", "request"]


class OrderPath(PathModel):
    """The row id of an order."""

    work_order_id: RowId


class OrdersQuery(QueryModel):
    """One slice of the orders, newest first; all filters are exact. `cursor` is X-Next-Cursor of the slice before."""

    status: StatusWord | None = None
    site: SiteFilter = None
    priority: PriorityWord | None = None
    assignee: str | None = Field(None, max_length=80)
    unassigned: bool | None = None
    trade: TradeWord | None = None
    source: SourceWord | None = None
    is_escalated: bool | None = None
    waiting: bool | None = None
    asset_id: int | None = Field(None, ge=1, le=MAX_ID)
    inspection_id: int | None = Field(None, ge=1, le=MAX_ID)
    due: Literal["late", "today", "24h", "7d"] | None = None
    created_from: InstantIn | None = None
    created_to: InstantIn | None = None
    limit: int = Field(20, ge=1, le=100)
    offset: int = Field(0, ge=0, le=2**31 - 1)
    cursor: str | None = Field(None, max_length=80)


class EventsQuery(QueryModel):
    """One slice of a history, oldest first."""

    limit: int = Field(100, ge=1, le=300)
    offset: int = Field(0, ge=0, le=2**31 - 1)


class OrderIn(WrittenBody):
    """A new order. Without `due_at` the SLA policy gives one; without `location` it is that of the asset."""

    title: str = Field(min_length=1, max_length=200)
    description: str = ""
    site: SiteName
    location: str = Field("", max_length=SITE_LIMIT)
    priority: PriorityWord = "medium"
    assignee: str | None = Field(None, max_length=80)
    reporter: str | None = Field(None, max_length=80)
    inspection_id: int | None = Field(None, ge=1, le=MAX_ID)
    due_at: InstantIn | None = None
    asset_id: int | None = Field(None, ge=1, le=MAX_ID)
    trade: TradeWord = "other"

    def new(self) -> NewOrder:
        """Return it as the service takes it."""
        source = "manual" if self.inspection_id is None else "inspection"
        return NewOrder(**self.model_dump(), source=source)


class AckIn(BodyModel):
    """Who begins; null keeps the assignee."""

    assignee: str | None = Field(None, max_length=80)


class CompletionIn(BodyModel):
    """What was done; empty keeps what is written already."""

    resolution_notes: str = ""


class ReasonIn(BodyModel):
    """Why."""

    reason: str = ""


class OrderCommentIn(BodyModel):
    """Words for the history of an order."""

    comment: str = Field(min_length=1, max_length=2000)


class OrderPatchIn(WrittenBody):
    """Fields to change; absent or null leaves a field as it is, `asset_id` 0 takes the asset away.

    A new priority or due date needs a `reason`.
    """

    title: str | None = Field(None, min_length=1, max_length=200)
    description: str | None = None
    location: str | None = Field(None, min_length=1, max_length=SITE_LIMIT)
    priority: PriorityWord | None = None
    assignee: str | None = Field(None, max_length=80)
    due_at: InstantIn | None = None
    trade: TradeWord | None = None
    asset_id: int | None = Field(None, ge=0, le=MAX_ID)
    reason: str = Field("", max_length=1000)
    version: int | None = Field(None, ge=1, le=2**31 - 1)

    def change(self) -> OrderChange:
        """Return it as the service takes it."""
        return OrderChange(**self.model_dump(exclude={"version"}))


class OrderEvidenceForm(EvidenceForm):
    """Multipart form of an upload to an order; without `phase` it shows the state after the work."""

    phase: PhaseWord = "after"


class HoldIn(BodyModel):
    """What the order waits for, and until when."""

    reason: HoldWord
    note: str = Field("", max_length=2000)
    until: InstantIn | None = None


class NoteIn(BodyModel):
    """Words beside a step."""

    note: str = Field("", max_length=2000)
