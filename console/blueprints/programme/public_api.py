"""The published programme for everybody (API contract, public API): JSON, CSV and calendars, one set for every week."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.tag import Tag

from console.inputs.packs import (
    ExtraPath,
    LanguageQuery,
    ListOut,
    MistakesOut,
    MistakesQuery,
    PackOut,
    PackPath,
    PlanOut,
    SamplePath,
)
from console.services.programme import files
from console.services.programme.editions import PUBLIC
from console.services.programme.mistakes import may_know, observed
from console.ui.published import for_its_reader, publish
from console.ui.responses import answer, wants_bom
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, web_context
from console.web.security import settled

WEEK = f"{PUBLIC}/<pack:week>"
LATER = "/api/public/post-mvp"
HEAVY = "public-heavy"

api = ApiBlueprint(
    "public_programme_api",
    __name__,
    abp_tags=[Tag(name="public programme", description="The programme, for everybody")],
)


@api.get(PUBLIC, responses={200: PlanOut})
@access(public=True)
def plan(query: LanguageQuery) -> Response:
    """Return the whole programme with every week in it."""
    return publish(files.plan(web_context(), query.lang))


@api.get(f"{PUBLIC}/campaign", responses={200: ListOut})
@access(public=True)
def campaign(query: LanguageQuery) -> Response:
    """Return the campaign kit."""
    return publish(files.campaign(web_context(), query.lang))


@api.get(f"{PUBLIC}/schedule.csv")
@access(public=True, rate=HEAVY)
def plan_csv(query: LanguageQuery) -> Response:
    """Return the calendar of the weeks as CSV, one row for each."""
    return publish(files.plan_csv(web_context(), query.lang, wants_bom()))


@api.get(f"{PUBLIC}/schedule.ics")
@access(public=True, rate=HEAVY)
def plan_ics(query: LanguageQuery) -> Response:
    """Return the calendar of the weeks: kick-off, checkpoint and review of each."""
    return publish(files.plan_ics(web_context(), query.lang))


@api.get(WEEK, responses={200: PackOut})
@access(public=True)
def pack(path: PackPath, query: LanguageQuery) -> Response:
    """Return a week with its lists, events and files."""
    return publish(files.pack(web_context(), path.week, query.lang))


@api.get(f"{WEEK}/checklist.csv")
@access(public=True, rate=HEAVY)
def checklist(path: PackPath, query: LanguageQuery) -> Response:
    """Return the lists of a week as CSV; for a week with missions those (API contract, known defects, D24)."""
    return publish(files.pack_csv(web_context(), path.week, "checklist", query.lang, wants_bom()))


@api.get(f"{WEEK}/missions.csv")
@access(public=True, rate=HEAVY)
def missions(path: PackPath, query: LanguageQuery) -> Response:
    """Return the missions of a week as CSV."""
    return publish(files.pack_csv(web_context(), path.week, "missions", query.lang, wants_bom()))


@api.get(f"{WEEK}/schedule.ics")
@access(public=True, rate=HEAVY)
def pack_ics(path: PackPath, query: LanguageQuery) -> Response:
    """Return the events of a week at their hours."""
    return publish(files.pack_ics(web_context(), path.week, query.lang))


@api.get(f"{WEEK}/sample-files", responses={200: ListOut})
@access(public=True)
def samples(path: PackPath, query: LanguageQuery) -> Response:
    """Return the sample files of a week."""
    return publish(files.samples(web_context(), path.week, query.lang))


@api.get(f"{WEEK}/sample-files/<sample_id>")
@access(public=True, rate=HEAVY)
def sample(path: SamplePath, query: LanguageQuery) -> Response:
    """Return one sample file as plain text."""
    return publish(files.sample(web_context(), path.week, path.sample_id, query.lang))


@api.get(f"{WEEK}/common-mistakes", responses={200: MistakesOut})
@access(public=True)
def mistakes(path: PackPath, query: MistakesQuery) -> Response:
    """Return the common mistakes of a week; to those who may read it also how often they were seen at their sites."""
    ctx, site, days = web_context(), query.site, query.days
    if settled() and may_know(ctx, path.week, site):
        return for_its_reader(answer(observed(ctx, path.week, query.lang, site=site, days=days), MistakesOut))
    return for_its_reader(publish(files.mistakes(ctx, path.week, query.lang, site=site, days=days)))


@api.get(f"{WEEK}/<word>", responses={200: ListOut})
@access(public=True)
def listed(path: ExtraPath, query: LanguageQuery) -> Response:
    """Return a list of a week by itself: `help-docs`, `rbac-audit-template`, `coaching-playbook`, `reporting-sop`."""
    return publish(files.listed(web_context(), path.week, path.word, query.lang))


@api.get(LATER, responses={200: PlanOut})
@access(public=True)
def post_mvp(query: LanguageQuery) -> Response:
    """Return what follows after the programme: roadmap, backlog, releases, figures and risks."""
    return publish(files.post_mvp(web_context(), query.lang))


@api.get(f"{LATER}/backlog.csv")
@access(public=True, rate=HEAVY)
def backlog_csv(query: LanguageQuery) -> Response:
    """Return the backlog as CSV."""
    return publish(files.backlog_csv(web_context(), query.lang, wants_bom()))


@api.get(f"{LATER}/releases.ics")
@access(public=True, rate=HEAVY)
def releases_ics(query: LanguageQuery) -> Response:
    """Return the releases as a calendar."""
    return publish(files.releases_ics(web_context(), query.lang))


@api.get(f"{LATER}/kpi-dashboard", responses={200: ListOut})
@access(public=True)
def kpi_dashboard(query: LanguageQuery) -> Response:
    """Return the figures that are watched then."""
    return publish(files.post_mvp_part(web_context(), "kpi_dashboard_spec", query.lang))


@api.get(f"{LATER}/risks", responses={200: ListOut})
@access(public=True)
def risks(query: LanguageQuery) -> Response:
    """Return the register of risks."""
    return publish(files.post_mvp_part(web_context(), "risk_register", query.lang))
