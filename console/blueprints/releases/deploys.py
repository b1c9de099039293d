"""The page of the releases: what was recorded over time, what each changed, and the checklist with its commands."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _

from console.domain.runbook.release_checks import deploy_smoke_checklist
from console.domain.text import N_
from console.services.releases import checklist
from console.services.releases.lists import DEPLOYS, one
from console.services.runbook import release_facts
from console.ui.addresses import url_if
from console.ui.labels import releases as words
from console.ui.lists import list_download, list_page
from console.ui.navigation import tab
from console.ui.responses import show
from console.web.negotiation import wants_fragment
from console.web.request import access, app_config, web_context

READ = checklist.READ
pages = Blueprint("deploys", __name__)
NAV = tab("evidence", 23, "deploys.page", N_("Deploys"), READ)


@pages.app_template_filter()
def smoke_check_name(id_: str) -> str:
    """Return what a check of a smoke test is called; one that a client named itself keeps its name."""
    return _(words.CHECKS[id_]) if id_ in words.CHECKS else id_


@pages.get("/ops/deploys")
@access(*READ)
def page() -> Response:
    """Show the recorded releases, newest first, and the checklist."""
    return list_page(
        DEPLOYS,
        fragment="releases.deploys",
        page="releases/page.html",
        url=url_for("deploys.page"),
        csv_url=url_for("deploys.csv"),
        around=None if wants_fragment() else _around(),
    )


def _around() -> dict[str, Any]:
    ctx = web_context()
    facts = release_facts.facts(ctx)
    found = checklist.current(ctx)
    address = app_config()["PUBLIC_URL"].rstrip("/") or request.url_root.rstrip("/")
    phases = [
        {
            "id": phase,
            "label": _(words.PHASES[phase]),
            "command": words.PHASE_COMMANDS.get(phase, "").format(url=address),
            "steps": [(step, words.COMMANDS.get(step.id, "").format(path=step.path)) for step in steps],
        }
        for phase, steps in groupby(found.steps, key=lambda step: step.phase)
    ]
    return {"finding": deploy_smoke_checklist(facts), "latest": facts.latest, "checklist": found, "phases": phases}


@pages.get("/ops/deploys.csv")
@access(*READ)
def csv() -> Response:
    """Download the releases that the list shows."""
    return list_download(DEPLOYS, "ops-deploys.csv")


@pages.get("/ops/deploys/<int:run_id>")
@access(*READ)
def record(run_id: int) -> Response:
    """Show one recorded smoke test with its findings, its checks and its file."""
    found = one(web_context(), run_id)
    text, tone = words.FILES[found.file_state]
    return show(
        found,
        fragment="releases.record",
        page="releases/record.html",
        file={"text": text, "tone": tone},
        job_url=url_if("jobs.run", run_id=run_id),
    )
