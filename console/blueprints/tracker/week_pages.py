"""Pages of a week beside its items: figures alone, the sites side by side, the policy, and the weekly run of W07."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.blueprints.tracker.measures import rows_of, site_of_url, values_of
from console.blueprints.tracker.urls import place_of
from console.blueprints.tracker.view import neighbours, see_other
from console.core.context import Context
from console.domain.errors import Conflict, DomainError, Invalid, PreconditionFailed
from console.domain.ids import number_in
from console.domain.programme import kpi_policy
from console.domain.programme.catalogue import FIGURES, WEEKS, calendar
from console.domain.programme.measures import OF_WEEK
from console.domain.programme.repeats import REPEATS, TARGET
from console.domain.programme.week import permissions
from console.domain.programme.weekly import JOB
from console.services.identity.names import names_of
from console.services.jobs import registry
from console.services.policies.policies import ADMIN
from console.services.programme import policies, week_page, weekly
from console.ui import runs
from console.ui.errors import sentence
from console.ui.frame import frame, leave_toast
from console.ui.responses import vary
from console.web.request import abandon, access, web_context

pages = Blueprint("week", __name__)
# Numbers of forms: a field knows neither separators nor a decimal that is none.
pages.add_app_template_filter("{:g}".format, "typed_number")


def week_url(code: str, site: str | None) -> str:
    """Return the page of a week at a site."""
    if code in FIGURES:
        return url_for(f"week.figures_{code}", site=site)
    return place_of(code).list_url(site=site)


def _figures(code: str) -> Response:
    ctx, site = web_context(), frame().site
    values = {"week": calendar()[code], "site": site, "neighbours": neighbours(ctx, code), **values_of(ctx, code, site)}
    return vary(make_response(render_template("programme/figures.html", **values)))


def _sites(code: str) -> Response:
    found = week_page.at_sites(web_context(), code)
    values = {
        "week": calendar()[code],
        "found": found,
        "rows": {one.site: rows_of(one) for one in found},
        "urls": {one.site: week_url(code, one.site) for one in found},
        "week_url": week_url(code, frame().site),
    }
    return vary(make_response(render_template("programme/sites.html", **values)))


def _policy(code: str) -> Response:
    return _form(web_context(), code, site_of_url())


def _form(ctx: Context, code: str, site: str | None, refusal: DomainError | None = None) -> Response:
    view = policies.view(ctx, code, site)
    changes = week_page.history(ctx, code, site)
    write = permissions(code)[1]
    may = ctx.actor.can(write) and (site is not None or ctx.actor.can(ADMIN))
    values = {
        "week": calendar()[code],
        "site": site,
        "view": view,
        "kpis": kpi_policy.KPIS if code == "w09" else (),
        "names": REPEATS.get(code),
        "field_of": kpi_policy.field_of,
        "labels": _labels(code),
        "changes": changes,
        "people": names_of(ctx, [one.actor for one in changes]),
        "refusal": sentence(refusal.told or refusal.detail) if refusal else None,
        "save_url": url_for(f"week.save_policy_{code}", site=site) if may else None,
        "inherit_url": url_for(f"week.inherit_{code}", site=site) if may and view.source == "site" else None,
        "week_url": week_url(code, site),
    }
    made = make_response(render_template("programme/policy.html", **values), refusal.status if refusal else 200)
    return vary(made)


def _labels(code: str) -> dict[str, str]:
    """Return what the fields of a policy are called."""
    made = {"enabled": _("Switched on"), TARGET: _("Goal of the readiness score")}
    parts = {
        "green_threshold": lambda name: _("%(name)s: green", name=name),
        "yellow_threshold": lambda name: _("%(name)s: yellow", name=name),
        "owner_role": lambda name: _("%(name)s: owner role", name=name),
    }
    for kpi in kpi_policy.KPIS if code == "w09" else ():
        made |= {kpi_policy.field_of(kpi.key, part): say(_(kpi.name)) for part, say in parts.items()}
    if names := REPEATS.get(code):
        for (start, *_rest), (_key, label) in zip(names.rules, names.kpi_names[:3], strict=True):
            for part in ("green_threshold", "yellow_threshold"):
                made[f"{start}_{part}"] = parts[part](_(label))
    return made


def _save_policy(code: str) -> ResponseReturnValue:
    site, ctx = site_of_url(), web_context()
    sent = {name: text.strip() for name, text in request.form.items() if name in _fields(code)}
    wanted = {**sent, "enabled": bool(request.form.get("enabled"))}
    try:
        made = policies.put_fields(
            ctx,
            code,
            wanted,
            site=site,
            if_match=number_in(request.form.get("revision", "")),
            reason=request.form.get("reason", ""),
        )
    except (Conflict, Invalid, PreconditionFailed) as refusal:
        abandon()
        return _form(web_context(), code, site, refusal)
    leave_toast(
        _("Saved; some values were brought within their bounds") if made.warnings else _("The policy was changed")
    )
    return see_other(url_for(f"week.policy_{code}", site=site))


def _fields(code: str) -> set[str]:
    return {field.name for field in policies.KINDS[code].fields if field.kind in ("float", "text")}


def _inherit(code: str) -> ResponseReturnValue:
    site = site_of_url()
    policies.remove(web_context(), code, site=site, reason=request.form.get("reason", ""))
    leave_toast(_("The site follows the wider policy again"))
    return see_other(url_for(f"week.policy_{code}", site=site))


@pages.post("/programme/w07/weekly")
@access(weekly.WRITE)
def run_weekly() -> ResponseReturnValue:
    """Ask a worker for the weekly figures of the site, or of all."""
    site = weekly.checked_site(web_context(), site_of_url())
    runs.ask(registry.get(JOB), {"site": site})
    leave_toast(_("The weekly run was started"))
    return see_other(week_url("w07", site))


def _mount(code: str, name: str, path: str, view: Callable[[str], ResponseReturnValue], *, post: bool = False) -> None:
    read, write = permissions(code)

    @access(write if post else read)
    def run() -> ResponseReturnValue:
        return view(code)

    run.__name__ = f"{name}_{code}"
    pages.add_url_rule(f"/programme/{code}{path}", run.__name__, run, methods=["POST" if post else "GET"])


for _code in OF_WEEK:
    if _code not in WEEKS:
        _mount(_code, "figures", "", _figures)
    _mount(_code, "sites", "/sites", _sites)
for _code in policies.KINDS:
    _mount(_code, "policy", "/policy", _policy)
    _mount(_code, "save_policy", "/policy", _save_policy, post=True)
    _mount(_code, "inherit", "/policy/inherit", _inherit, post=True)
