"""What stands in the cells of a list's CSV for people, where that is not the value of the column itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.domain.alerts.alerts import explained
from console.domain.alerts.events import WORDS
from console.domain.jobs.runs import REASONS, TRIGGERS
from console.domain.text import N_
from console.services.alerts.lists import STATUSES
from console.services.inspections.lists import FLAG_LABELS
from console.services.jobs import registry
from console.ui.labels.audit import action_label
from console.ui.labels.audit_entries import SYSTEM
from console.ui.labels.automation import ACTIONS, SKIPS
from console.ui.labels.common import ROLES, owner_role, status_word
from console.ui.labels.inspections import CYCLES, LEVELS
from console.ui.labels.reports import archive_state
from console.ui.labels.work_orders import ORDER_WORDS
from console.ui.spreadsheet import Pen, Said


def _status(key: str) -> Said:
    return lambda row, pen: pen.say(status_word(getattr(row, key)).label)


def _word(key: str, words: Mapping[Any, str]) -> Said:
    return lambda row, pen: pen.say(words.get(getattr(row, key), getattr(row, key)))


def _label(key: str, words: Mapping[str, str]) -> Said:
    return lambda row, pen: pen.say(words[word]) if (word := getattr(row, key)) else ""


def _scope(row: Any, pen: Pen) -> str:
    if "*" in row.site_scope:
        return pen.say(N_("All sites"))
    return ", ".join(row.site_scope) or pen.say(N_("No site"))


def _active(row: Any, pen: Pen) -> str:
    return pen.say(N_("Active") if row.is_active else N_("Inactive"))


def _named(row: Any, _pen: Pen) -> str:
    return row.display_name if row.display_name == row.username else f"{row.display_name} ({row.username})"


def _actor(row: Any, _pen: Pen) -> Any:
    return row.actor if row.actor_username in (SYSTEM, row.actor) else f"{row.actor} ({row.actor_username})"


def _ended(row: Any, pen: Pen) -> str:
    return pen.time(row.effective_expires_at) or pen.say(N_("No end"))


def _progress(item: Any, pen: Pen) -> str:
    said = pen.say(status_word(item.status).label)
    return f"{said} ({pen.say(N_('assigned, not begun'))})" if item.not_begun else said


def _result(run: Any, pen: Pen) -> str:
    ended = run.error_code if run.error_code in ("cancelled", "refused") else None
    marks = ((run.dry_run, N_("Dry run")), (run.catch_up, N_("Caught up")))
    said = [status_word(ended or ("skipped" if run.skipped else run.status)).label, *(one for on, one in marks if on)]
    return ", ".join(map(pen.say, said))


def _outcome(run: Any, pen: Pen) -> str:
    if run.errors_count:
        said = [N_("Errors")]
    elif run.skipped:
        said = [SKIPS.get(run.skip_reason, run.skip_reason or "")]
    else:
        said = [ACTIONS[one][0] if one in ACTIONS else one for one in run.actions] or [N_("Nothing to do")]
    return ", ".join(map(pen.say, [*said, N_("Dry run")] if run.dry_run else said))


def _job(run: Any, pen: Pen) -> str:
    return pen.say(registry.title_of(run.job_name))


_TRIGGER = _word("trigger", TRIGGERS)
_ITEM: Mapping[str, Said] = {
    "title": lambda item, pen: pen.say(item.title),
    "due_at": lambda item, pen: pen.time(item.due_at, item.site or ""),
    "assignee": lambda item, pen: item.assignee_name or item.assignee or pen.say(N_("Unassigned")),
    "status": _progress,
    "rule_status": _status("rule_status"),
    "owner_role": lambda item, pen: owner_role(item.owner_role, pen.say),
    "item_type": lambda item, pen: pen.say(item.kind),
    "site": lambda item, pen: item.site or pen.say(N_("Platform")),
}
_WORK: Mapping[str, Said] = {
    **_ITEM,
    "status": lambda work, pen: pen.say(ORDER_WORDS["status"][work.status]) if work.is_order else _progress(work, pen),
}
_CELLS: Mapping[str, Mapping[str, Said]] = {
    "alerts": {
        "event_type": _word("event_type", WORDS),
        "status": _word("status", dict(STATUSES)),
        "error": lambda row, pen: pen.say(explained(row.error)) if row.error else "",
    },
    "audit": {
        "action": lambda row, pen: pen.say(action_label(row.action)),
        "status": _status("status"),
        "actor_username": _actor,
        "resource_id": lambda row, pen: f"{row.number} {pen.say(row.target)}".strip(),
    },
    "autopilot_runs": {"status": _status("status"), "outcome": _outcome, "trigger": _TRIGGER},
    "inspections": {
        "template_name": lambda row, _pen: row.title,
        "risk_level": lambda row, pen: pen.say(LEVELS[row.risk_level].label),
        "risk_flags": lambda row, pen: ", ".join(pen.say(FLAG_LABELS.get(flag, name)) for flag, name in row.findings),
        "cycle": _word("cycle", CYCLES),
        "inspected_at": lambda row, pen: pen.time(row.inspected_at, row.site),
        "signed_by": lambda row, pen: row.signed_by or pen.say(N_("Not signed")),
    },
    "late": _WORK,
    "open_work": _WORK,
    "quality_archives": {"state": lambda row, pen: pen.say(archive_state(row.state).label)},
    "runs": {
        "job_name": _job,
        "status": _result,
        "trigger": _TRIGGER,
        "seconds": lambda run, pen: pen.say(N_("%(seconds)s s")) % {"seconds": f"{run.seconds:.1f}"},
        "error_code": _word("error_code", REASONS),
    },
    "sites": {"is_active": _active},
    "tokens": {
        "username": _named,
        "state": _status("state"),
        "site_scope": _scope,
        "last_used_at": lambda row, pen: pen.time(row.last_used_at) or pen.say(N_("Never")),
        "expires_at": _ended,
    },
    "users": {
        "username": _named,
        "role": _word("role", ROLES),
        "site_scope": _scope,
        "is_active": _active,
    },
    "workflow_locks": {"status": _status("status"), "last_comment": lambda row, pen: pen.say(row.last_comment)},
    "work_orders": {
        **{key: _label(key, words) for key, words in ORDER_WORDS.items()},
        "due_at": lambda order, pen: pen.time(order.due_at, order.site),
        "assignee": lambda order, pen: order.assignee_name or order.assignee or pen.say(N_("Unassigned")),
        "location": lambda order, _pen: (
            f"{order.location} · {order.asset_code}" if order.asset_code else order.location
        ),
        "is_escalated": lambda order, pen: pen.say(N_("Yes") if order.is_escalated else N_("No")),
    },
    "verdicts": {"decision": _status("decision"), "trigger": _TRIGGER},
}


def cells_of(list_name: str) -> Mapping[str, Said]:
    """Return how the list of that name writes its cells, by column."""
    return _ITEM if list_name.startswith("tracker_") else _CELLS.get(list_name, {})
