"""Where the rows behind a runbook check are, by the name of the page that the check gives."""

from __future__ import annotations

from collections.abc import Mapping

from console.domain.jobs import names as job_names
from console.domain.runbook.runbook import CheckResult
from console.ui.addresses import url_if

_PAGES: Mapping[str, tuple[str, dict[str, str]]] = {
    "accuracy": ("accuracy.page", {}),
    "alerts": ("alerts.page", {}),
    "audit": ("audit.page", {}),
    "channels": ("channels.page", {}),
    "daily": ("daily_check.page", {"_anchor": "archive"}),
    "deploys": ("deploys.page", {}),
    "drills": ("recovery.page", {}),
    "integrity": ("integrity.page", {}),
    "jobs": ("jobs.page", {}),
    "latency": ("ops_latency.page", {}),
    "preflight": ("preflight.page", {}),
    "reports": ("reports.page", {}),
    "review": ("jobs.start_form", {"job_name": job_names.RUNBOOK_REVIEW}),
    "security": ("ops_security.page", {}),
    "tokens": ("tokens.page", {}),
}


def page_of(check: CheckResult) -> str | None:
    """Return the address of the page behind a check; None if the reader may not open it."""
    endpoint, values = _PAGES[check.page]
    return url_if(endpoint, **values)


def rows_of(check: CheckResult) -> str | None:
    """Return the address of the run that a check judges, else that of its page; None if not allowed."""
    run_id = check.fields.get("latest_run_id")
    return url_if("jobs.run", run_id=run_id) if run_id else page_of(check)
