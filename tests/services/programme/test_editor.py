"""Owners edit the document of a week: revisions, what stays as it was, two at once, and the way back."""

from __future__ import annotations

from copy import deepcopy

import pytest

from console.domain.errors import Invalid, NotFound, PermissionDenied, PreconditionFailed
from console.domain.programme.catalogue import WEEKS
from console.domain.programme.documents import PACKS
from console.models.policies import Policy
from console.services.programme import editions, editor, files, portal, weeks
from tests.factories import make_site
from tests.support.statements import statements

SITE = "한빛마을 3단지"


def changed(code="w02", **title):
    document = deepcopy(dict(PACKS[code]))
    document["title"] = {"en": "W02 Our Pack 🎉", "ko": "W02 우리 자료 🎉", **title}
    return document


def test_a_stored_document_counts_for_everybody_and_the_built_in_one_comes_back(ctx):
    before = editor.pack(ctx, "w02")
    made = editor.save(ctx, "w02", changed(), if_match=0, reason="우리 말로")

    assert (before.source, before.revision) == ("built_in", 0)
    assert (made.source, made.revision, made.updated_by) == ("stored", 1, ctx.actor.username)
    found = editions.edition(ctx)
    assert found.packs["w02"]["title"]["en"] == "W02 Our Pack 🎉"
    assert found.stamp("w02") == ctx.now() != found.stamp("w03")
    back = editor.to_built_in(ctx, "w02", if_match=1)
    assert (back.source, back.revision, back.document) == ("built_in", 2, PACKS["w02"])
    restored = editor.restore(ctx, "w02", 1, if_match=2)
    assert (restored.source, restored.document["title"]["ko"]) == ("stored", "W02 우리 자료 🎉")
    assert editor.restore(ctx, "w02", 2, if_match=3).source == "built_in"
    told = editor.revisions(ctx, "w02")
    assert [(one.revision, one.source) for one in told] == [
        *((4, "built_in"), (3, "update"), (2, "built_in"), (1, "update"))
    ]
    assert told[-1].changes["title.ko"] == {"old": PACKS["w02"]["title"]["ko"], "new": "W02 우리 자료 🎉"}
    with pytest.raises(NotFound):
        editor.restore(ctx, "w02", 9, if_match=4)


def test_what_a_week_is_about_is_said_everywhere_in_the_words_of_the_owner(ctx):
    document = changed()
    document |= {"phase": "Habit", "focus": {"en": "Our focus 🎯", "ko": "우리 초점 🎯"}}
    document["success_metric"] = {"en": "nine of ten", "ko": "열에 아홉"}
    editor.save(ctx, "w02", document, if_match=0)
    plan, calendar = files.plan(ctx, "ko").body.decode(), files.plan_ics(ctx, "en").body.decode()

    assert '"focus":"우리 초점 🎯"' in plan.replace('": "', '":"')
    assert "[W02] Kickoff - Our focus 🎯" in calendar
    assert "우리 초점 🎯" in files.plan_csv(ctx, "ko", False).body.decode()
    shown = portal.calendar(editions.edition(ctx), ctx.now().date(), "ko").all_weeks
    (week,) = [one for one in shown if one.code == "w02"]
    assert (week.document["phase"], week.document["success_metric"]["ko"]) == ("Habit", "열에 아홉")


def test_what_comes_out_as_it_was_leaves_no_revision(ctx):
    assert editor.save(ctx, "w02", deepcopy(dict(PACKS["w02"])), if_match=0).revision == 0


def test_the_second_of_two_editors_is_refused_and_nothing_of_theirs_is_stored(ctx, make_ctx):
    editor.save(ctx, "w02", changed(), if_match=0)
    ctx.commit()
    late = make_ctx("owner")

    with pytest.raises(PreconditionFailed) as refusal:
        editor.save(late, "w02", changed(en="W02 Theirs"), if_match=0)
    late.rollback()

    assert refusal.value.detail["current_revision"] == 1
    assert editor.pack(make_ctx("owner"), "w02").document["title"]["en"] == "W02 Our Pack 🎉"


