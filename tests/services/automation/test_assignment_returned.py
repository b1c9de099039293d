"""What a person took back from the machine stays with people until somebody assigns it or it begins again."""

import pytest

from console.core.context import start_writing
from console.domain.remediation import sync as tracker_sync
from console.domain.remediation.sync import Change, SyncedRow
from console.domain.tracker.requests import ItemChange
from console.services.automation import assignment, workload
from console.services.automation import preview as autopilot
from console.services.remediation import apply as tracker_apply
from console.services.tracker import items as tracker_items
from console.services.tracker import undo as tracker_undo
from tests.factories import make_user
from tests.services.automation.automation_support import AUTO_ASSIGN, item, items_of, people, run
from tests.support.statements import statements


@pytest.fixture
def ctx(make_ctx, session, clock):
    people(session, clock)
    for number in (1, 2):
        item(session, clock, number, number)
    session.commit()
    return make_ctx()


def change(ctx, session, number, wanted):
    ctx.begin_write()
    made = tracker_items.change(ctx, items_of(session)[number].id, wanted)
    ctx.commit()
    return made


@pytest.fixture
def returned(ctx, session):
    """Return both items away; a person takes the first one back."""
    run(ctx, AUTO_ASSIGN)
    change(ctx, session, 1, ItemChange(assignee=""))
    return items_of(session)[1]


def test_what_a_person_took_back_is_not_given_away_again(ctx, session, clock, returned):
    item(session, clock, 3, 3)
    session.commit()

    dry = run(ctx, AUTO_ASSIGN, dry_run=True).result.detail
    found = run(ctx, AUTO_ASSIGN)

    made, rows = found.result.detail, items_of(session)
    assert (rows[1].assignee, rows[1].assignment_source, rows[1].assigned_at) == (None, "returned", clock.now())
    assert made.updated_ids == (rows[3].id,)
    assert (made.candidate_count, made.no_candidate_count, made.skipped_count) == (1, 0, 0)
    assert (dry.would_assign_count, dry.workload.returned_count) == (1, 1)
    assert made.workload.unassigned_open_count == 2
    assert [(one.id, one.recommended_assignee) for one in made.workload.returned] == [(rows[1].id, None)]
    assert str(made.workload.returned[0].reason).startswith("Somebody took the automatic assignment back")
    assert run(ctx, AUTO_ASSIGN).run.status == "success"


def test_an_undone_run_is_not_repeated_by_the_next_one(ctx, session, clock):
    gone = make_user(session, now=clock.now(), username="gone", role="manager", is_active=False)
    item(session, clock, 3, assignee="gone", assignee_user_id=gone.id)
    session.commit()
    first = run(ctx, AUTO_ASSIGN)
    start_writing(session)
    assignment.undo(ctx, first.run.id)
    ctx.commit()

    made = run(ctx, AUTO_ASSIGN).result.detail

    assert (made.updated_ids, made.workload.returned_count) == ((), 3)
    assert [row.assignee for row in items_of(session).values()] == [None, None, "gone"]


def test_the_preview_says_why_it_leaves_it_alone(ctx, session, clock, returned):
    item(session, clock, 3, 3)
    session.commit()

    plan = autopilot.preview(ctx, force=True).plan

    lines = [(line.id, line.action, line.rule) for line in plan.lines if line.rule in ("returned", "least_loaded")]
    rows = items_of(session)
    assert lines == [(rows[3].id, "auto_assign", "least_loaded"), (rows[1].id, "leave", "returned")]
    counted = {(part.action, part.rule): part.count for part in plan.counts if part.about == "auto_assign"}
    assert counted == {("auto_assign", "least_loaded"): 1, ("leave", "returned"): 1}


@pytest.mark.parametrize("words", [("bora", ""), ("", "bora", "")])
def test_somebody_who_assigns_it_ends_the_rest(ctx, session, returned, words):
    for name in words:
        change(ctx, session, 1, ItemChange(assignee=name))

    assert items_of(session)[1].assignment_source is None
    assert run(ctx, AUTO_ASSIGN).result.detail.updated_ids == (returned.id,)


def test_work_that_begins_again_may_be_given_away_again(ctx, session, returned):
    change(ctx, session, 1, ItemChange(status="done"))
    assert items_of(session)[1].assignment_source == "returned"
    change(ctx, session, 1, ItemChange(status="pending"))

    assert run(ctx, AUTO_ASSIGN).result.detail.updated_ids == (returned.id,)


@pytest.mark.parametrize(
    ("kind", "source"),
    [(tracker_sync.RAISED, None), (tracker_sync.REOPENED, None), (tracker_sync.REFRESHED, "returned")],
)
def test_a_rule_that_got_worse_or_came_back_may_be_given_away_again(ctx, session, returned, kind, source):
    names = ("id", "rule_status", "required", "sla_hours", "due_at", "status", "completed_at", "unproven_at")
    known = {name: getattr(returned, name) for name in (*names, "is_active", "version")}
    ctx.begin_write()

    tracker_apply._update(ctx, Change(kind, SyncedRow(rule_id=returned.item_key, **known), {}), "no_go", ctx.now())
    ctx.commit()

    assert items_of(session)[1].assignment_source == source


def test_a_manual_assignment_that_was_removed_is_free_for_the_machine(ctx, session):
    for name in ("bora", ""):
        change(ctx, session, 1, ItemChange(assignee=name))

    run(ctx, AUTO_ASSIGN)

    assert items_of(session)[1].assignment_source == "auto"


def test_an_undone_removal_was_none(ctx, session, clock):
    run(ctx, AUTO_ASSIGN)
    token = change(ctx, session, 1, ItemChange(assignee="")).undo
    start_writing(session)
    tracker_undo.undo(ctx, token)
    ctx.commit()

    assert (items_of(session)[1].assignment_source, items_of(session)[1].assignee) == ("auto", "bora")


def test_what_is_left_alone_is_read_with_the_suggestions(ctx, session, engine, returned):
    with statements(engine) as seen:
        found = workload.suggestions(ctx, (), most=1)

    assert (len(seen), found.returned_count, found.returned_free) == (1, 1, 1)
