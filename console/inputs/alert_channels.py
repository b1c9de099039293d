"""Inputs and answers of the alert channels: figures, guard, objective, retention (API contract, alerts)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, RootModel

from console.domain.ids import MAX_ID
from console.inputs.base import AnyObject, BodyModel, Instant, OutModel, PathModel, QueryModel, SiteName

LEAST = 3
EventType = Annotated[str | None, Field(max_length=80)]


def _named(target: str) -> str:
    # Published: blank is answered in words (400), too short a name as a value out of bounds.
    if 0 < len(target) < LEAST:
        raise ValueError(f"must have at least {LEAST} characters")
    return target


class EventTypeQuery(QueryModel):
    """One event type, or all of them."""

    event_type: EventType = None


class GuardQuery(EventTypeQuery):
    """How far back deliveries are counted, and how many channels are returned."""

    lookback_days: int = Field(30, ge=1, le=90)
    max_targets: int = Field(100, ge=1, le=200)


class RecoverQuery(EventTypeQuery):
    """Which channel is tried: its key, its address, or its masked address if only one has it."""

    target: Annotated[str, AfterValidator(_named)] = Field(max_length=400)
    note: str = Field("", max_length=300)


class RecoverBatchQuery(EventTypeQuery):
    """Which channels are tried and how many of them at most."""

    state: Literal["quarantined", "warning", "all"] = "quarantined"
    max_targets: int | None = Field(None, ge=1, le=500)
    dry_run: bool = False


class SloCheckQuery(EventTypeQuery):
    """Whether people are told although they were told lately."""

    force_notify: bool = False


class RetentionQuery(QueryModel):
    """How old deliveries may get; what is absent comes from the settings."""

    retention_days: int | None = Field(None, ge=1, le=3650)
    max_delete: int | None = Field(None, ge=1, le=50_000)
    dry_run: bool = False
    write_archive: bool | None = None


Kind = Literal["webhook", "slack", "teams", "mail"]
Level = Literal["info", "warning", "critical"]


class ChannelPath(PathModel):
    """A channel by its key."""

    key: str = Field(max_length=40)


class ChannelIn(BodyModel):
    """A new channel; empty lists are no limit."""

    name: str = Field(min_length=1, max_length=80)
    kind: Kind
    address: str = Field(min_length=3, max_length=2000)
    event_types: list[Annotated[str, Field(max_length=80)]] = Field(default_factory=list, max_length=50)
    least_level: Level = "info"
    sites: list[SiteName] = Field(default_factory=list, max_length=200)


class ChannelChangeIn(BodyModel):
    """All of a channel as it shall be, at the version that the caller saw; without an address the stored one stays."""

    name: str = Field(min_length=1, max_length=80)
    kind: Kind
    address: str = Field("", max_length=2000)
    event_types: list[Annotated[str, Field(max_length=80)]] = Field(default_factory=list, max_length=50)
    least_level: Level = "info"
    sites: list[SiteName] = Field(default_factory=list, max_length=200)
    version: int = Field(ge=1, le=MAX_ID)


class ChannelPauseIn(BodyModel):
    """Whether a channel is paused, and why, at the version that the caller saw."""

    paused: bool
    reason: str = Field("", max_length=500)
    version: int = Field(ge=1, le=MAX_ID)


class SloPolicyIn(RootModel[AnyObject]):
    """Any part of the policy; what does not fit is converted, clamped or refused, and told in `warnings`."""


# A run and the newest one differ in the order of their fields: each answers in that of the contract.
class SloWindowOut(OutModel):
    """The incidents that were judged; minutes are null where there is nothing to tell."""

    days: int
    incident_count: int
    recovered_incidents: int
    unresolved_incidents: int
    mttr_minutes: float | None
    oldest_open_minutes: float | None
    mean_with_open_minutes: float | None


class SloRunOut(OutModel):
    """A check of the objective (API contract, MTTR SLO check)."""

    run_id: int
    checked_at: Instant
    status: str
    event_type: str | None
    policy_key: str
    policy_updated_at: Instant
    policy: dict[str, Any]
    window: SloWindowOut
    breach: bool
    top_channels: list[dict[str, Any]]
    actions: dict[str, Any]
    breach_reason: Literal["mttr", "open", "outage"] | None
    job_name: str
    trigger: str
    started_at: Instant
    finished_at: Instant


class SloLatestOut(OutModel):
    """The newest check (API contract, MTTR SLO check)."""

    run_id: int
    job_name: str
    trigger: str
    status: str
    started_at: Instant
    finished_at: Instant
    event_type: str | None
    policy_key: str
    policy_updated_at: Instant
    policy: dict[str, Any]
    window: SloWindowOut
    breach: bool
    top_channels: list[dict[str, Any]]
    actions: dict[str, Any]
    breach_reason: Literal["mttr", "open", "outage"] | None
    checked_at: Instant


class RecoverBatchOut(OutModel):
    """What a recovery did (API contract, guard recovery)."""

    run_id: int
    checked_at: Instant
    status: str
    event_type: str | None
    state_filter: str
    max_targets: int
    dry_run: bool
    selected_target_count: int
    processed_count: int
    success_count: int
    warning_count: int
    failed_count: int
    skipped_count: int
    results: list[dict[str, Any]]
    job_name: str
    trigger: str
    started_at: Instant
    finished_at: Instant


class RecoverLatestOut(OutModel):
    """The newest recovery (API contract, guard recovery)."""

    run_id: int
    job_name: str
    trigger: str
    status: str
    started_at: Instant
    finished_at: Instant
    event_type: str | None
    state_filter: str
    max_targets: int
    dry_run: bool
    selected_target_count: int
    processed_count: int
    success_count: int
    warning_count: int
    failed_count: int
    skipped_count: int
    results: list[dict[str, Any]]


class RetentionOut(OutModel):
    """What a run of the retention did (API contract, retention)."""

    run_id: int
    checked_at: Instant
    status: str
    retention_days: int
    max_delete: int
    dry_run: bool
    write_archive: bool
    cutoff: Instant
    candidate_count: int
    deleted_count: int
    archive_file: str | None
    archive_error: str | None
    job_name: str
    trigger: str
    started_at: Instant
    finished_at: Instant


class RetentionLatestOut(OutModel):
    """The newest run of the retention (API contract, retention)."""

    run_id: int
    job_name: str
    trigger: str
    status: str
    started_at: Instant
    finished_at: Instant
    retention_days: int
    max_delete: int
    dry_run: bool
    write_archive: bool
    cutoff: Instant
    candidate_count: int
    deleted_count: int
    archive_file: str | None
    archive_error: str | None
