"""Types and bounds of the remediation tracker (API contract, tracker endpoints and models)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from console.core.i18n import DEFAULT_LOCALE, text_in
from console.domain.ids import MAX_ID
from console.domain.text import Text
from console.domain.tracker.requests import BulkChange, ItemChange, NewItem, Selection
from console.inputs.base import BodyModel, Instant, InstantIn, OutModel, PathModel, QueryModel, RowId, SiteFilter

StatusWord = Literal["pending", "in_progress", "done", "blocked"]
RuleWord = Literal["fail", "warning"]
# Rows that somebody can choose one by one; more are chosen by their filters.
IDS_MOST = 1000


def _korean(value: Any) -> Any:
    # Published: the blockers are Korean texts, whoever asks.
    return text_in(DEFAULT_LOCALE, value) if isinstance(value, Text) else value


KoreanText = Annotated[str, BeforeValidator(_korean)]


class ItemPath(PathModel):
    """The row id of an item."""

    tracker_item_id: RowId


class SyncIn(BodyModel):
    """What a sync opens and refreshes; it closes only what passes."""

    include_warnings: bool = True
    max_items: int = Field(30, ge=1, le=200)


class SiteQuery(QueryModel):
    """One site; without it all that the caller may see."""

    site: SiteFilter = None


class ItemFilter(QueryModel):
    """Filters of the items, all optional and all of them together."""

    include_inactive: bool = False
    status: str | None = Field(None, max_length=40, description="pending, in_progress, done or blocked")
    site: SiteFilter = None
    assignee: str | None = Field(None, max_length=120)
    owner_role: str | None = Field(None, max_length=120)
    overdue: bool = False
    due_soon: bool = Field(False, description="open and due within 24 hours")
    unassigned: bool = False
    platform: bool = Field(False, description="only items that belong to no site")
    rule_status: RuleWord | None = None
    priority: int | None = Field(None, ge=0, le=99)
    q: str = Field("", max_length=200, description="words in number, texts, rule or assignee")

    def filters(self) -> dict[str, tuple[str, ...]]:
        """Return the filters as the list engine names them; the status word must be checked before."""
        words = {
            "state": "all" if self.include_inactive else "",
            "status": (self.status or "").strip().lower(),
            "site": self.site or "",
            "assignee": (self.assignee or "").strip(),
            "owner_role": (self.owner_role or "").strip(),
            "rule_status": self.rule_status or "",
            "priority": "" if self.priority is None else str(self.priority),
            "unassigned": "1" if self.unassigned else "",
            "platform": "1" if self.platform else "",
        }
        due = [word for word, wanted in (("overdue", self.overdue), ("due_soon", self.due_soon)) if wanted]
        return {key: (word,) for key, word in words.items() if word} | ({"due": tuple(due)} if due else {})


class ItemsQuery(ItemFilter):
    """One slice of the items; `X-Total-Count` says how many there are."""

    limit: int = Field(200, ge=1, le=500)
    offset: int = Field(0, ge=0, le=1_000_000)


class SliceQuery(QueryModel):
    """One slice of a history; `X-Total-Count` says how many entries there are."""

    limit: int = Field(200, ge=1, le=500)
    offset: int = Field(0, ge=0, le=1_000_000)


class SiteSliceQuery(SliceQuery, SiteQuery):
    """One slice of a history, of one site where the programme has sites."""


class ItemPatchIn(BodyModel):
    """Fields to change; absent or null leaves a field as it is. A new `due_at` needs a `reason`."""

    assignee: str | None = Field(None, max_length=120)
    status: StatusWord | None = None
    completion_checked: bool | None = None
    completion_note: str | None = Field(None, max_length=4000)
    due_at: InstantIn | None = None
    reason: str | None = Field(None, max_length=1000)
    version: int | None = Field(None, ge=1, le=2**31 - 1)

    def change(self) -> ItemChange:
        """Return it as the service takes it."""
        return ItemChange(**self.model_dump(exclude={"version"}, exclude_none=True))


class ItemIn(BodyModel):
    """An item added by hand; without `site` it belongs to the platform."""

    title: str = Field(min_length=1, max_length=300)
    action: str = Field("", max_length=4000)
    reason: str = Field("", max_length=4000)
    site: str | None = Field(None, min_length=1, max_length=120)
    owner_role: str = Field("Ops Manager", max_length=120)
    priority: int = Field(4, ge=1, le=9)
    required: bool = False
    sla_hours: int = Field(24, ge=1, le=8760)
    due_at: InstantIn | None = None
    assignee: str | None = Field(None, max_length=120)

    def new(self) -> NewItem:
        """Return it as the service takes it."""
        return NewItem(**self.model_dump())


class CommentIn(BodyModel):
    """Words for the history of an item."""

    text: str = Field(min_length=1, max_length=4000)


class CompleteIn(BodyModel):
    """Close the tracker; `force` does so in spite of blockers."""

    completion_note: str | None = Field(None, max_length=4000)
    force: bool = False


class UndoIn(BodyModel):
    """The key that came with a change."""

    token: str = Field(min_length=1, max_length=64)


class BulkIn(BodyModel):
    """One change for many: `ids`, or `everything` that the filters match."""

    action: Literal["assign", "status", "due", "close"]
    ids: list[Annotated[int, Field(ge=1, le=MAX_ID)]] = Field(default_factory=list, max_length=IDS_MOST)
    everything: bool = False
    filters: dict[str, list[Annotated[str, Field(max_length=200)]]] = Field(default_factory=dict, max_length=20)
    q: str = Field("", max_length=200)
    assignee: str = Field("", max_length=120)
    status: StatusWord | None = None
    due_at: InstantIn | None = None
    reason: str = Field("", max_length=1000)
    only_able: bool = Field(False, description="leave out items that the assignee could not work on")

    def selection(self) -> Selection:
        """Return which items are meant."""
        filters = {key: tuple(words) for key, words in self.filters.items()}
        return Selection(tuple(self.ids), self.everything, filters, self.q.strip())

    def change(self) -> BulkChange:
        """Return what is to happen to each."""
        return BulkChange(self.action, self.assignee, self.status or "", self.due_at, self.reason, self.only_able)


class BulkJobIn(BulkIn):
    """A bulk action for a worker: on the items of which tracker."""

    tracker: str = Field("remediation", max_length=40)


class BulkRequestIn(BulkIn):
    """A bulk action; `preview` only counts what it would do."""

    preview: bool = False


class ReadinessOut(OutModel):
    """Whether the tracker can be closed; `blocker_codes` run beside the Korean `blockers`."""

    generated_at: Instant
    total_items: int
    pending_count: int
    in_progress_count: int
    done_count: int
    blocked_count: int
    completion_rate_percent: int
    missing_assignee_count: int
    missing_completion_checked_count: int
    critical_open_count: int
    overdue_count: int
    readiness_score_percent: int
    ready: bool
    blockers: list[KoreanText]
    blocker_codes: list[str]
    never_synced: bool
    gate_decision: str | None
    last_synced_at: Instant | None
    missing_required_evidence_count: int


class CompletionOut(OutModel):
    """Whether the tracker is closed, and the readiness of now."""

    status: str
    completion_note: str
    completed_by: str | None
    completed_at: Instant | None
    force_used: bool
    last_checked_at: Instant
    readiness: ReadinessOut
    completed_readiness: dict[str, Any]
    history_count: int


def _spoken(values: Any) -> Any:
    # Sentences are stored so that people read them in their language; answers have them in English.
    return {key: str(Text(**one)) if _is_sentence(one) else one for key, one in values.items()}


def _is_sentence(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"msgid", "params"}


Facts = Annotated[dict[str, Any], BeforeValidator(_spoken)]
