"""Templates of rounds: what can be begun, and publishing the next version of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_openapi3.models.tag import Tag
from pydantic import ValidationError

from console.core.context import Context
from console.domain.errors import Conflict, Invalid
from console.domain.inspections.points import KINDS, Point
from console.domain.inspections.readings import COLUMNS, typed
from console.domain.text import T
from console.inputs.inspections import TemplateIn, TemplatePath, TemplatesQuery
from console.inputs.response_models import array, shape
from console.services.assets import lists as asset_lists
from console.services.identity import sites
from console.services.inspections import templates
from console.services.inspections.rows import READ
from console.services.inspections.templates import MANAGE, TemplateView
from console.ui.errors import validation_detail, words_of
from console.ui.frame import leave_toast
from console.ui.labels.common import choices
from console.ui.labels.inspections import CYCLES, KIND_LABELS, LEVELS
from console.ui.responses import answer
from console.web.api_blueprint import ApiBlueprint
from console.web.request import abandon, access, web_context

pages = Blueprint("inspection_templates", __name__)
api = ApiBlueprint(
    "inspection_templates_api",
    __name__,
    abp_tags=[Tag(name="inspection templates", description="What is asked on a round")],
)
TEMPLATES = "/api/inspections/templates"
TemplateOut = shape(TemplateView)
TemplateList = array(TemplateOut, "TemplateViewList")
HEAD = ("code", "name", "location", "cycle", "site")
ASSET = "asset"
LIMITS = ("danger_low", "warn_low", "warn_high", "danger_high")
TEXTS = ("code", "name", "kind", "section", "guide", "unit", "maps_to", "advice")
MORE = 3
MOST_ROWS = 200
MEANT = ("normal", "warning", "danger")


@api.get(TEMPLATES, responses={200: TemplateList})
@access(READ)
def list_templates(query: TemplatesQuery) -> Response:
    """Return the current templates with their points, by name; those of a site with the ones of all sites."""
    return answer(templates.offered(web_context(), query.site), TemplateOut)


@api.get(f"{TEMPLATES}/<template_id>", responses={200: TemplateOut})
@access(READ)
def get_template(path: TemplatePath) -> Response:
    """Return one version of a template, the current one or not."""
    return answer(templates.get(web_context(), path.template_id), TemplateOut)


@api.post(TEMPLATES, responses={201: TemplateOut})
@access(MANAGE)
def publish_template(body: TemplateIn) -> Response:
    """Publish a template or its next version; rounds under way keep the version they began with."""
    return answer(templates.publish(web_context(), body.new()), TemplateOut, status=201)


@pages.get("/inspections/templates")
@access(MANAGE)
def page() -> str:
    """Show the templates that rounds begin with."""
    return render_template("inspections/templates.html", found=templates.offered(web_context()))


@pages.get("/inspections/templates/new")
@access(MANAGE)
def new() -> Response:
    """Show an empty template."""
    return _form(web_context(), dict.fromkeys((*HEAD, ASSET), "") | {"version": "0"}, _blank())


@pages.get("/inspections/templates/<int:template_id>")
@access(MANAGE)
def edit(template_id: int) -> Response:
    """Show a version of a template; what is published from it is the next one."""
    found = templates.get(web_context(), template_id)
    head = {name: getattr(found, name) or "" for name in HEAD}
    code = asset_lists.code_of(web_context(), found.asset_id)
    head = {**head, ASSET: code, "version": str(found.version)}
    return _form(web_context(), head, [_row_of(point) for point in found.points])


@pages.post("/inspections/templates")
@access(MANAGE)
def publish() -> ResponseReturnValue:
    """Publish what the form says, or show it again: with more rows, or with what is wrong."""
    form = request.form
    head = {name: form.get(name, "") for name in (*HEAD, ASSET, "version")}
    rows = _rows(form)
    if "more" in form:
        return _form(web_context(), head, [*rows, *_blank()])
    try:
        made = templates.publish(web_context(), _body(head, rows).new())
    except (Invalid, Conflict) as refusal:
        abandon()
        return _form(web_context(), head, rows, words_of(refusal), refusal.status)
    leave_toast(_("%(name)s is published as version %(version)s", name=made.name, version=made.version))
    return redirect(url_for("inspection_templates.page"), 303)


def _form(
    ctx: Context, head: Mapping[str, str], rows: list[dict[str, str]], refusal: str = "", status: int = 200
) -> Response:
    made = render_template(
        "inspections/template.html",
        head=head,
        rows=rows,
        refusal=refusal,
        sites=[(name, name) for name in sites.names(ctx)],
        all_sites=ctx.actor.all_sites,
        kinds=[(word, _(KIND_LABELS[word])) for word in KINDS],
        columns=[(one.name, f"{_(one.label)} ({one.unit})") for one in COLUMNS],
        assets=asset_lists.offered(ctx, head["site"]) if head["site"] else (),
        cycles=choices(CYCLES),
        meant=", ".join(f"{_(LEVELS[word].label)}" for word in MEANT),
    )
    return make_response(made, status)


def _blank() -> list[dict[str, str]]:
    return [dict.fromkeys((*TEXTS, *LIMITS, "choices", "optional"), "") for _row in range(MORE)]


def _rows(form: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the points of the form in their order, as texts; a row without name and code is left out."""
    rows = []
    told = form.get("rows", "0")
    count = int(told) if told.isascii() and told.isdecimal() and len(told) < 5 else 0
    for number in range(min(count, MOST_ROWS)):
        names = (*TEXTS, *LIMITS, "choices", "optional")
        row = {name: form.get(f"{name}-{number}", "") for name in names}
        if row["name"].strip() or row["code"].strip():
            rows.append(row)
    return rows


