"""Types and bounds of SLA policies, proposals, what-if and escalation (API contract, SLA policies)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from console.domain.facility_sla.policy import HOURS, LEAST_HOURS, MOST_ANSWER, MOST_GRACE, MOST_HOURS, SlaPolicy
from console.domain.ids import MAX_ID
from console.inputs.base import BodyModel, Instant, OutModel, PathModel, QueryModel, RowId, SiteFilter, WrittenBody
from console.inputs.policies import PolicyModel

Hours = Annotated[int, Field(ge=LEAST_HOURS, le=MOST_HOURS)]
Minutes = Annotated[int, Field(ge=1, le=MOST_ANSWER)]
NOTE_MAX = 2000
LIMIT, SAMPLE = 3000, 200


class SlaPolicyModel(PolicyModel):
    """The stored fields of a policy, complete in every row; `ack_target_minutes_…` of 0 is no target."""

    due_hours_low: int = Field(HOURS["low"], ge=LEAST_HOURS, le=MOST_HOURS)
    due_hours_medium: int = Field(HOURS["medium"], ge=LEAST_HOURS, le=MOST_HOURS)
    due_hours_high: int = Field(HOURS["high"], ge=LEAST_HOURS, le=MOST_HOURS)
    due_hours_critical: int = Field(HOURS["critical"], ge=LEAST_HOURS, le=MOST_HOURS)
    escalation_grace_minutes: int = Field(0, ge=0, le=MOST_GRACE)
    pause_on_hold: bool = False
    ack_target_minutes_low: int = Field(0, ge=0, le=MOST_ANSWER)
    ack_target_minutes_medium: int = Field(0, ge=0, le=MOST_ANSWER)
    ack_target_minutes_high: int = Field(0, ge=0, le=MOST_ANSWER)
    ack_target_minutes_critical: int = Field(0, ge=0, le=MOST_ANSWER)


def _object(value: Any) -> Any:
    # Null is an object that says nothing.
    return {} if value is None else value


class DueHoursIn(WrittenBody):
    """Hours of each priority; what is missing is that priority's default."""

    low: Hours = HOURS["low"]
    medium: Hours = HOURS["medium"]
    high: Hours = HOURS["high"]
    critical: Hours = HOURS["critical"]


class AnswerTargetsIn(WrittenBody):
    """Minutes within which somebody should answer; null is no target."""

    low: Minutes | None = None
    medium: Minutes | None = None
    high: Minutes | None = None
    critical: Minutes | None = None


class SlaPolicyIn(WrittenBody):
    """A whole policy: what is left out takes its default, it is not kept."""

    default_due_hours: Annotated[DueHoursIn, BeforeValidator(_object)] = DueHoursIn()
    escalation_grace_minutes: int = Field(0, ge=0, le=MOST_GRACE)
    pause_on_hold: bool = False
    ack_target_minutes: Annotated[AnswerTargetsIn, BeforeValidator(_object)] = AnswerTargetsIn()

    def policy(self) -> SlaPolicy:
        """Return it as the rules know it."""
        targets = self.ack_target_minutes.model_dump()
        return SlaPolicy(
            self.default_due_hours.model_dump(),
            self.escalation_grace_minutes,
            self.pause_on_hold,
            {word: minutes for word, minutes in targets.items() if minutes},
        )


class SlaPutIn(SlaPolicyIn):
    """A whole policy, and why."""

    reason: str = Field("", max_length=NOTE_MAX)


class SiteQuery(QueryModel):
    """The policy of one site, or the default one."""

    site: SiteFilter = None


class _WhatIf(WrittenBody):
    site: SiteFilter = None
    policy: SlaPolicyIn
    include_work_order_ids: bool = True
    sample_size: int = Field(SAMPLE, ge=0, le=1000)
    recompute_due_from_policy: bool = False


class WhatIfIn(_WhatIf):
    """Which orders would escalate now under another policy."""

    limit: int = Field(LIMIT, ge=1, le=20_000)


class SlaProposalIn(_WhatIf):
    """A proposed policy; the what-if of this moment is stored with it."""

    note: str = Field("", max_length=NOTE_MAX)
    simulation_limit: int = Field(LIMIT, ge=1, le=20_000)


class SlaDecisionIn(BodyModel):
    """Words beside a decision."""

    note: str = Field("", max_length=NOTE_MAX)


class SlaProposalPath(PathModel):
    """A proposal by id."""

    proposal_id: RowId


class SlaRevisionPath(PathModel):
    """A revision by id."""

    revision_id: RowId


class SlaProposalsQuery(QueryModel):
    """Proposals, newest first."""

    site: SiteFilter = None
    status: Literal["pending", "approved", "rejected"] | None = None
    limit: int = Field(100, ge=1, le=300)
    offset: int = Field(0, ge=0, le=2**31 - 1)


class SlaRevisionsQuery(QueryModel):
    """Revisions, newest first."""

    site: SiteFilter = None
    source_action: Literal["manual_update", "proposal_approval", "revision_restore", "override_removal"] | None = None
    limit: int = Field(100, ge=1, le=500)
    offset: int = Field(0, ge=0, le=2**31 - 1)


class EscalationIn(WrittenBody):
    """One escalation run; `dry_run` only says what it would do."""

    site: SiteFilter = None
    dry_run: bool = False
    limit: int = Field(200, ge=1, le=2000)


class SlaEscalationOptions(BodyModel):
    """One escalation run of the schedule or the command line; without a site all of them."""

    site: SiteFilter = None
    limit: int = Field(500, ge=1, le=20_000)


class SlaReplayOptions(BodyModel):
    """Which proposal is replayed (none: the default policy in force), and over how many days until now."""

    proposal_id: int | None = Field(None, ge=1, le=MAX_ID)
    days: int = Field(90, ge=1, le=365)


class ChannelOut(OutModel):
    """One channel of an alert."""

    target: str
    success: bool
    error: str | None


class EscalationOut(OutModel):
    """What an escalation run did (API contract, SLA escalation batch); `run_id` and what follows are additions."""

    checked_at: Instant
    dry_run: bool
    site: str | None
    candidate_count: int
    escalated_count: int
    work_order_ids: list[int]
    alert_dispatched: bool
    alert_error: str | None
    alert_channels: list[ChannelOut]
    run_id: int
    status: Literal["success", "warning", "critical"]
