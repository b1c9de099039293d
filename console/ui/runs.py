"""Running jobs from requests: now and in this request, or by a worker when the caller says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request
from pydantic import BaseModel

from console.adapters import queue
from console.domain.errors import Conflict
from console.domain.jobs.runs import API, CANCELLED, MANUAL
from console.domain.text import T, Text
from console.inputs.response_models import shape
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.services.jobs import requests as run_requests
from console.services.jobs.engine import RunResult
from console.services.jobs.job import Job
from console.services.jobs.requests import HandOver
from console.services.jobs.runs import Run
from console.ui.responses import answer
from console.web.request import app_config, web_context

Options = Mapping[str, Any] | BaseModel | None
PANEL_FIELDS = (
    *("id", "state", "status", "dry_run", "trigger", "queued_at", "started_at", "finished_at"),
    *("progress_done", "progress_total", "progress_note", "error"),
)


def hand_over() -> HandOver:
    """Return what brings a run to the queue after the commit; without queue the run waits for the scheduler."""
    config = app_config()
    return lambda run_id: queue.hand_over(config, run_id)


def respond_async() -> bool:
    """Return whether the caller wants an answer at once and the work later (RFC 7240)."""
    words = ",".join(request.headers.getlist("Prefer")).replace(";", ",").split(",")
    return "respond-async" in {word.strip().lower() for word in words}


def run_endpoint(name: str, options: Options = None, model: type[BaseModel] | None = None, **values: Any) -> Response:
    """Answer a `POST …/run`: run the job and return its run's fields followed by those of its result.

    With `Prefer: respond-async` the run is queued: 202, its address in Location. While the job runs elsewhere it
    waits a moment and then answers 409 with that run's id. `model` shapes the answer; `dry_run=True` may be given.
    """
    job = registry.get(name)
    if respond_async():
        return accepted(ask(job, options, trigger=API, **values))
    found = run_now(job, options, **values)
    return answer({**found.header(), **found.detail}, model)


def run_now(job: Job, options: Options = None, *, dry_run: bool = False) -> RunResult:
    """Run a job in this request; raises Conflict when it was stopped meanwhile."""
    found = run_engine.execute(web_context(), job, options, trigger=API, dry_run=dry_run)
    if found.run.error_code == CANCELLED:
        raise Conflict({"message": T("The run was stopped"), "run_id": found.run.id})
    return found


def ask(job: Job, options: Options = None, *, trigger: str = MANUAL, dry_run: bool = False, words: bool = False) -> Run:
    """Ask a worker for a run; pages always do."""
    return run_requests.submit(
        web_context(), job, options, trigger=trigger, dry_run=dry_run, words=words, hand_over=hand_over()
    )


def panel_of(run: Run, summary: Text | None) -> dict[str, Any]:
    """Return what a panel shows of a run: how far it is, and what came of it as a sentence."""
    return {**{name: getattr(run, name) for name in PANEL_FIELDS}, "summary": summary}


def accepted(run: Run) -> Response:
    """Answer that a run was queued: 202 with its address."""
    headers = {"Location": f"/api/ops/job-runs/{run.id}", "Preference-Applied": "respond-async"}
    return answer(run, shape(Run), status=202, headers=headers)
