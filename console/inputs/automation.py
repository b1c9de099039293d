"""Parameters and options of the remediation automation (API contract, endpoint table and jobs)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, RootModel

from console.inputs.base import AnyObject, BodyModel, PathModel, QueryModel, RowId, SiteFilter
from console.inputs.policies import REASON_MAX


def _clamped(least: int, most: int) -> BeforeValidator:
    """Pull a whole number into its bounds, as the published commands do; anything else is left to be refused."""

    def pull(value: Any) -> Any:
        try:
            return max(least, min(most, int(value))) if not isinstance(value, bool) and value is not None else value
        except (TypeError, ValueError, OverflowError):
            return value

    return BeforeValidator(pull)


def _notify(value: Any) -> Any:
    """Read the command's words: `auto` leaves it to the policy."""
    words = {"auto": None, "on": True, "off": False}
    return words.get(value.strip().lower(), value) if isinstance(value, str) else value


Hours = Annotated[Annotated[int, Field(ge=0, le=168)] | None, _clamped(0, 168)]
Days = Annotated[Annotated[int, Field(ge=1, le=180)] | None, _clamped(1, 180)]
Limit = Annotated[Annotated[int, Field(ge=1, le=500)] | None, _clamped(1, 500)]


class EscalationOptions(BodyModel):
    """One escalation; what is absent comes from the policy. 0 hours are overdue items only."""

    include_due_soon_hours: Hours = None
    notify: Annotated[bool | None, BeforeValidator(_notify)] = None


class AutoAssignOptions(BodyModel):
    """One assignment run; without a limit the policy decides."""

    limit: Limit = None


class KpiOptions(BodyModel):
    """One measurement; what is absent comes from the policy."""

    window_days: Days = None
    due_soon_hours: Hours = None


class AutopilotOptions(BodyModel):
    """One run; `fingerprint` is that of the plan which it must still be."""

    force: bool = False
    fingerprint: str | None = Field(None, min_length=64, max_length=64, pattern=r"^[0-9a-f]+$")


class SlaQuery(QueryModel):
    """What counts as due soon, and of which site."""

    due_soon_hours: int = Field(24, ge=0, le=168)
    site: SiteFilter = None


class EscalateQuery(QueryModel):
    """One escalation."""

    dry_run: bool = False
    include_due_soon_hours: int | None = Field(None, ge=0, le=168)
    notify: bool | None = None


class WorkloadQuery(QueryModel):
    """How many suggestions, and of which site."""

    include_inactive: bool = False
    max_suggestions: int = Field(20, ge=1, le=100)
    site: SiteFilter = None


class AutoAssignQuery(QueryModel):
    """One assignment run."""

    dry_run: bool = False
    limit: int | None = Field(None, ge=1, le=500)


class KpiQuery(QueryModel):
    """The window of the figures; absent values come from the policy."""

    window_days: int | None = Field(None, ge=1, le=180)
    due_soon_hours: int | None = Field(None, ge=0, le=168)
    site: SiteFilter = None


class AutopilotRunQuery(QueryModel):
    """One autopilot run; `fingerprint` makes it refuse with 409 when the plan is another one by now."""

    dry_run: bool = False
    force: bool = False
    fingerprint: str | None = Field(None, min_length=64, max_length=64, pattern=r"^[0-9a-f]+$")


class GuardQuery(QueryModel):
    """For which kind of run the guard is asked."""

    force: bool = False
    dry_run: bool = False


class HistoryQuery(QueryModel):
    """How many of the newest runs, after so many; `bom` adds the mark that Korean Excel needs to a download."""

    limit: int = Field(20, ge=1, le=100)
    offset: int = Field(0, ge=0, le=1_000_000)
    bom: bool = False


class SummaryQuery(QueryModel):
    """How many days back; `bom` as for the history."""

    days: int = Field(7, ge=1, le=90)
    bom: bool = False


class AnomaliesQuery(QueryModel):
    """How many days back; `bom` as for the history."""

    days: int = Field(14, ge=1, le=90)
    bom: bool = False


class PolicyIn(RootModel[AnyObject]):
    """Any part of the policy; what does not fit is converted, clamped or refused, and told in `warnings`."""


class PreviewIn(RootModel[AnyObject | None]):
    """`force`, `dry_run` and a partial `policy`, all optional."""


class ProposalIn(BodyModel):
    """A proposed change of the policy; with `shadow` it runs beside the live one until it is decided."""

    policy: dict[str, Any]
    reason: str = Field(min_length=1, max_length=REASON_MAX)
    shadow: bool = True


class DecisionIn(BodyModel):
    """What becomes of a proposal."""

    decision: Literal["approve", "reject", "withdraw"]
    note: str = Field("", max_length=REASON_MAX)


class ReasonIn(BodyModel):
    """Why the automation is stopped or let go."""

    reason: str = Field(min_length=1, max_length=REASON_MAX)


class ProposalPath(PathModel):
    """A proposal by id."""

    proposal_id: RowId


class RunPath(PathModel):
    """A run by id."""

    run_id: RowId
