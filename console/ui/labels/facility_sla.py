"""The words of SLA policies as people read them: values, differences, where a revision comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from console.domain.facility_sla.policy import SlaPolicy, as_values
from console.domain.text import N_
from console.services.facility_sla.policies import APPROVAL, MANUAL_UPDATE, REMOVAL, RESTORE
from console.services.work_orders.lists import PRIORITY_LABELS

ACTIONS: Mapping[str, str] = {
    MANUAL_UPDATE: N_("changed it"),
    APPROVAL: N_("approved a proposal"),
    RESTORE: N_("restored an earlier one"),
    REMOVAL: N_("took it away"),
}


@dataclass(frozen=True)
class Difference:
    """One value of a policy before and after; `difference` is None where it stays."""

    label: str
    before: str
    after: str
    difference: str | None


def sla_action(word: str) -> str:
    """Return where a revision comes from."""
    return _(ACTIONS.get(word, word))


def sla_values(found: Any) -> list[tuple[str, str]]:
    """Return the values of a policy with their labels; targets that nobody set are left out."""
    values = as_values(found.policy)
    return [(_label(name), _value(name, value)) for name, value in values.items() if value or not _optional(name)]


def sla_difference(proposal: Any) -> list[Difference]:
    """Return the values of a proposal beside those upon which it was made."""
    return differences(proposal.base, proposal.proposed)


def differences(base: SlaPolicy, proposed: SlaPolicy) -> list[Difference]:
    """Return all values of two policies; targets and pauses that neither has are left out."""
    old, new = as_values(base), as_values(proposed)
    return [
        Difference(_label(name), _value(name, old[name]), _value(name, new[name]), _moved(name, old[name], new[name]))
        for name in new
        if old[name] or new[name] or not _optional(name)
    ]


def replay_days(days: int) -> tuple[int, str]:
    """Return a period of a replay as a choice."""
    return days, ngettext("the last %(num)s day", "the last %(num)s days", days)


def _optional(name: str) -> bool:
    return name == "pause_on_hold" or name.startswith("ack_target")


def _label(name: str) -> str:
    if name == "escalation_grace_minutes":
        return _("Grace")
    if name == "pause_on_hold":
        return _("Pause while waiting")
    priority = _(PRIORITY_LABELS[name.rpartition("_")[2]])
    return _("%(priority)s: answer", priority=priority) if name.startswith("ack_target") else priority


def _value(name: str, value: Any) -> str:
    if name == "pause_on_hold":
        return _("Yes") if value else _("No")
    if name.startswith("ack_target") and not value:
        return _("none")
    if name.startswith("due_hours"):
        return _hours(value)
    return _minutes(value)


def _moved(name: str, old: Any, new: Any) -> str | None:
    if old == new:
        return None
    if name == "pause_on_hold":
        return _value(name, new)
    far = abs(new - old)
    words = _hours(far) if name.startswith("due_hours") else _minutes(far)
    return f"{'+' if new > old else '−'}{words}"


def _hours(count: int) -> str:
    return _("%(hours)s h", hours=count)


def _minutes(count: int) -> str:
    return _("%(minutes)s min", minutes=count)
