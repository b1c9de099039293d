"""Which orders escalate at one moment, as conditions for the database: the rule of the contract, once for all readers.

An order escalates when it is open, not escalated yet, and its due date is more than the grace of its site ago; where
the policy pauses the clock, what waits does not.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, false, literal_column, not_, or_, true

from console.domain.facility_sla.policy import PRIORITIES, SlaPolicy
from console.domain.work_orders.words import CLOSED_STATUSES
from console.models.work_orders import WorkOrder
from console.services.facility_sla.policies import Policies

# Literals, not parameters: a partial index is used only where the database can prove its condition.
OPEN = WorkOrder.status.not_in([literal_column(f"'{word}'") for word in CLOSED_STATUSES])


def late(policies: Policies, now: datetime, columns: Any = WorkOrder) -> ColumnElement[bool]:
    """Return the condition that an order's due date is more than the grace of its site ago, at `now` (aware UTC)."""
    return _by_site(policies, columns, lambda policy: _past(policy, columns.due_at, now, columns))


def late_from_creation(policy: SlaPolicy, now: datetime, columns: Any) -> ColumnElement[bool]:
    """Return the condition that an order would be late if its due date followed from its creation and `policy`."""
    by_priority = [
        and_(
            columns.priority == word,
            columns.created_at < now - policy.grace - timedelta(hours=policy.default_due_hours[word]),
        )
        for word in PRIORITIES
    ]
    found = or_(*by_priority)
    return and_(found, columns.waiting_reason.is_(None)) if policy.pause_on_hold else found


def past(policy: SlaPolicy, now: datetime, columns: Any) -> ColumnElement[bool]:
    """Return the condition that an order's due date is more than the grace of one policy ago."""
    return _past(policy, columns.due_at, now, columns)


def _past(policy: SlaPolicy, due: Any, now: datetime, columns: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = due < now - policy.grace
    return and_(found, columns.waiting_reason.is_(None)) if policy.pause_on_hold else found


def _by_site(policies: Policies, columns: Any, condition: Any) -> ColumnElement[bool]:
    """Return a condition that depends on the policy of the site; sites whose policies judge alike share one branch."""
    alike: dict[tuple[int, bool], list[str]] = defaultdict(list)
    judged: dict[tuple[int, bool], SlaPolicy] = {}
    for site, force in policies.sites.items():
        key = (force.policy.escalation_grace_minutes, force.policy.pause_on_hold)
        alike[key].append(site)
        judged[key] = force.policy
    own = columns.site.in_(list(policies.sites)) if policies.sites else false()
    rest = and_(not_(own) if policies.sites else true(), condition(policies.default.policy))
    return or_(rest, *(and_(columns.site.in_(names), condition(judged[key])) for key, names in alike.items()))
