"""Types and bounds of inspections and rounds (API contract, inspections)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from console.domain.ids import MAX_ID
from console.domain.inspections.points import MOST_POINTS, Answer, Limits, Point
from console.domain.inspections.readings import BY_NAME, FAR, Readings, clean, refusal
from console.domain.inspections.requests import FindingOrder, NewInspection, NewTemplate, PointAnswer
from console.domain.inspections.signature import MOST_LENGTH, is_drawing
from console.inputs.base import BodyModel, InstantIn, PathModel, QueryModel, RowId, SiteFilter, SiteName, WrittenBody
from console.inputs.evidence import EvidenceForm

LevelWord = Literal["normal", "warning", "danger"]
PriorityWord = Literal["low", "medium", "high", "critical"]
KindWord = Literal["number", "choice", "text", "photo"]


def _number(value: Any) -> Any:
    # Published rule: numbers may be written as text.
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            raise ValueError("must be a number") from None
    return value


def _value(value: float | None, least: float, most: float) -> float | None:
    if value is None:
        return None
    refused = refusal(value, least, most)
    if refused is not None:
        raise ValueError(str(refused))
    return clean(value)


class InspectionPath(PathModel):
    """An inspection by id."""

    inspection_id: RowId


class InspectionsQuery(QueryModel):
    """One slice of the inspections, newest first. `cursor` is X-Next-Cursor of the slice before."""

    site: SiteFilter = None
    risk_level: LevelWord | None = None
    template_id: int | None = Field(None, ge=1, le=MAX_ID)
    asset_id: int | None = Field(None, ge=1, le=MAX_ID)
    inspector: str | None = Field(None, max_length=80)
    inspected_from: InstantIn | None = None
    inspected_to: InstantIn | None = None
    limit: int = Field(20, ge=1, le=100)
    offset: int = Field(0, ge=0, le=2**31 - 1)
    cursor: str | None = Field(None, max_length=80)


class PointAnswerIn(BodyModel):
    """What was found at a point of the template: a value, a word or text, or why it could not be measured."""

    code: str = Field(min_length=1, max_length=40)
    value: Annotated[float | None, BeforeValidator(_number), AfterValidator(lambda one: _value(one, -FAR, FAR))] = None
    text: str = Field("", max_length=2000)
    reason: str = Field("", max_length=200)
    note: str = Field("", max_length=2000)
    measured_at: InstantIn | None = None

    def answer(self) -> PointAnswer:
        """Return it as the service takes it."""
        found = Answer(self.code, self.value, self.text, self.reason)
        return PointAnswer(found, self.note, self.measured_at)


class FindingOrderIn(BodyModel):
    """A work order for the point of this code, made in the same send; its verdict gives a priority where none is."""

    code: str = Field(min_length=1, max_length=40)
    priority: PriorityWord | None = None
    title: str = Field("", max_length=200)
    assignee: str | None = Field(None, max_length=80)

    def wanted(self) -> FindingOrder:
        """Return it as the service takes it."""
        return FindingOrder(**self.model_dump())


class InspectionIn(WrittenBody):
    """A new inspection. With `template_id` it has `results` of the template's points.

    `round_key` names the round for its sender: the same one sent again is answered as it was stored. `orders` are
    stored with it or not at all. `signature` is the path of an SVG, strokes in a box of 320 by 96. `asset_id` is an
    asset of the same site; without it the template's.
    """

    site: SiteName
    location: str = Field(min_length=1, max_length=120)
    cycle: str = Field(min_length=1, max_length=40)
    inspector: str = Field(min_length=1, max_length=80)
    inspected_at: InstantIn
    transformer_kva: float | None = None
    voltage_r: float | None = None
    voltage_s: float | None = None
    voltage_t: float | None = None
    current_r: float | None = None
    current_s: float | None = None
    current_t: float | None = None
    winding_temp_c: float | None = None
    grounding_ohm: float | None = None
    insulation_mohm: float | None = None
    notes: str = ""
    template_id: int | None = Field(None, ge=1, le=MAX_ID)
    results: list[PointAnswerIn] = Field(default_factory=list, max_length=MOST_POINTS)
    started_at: InstantIn | None = None
    signed_by: str = Field("", max_length=80)
    round_key: str | None = Field(None, min_length=8, max_length=80)
    signature: str = Field("", max_length=MOST_LENGTH)
    orders: list[FindingOrderIn] = Field(default_factory=list, max_length=MOST_POINTS)
    asset_id: int | None = Field(None, ge=1, le=MAX_ID)

    @field_validator(*BY_NAME, mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return _number(value)

    @field_validator(*BY_NAME)
    @classmethod
    def _can_be(cls, value: float | None, info: ValidationInfo) -> float | None:
        column = BY_NAME[info.field_name or ""]
        return _value(value, column.least, column.most)

    @field_validator("signature")
    @classmethod
    def _is_drawing(cls, value: str) -> str:
        if value and not is_drawing(value):
            raise ValueError("must be a drawing")
        return value

    def new(self) -> NewInspection:
        """Return it as the service takes it."""
        beside = {"results", "orders", *BY_NAME}
        readings = Readings(**{name: getattr(self, name) for name in BY_NAME})
        answers = tuple(one.answer() for one in self.results)
        orders = tuple(one.wanted() for one in self.orders)
        return NewInspection(readings=readings, answers=answers, orders=orders, **self.model_dump(exclude=beside))


class FindingPath(PathModel):
    """A point of an inspection by its code."""

    inspection_id: RowId
    code: str = Field(min_length=1, max_length=40)


class FindingClosingIn(BodyModel):
    """Why nothing is to be done about a finding."""

    reason: str = Field(min_length=1, max_length=500)


class CountersignIn(BodyModel):
    """Words beside the signature of the second person."""

    note: str = Field("", max_length=2000)


class InspectionEvidenceForm(EvidenceForm):
    """Multipart form of an upload to an inspection: of the point with this code, or of the whole."""

    point: Annotated[str, Field(max_length=40), BeforeValidator(str)] = ""


class TemplatePath(PathModel):
    """A version of a template by id."""

    template_id: RowId


class TemplatesQuery(QueryModel):
    """Templates that can be begun at a site; without one all that the caller may begin somewhere."""

    site: SiteFilter = None


class ChoiceIn(BodyModel):
    """A word that may be chosen, and what it means."""

    word: str = Field(min_length=1, max_length=80)
    verdict: LevelWord


class LimitsIn(BodyModel):
    """Bounds of a number in the unit of its point; a value at a bound lies outside."""

    danger_low: float | None = None
    warn_low: float | None = None
    warn_high: float | None = None
    danger_high: float | None = None


class PointIn(BodyModel):
    """A point of a template: what is asked, in which unit, within which limits."""

    code: str = Field(min_length=1, max_length=40)
    name: str = Field(min_length=1, max_length=200)
    kind: KindWord = "number"
    section: str = Field("", max_length=120)
    guide: str = Field("", max_length=2000)
    unit: str = Field("", max_length=20)
    maps_to: str | None = Field(None, max_length=40)
    limits: LimitsIn = Field(default_factory=LimitsIn)
    choices: list[ChoiceIn] = Field(default_factory=list, max_length=20)
    optional: bool = False
    advice: str = Field("", max_length=2000)

    def point(self) -> Point:
        """Return it as the rules know it."""
        limits = Limits(**self.limits.model_dump())
        choices = tuple((one.word, one.verdict) for one in self.choices)
        return Point(limits=limits, choices=choices, **self.model_dump(exclude={"limits", "choices"}))


class TemplateIn(BodyModel):
    """A template or its next version; `site` null is for all sites. `version` is the one it was written over.

    `asset_id` is what its rounds are about, at the same site.
    """

    code: str = Field(min_length=1, max_length=40, pattern=r"^[a-z0-9][a-z0-9_-]*$")
    name: str = Field(min_length=1, max_length=200)
    location: str = Field(min_length=1, max_length=120)
    cycle: str = Field(min_length=1, max_length=40)
    site: str | None = Field(None, max_length=120)
    points: list[PointIn] = Field(min_length=1, max_length=MOST_POINTS)
    version: int | None = Field(None, ge=0, le=2**31 - 1)
    asset_id: int | None = Field(None, ge=1, le=MAX_ID)

    def new(self) -> NewTemplate:
        """Return it as the service takes it."""
        points = tuple(one.point() for one in self.points)
        head = self.model_dump(exclude={"points", "version", "site"})
        return NewTemplate(**head, points=points, site=self.site or None, base_version=self.version)
