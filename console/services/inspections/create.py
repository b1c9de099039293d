"""Storing an inspection: judged once, with its results, kept once however often it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, cast

from sqlalchemy import Table, insert, select
from sqlalchemy.exc import IntegrityError

from console.core.context import Context
from console.domain.errors import Conflict, Invalid
from console.domain.inspections import points as rules
from console.domain.inspections import risk
from console.domain.inspections.points import Answer, Limits, Point
from console.domain.inspections.readings import BY_NAME, COLUMNS, Readings
from console.domain.inspections.requests import NewInspection, PointAnswer
from console.domain.text import N_, T, Text
from console.models.inspections import Inspection, InspectionResult, InspectionSignature
from console.services.audit import record as audit
from console.services.identity import sites
from console.services.inspections import orders, templates
from console.services.inspections.rows import WRITE, InspectionView, load
from console.services.inspections.templates import TemplateView
from console.services.work_orders.create import asset_at

# Rounds of the same template at the same place within this time are told to be the same.
SAME_ROUND = timedelta(hours=12)


_RESULTS = cast("Table", InspectionResult.__table__)


@dataclass(frozen=True)
class Judged:
    """One result that is going to be stored."""

    point: Point
    answer: PointAnswer
    verdict: str
    limits: Limits
    series: str


def create(ctx: Context, new: NewInspection) -> InspectionView:
    """Store an inspection and return it; the same `round_key` of the same person returns what was stored first.

    Its work orders are stored with it. Raises PermissionDenied, SiteDenied, NotFound for an unknown template, Invalid
    for values that cannot be, Conflict when the key was used for another round.
    """
    ctx.actor.require(WRITE)
    new = replace(new, site=sites.named(ctx, new.site))
    for name in ("location", "cycle", "inspector"):
        if not getattr(new, name).strip():
            raise Invalid.field(name, T("must not be blank"))
    ctx.actor.require_site(new.site)
    said = sha256(new.said.encode("utf-8", "surrogatepass")).hexdigest()
    known = _sent_before(ctx, new, said)
    if known is not None:
        return known
    template = templates.get(ctx, new.template_id) if new.template_id is not None else None
    new = _fitted(ctx, new, template)
    readings = _readings(new, template)
    judged = [*_of_columns(readings, new, template), *_of_template(new, template)]
    row = _row(ctx, new, readings, judged, said)
    try:
        with ctx.session.begin_nested():
            ctx.session.add(row)
    except IntegrityError:
        # The same round, sent twice at the same moment.
        known = _sent_before(ctx, new, said)
        if known is None:
            raise
        return known
    _store_beside(ctx, row, _in_place(judged, template), new.signature)
    told = ("site", "location", "cycle", "risk_level", "risk_flags", "rule_version", "template_id", "twin_of")
    kept = {name: getattr(row, name) for name in (*told, "asset_id")}
    audit.record(ctx, "inspection_create", "inspection", row.id, detail=kept)
    made = load(ctx, row.id)
    orders.of_round(ctx, made, new.orders, template)
    return made


def _fitted(ctx: Context, new: NewInspection, template: TemplateView | None) -> NewInspection:
    """Return the inspection with its asset: the one that was sent, or the template's; raises for what does not fit."""
    if template is not None and template.site not in (None, new.site):
        raise Invalid.field("template_id", T("The template belongs to another site"))
    if new.asset_id is not None:
        # Retired ones too: a round that was done without a signal tells of the day on which it was done.
        asset_at(ctx, new.asset_id, new.site, retired=True)
    elif template is not None:
        new = replace(new, asset_id=template.asset_id)
    if template is None and new.answers:
        raise Invalid.field("results", T("Results need a template"))
    return new


def _row(
    ctx: Context, new: NewInspection, readings: Readings, judged: Sequence[Judged], content_hash: str
) -> Inspection:
    own = [one for one in judged if one.series]
    warnings, dangers = (
        [one.point.code for one in own if one.verdict == verdict] for verdict in (risk.WARNING, risk.DANGER)
    )
    found = risk.judge(readings, warnings, dangers)
    names = {f"{risk.POINT}{one.point.code}": one.point.name for one in own}
    beside = ("readings", "answers", "signature", "orders")
    return Inspection(
        **{one.name: getattr(new, one.name) for one in fields(new) if one.name not in beside},
        **asdict(readings),
        risk_level=found.level,
        risk_flags=list(found.flags),
        finding_names=[names.get(flag, "") for flag in found.flags],
        rule_version=risk.RULE_VERSION,
        content_hash=content_hash,
        twin_of=_twin_of(ctx, new),
        created_by=ctx.actor.username,
        created_at=ctx.now(),
    )


def _store_beside(ctx: Context, row: Inspection, judged: Sequence[Judged], signature: str) -> None:
    if results := [_stored(row, place, one) for place, one in enumerate(judged, start=1)]:
        # The table and not the model: one statement for all points, on SQLite too.
        ctx.session.execute(insert(_RESULTS), results)
    if signature:
        ctx.session.add(InspectionSignature(inspection_id=row.id, drawing=signature, drawn_at=row.inspected_at))
    ctx.session.flush()


def _sent_before(ctx: Context, new: NewInspection, said: str) -> InspectionView | None:
    if new.round_key is None:
        return None
    mine = (Inspection.created_by == ctx.actor.username, Inspection.round_key == new.round_key)
    row = ctx.session.execute(select(Inspection.id, Inspection.content_hash).where(*mine)).first()
    if row is None:
        return None
    if row.content_hash != said:
        raise Conflict(T("Another round was sent under this key"), code="round_key_used")
    return load(ctx, row.id)


