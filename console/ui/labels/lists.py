"""How lists are called: for the names of files and of the places that saved views belong to."""

from __future__ import annotations

from flask_babel import gettext as _

from console.domain.programme.catalogue import WEEKS
from console.domain.text import N_
from console.ui.weeks import week_title

TITLES = {
    "alerts": N_("Alert deliveries"),
    "audit": N_("Audit log"),
    "autopilot_runs": N_("Runs of the autopilot"),
    "inspections": N_("Inspections"),
    "late": N_("What is late"),
    "open_work": N_("Open work"),
    "quality_archives": N_("Archives of quality reports"),
    "runs": N_("Job runs"),
    "sites": N_("Sites"),
    "tokens": N_("Tokens"),
    "tracker_remediation": N_("Remediation board"),
    "users": N_("Users"),
    "verdicts": N_("Gate verdicts"),
    "workflow_locks": N_("Workflow locks"),
    "work_orders": N_("Work orders"),
}


def list_title(name: str) -> str:
    """Return the title of a list in the reader's language, by the name of its declaration."""
    week = WEEKS.get(name.removeprefix("tracker_"))
    if week is not None:
        return week_title(week)
    return _(TITLES[name]) if name in TITLES else name
