"""Types and bounds of the weekly trackers (API contract, execution trackers)."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field, RootModel, field_validator

from console.domain.tracker.requests import ItemChange
from console.inputs.base import BodyModel, Instant, OutModel, PathModel, QueryModel, RowId, SiteFilter, SiteName
from console.inputs.tracker import ItemPath, KoreanText, StatusWord


class WeekPath(PathModel):
    """The code of a week."""

    week: str


class WeekItemPath(WeekPath, ItemPath):
    """The row id of an item of a week."""


class WeekEvidencePath(WeekPath):
    """The row id of a file of a week."""

    evidence_id: RowId


class BootstrapIn(BodyModel):
    """Begin a week at a site; `starts_on` is the Monday to count deadlines from."""

    site: SiteName
    starts_on: str | None = Field(None, pattern=r"^\d{4}-\d{2}-\d{2}$")

    @field_validator("starts_on")
    @classmethod
    def _a_day(cls, value: str | None) -> str | None:
        if value is not None:
            date.fromisoformat(value)
        return value

    def monday(self) -> date | None:
        """Return the day."""
        return date.fromisoformat(self.starts_on) if self.starts_on else None


class WeekSiteQuery(QueryModel):
    """One site."""

    site: SiteName


class WeekItemsQuery(QueryModel):
    """One slice of the items of a week, of all the caller's sites without `site`."""

    site: SiteFilter = None
    status: str | None = Field(None, max_length=40, description="pending, in_progress, done or blocked")
    item_type: str | None = Field(None, max_length=40)
    assignee: str | None = Field(None, max_length=120)
    limit: int = Field(200, ge=1, le=500)
    offset: int = Field(0, ge=0, le=1_000_000)

    def filters(self) -> dict[str, tuple[str, ...]]:
        """Return the filters as the list engine names them; the status word must be checked before."""
        words = {
            "site": self.site or "",
            "status": (self.status or "").strip().lower(),
            "item_type": (self.item_type or "").strip(),
            "assignee": (self.assignee or "").strip(),
        }
        return {key: (word,) for key, word in words.items() if word}


class WeekItemPatchIn(BodyModel):
    """Fields to change; absent or null leaves a field as it is, an empty assignee clears it."""

    assignee: str | None = Field(None, max_length=120)
    status: StatusWord | None = None
    completion_checked: bool | None = None
    completion_note: str | None = Field(None, max_length=4000)
    version: int | None = Field(None, ge=1, le=2**31 - 1)

    def change(self) -> ItemChange | None:
        """Return it as the service takes it, None when it changes nothing."""
        sent = self.model_dump(exclude={"version"}, exclude_none=True)
        return ItemChange(**sent) if sent else None


class WeekCompleteIn(BodyModel):
    """Close a week at a site; `force` does so in spite of blockers."""

    site: SiteName
    completion_note: str | None = Field(None, max_length=4000)
    force: bool = False


class WeekItemOut(OutModel):
    """An item of a week: the published fields, then what was added."""

    id: int
    site: str
    item_type: str
    item_key: str
    item_name: str
    assignee: str | None
    status: str
    completion_checked: bool
    completion_note: str
    due_at: Instant | None
    completed_at: Instant | None
    evidence_count: int
    created_by: str
    updated_by: str
    created_at: Instant
    updated_at: Instant
    item_id: str
    owner_role: str
    evidence_required: bool
    overdue: bool
    assignee_state: str
    version: int


class WeekItemList(RootModel[list[WeekItemOut]]):
    """A bare array of items."""


class ChangedWeekItemOut(WeekItemOut):
    """An item after a change.

    `adjusted`: a contradicting pair of status and check was put right; `completion_reopened`: the week was closed.
    """

    adjusted: bool
    completion_reopened: bool


class BootstrapOut(OutModel):
    """A week that was begun, with all its items at the site."""

    site: str
    created_count: int
    total_count: int
    items: list[WeekItemOut]
    refreshed_count: int
    completion_reopened: bool = Field(validation_alias="reopened_completion")


class WeekReadinessOut(OutModel):
    """Whether a week can be closed at a site; `blocker_codes` run beside the Korean `blockers`."""

    site: str
    checked_at: Instant
    total_items: int
    pending_count: int
    in_progress_count: int
    done_count: int
    blocked_count: int
    completion_rate_percent: int
    evidence_total_count: int
    missing_assignee_count: int
    missing_completion_checked_count: int
    missing_required_evidence_count: int
    readiness_score_percent: int
    ready: bool
    blockers: list[KoreanText]
    blocker_codes: list[str]


class WeekCompletionOut(OutModel):
    """Whether a week is closed at a site, and its readiness of now."""

    site: str
    status: str
    completion_note: str
    completed_by: str | None
    completed_at: Instant | None
    force_used: bool
    last_checked_at: Instant
    readiness: WeekReadinessOut
    completed_readiness: dict[str, Any]
    history_count: int


class NotReadyDetail(OutModel):
    """What stands in the way of closing a week."""

    message: str
    site: str
    ready: bool
    blockers: list[KoreanText]
    readiness: WeekReadinessOut


class NotReadyOut(OutModel):
    """Refusal to close a week (409)."""

    detail: NotReadyDetail
    code: str = "not_ready"


class PackageQuery(WeekSiteQuery):
    """What the package of a week is to hold; weekly figures exist for W07 only."""

    include_evidence: bool = True
    include_weekly: bool = True
    weekly_limit: int = Field(26, ge=1, le=104)