def _readings(new: NewInspection, template: TemplateView | None) -> Readings:
    """Return the published measurements: what was sent, and what points of the template stand for."""
    values = asdict(new.readings)
    answers = {one.answer.code: one.answer for one in new.answers}
    for point in template.points if template else ():
        answer = answers.get(point.code)
        if point.maps_to is None or answer is None or answer.value is None:
            continue
        if values[point.maps_to] not in (None, answer.value):
            raise Invalid.field(point.maps_to, T("differs from the value of its point"))
        values[point.maps_to] = answer.value
    return Readings(**values)


def _of_columns(readings: Readings, new: NewInspection, template: TemplateView | None) -> Iterator[Judged]:
    """Judge the published measurements, and the unbalance that follows from three voltages."""
    by_column = {point.maps_to: point for point in template.points if point.maps_to} if template else {}
    answers = {one.answer.code: one for one in new.answers}
    for name, value in readings.measured().items():
        column, known = BY_NAME[name], by_column.get(name)
        point = Point(name, known.name if known else column.label, unit=column.unit, maps_to=name)
        point = replace(point, section=known.section) if known else point
        given = answers.get(known.code) if known else None
        answer = replace(given, answer=Answer(name, value)) if given else PointAnswer(Answer(name, value))
        yield Judged(point, answer, point.own_limits.verdict(value), point.own_limits, "")
    apart = risk.unbalance(readings)
    if apart is not None:
        meant = risk.WARNING if risk.is_uneven(apart) else risk.NORMAL
        point = Point(risk.VOLTAGE_UNBALANCE, UNBALANCE.label, unit=UNBALANCE.unit)
        shown = Limits(warn_high=risk.UNBALANCE_ABOVE)
        yield Judged(point, PointAnswer(Answer(point.code, round(apart, 4))), meant, shown, "")
    for name, point in by_column.items():
        # A published measurement that could not be made is told with its reason.
        given = answers.get(point.code)
        if name and given is not None and given.answer.reason:
            shown_as = replace(point, code=name)
            yield Judged(shown_as, given, _verdict(point, given), point.own_limits, "")


@dataclass(frozen=True)
class _Derived:
    label: str
    unit: str


UNBALANCE = _Derived(N_("Voltage unbalance"), "%")


def _of_template(new: NewInspection, template: TemplateView | None) -> Iterator[Judged]:
    """Judge the points of a template; raises Invalid for one that is missing, unknown or answered wrongly."""
    if template is None:
        return
    answers: dict[str, PointAnswer] = {}
    for one in new.answers:
        if one.answer.code in answers:
            raise _refused(one.answer.code, T("stands there twice"))
        answers[one.answer.code] = one
    for code in answers.keys() - {point.code for point in template.points}:
        raise _refused(code, T("The template has no such point"))
    for point in template.points:
        given = answers.get(point.code)
        if given is None or (given.answer.empty and point.kind != rules.PHOTO):
            sent = point.maps_to is not None and getattr(new.readings, point.maps_to) is not None
            if not point.optional and not sent:
                raise _refused(point.code, T("needs an answer or a reason why not"))
            continue
        verdict = _verdict(point, given)
        if point.maps_to is None:
            yield Judged(point, given, verdict, point.limits, template.code)


def _verdict(point: Point, given: PointAnswer) -> str:
    try:
        return rules.verdict(point, given.answer)
    except ValueError as error:
        raise _refused(point.code, error.args[0]) from error


def _refused(code: str, sentence: str | Text) -> Invalid:
    return Invalid([{"type": "value_error", "loc": ["body", "results", code], "msg": sentence}])


def _twin_of(ctx: Context, new: NewInspection) -> int | None:
    if new.template_id is None:
        return None
    near = Inspection.inspected_at.between(new.inspected_at - SAME_ROUND, new.inspected_at + SAME_ROUND)
    same = (Inspection.template_id == new.template_id, Inspection.site == new.site, Inspection.location == new.location)
    return ctx.session.scalar(select(Inspection.id).where(*same, near).order_by(Inspection.id).limit(1))


def _in_place(judged: Sequence[Judged], template: TemplateView | None) -> list[Judged]:
    """Return results in the order of the template; what it does not ask for follows in the published order."""
    places: dict[str, int] = {}
    for place, point in enumerate(template.points if template else ()):
        places[point.maps_to or point.code] = place
    published = {column.name: place for place, column in enumerate(COLUMNS)}
    last = len(places)
    # What follows from three voltages stands behind the last of them.
    places[risk.VOLTAGE_UNBALANCE] = places.get("voltage_t", last)
    published[risk.VOLTAGE_UNBALANCE] = published["voltage_t"]

    def place_of(one: Judged) -> tuple[int, int]:
        return places.get(one.point.code, last), published.get(one.point.code, len(published))

    return sorted(judged, key=place_of)


def _stored(row: Inspection, place: int, one: Judged) -> dict[str, Any]:
    answer = one.answer.answer
    limits: dict[str, Any] = {name: value for name, value in asdict(one.limits).items() if value is not None}
    measured: datetime = one.answer.measured_at or row.inspected_at
    return {
        "inspection_id": row.id,
        "place": place,
        "code": one.point.code,
        "series": one.series,
        "site": row.site,
        "location": row.location,
        "section": one.point.section,
        "name": one.point.name,
        "unit": one.point.unit,
        "value": answer.value,
        "answer": answer.text,
        "verdict": one.verdict,
        "limits": limits,
        "reason": answer.reason,
        "note": one.answer.note,
        "measured_at": measured,
    }
