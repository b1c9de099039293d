"""The addresses that the pages of the autopilot share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from console.domain.jobs import names as job_names
from console.web.request import current_actor

ENDPOINTS = {
    "page": "autopilot.page",
    "policy": "autopilot_policy.page",
    "figures": "autopilot.figures",
    "history": "autopilot.history",
    "start": "autopilot.start",
    "stop": "autopilot.stop",
    "resume": "autopilot.resume",
}


def can(permissions: Sequence[str]) -> bool:
    """Return whether the reader holds one of the permissions, for all sites."""
    actor = current_actor()
    return actor.all_sites and any(actor.can(permission) for permission in permissions)


def _tabs(here: str) -> list[tuple[str, str, bool]]:
    parts = (
        ("page", _("Plan")),
        ("policy", _("Policy")),
        ("figures", _("Figures")),
        ("history", _("Runs")),
    )
    # Who sees some sites only sees their figures; the rest acts on all of them.
    shown = parts if current_actor().all_sites else parts[2:3]
    return [(label, url_for(ENDPOINTS[part]), part == here) for part, label in shown]


def links_of(here: str) -> dict[str, Any]:
    """Return the addresses that the autopilot's pages share; `here` is the part that is shown."""
    return {
        **{name: url_for(endpoint) for name, endpoint in ENDPOINTS.items()},
        **{f"{name}_csv": url_for(f"autopilot.{name}_csv", bom=1) for name in ("history", "summary", "anomalies")},
        "job": job_names.AUTOPILOT,
        "tabs": _tabs(here),
    }
