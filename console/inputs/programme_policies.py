"""Types and bounds of the policies of the weeks W09 to W15 (API contract, policy APIs)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, RootModel, create_model

from console.domain.programme import kpi_policy
from console.domain.programme.repeats import REPEATS, RepeatNames
from console.inputs.base import AnyObject, QueryModel, SiteFilter
from console.inputs.policies import REASON_MAX, Entries, PolicyModel

_PERCENT: Any = {"ge": 0, "le": 100}
_TEXT = kpi_policy.TEXT_MOST
_TYPES: dict[str, Any] = {
    "direction": (Literal["higher_better", "lower_better"], {}),
    "green_threshold": (float, _PERCENT),
    "yellow_threshold": (float, _PERCENT),
}


def _kpi_schema() -> type[PolicyModel]:
    fields: dict[str, Any] = {"enabled": (bool, True)}
    for kpi in kpi_policy.KPIS:
        for part, default in kpi_policy.defaults(kpi).items():
            kind, bounds = _TYPES.get(part, (str, {"max_length": _TEXT}))
            fields[kpi_policy.field_of(kpi.key, part)] = (kind, Field(default, **bounds))
    rules = [dict(rule) for rule in kpi_policy.RULES]
    fields["escalation_map"] = (Annotated[list, Entries(kpi_policy.rules_of)], Field(rules))
    return create_model("KpiPolicyModel", __base__=PolicyModel, __doc__="The policy of W09.", **fields)


def _repeat_schema(names: RepeatNames) -> type[PolicyModel]:
    fields: dict[str, Any] = {"enabled": (bool, True)}
    fields |= {name: (float, Field(value, **_PERCENT)) for name, value in names.defaults().items()}
    made = f"{names.code.upper()}PolicyModel"
    return create_model(made, __base__=PolicyModel, __doc__=f"The policy of {names.code.upper()}.", **fields)


KPI_SCHEMA = _kpi_schema()
REPEAT_SCHEMAS = {code: _repeat_schema(names) for code, names in REPEATS.items()}


class WeekPolicyIn(RootModel[AnyObject]):
    """Any part of the policy. What lies outside its bounds or is unknown is told in `warnings`; no number is 422."""


class WeekPolicyQuery(QueryModel):
    """The policy of one site, or the global one."""

    site: SiteFilter = None


class WeekPolicyPut(WeekPolicyQuery):
    """The same, and why it is changed."""

    reason: str = Field("", max_length=REASON_MAX)
