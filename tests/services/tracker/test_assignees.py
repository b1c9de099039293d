"""People who may work on an item, and items whose assignee cannot."""

from dataclasses import replace

import pytest

from console.core.listing import ListQuery
from console.domain.errors import Invalid
from console.domain.tracker.requests import BulkChange, ItemChange, Selection
from console.domain.tracker.tracker import REMEDIATION
from console.models.tracker import TrackerItem
from console.services.tracker import assignees, handover
from console.services.tracker import bulk as tracker_bulk
from console.services.tracker import items as tracker_items
from console.services.tracker import lists as tracker_lists
from tests.factories import make_user
from tests.factories.tracker import HOUR, add_item

SITE, OTHER = "한빛마을 3단지", "푸른숲 타워"


@pytest.fixture
def people(session, clock):
    """One person of every kind, by user name."""
    now = clock.now()
    kinds = {
        "everywhere": {},
        "here": {"site_scope": (SITE,)},
        "there": {"site_scope": (OTHER,)},
        "nowhere": {"site_scope": ()},
        "gone": {"is_active": False},
        "reader": {"role": "auditor"},
    }
    return {name: make_user(session, now=now, username=name, display_name=name, **more) for name, more in kinds.items()}


@pytest.fixture
def held(session, clock, people):
    """An open item and a finished one of everybody at every place, and one of a text that is nobody."""
    rows, number = [], 0
    for user in [*people.values(), None]:
        for site in (None, SITE, OTHER):
            for status in ("in_progress", "done"):
                number += 1
                who = {"assignee": user.username, "assignee_user_id": user.id} if user else {"assignee": "외주 팀"}
                rows.append(add_item(session, clock.now(), number, site=site, status=status, **who))
    session.commit()
    return rows


def test_people_of_the_site_come_first(make_ctx, people, session):
    session.commit()
    found = assignees.candidates(make_ctx("manager"), SITE)

    assert [(person.username, person.own) for person in found] == [("here", True), ("everywhere", False)]


def test_the_filter_finds_exactly_the_items_that_bear_the_mark(make_ctx, held):
    ctx = make_ctx("manager")
    marked = {row.id for row in held if tracker_items.get(ctx, row.id).stranded is not None}
    query = ListQuery(filters={"stranded": ("1",)}, per_page=100)

    found = tracker_lists.page(ctx, REMEDIATION, query)

    assert {item.id for item in found.rows} == marked
    who = {(item.assignee, item.site, item.obstacle) for item in found.rows}
    assert who == {
        ("here", OTHER, "site"),
        ("there", SITE, "site"),
        *(("nowhere", site, "site") for site in (SITE, OTHER)),
        *((name, site, word) for site in (None, SITE, OTHER)
          for name, word in (("gone", "inactive"), ("reader", "permission"), ("외주 팀", "unknown"))),
    }  # fmt: skip


def test_their_number_follows_the_rights_of_the_people(make_ctx, held, people, session):
    ctx = replace(make_ctx("manager"), only_reads=True)
    query = ListQuery(filters={"stranded": ("1",)}, per_page=100)

    def found():
        result = tracker_lists.page(ctx, REMEDIATION, query)
        session.rollback()
        return result.total, len(result.rows)

    before, rows = found()
    people["everywhere"].is_active = False
    session.commit()

    assert before == rows
    assert found() == (before + 3, rows + 3)


@pytest.mark.parametrize("name", ["everywhere", "here", "there", "nowhere", "gone", "reader", "somebody"])
def test_a_page_gives_nobody_what_they_cannot_work_on(ctx, session, clock, people, name):
    """The preview tells it with its reason, the action leaves it out, and the mark would have said the same."""
    rows = [add_item(session, clock.now(), number, site=(None, SITE, OTHER)[number % 3]) for number in range(6)]
    ctx.commit()
    chosen, wanted = Selection(tuple(row.id for row in rows)), BulkChange("assign", assignee=name, only_able=True)

    told = tracker_bulk.preview(ctx, chosen, wanted)
    done = tracker_bulk.apply(ctx, chosen, wanted)

    assert (done.changed, done.refused) == (told.will_change, told.refused)
    assert len(told.left_out) == min(told.refused, 5)
    assert all(name in str(one.reason) for one in told.left_out)
    assert all(tracker_items.get(ctx, row.id).obstacle is None for row in rows)
    assert told.refused == {"everywhere": 0, "here": 2, "there": 2, "nowhere": 4}.get(name, 6)


def test_the_api_takes_any_assignee_and_says_what_is_wrong(ctx, session, clock, people):
    row = add_item(session, clock.now(), 1, site=OTHER)
    ctx.commit()

    result = tracker_bulk.apply(ctx, Selection((row.id,)), BulkChange("assign", assignee="here"))

    assert (result.changed, str(result.rows[0].message)) == (1, f"here does not see {OTHER}")
    for name, fine in (("here", False), ("there", True), ("", True), (None, True)):
        if fine:
            assignees.require_able(ctx, name, OTHER)
        else:
            with pytest.raises(Invalid):
                assignees.require_able(ctx, name, OTHER)


def test_done_without_evidence_or_assignee_is_told_before(ctx, session, clock):
    now = clock.now()
    rows = [
        add_item(session, now, 1, evidence_required=True, assignee="kim"),
        add_item(session, now, 2, evidence_required=True, evidence_count=1),
        add_item(session, now, 3, status="done", evidence_required=True),
    ]
    ctx.commit()
    chosen = Selection(tuple(row.id for row in rows))

    done = tracker_bulk.preview(ctx, chosen, BulkChange("status", status="done"))
    blocked = tracker_bulk.preview(ctx, chosen, BulkChange("status", status="blocked"))

    assert (done.will_change, done.missing_evidence, done.without_assignee) == (2, 1, 1)
    assert (blocked.missing_evidence, blocked.without_assignee) == (0, 0)


def test_whoever_leaves_hands_over_what_others_can_take(ctx, session, clock, people):
    now = clock.now()
    here = people["here"]
    mine = {"assignee": "here", "assignee_user_id": here.id}
    kept = add_item(session, now, 1, site=SITE, **mine)
    lost = [add_item(session, now, number, site=OTHER, due_at=now + number * HOUR, **mine) for number in (2, 3)]
    add_item(session, now, 4, site=OTHER, status="done", **mine)
    ctx.commit()

    found = handover.held(ctx, here.id)
    offered = handover.takers(ctx, found.items)
    done = handover.hand_over(ctx, here.id, "there")

    assert [item.id for item in found.items] == [lost[0].id, lost[1].id, kept.id]
    assert [item.id for item in found.stranded] == [row.id for row in lost]
    assert [(one.username, number) for one, number in offered] == [("everywhere", 3), ("there", 2), ("here", 1)]
    assert (done.changed, done.refused) == (2, 0)
    assert [session.get(TrackerItem, row.id).assignee for row in (kept, *lost)] == ["here", "there", "there"]
    with pytest.raises(Invalid):
        handover.hand_over(ctx, here.id, " ")


def test_a_change_of_something_else_leaves_the_assignee_alone(ctx, session, clock):
    row = add_item(session, clock.now(), 1, assignee="외주 팀")
    ctx.commit()

    changed = tracker_items.change(ctx, row.id, ItemChange(completion_note="봤음"))

    assert (changed.item.assignee, changed.item.obstacle) == ("외주 팀", "unknown")
