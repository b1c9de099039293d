"""The form of the policy of a week: values, who is told when, what changed, and the way back to what is inherited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count, takewhile
from typing import Any

from flask import Response, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.blueprints.tracker.measures import site_of_url
from console.blueprints.tracker.urls import week_url
from console.blueprints.tracker.view import see_other
from console.core.context import Context
from console.domain.errors import Conflict, DomainError, Invalid, PreconditionFailed
from console.domain.ids import number_in
from console.domain.policies.policy import CONVERTED
from console.domain.programme import kpi_policy
from console.domain.programme.catalogue import calendar
from console.domain.programme.kpi_policy import LEAST_HOLD, RULES_MOST
from console.domain.programme.repeats import REPEATS, TARGET
from console.domain.programme.week import permissions
from console.services.identity.names import names_of
from console.services.policies.kinds import PolicyView
from console.services.policies.policies import ADMIN
from console.services.programme import policies, week_page
from console.ui.errors import words_of
from console.ui.formats import owner_role, tr
from console.ui.frame import leave_toast
from console.ui.responses import vary
from console.web.request import abandon, web_context

RULES, OWNER = "escalation_map", "__owner_role"
# What a rule of the form has; its id comes along hidden.
PARTS = ("id", "kpi_key", "hold_days", "escalate_to", "sla_hours", "action")


def typed_number(value: Any) -> str:
    """Return a number as a form field takes it, without separators; what somebody typed stays as it is."""
    return value if isinstance(value, str) else f"{value:g}"


def show(code: str) -> Response:
    """Show the policy that counts at the site of the address, or for all sites."""
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
        # Whoever was refused finds what they wrote.
        "shown": _read_values(view) | (_typed(code) if refusal else {}),
        "rules": _rules(view, refused=refusal is not None),
        "kpis": kpi_policy.KPIS if code == "w09" else (),
        "names": REPEATS.get(code),
        "field_of": kpi_policy.field_of,
        "labels": _labels(code),
        "told": _told,
        "changes": changes,
        "people": names_of(ctx, [one.actor for one in changes]),
        "refusal": words_of(refusal) if refusal else None,
        "save_url": url_for(f"week.save_policy_{code}", site=site) if may else None,
        "inherit_url": url_for(f"week.inherit_{code}", site=site) if may and view.source == "site" else None,
        "week_url": week_url(code, site),
    }
    made = make_response(render_template("programme/policy.html", **values), refusal.status if refusal else 200)
    return vary(made)


def _rules(view: PolicyView, *, refused: bool) -> list[Mapping[str, Any]]:
    """Return the rules as the form shows them; the last one is empty, for one more."""
    if RULES not in view.values:
        return []
    rows: list[Mapping[str, Any]] = list(_rows()) if refused else [_read_rule(rule) for rule in view.values[RULES]]
    empty = dict.fromkeys(PARTS, "")
    blank = {**empty, "hold_days": LEAST_HOLD, "sla_hours": kpi_policy.HOURS}
    return rows if refused or len(rows) >= RULES_MOST else [*rows, blank]


def _rows() -> Sequence[Mapping[str, str]]:
    """Return the rules that a form sent, without those that are to go."""
    there = takewhile(lambda number: f"rule-{number}-escalate_to" in request.form, count())
    numbers = [number for number in there if f"rule-{number}-remove" not in request.form]
    return [{part: request.form.get(f"rule-{number}-{part}", "") for part in PARTS} for number in numbers]


def _read_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {**rule, "escalate_to": owner_role(rule["escalate_to"]), "action": tr(rule["action"])}


def _read_values(view: PolicyView) -> dict[str, Any]:
    """Return the values in the words of the reader."""
    return {name: owner_role(value) if name.endswith(OWNER) else value for name, value in view.values.items()}


def _labels(code: str) -> dict[str, str]:
    """Return what the fields of a policy are called."""
    made = {"enabled": _("Switched on"), TARGET: _("Goal of the readiness score"), RULES: _("Who is told")}
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


def _told(change: Mapping[str, Any]) -> str:
    """Say a change of one value; of rules, which of them changed."""
    old, new = change["old"], change["new"]
    if isinstance(old, list) or isinstance(new, list):
        before, after = ({rule["id"]: rule for rule in rules or ()} for rules in (old, new))
        moved = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        return ", ".join(name or _("without number") for name in moved) or "–"
    return f"{_said(old)} → {_said(new)}"


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return _("On") if value else _("Off")
    return "–" if value is None else typed_number(value)


def _typed(code: str) -> dict[str, Any]:
    known = {field.name for field in policies.KINDS[code].fields if field.kind in ("float", "text")}
    sent = {name: text.strip() for name, text in request.form.items() if name in known}
    return {**sent, "enabled": bool(request.form.get("enabled"))}


def _sent(code: str, before: PolicyView) -> dict[str, Any]:
    """Return the values of the form; a word that reads as before is the word that is stored."""
    read = _read_values(before)
    return {name: before.values[name] if text == read[name] else text for name, text in _typed(code).items()}


def _sent_rules(before: PolicyView) -> list[dict[str, str]] | None:
    if "rule-0-escalate_to" not in request.form:
        return None
    stored = {rule["id"]: rule for rule in before.values.get(RULES, ())}
    read = {name: _read_rule(rule) for name, rule in stored.items()}
    return [
        {part: stored[name][part] if name in read and text == read[name][part] else text for part, text in row.items()}
        for row in _rows()
        for name in (row["id"],)
    ]


def save(code: str) -> ResponseReturnValue:
    """Change what differs from what counts; whoever lost against somebody else is told and keeps the text."""
    site, ctx = site_of_url(), web_context()
    before = policies.view(ctx, code, site)
    try:
        made = policies.put_form(
            ctx,
            code,
            _sent(code, before),
            rules=_sent_rules(before),
            site=site,
            if_match=number_in(request.form.get("revision", "")),
            reason=request.form.get("reason", ""),
        )
    except (Conflict, Invalid, PreconditionFailed) as refusal:
        abandon()
        return _form(web_context(), code, site, refusal)
    # A form sends text: that a number was read from it is no news.
    moved = any(one.code != CONVERTED for one in made.warnings)
    leave_toast(_("Saved; some values were brought within their bounds") if moved else _("The policy was changed"))
    return see_other(url_for(f"week.policy_{code}", site=site))


def inherit(code: str) -> ResponseReturnValue:
    """Take the site's own values away."""
    site = site_of_url()
    policies.remove(web_context(), code, site=site, reason=request.form.get("reason", ""))
    leave_toast(_("The site follows the wider policy again"))
    return see_other(url_for(f"week.policy_{code}", site=site))
