"""Jobs and their runs: over the API (contract, operations section 5) and on the pages below /jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_openapi3.models.tag import Tag

from console.adapters import queue
from console.core.listing import ListSpec, asked
from console.domain.errors import Invalid, NotFound
from console.domain.jobs.runs import API, REASONS, TRIGGERS
from console.domain.text import N_
from console.forms import jobs as forms
from console.forms.shared import blame
from console.inputs.jobs import JobPath, JobsOut, RunListQuery, RunPath, RunStartIn
from console.inputs.response_models import array, shape
from console.services.common import lists
from console.services.jobs import lists as run_list
from console.services.jobs import registry, runs
from console.services.jobs import requests as run_requests
from console.services.jobs import schedule as run_schedule
from console.services.jobs.job import Job
from console.services.jobs.runs import Run
from console.services.jobs.schedule import ScheduleView
from console.services.policies import automation
from console.ui import runs as running
from console.ui.frame import leave_toast
from console.ui.lists import list_download, opened
from console.ui.navigation import NavItem
from console.ui.responses import answer, fragment_of, show, vary
from console.ui.slices import slice_headers
from console.ui.times import local
from console.web.api_blueprint import ApiBlueprint
from console.web.negotiation import wants_fragment
from console.web.request import access, app_config, current_actor, web_context

READ, RUN = runs.READ, run_requests.RUN

api = ApiBlueprint("jobs_api", __name__, abp_tags=[Tag(name="jobs", description="Background work and its history")])
pages = Blueprint("jobs", __name__)
RunOut, RunDetailOut = shape(Run), shape(Run, "RunDetailOut", whole=True)
RunList = array(RunOut, "RunList")
NAV = NavItem(
    "operations", 30, "jobs.page", N_("Jobs"), "calendar-time", permission="admins:manage", any_of=("jobs:read",)
)


@pages.app_template_filter()
def trigger_word(trigger: str) -> str:
    """Return what started a run as people read it; the name of an outer run is shown as it is."""
    return _(TRIGGERS[trigger]) if trigger in TRIGGERS else trigger


@pages.app_template_filter()
def run_reason(code: str | None) -> str:
    """Return why a run ended without its work."""
    return _(REASONS[code]) if code in REASONS else code or ""


@pages.app_template_filter()
def clock_time(instant: str) -> str:
    """Return the wall clock of a log line to the second."""
    return local(datetime.fromisoformat(instant)).strftime("%H:%M:%S")


@api.get("/api/ops/job-runs", responses={200: RunList})
@access(*READ)
def list_runs(query: RunListQuery) -> Response:
    """Return finished runs, newest first (or those of another `state`); how many match is in `X-Total-Count`."""
    wanted = asked(**query.model_dump())
    found, total = runs.listed(web_context(), wanted, limit=query.limit, offset=query.offset)
    return answer(found, RunOut, headers=slice_headers(total))


@api.get("/api/ops/job-runs/<run_id>", responses={200: RunDetailOut})
@access(*READ)
def get_run(path: RunPath) -> Response:
    """Return one run with its progress and log lines."""
    return answer(runs.get(web_context(), path.run_id), RunDetailOut)


@api.post("/api/ops/job-runs/<run_id>/cancel", responses={200: RunOut})
@access(*RUN)
def cancel_run(path: RunPath) -> Response:
    """Stop a run: a waiting one at once, a running one at its next report; 409 when it is over."""
    return answer(run_requests.cancel(web_context(), path.run_id), RunOut)


@api.post("/api/ops/job-runs/<run_id>/retry", responses={202: RunOut})
@access(*RUN)
def retry_run(path: RunPath) -> Response:
    """Ask for another run like one that failed; 409 when that one is not over or went well."""
    made = run_requests.retry(web_context(), path.run_id, registry.find, hand_over=running.hand_over())
    return running.accepted(made)


@api.get("/api/ops/jobs", responses={200: JobsOut})
@access(*READ)
def list_jobs() -> Response:
    """Return the schedule (previous, next, late, missed) and how the queue stands."""
    view = run_schedule.overview(web_context(), registry.schedule(), registry.find)
    return answer(_jobs_out(view), JobsOut)


@api.post("/api/ops/jobs/<job_name>/run", responses={200: RunOut, 202: RunOut})
@access(*RUN)
def run_job(path: JobPath, body: RunStartIn) -> Response:
    """Run any job now and return its run; with `Prefer: respond-async` a worker does it and the answer is 202."""
    job = registry.get(path.job_name)
    ctx = web_context()
    if running.respond_async():
        made = run_requests.start(
            ctx, job, body.options, trigger=API, dry_run=body.dry_run, hand_over=running.hand_over()
        )
        return running.accepted(made)
    return answer(running.run_now(job, body.options, dry_run=body.dry_run).run, RunOut)


def _jobs_out(view: ScheduleView) -> dict[str, Any]:
    lines = []
    for row in view.rows:
        late = row.standing.late_by
        lines.append(
            {
                "job_name": row.job.name,
                "cron": row.line.cron,
                "zone": row.line.zone,
                "previous_at": row.standing.previous_at,
                "next_at": row.standing.next_at,
                "late": row.standing.late,
                "late_seconds": int(late.total_seconds()) if late is not None else None,
                "missed_total": row.missed_total,
                "last_missed_at": row.last_missed_at,
                "last_run_id": row.last.id if row.last else None,
                "last_status": row.last.status if row.last else None,
                "last_finished_at": row.last.finished_at if row.last else None,
                "open_run_id": row.open.id if row.open else None,
            }
        )
    return {
        "generated_at": view.computed_at,
        "scheduler_seen_at": view.seen_at,
        "scheduler_silent": view.silent,
        "late_count": view.late_count,
        "schedule": lines,
        "queue": queue.state(app_config()),
    }


def _spec() -> ListSpec:
    return run_list.spec([(job.name, _(job.title) if job.title else job.name) for job in registry.all_jobs()])


def _titles() -> dict[str, str]:
    return {job.name: job.title or job.name for job in registry.all_jobs()} | registry.RECORDS


def _startable() -> list[Job]:
    """Return the jobs that the signed-in person may start from a page."""
    actor = current_actor()
    if not any(actor.can(name) for name in RUN):
        return []
    mine = (job for job in registry.all_jobs() if actor.can("admins:manage") or actor.can(job.permission))
    return [job for job in mine if forms.can_ask(job)]


def _board() -> dict[str, Any]:
    """Return what stands above the list: schedule, queue, open runs."""
    ctx = web_context()
    return {
        "data": run_schedule.overview(ctx, registry.schedule(), registry.find),
        "queue": queue.state(app_config()),
        "open": runs.open_runs(ctx),
        "titles": _titles(),
        "stopped": automation.stopped(ctx),
        "startable": frozenset(job.name for job in _startable()),
    }


@pages.get("/jobs")
@access(*READ)
def page() -> Response:
    """Show the schedule, the queue with its workers, and the runs."""
    ctx = web_context()
    spec = _spec()
    found = opened(spec, lambda query: lists.run(ctx, spec, query))
    extra: dict[str, Any] = {"url": url_for("jobs.page"), "titles": _titles()}
    if wants_fragment():
        return show(found, fragment="jobs.run_list", page="jobs/page.html", **extra)
    return vary(Response(render_template("jobs/page.html", runs=found, jobs=_startable(), board=_board(), **extra)))


@pages.get("/jobs/board")
@access(*READ)
def board() -> Response:
    """Return schedule and queue again; the page asks every few seconds."""
    if not wants_fragment():
        return vary(make_response(redirect(url_for("jobs.page"))))
    return vary(Response(fragment_of("jobs.board", **_board())))


@pages.get("/jobs/runs.csv")
@access(*READ)
def export() -> Response:
    """Download the runs that the list shows, as CSV."""
    return list_download(_spec(), "job-runs.csv")


@pages.get("/jobs/runs/<int:run_id>")
@access(*READ)
def run(run_id: int) -> Response:
    """Show one run; while it is open the page asks for this fragment again, and 286 ends that."""
    found = runs.get(web_context(), run_id)
    status = 286 if wants_fragment() and found.state == "finished" else 200
    job = registry.find(found.job_name)
    may = _may(found, job)
    return show(found, fragment="jobs.run_detail", page="jobs/run.html", status=status, around={"job": job}, **may)


def _may(found: Run, job: Job | None) -> dict[str, bool]:
    may_run = any(current_actor().can(name) for name in RUN)
    again = (
        may_run and job is not None and (current_actor().can("admins:manage") or current_actor().can(job.permission))
    )
    return {
        "can_cancel": may_run and found.state != "finished",
        "can_retry": again and found.state == "finished" and found.status != "success",
    }


@pages.get("/jobs/<job_name>/start")
@access(*RUN)
def start_form(job_name: str) -> Response:
    """Show the form that starts a job, with the options it takes."""
    job = _job(job_name)
    return show(job, fragment="jobs.start_dialog", page="jobs/start.html", form=forms.form_of(job))


@pages.post("/jobs/<job_name>/start")
@access(*RUN)
def start(job_name: str) -> ResponseReturnValue:
    """Ask a worker for a run, or for a dry run, and go to it."""
    job = _job(job_name)
    form = forms.form_of(job, request.form)
    dry_run = request.form.get("dry_run") == "1"
    try:
        made = run_requests.start(
            web_context(), job, forms.words_of(form), dry_run=dry_run, words=True, hand_over=running.hand_over()
        )
    except Invalid as error:
        blame(form, error)
        return show(job, fragment="jobs.start_form", page="jobs/start.html", status=422, form=form)
    return _go_to(made, _("The dry run was requested") if dry_run else _("The run was requested"))


@pages.post("/jobs/runs/<int:run_id>/cancel")
@access(*RUN)
def cancel(run_id: int) -> ResponseReturnValue:
    """Stop a run."""
    stopped = run_requests.cancel(web_context(), run_id)
    return _go_to(stopped, _("The run was stopped") if stopped.state == "finished" else _("The run will stop"))


@pages.post("/jobs/runs/<int:run_id>/retry")
@access(*RUN)
def retry(run_id: int) -> ResponseReturnValue:
    """Ask for another run like a failed one."""
    made = run_requests.retry(web_context(), run_id, registry.find, hand_over=running.hand_over())
    return _go_to(made, _("Another run was requested"))


def _job(name: str) -> Job:
    job = registry.get(name)
    if job not in _startable():
        raise NotFound
    return job


def _go_to(found: Run, said: str) -> ResponseReturnValue:
    """Go to the page of a run, with a word about what was done."""
    leave_toast(said)
    address = url_for("jobs.run", run_id=found.id)
    if wants_fragment():
        return Response("", 204, {"HX-Redirect": address})
    return redirect(address, 303)
