"""Rounds of the demo company: three templates, and three months of what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial

from console.demo.automation import Stage, Step
from console.demo.company import ELECTRIC, MANAGER, NIGHT, PUMPS, SITES, DemoPerson
from console.domain.inspections.points import Answer, Limits, Point
from console.domain.inspections.requests import NewInspection, NewTemplate, PointAnswer
from console.services.assets import lists as asset_lists
from console.services.inspections import create, templates

_FINE = (("정상", "normal"), ("주의", "warning"), ("이상", "danger"))
_NONE = (("없음", "normal"), ("조금", "warning"), ("있음", "danger"))
POWER = NewTemplate(
    "power-monthly",
    "변전실 월간 점검",
    "변전실",
    "monthly",
    (
        Point("winding", "권선 온도", section="변압기 1호 (TR-01)", unit="°C", maps_to="winding_temp_c"),
        Point(
            "insulation",
            "절연저항 R–E",
            section="변압기 1호 (TR-01)",
            guide="1,000 V로 1분 동안 잽니다.",
            unit="MΩ",
            maps_to="insulation_mohm",
        ),
        Point("voltage-r", "전압 R", section="변압기 1호 (TR-01)", unit="V", maps_to="voltage_r"),
        Point("voltage-s", "전압 S", section="변압기 1호 (TR-01)", unit="V", maps_to="voltage_s"),
        Point("voltage-t", "전압 T", section="변압기 1호 (TR-01)", unit="V", maps_to="voltage_t"),
        Point(
            "insulation-2",
            "절연저항 R–E",
            section="변압기 2호 (TR-02)",
            guide="1,000 V로 1분 동안 잽니다.",
            unit="MΩ",
            limits=Limits(danger_low=1, warn_low=5),
            advice="다시 재고, 같으면 부하를 옮긴 뒤 전기안전관리자에게 알립니다.",
        ),
        Point("oil", "유온", section="변압기 2호 (TR-02)", unit="°C", limits=Limits(warn_high=70, danger_high=85)),
        Point("ground", "접지저항", section="공통", unit="Ω", maps_to="grounding_ohm"),
        Point("noise", "누수·소음·냄새", kind="choice", section="공통", choices=_NONE),
        Point("memo", "특이 사항", kind="text", section="공통", optional=True),
    ),
)
PUMP = NewTemplate(
    "pump-daily",
    "기계실 일일 점검",
    "지하 2층 기계실",
    "daily",
    (
        Point("pressure", "급수 압력", unit="MPa", limits=Limits(danger_low=0.2, warn_low=0.3, warn_high=0.7)),
        Point("motor", "펌프 모터 온도", unit="°C", limits=Limits(warn_high=65, danger_high=80)),
        Point("level", "저수조 수위", unit="%", limits=Limits(danger_low=30, warn_low=50)),
        Point("leak", "누수", kind="choice", choices=_NONE),
    ),
)
FIRE = NewTemplate(
    "fire-weekly",
    "소방 설비 주간 점검",
    "방재실",
    "weekly",
    (
        Point("extinguisher", "소화기 압력", kind="choice", choices=_FINE),
        Point("hydrant", "옥내소화전 압력", unit="MPa", limits=Limits(danger_low=0.17, warn_low=0.2)),
        Point("panel", "수신기 상태", kind="choice", choices=_FINE),
        Point("exit", "피난 통로 장애물", kind="choice", choices=_NONE),
    ),
)
Values = Mapping[str, float | str]
# What a template is about, by the code that every site has on its label.
ABOUT = {POWER.code: "TR-01", PUMP.code: "PU-01", FIRE.code: "FP-01"}


class Rounds:
    """The rounds of the last three months, done by those who are on duty at the sites."""

    def __init__(self, story: Stage) -> None:
        self._story = story
        self._ids: dict[str, int] = {}

    def steps(self) -> Iterator[Step]:
        """Return everything that happens, with its time."""
        yield Step(self._story.day(90, 11), self._publish)
        for month, ago in enumerate((88, 58, 28)):
            yield self._done(POWER, SITES[0], ELECTRIC, ago, _power(month, 13.4 - 0.5 * month))
            yield self._done(POWER, SITES[2], PUMPS, ago - 1, _power(month + 1, 15.1 - 0.2 * month))
        yield self._done(POWER, SITES[0], ELECTRIC, 1, {**_power(3, 0.4), "noise": "조금", "memo": "비 온 뒤 습함"})
        for week in range(12):
            weak: Values = {"hydrant": 0.19, "exit": "조금"} if week == 9 else {}
            yield self._done(FIRE, SITES[1], ELECTRIC, 86 - 7 * week, {**_fire(week), **weak})
            yield self._done(FIRE, SITES[3], PUMPS, 85 - 7 * week, _fire(week + 3))
        for ago in range(28, -1, -1):
            hot: Values = {"motor": 66.5} if ago == 0 else {}
            yield self._done(PUMP, SITES[0], NIGHT, ago, {**_pump(ago), **hot})

    def _publish(self) -> None:
        with self._story.acting_as(MANAGER) as ctx:
            for template in (POWER, PUMP, FIRE):
                self._ids[template.code] = templates.publish(ctx, template).id

    def _done(self, template: NewTemplate, site: str, who: DemoPerson, ago: int, values: Values) -> Step:
        at = min(self._story.day(ago, 7, 40), self._story.now - timedelta(minutes=30))
        return Step(at, partial(self._store, template, site, who, values))

    def _store(self, template: NewTemplate, site: str, who: DemoPerson, values: Values) -> None:
        with self._story.acting_as(who) as ctx:
            now = ctx.now()
            answers = tuple(PointAnswer(_answer(code, value)) for code, value in values.items())
            new = NewInspection(
                site=site,
                asset_id=asset_lists.id_of(ctx, site, ABOUT[template.code]),
                location=template.location,
                cycle=template.cycle,
                inspector=who.display_name,
                inspected_at=now,
                template_id=self._ids[template.code],
                answers=answers,
                started_at=now - timedelta(minutes=4 * len(answers)),
                signed_by=who.display_name,
            )
            create.create(ctx, new)


def _answer(code: str, value: float | str) -> Answer:
    return Answer(code, text=value) if isinstance(value, str) else Answer(code, float(value))


def _power(month: int, insulation_2: float) -> Values:
    return {
        "winding": 74 + 2 * month,
        "insulation": round(11.9 - 0.1 * month, 1),
        "voltage-r": 220 + month,
        "voltage-s": 221,
        "voltage-t": 219 - month,
        "insulation-2": round(insulation_2, 1),
        "oil": 58 + month,
        "ground": round(4.0 + 0.1 * month, 1),
        "noise": "없음",
    }


def _pump(ago: int) -> Values:
    return {"pressure": 0.42 + ago % 4 / 100, "motor": 52.0 + ago % 5, "level": 84.0 - ago % 6, "leak": "없음"}


def _fire(week: int) -> Values:
    return {"extinguisher": "정상", "hydrant": 0.27 + week % 3 / 100, "panel": "정상", "exit": "없음"}
