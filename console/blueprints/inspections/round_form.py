"""What the form of a round says: read once for plain submits and for the script that sends what a phone kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from console.core.context import Context
from console.domain.errors import DomainError
from console.domain.evidence.evidence import MAX_BYTES
from console.domain.inspections.points import NUMBER, PHOTO, UNMEASURED_REASONS
from console.domain.inspections.readings import is_jump, typed
from console.domain.text import T
from console.services.evidence import photos
from console.services.inspections.rounds import Asked, Sheet
from console.ui.errors import sentence, words_of
from console.ui.labels.inspections import measure

OTHER = "other"
VOLTAGES = ("voltage_r", "voltage_s", "voltage_t")
# Fields of a point, each with the code behind it: what people see of them is in partials/inspections/round.html.
VALUE, NOTE, REASON, REASON_WORDS = "value-", "note-", "reason-", "words-"
ORDER, PRIORITY, SURE, AT, PHOTOS = "order-", "priority-", "sure-", "at-", "photos-"


@dataclass
class Read:
    """The body of the inspection as `InspectionIn` takes it, and what is wrong with which point, in sentences.

    `doubts` are points whose value is ten times the last one: they are asked about once.
    """

    body: dict[str, Any]
    errors: dict[str, str] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)


def read(form: Mapping[str, str], sheet: Sheet, inspector: str, now: str) -> Read:
    """Return what a form says of a round; `now` is the instant (ISO 8601) of a submit that names none."""
    found = Read({})
    results, orders = [], []
    for asked in sheet.points:
        answer = _answer(form, asked, found)
        if answer is not None:
            results.append(answer)
        code = asked.point.code
        if form.get(ORDER + code):
            orders.append({"code": code, "priority": form.get(PRIORITY + code) or None})
    if form.get(ORDER + "voltage_unbalance"):
        priority = form.get(PRIORITY + "voltage_unbalance") or None
        orders.append({"code": "voltage_unbalance", "priority": priority})
    key = form.get("round_key", "")
    found.body = {
        "site": sheet.site,
        "location": sheet.location,
        "cycle": sheet.template.cycle,
        "inspector": inspector,
        "inspected_at": form.get("finished_at") or now,
        "notes": form.get("notes", ""),
        "template_id": sheet.template.id,
        "results": results,
        "started_at": form.get("started_at") or None,
        "signed_by": inspector if form.get("signed") else "",
        "signature": form.get("signature", "") if form.get("signed") else "",
        "round_key": key or None,
        "orders": orders,
        "asset_id": sheet.asset_id,
    }
    if key:
        # On the phone the question was asked where the value was typed; what was kept is not asked about again.
        found.doubts.clear()
    return found


def _answer(form: Mapping[str, str], asked: Asked, found: Read) -> dict[str, Any] | None:
    point = asked.point
    code = point.code
    written, note = form.get(VALUE + code, "").strip(), form.get(NOTE + code, "")
    answer: dict[str, Any] = {"code": code, "note": note, "measured_at": form.get(AT + code) or None}
    reason = _reason(form, code)
    if reason:
        return {**answer, "reason": reason}
    if point.kind == PHOTO:
        return answer if note or form.get(PHOTOS + code) else None
    if point.kind != NUMBER:
        return {**answer, "text": written} if written or note else None
    if not written:
        return answer if note else None
    try:
        value = typed(written)
    except ValueError as error:
        found.errors[code] = sentence(T(str(error)))
        return None
    last = asked.last.value if asked.last else None
    if is_jump(value, last) and not form.get(SURE + code):
        told = {"value": measure(value), "last": measure(last)}
        found.doubts[code] = _("Really %(value)s? Last time it was %(last)s.", **told)
    return {**answer, "value": value}


def _reason(form: Mapping[str, str], code: str) -> str:
    chosen = form.get(REASON + code, "")
    if not chosen:
        return ""
    words = dict(UNMEASURED_REASONS)
    return form.get(REASON_WORDS + code, "").strip() or _(words.get(chosen, words[OTHER]))


def blamed(error: DomainError) -> dict[str, str]:
    """Return what a refusal of the service says of each point; under "" what concerns none of them."""
    if not isinstance(error.detail, list):
        return {"": words_of(error)}
    found: dict[str, str] = {}
    for part in error.detail:
        where = part.get("loc", [])
        code = str(where[-1]) if {"results", "orders"} & set(map(str, where)) else ""
        said = sentence([part])
        found[code] = f"{found[code]} {said}" if code in found else said
    return found


def rule_of(asked: Asked) -> dict[str, Any]:
    """Return what the script needs to know of a point: its limits, bounds and last value, to judge while typing."""
    point, last = asked.point, asked.last
    limits = point.own_limits
    return {
        "code": point.code,
        "kind": point.kind,
        "name": point.name,
        "section": point.section,
        "unit": point.unit,
        "limits": [limits.danger_low, limits.warn_low, limits.warn_high, limits.danger_high],
        "least": point.bounds[0],
        "most": point.bounds[1],
        "choices": dict(point.choices),
        "optional": point.optional,
        "maps_to": point.maps_to,
        "last": last.value if last else None,
        "recent": asked.values,
    }


def facts_of(ctx: Context, sheet: Sheet, inspector: str, address: str) -> dict[str, Any]:
    """Return what the script needs to know of a round besides its points."""
    template = sheet.template
    return {
        "address": address,
        "template": template.id,
        "title": template.name,
        "site": sheet.site,
        "location": sheet.location,
        "inspector": inspector,
        "points": len(sheet.points),
        "voltages": [one.code for name in VOLTAGES for one in template.points if one.maps_to == name],
        "most_bytes": MAX_BYTES,
        "keeps_place": photos.keeps_place(ctx.config),
    }
