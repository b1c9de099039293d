"""The documents of the programme: sound, complete in both languages, and refused where something does not fit."""

from copy import deepcopy
from datetime import date

import pytest

from console.domain.programme import documents
from console.domain.programme.catalogue import texts_of, week_of
from console.domain.programme.documents import PACKS, PLAN, POST_MVP, said, texts
from console.domain.programme.layouts import EVENTS, LAYOUTS
from console.domain.programme.week import FIRST_MONDAY, PHASES
from console.inputs.pack_documents import PlanDocument, problems

every_document = pytest.mark.parametrize("code", PACKS)
# Lists and how many entries they have (API contract, common shape of a week pack).
COUNTS = {
    "w02": {"sop_runbooks": 5, "sandbox_scenarios": 3, "scheduled_events": 5},
    "w03": {"kickoff_agenda": 5, "role_workshops": 4, "office_hours": 5, "scheduled_events": 10},
    "w04": {"coaching_actions": 6, "scheduled_events": 6, "common_mistakes": 5},
    "w05": {"role_missions": 5, "scheduled_events": 5, "help_docs": 3},
    "w06": {"rhythm_checklist": 4, "rbac_audit_checklist": 4, "scheduled_events": 5},
    "w07": {"sla_checklist": 4, "coaching_plays": 4, "scheduled_events": 5},
    "w08": {"report_discipline_checklist": 4, "data_quality_controls": 4, "scheduled_events": 5, "reporting_sop": 4},
    "w09": {"kpi_threshold_matrix": 5, "escalation_map": 4, "scheduled_events": 5},
    **{
        f"w{week}": {"self_serve_guides": 5, "troubleshooting_runbook": 4, "scheduled_events": 5}
        for week in range(10, 16)
    },
}


@every_document
def test_a_document_is_sound(code):
    assert problems(PACKS[code]) == []
    assert PACKS[code]["code"] == code
    assert PACKS[code]["phase"] in PHASES


def test_the_plan_around_the_weeks_is_sound():
    PlanDocument.model_validate(PLAN)
    assert [len(PLAN[name]) for name in ("training_outline", "kpi_dashboard_items", "cadence")] == [8, 8, 3]
    assert {name: len(rows) for name, rows in PLAN["campaign_kit"].items()} == dict.fromkeys(
        ("promotion", "education", "fun"), 3
    )
    assert date.fromisoformat(PLAN["start_date"]) == FIRST_MONDAY
    lists = ("roadmap", "execution_backlog", "milestones", "kpi_dashboard_spec", "risk_register", "governance")
    assert [len(POST_MVP[name]) for name in lists] == [4, 12, 7, 8, 8, 4]


def test_every_week_has_its_published_lists():
    assert list(PACKS) == [f"w{week:02d}" for week in range(1, 16)]
    found = {
        code: {name: len(rows) for name, rows in one["lists"].items()} for code, one in PACKS.items() if one["layout"]
    }
    assert found == COUNTS


def test_every_text_stands_in_both_languages_and_in_none_twice_alike():
    for document in (*PACKS.values(), PLAN, POST_MVP):
        for text in texts(document):
            assert all(one.strip() and one.lstrip() == one for one in text.values())
            assert text["en"].isascii(), text["en"]
            assert any("가" <= sign <= "힣" for sign in text["ko"]), text["ko"]


def test_phases_of_the_roadmap_follow_each_other_and_fill_the_calendar():
    """API contract, known defects, D22."""
    phases = POST_MVP["roadmap"]
    first, last = date.fromisoformat(POST_MVP["start_date"]), date.fromisoformat(POST_MVP["end_date"])

    assert (phases[0]["start_date"], phases[-1]["end_date"]) == (first.isoformat(), last.isoformat())
    for one in phases:
        days = date.fromisoformat(one["end_date"]) - date.fromisoformat(one["start_date"])
        assert (days.days + 3) / 7 == one["duration_weeks"]
    assert sum(one["duration_weeks"] for one in phases) == ((last - first).days + 3) / 7 == 26