def _row_of(point: Point) -> dict[str, str]:
    row = {name: getattr(point, name) or "" for name in TEXTS}
    bounds = {name: "" if (value := getattr(point.limits, name)) is None else f"{value:.12g}" for name in LIMITS}
    words = {word: _(LEVELS[word].label) for word in MEANT}
    choices = "\n".join(f"{word} = {words[meant]}" for word, meant in point.choices)
    return {**row, **bounds, "choices": choices, "optional": "1" if point.optional else ""}


def _body(head: Mapping[str, str], rows: list[dict[str, str]]) -> TemplateIn:
    points = [_point(row) for row in rows]
    version = head["version"]
    try:
        return TemplateIn.model_validate(
            {
                **{name: head[name] for name in ("code", "name", "location", "cycle")},
                "site": head["site"] or None,
                "version": int(version) if version.isascii() and version.isdecimal() and len(version) < 10 else None,
                "points": points,
                "asset_id": _asset(head),
            }
        )
    except ValidationError as error:
        detail = validation_detail(error, "body")
        for part in detail:
            where: list[Any] = part["loc"]
            if len(where) > 2 and where[1] == "points" and isinstance(where[2], int):
                part["loc"] = [*where, rows[where[2]]["name"] or rows[where[2]]["code"]]
        raise Invalid(detail) from error


def _asset(head: Mapping[str, str]) -> int | None:
    """Return the asset whose code the form names; raises Invalid for a code that its site does not have."""
    code = head[ASSET].strip()[:40]
    if not code:
        return None
    if not head["site"]:
        raise Invalid.field(ASSET, T("A template of all sites has no asset"))
    return asset_lists.named(web_context(), head["site"], code)


def _point(row: Mapping[str, str]) -> dict[str, Any]:
    named = row["name"] or row["code"]
    limits = {}
    for name in LIMITS:
        if row[name].strip():
            try:
                limits[name] = typed(row[name])
            except ValueError as error:
                raise Invalid([{"type": "value_error", "loc": ["body", named], "msg": str(error)}]) from error
    texts = {name: row[name] for name in TEXTS if name != "maps_to"}
    beside = {"limits": limits, "choices": _choices(row["choices"], named), "optional": bool(row["optional"])}
    return {**texts, **beside, "kind": row["kind"] or KINDS[0], "maps_to": row["maps_to"] or None}


def _choices(text: str, named: str) -> list[dict[str, str]]:
    """Return the words of a choice, one of a line: `word = what it means`, normal where nothing is said."""
    words = {_(LEVELS[word].label): word for word in MEANT} | {word: word for word in MEANT}
    found = []
    for line in filter(None, (one.strip() for one in text.splitlines())):
        word, _mark, meant = (part.strip() for part in line.rpartition("=")) if "=" in line else (line, "", "normal")
        if meant not in words:
            told = T("“%(word)s” is no verdict", word=meant[:40])
            raise Invalid([{"type": "value_error", "loc": ["body", named], "msg": told}])
        found.append({"word": word, "verdict": words[meant]})
    return found
