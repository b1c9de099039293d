"""Questions about the published programme and its answers (API contract, public API)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from console.inputs.base import AnyObject, BodyModel, Instant, OutModel, PathModel, QueryModel, SiteFilter


class PackPath(PathModel):
    """The code of a week that has a pack."""

    week: str


class ExtraPath(PackPath):
    """A list of a week that has an address of its own."""

    word: str


class SamplePath(PackPath):
    """The id of a sample file, in any case."""

    sample_id: str


class LanguageQuery(QueryModel):
    """The language of the texts; the published one is English."""

    lang: Literal["en", "ko"] = "en"


class MistakesQuery(LanguageQuery):
    """Published parameters; without sign-in no figures of a site are told."""

    site: SiteFilter = None
    days: int = Field(30, ge=1, le=90)


class TimelineOut(OutModel):
    """When a week is, and what it is about."""

    week: int
    start_date: str
    end_date: str
    phase: str
    focus: str
    owner: str
    success_metric: str


class EventOut(OutModel):
    """A scheduled event."""

    id: str
    date: str
    start_time: str
    end_time: str
    title: str
    owner: str
    output: str


class PackOut(OutModel):
    """A week; its lists depend on the week."""

    model_config = ConfigDict(from_attributes=True, extra="allow")

    title: str
    public: bool
    timeline: TimelineOut
    scheduled_events: list[EventOut]
    downloads: dict[str, str]


class PlanTimelineOut(OutModel):
    """From when to when the programme runs."""

    start_date: str
    end_date: str
    duration_weeks: int


class PlanOut(OutModel):
    """A whole plan with all its parts."""

    model_config = ConfigDict(from_attributes=True, extra="allow")

    title: str
    published_on: str
    public: bool
    timeline: PlanTimelineOut


class ListOut(OutModel):
    """One list of the programme with its title."""

    model_config = ConfigDict(from_attributes=True, extra="allow")

    title: str
    public: bool


class MistakesOut(OutModel):
    """Common mistakes; `observed_count` and `top_blockers` tell nothing of a site to those who did not sign in."""

    title: str
    public: bool
    generated_at: Instant
    site: str | None
    window_days: int
    items: list[dict[str, Any]]
    top_blockers: list[dict[str, Any]]


class PackStoreIn(BodyModel):
    """The whole document of a week; the version comes in `If-Match`."""

    document: AnyObject
    reason: str = Field("", max_length=500)


class PackViewOut(OutModel):
    """The document of a week as it counts now."""

    code: str
    source: Literal["built_in", "stored"]
    revision: int
    updated_at: Instant
    updated_by: str
    document: dict[str, Any]
