"""Types and bounds of the completion rules of work orders."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import create_model

from console.domain.work_orders.completion import ENFORCED, NEVER, fields
from console.inputs.base import BodyModel, QueryModel, SiteFilter
from console.inputs.policies import PolicyModel

Threshold = Literal["never", "critical", "high", "medium", "low"]
_FIELDS: dict[str, Any] = {ENFORCED: (bool, False), **dict.fromkeys(fields(), (Threshold, NEVER))}
# One field for each demand and trade: from which priority on it holds.
CompletionRulesModel: type[PolicyModel] = create_model("CompletionRulesModel", __base__=PolicyModel, **_FIELDS)


class RulesQuery(QueryModel):
    """The rules of a site, or those of all sites that have none of their own."""

    site: SiteFilter = None


# Fields to change, any of them.
RulesIn: type[BodyModel] = create_model("RulesIn", __base__=BodyModel, **_FIELDS)