def test_of_owners_who_save_at_once_one_wins_and_nothing_is_mixed(at_once, make_ctx):
    names = [f"W02 Pack {number} 🎉" for number in range(4)]
    saves = [lambda ctx, name=name: editor.save(ctx, "w02", changed(en=name), if_match=0) for name in names]
    made = at_once(*saves)

    won = [name for name, result in zip(names, made, strict=True) if not isinstance(result, Exception)]
    lost = [result for result in made if isinstance(result, Exception)]
    assert ([type(one) for one in lost], len(won)) == ([PreconditionFailed] * 3, 1)
    ctx = make_ctx("owner")
    assert editor.pack(ctx, "w02").document["title"]["en"] == won[0]
    assert [one.revision for one in editor.revisions(ctx, "w02")] == [1]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda d: d.update(slug="other"), "slug"),
        (lambda d: d.update(focus={"en": "x"}), "focus"),
        (lambda d: d.update(focus={"en": "x" * 201, "ko": "가"}), "focus"),
        (lambda d: d.update(phase="Somewhen"), "phase"),
        (lambda d: d.update(phase=["Habit"]), "phase"),
        (lambda d: d.update(success_metric={"en": "100 %", "ko": " "}), "success_metric"),
        (lambda d: d.update(calendar="W02 Other"), "calendar"),
        (lambda d: d.update(links={"x": "/a"}), "links"),
        (lambda d: d["title"].update(ko=""), "title"),
        (lambda d: d["title"].update(en=5), "title"),
        (lambda d: d["lists"]["sop_runbooks"].pop(), "lists.sop_runbooks"),
        (lambda d: d["lists"]["sop_runbooks"][0].update(id="SOP-NEW"), "lists.sop_runbooks"),
        (lambda d: d["samples"].pop(), "lists.samples"),
        (lambda d: d["lists"]["scheduled_events"][0].update(day=9), "lists"),
    ],
)
def test_a_document_that_does_not_fit_is_refused_with_its_place(ctx, change, place):
    document = changed()
    change(document)

    with pytest.raises(Invalid) as refusal:
        editor.save(ctx, "w02", document, if_match=0)

    assert refusal.value.detail[0]["loc"][1] == place
    assert editor.pack(ctx, "w02").revision == 0


@pytest.mark.parametrize(("role", "sites"), [("manager", ("*",)), ("operator", ("*",)), ("auditor", ("*",))])
def test_nobody_but_an_owner_edits(make_ctx, role, sites):
    for call in (
        editor.packs,
        lambda ctx: editor.pack(ctx, "w02"),
        lambda ctx: editor.save(ctx, "w02", changed(), if_match=0),
        lambda ctx: editor.to_built_in(ctx, "w02", if_match=0),
        lambda ctx: editor.revisions(ctx, "w02"),
        lambda ctx: editor.preview(ctx, "w02", changed()),
    ):
        with pytest.raises(PermissionDenied):
            call(make_ctx(role, sites))


def test_a_stored_document_that_no_longer_fits_gives_way_to_the_built_in_one(ctx, session, clock):
    session.add(Policy(policy_key="adoption_pack:w02", policy_json={"code": "w02"}, version=1, updated_at=clock.now()))
    session.add(Policy(policy_key="adoption_pack:w99", policy_json={"code": "w99"}, version=1, updated_at=clock.now()))
    session.flush()

    found = editions.edition(ctx)
    assert found.packs["w02"] is PACKS["w02"]
    assert "w99" not in found.packs
    assert files.pack(ctx, "w02", "en").body


def test_a_preview_is_stored_nowhere(ctx):
    found = editor.preview(ctx, "w02", changed())

    assert found.packs["w02"]["title"]["en"] == "W02 Our Pack 🎉"
    assert editor.pack(ctx, "w02").revision == 0


def test_a_form_fills_texts_numbers_and_switches(ctx):
    made = editor.filled(
        PACKS["w04"],
        {
            "title.ko": " W04\r\n자료 ",
            "lists.coaching_actions.0.evidence_required": "false",
            "lists.scheduled_events.0.day": "2",
            "lists.scheduled_events.1.day": "x",
            "lists.nothing.0": "?",
        },
    )

    assert made["title"]["ko"] == "W04\n자료"
    assert made["lists"]["coaching_actions"][0]["evidence_required"] is False
    assert [one["day"] for one in made["lists"]["scheduled_events"][:2]] == [2, "x"]
    assert "nothing" not in made["lists"]


def test_a_week_that_begins_afterwards_has_the_new_names_and_hours(ctx, session, clock):
    make_site(session, SITE, now=clock.now())
    document = changed()
    document["lists"]["sop_runbooks"][0]["name"] = {"en": "Morning round", "ko": "아침 순회"}
    document["lists"]["scheduled_events"][0]["end_time"] = "11:30"
    editor.save(ctx, "w02", document, if_match=0)
    ctx.commit()

    items = {one.item_key: one for one in weeks.bootstrap(ctx, WEEKS["w02"], SITE).items}

    assert items["SOP-INS-01"].item_name == "Morning round"
    assert items["W02-E01"].due_at.isoformat() == "2026-03-09T02:30:00+00:00"


def test_reading_takes_one_question_and_then_none(ctx, make_ctx, engine):
    editor.save(ctx, "w02", changed(), if_match=0)
    ctx.commit()
    reader = make_ctx("auditor")

    with statements(engine) as first:
        files.plan(reader, "en")
    with statements(engine) as second:
        files.plan(reader, "en")

    assert len([one for one in first if "sla_policies" in one]) <= 1
    assert len(second) <= len(first)