def test_no_week_repeats_what_another_one_says():
    """API contract, known defects, D23."""
    names = [name for document in PACKS.values() if document["tracker"] for name, _korean in texts_of(document)]

    assert len(names) == len(set(names))


def test_a_part_is_said_in_one_language():
    part = {"title": {"en": "Round", "ko": "순회"}, "steps": [{"en": "Go", "ko": "가기"}], "days": 3, "en": None}

    assert said(part, "ko") == {"title": "순회", "steps": ["가기"], "days": 3, "en": None}
    assert [one["en"] for one in texts(part)] == ["Round", "Go"]


def _changed(code, change):
    document = deepcopy(dict(PACKS[code]))
    change(document)
    return document


@pytest.mark.parametrize(
    ("code", "change", "place"),
    [
        ("w02", lambda d: d.pop("focus"), "focus"),
        ("w02", lambda d: d["title"].pop("ko"), "title.ko"),
        ("w02", lambda d: d["title"].update(ko="  "), "title.ko"),
        ("w02", lambda d: d["actions"].pop(), "actions"),
        ("w02", lambda d: d.update(colour="red"), "colour"),
        ("w02", lambda d: d.update(layout="none"), "layout"),
        ("w02", lambda d: d.update(slug="a b"), "slug"),
        ("w02", lambda d: d["links"].update(x_api="//evil.example"), "links.x_api"),
        ("w02", lambda d: d["links"].update(x_api="https://evil.example"), "links.x_api"),
        ("w02", lambda d: d["lists"].pop("sop_runbooks"), "lists.sop_runbooks"),
        ("w02", lambda d: d["lists"].update(sop_runbooks=[]), "lists.sop_runbooks"),
        ("w02", lambda d: d["lists"].update(more=[]), "lists.more"),
        ("w02", lambda d: d["lists"]["sop_runbooks"][0].update(name="text"), "lists.sop_runbooks.0.name"),
        ("w02", lambda d: d["lists"]["sop_runbooks"][1].update(id="SOP-INS-01"), "lists.sop_runbooks"),
        ("w02", lambda d: d["lists"][EVENTS][0].update(day=5), f"lists.{EVENTS}.0.day"),
        ("w02", lambda d: d["lists"][EVENTS][0].update(start_time="9:00"), f"lists.{EVENTS}.0.start_time"),
        ("w02", lambda d: d["lists"][EVENTS][0].update(end_time="08:00"), f"lists.{EVENTS}.0.end_time"),
        ("w09", lambda d: d["lists"]["kpi_threshold_matrix"][0].update(green_threshold=float("nan")), None),
        ("w01", lambda d: d["lists"].update(sop_runbooks=[{}]), "lists"),
    ],
)
def test_a_broken_document_is_told_with_its_place(code, change, place):
    found = problems(_changed(code, change))

    assert found
    assert place is None or found[0][0] == place


def test_something_that_is_no_object_is_no_document(tmp_path):
    (tmp_path / "w20.json").write_text("{", encoding="utf-8")
    (tmp_path / "w21.json").write_text("[]", encoding="utf-8")

    for name in ("w20.json", "w21.json"):
        with pytest.raises(ValueError, match=name):
            documents.load(tmp_path / name)
    with pytest.raises(ValueError, match=r"w02\.json"):
        week_of(_changed("w02", lambda d: d["lists"].pop("sop_runbooks")))


@every_document
def test_the_cells_of_a_layout_are_fields_of_its_lists(code):
    document = PACKS[code]
    for kind in LAYOUTS[document["layout"]].lists if document["layout"] else ():
        if kind.cells:
            assert len(kind.cells) == len(LAYOUTS[document["layout"]].header) - 1
            for row in document["lists"][kind.field]:
                known = {*row, "date"}
                assert {name.removesuffix(",") for name in kind.cells if name[:1] not in ("", "=", "@")} <= known
