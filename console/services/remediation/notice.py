"""The message about rules that got worse on a sync: a step of its own, told once (API contract, raised rules)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.core.context import Context
from console.core.i18n import DEFAULT_LOCALE, text_in
from console.domain.alerts.alerts import RULE_FAILS
from console.domain.alerts.wanted import NAMED_MOST as ALERT_ITEMS_MOST
from console.domain.tracker.tracker import REMEDIATION
from console.models.tracker import TrackerItem
from console.services.alerts import outbox as alerts
from console.services.alerts.addresses import item_address
from console.services.identity import names as people
from console.services.policies.automation import effective
from console.services.tracker import rows

# How many are looked through for the channels of some sites.
ITEMS_MOST = 1000
_NAMES = ("id", "item_id", "rule_id", "rule_status", "priority", "due_at", "assignee", "status", "owner_role", "reason")


def tell(ctx: Context, item_ids: Sequence[int], now: datetime) -> None:
    """Raise one alert about items whose rules fail now, in the transaction of the sync.

    As quiet as the escalation: not while the automation is stopped, nor with messages switched off. That nobody can be
    reached is no failure of the sync.
    """
    if not item_ids or not ctx.config["GOVERNANCE_REMEDIATION_ESCALATION_NOTIFY_ENABLED"]:
        return
    policy = effective(ctx).policy
    if policy.paused or not policy.notify_enabled:
        return
    order = (TrackerItem.priority, TrackerItem.due_at, TrackerItem.id)
    wanted = rows.base(REMEDIATION, ctx.actor).where(TrackerItem.id.in_(item_ids)).order_by(*order)
    found = rows.views(REMEDIATION, ctx.session.execute(wanted.limit(ITEMS_MOST)), now)
    names = people.names_of(ctx, [item.assignee for item in found])
    payload = {
        "event": RULE_FAILS,
        "job_name": "ops_governance_remediation_sync",
        "checked_at": now,
        "raised_count": len(item_ids),
        "items": [
            {
                **{name: getattr(item, name) for name in _NAMES},
                "title": text_in(DEFAULT_LOCALE, item.title),
                "assignee_name": names.get(item.assignee or "", item.assignee),
                "site": item.site,
                **item_address(ctx.config, item.id),
            }
            for item in found
        ],
    }
    alerts.raise_alert(ctx, RULE_FAILS, payload, most_lines=ALERT_ITEMS_MOST)
