"""Automatic assignment: to people who may work on the item, explained, conditional, and taken back."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from console.core.config import Config
from console.core.context import start_writing
from console.domain.errors import Conflict, GlobalScopeRequired, Gone, NotFound, PermissionDenied
from console.models.alerts import AlertDelivery
from console.models.identity import User
from console.models.jobs import JobRun
from console.models.tracker import TrackerItem, TrackerRun
from console.services.automation import assignment, workload
from console.services.tracker import items as tracker_items
from console.services.tracker.change import ItemChange
from tests.factories import make_user
from tests.factories.work_orders import add_order
from tests.services.automation.automation_support import (
    AUTO_ASSIGN,
    HOOK,
    HOUR,
    events_of,
    item,
    items_of,
    people,
    run,
    set_policy,
)
from tests.support.statements import statements


@pytest.fixture
def ctx(make_ctx, session, clock):
    people(session, clock)
    session.commit()
    return make_ctx()


def test_unassigned_items_go_to_the_least_loaded_person_who_may_work_on_them(ctx, session, clock):
    ids = {row.username: row.id for row in session.scalars(select(User))}
    item(session, clock, 1, owner_role="DR Owner")
    item(session, clock, 2, 5, status="blocked", owner_role="Ops PM")
    item(session, clock, 3, owner_role="Ops PM", assignee="bora", assignee_user_id=ids["bora"])
    session.commit()

    found = run(ctx, AUTO_ASSIGN)

    rows = items_of(session)
    # The blocked one is due first; bora has an item already, anna waits longest among the platform roles.
    assert [(number, rows[number].assignee, rows[number].status) for number in (1, 2, 3)] == [
        (1, "anna", "in_progress"),
        (2, "chul", "blocked"),
        (3, "bora", "pending"),
    ]
    made = found.result.detail
    assert (made.assigned_count, made.skipped_count, made.no_candidate_count) == (2, 0, 0)
    assert made.updated_ids == (rows[2].id, rows[1].id)
    assert [(one.assignee, one.status) for one in made.assignments] == [("chul", "blocked"), ("anna", "in_progress")]
    assert str(made.assignments[0].reason) == "Least load of 5 candidates: 0 open"
    assert (found.run.status, found.run.executed) == ("success", True)
    assert (rows[1].assignment_source, rows[1].assigned_at, rows[1].updated_by) == ("auto", clock.now(), "system")
    assert (rows[1].assignee_user_id, rows[1].version, rows[1].completion_note) == (ids["anna"], 2, "")


def test_open_work_orders_are_part_of_what_somebody_has_on_the_table(ctx, session, clock):
    ids = {row.username: row.id for row in session.scalars(select(User))}
    for name, states in {"bora": ["open", "acked"], "chul": ["open"], "dong": [], "eun": ["canceled"]}.items():
        for status in states:
            add_order(session, clock.now(), status=status, assignee=name, assignee_user_id=ids[name])
    item(session, clock, 1, owner_role="Ops PM")
    item(session, clock, 2, 5, owner_role="Ops PM", assignee="dong", assignee_user_id=ids["dong"])
    item(session, clock, 3, owner_role="DR Owner", assignee="anna", assignee_user_id=ids["anna"])
    session.commit()

    (made,) = workload.snapshot(ctx, most=1).suggestions

    # What is closed or canceled weighs nothing, and an item as much as an order.
    assert (made.recommended_assignee, made.load_detail["weighted"]) == ("eun", 0)
    loads = {person.username: (load.tracker, load.work_orders) for person, load in workload.active_people(ctx)}
    assert loads == {"anna": (1, 0), "bora": (0, 2), "chul": (0, 1), "dong": (1, 0), "eun": (0, 0)}


def test_each_assignment_is_an_event_with_its_reason_and_run(ctx, session, clock):
    item(session, clock, 1)
    session.commit()

    found = run(ctx, AUTO_ASSIGN)

    event = events_of(session, "auto_assigned")[0]
    assert (event.run_id, event.version, event.from_status, event.to_status) == (
        found.run.id,
        2,
        "pending",
        "in_progress",
    )
    assert event.new["reason"]["msgid"].startswith("Least load of")
    assert event.old["assignee"] is None


def test_a_dry_run_says_what_the_real_one_does_and_changes_nothing(ctx, session, clock):
    for number in range(1, 8):
        item(session, clock, number, number)
    session.commit()
    before = {number: row.version for number, row in items_of(session).items()}

    dry = run(ctx, AUTO_ASSIGN, {"limit": 5}, dry_run=True).result.detail
    untouched = {number: (row.version, row.assignee) for number, row in items_of(session).items()}
    real = run(ctx, AUTO_ASSIGN, {"limit": 5}).result.detail

    assert untouched == {number: (version, None) for number, version in before.items()}
    assert (dry.assigned_count, dry.updated_ids, dry.would_assign_count) == (0, (), 5)
    promised = [(one.id, one.recommended_assignee) for one in dry.workload.suggestions]
    assert [(one.id, one.assignee) for one in real.assignments] == promised
    assert (real.limit, real.effective_limit, real.assigned_count) == (5, 5, 5)


def test_an_item_that_somebody_took_meanwhile_is_skipped(ctx, session, clock, monkeypatch):
    taken, closed, started, free = (item(session, clock, number, number).id for number in (1, 2, 3, 4))
    session.commit()
    seen = workload.snapshot

    def meanwhile(ctx, **values):
        made = seen(ctx, **values)
        for item_id, change in ((taken, {"assignee": "somebody"}), (started, {"status": "in_progress"})):
            ctx.session.execute(update(TrackerItem).where(TrackerItem.id == item_id).values(**change))
        done = {"status": "done", "completion_checked": True, "completed_at": clock.now()}
        ctx.session.execute(update(TrackerItem).where(TrackerItem.id == closed).values(**done))
        return made

    monkeypatch.setattr(workload, "snapshot", meanwhile)
    made = run(ctx, AUTO_ASSIGN).result.detail

    assert (made.updated_ids, made.skipped_count) == ((free,), 3)
    rows = items_of(session)
    assert [rows[number].assignee for number in (1, 2, 3)] == ["somebody", None, None]


def test_items_of_people_who_were_switched_off_are_given_to_others(ctx, session, clock):
    gone = make_user(session, now=clock.now(), username="gone", role="manager", is_active=False)
    item(session, clock, 1, assignee="gone", assignee_user_id=gone.id, status="in_progress")
    item(session, clock, 2, assignee="a name nobody has")
    session.commit()

    made = run(ctx, AUTO_ASSIGN).result.detail

    rows = items_of(session)
    assert made.workload.inactive_assignee_open_count == 1
    assert (rows[1].assignee, rows[1].status, rows[2].assignee) == ("bora", "in_progress", "a name nobody has")
    assert events_of(session, "auto_assigned")[0].old["assignee"] == "gone"


def test_nobody_who_may_work_on_it_is_a_warning(make_ctx, session, clock):
    make_user(session, now=clock.now(), username="fay", role="auditor")
    make_user(session, now=clock.now(), username="far", role="manager", site_scope=("별관",))
    item(session, clock, 1, site="본관")
    session.commit()

    found = run(make_ctx(), AUTO_ASSIGN)

    assert (found.run.status, found.result.detail.no_candidate_count) == ("warning", 1)
    assert found.result.detail.workload.suggestions[0].recommended_assignee is None


def test_switched_off_by_the_settings_it_is_skipped_without_an_alarm(make_ctx, session, clock):
    people(session, clock)
    item(session, clock, 1)
    session.commit()
    ctx = make_ctx()
    ctx.config = Config.for_tests(GOVERNANCE_REMEDIATION_AUTO_ASSIGN_ENABLED=False)

    found = run(ctx, AUTO_ASSIGN)

    made = found.result.detail
    assert (found.run.status, found.run.executed) == ("success", False)
    assert (made.enabled, made.skipped, made.skip_reason, made.assigned_count) == (False, True, "disabled", 0)


def test_the_kill_switch_stops_real_runs_and_lets_people_look(ctx, session, clock):
    item(session, clock, 1)
    session.commit()
    set_policy(ctx, paused=True)

    assert run(ctx, AUTO_ASSIGN).result.detail.skip_reason == "disabled"
    assert run(ctx, AUTO_ASSIGN, dry_run=True).result.detail.would_assign_count == 1
    assert items_of(session)[1].assignee is None


def test_an_assignment_opens_a_closed_tracker_again(ctx, session, clock):
    item(session, clock, 1)
    now = clock.now()
    session.add(
        TrackerRun(tracker="remediation", status="completed_with_exceptions", completed_by="anna", completed_at=now,
                   created_at=now, updated_at=now)
    )  # fmt: skip
    session.commit()

    run(ctx, AUTO_ASSIGN)

    assert session.scalar(select(TrackerRun.status)) == "active"


def test_one_message_says_who_got_what(ctx, session, clock):
    for number in range(1, 30):
        item(session, clock, number, number)
    session.commit()
    ctx.config = Config.for_tests(ALERT_WEBHOOK_URL=HOOK, PUBLIC_URL="https://ops.example")

    run(ctx, AUTO_ASSIGN)

    rows = session.scalars(select(AlertDelivery)).all()
    assert [row.event_type for row in rows] == ["ops_governance_remediation_assigned"]
    payload = rows[0].payload_json
    assert (payload["assigned_count"], len(payload["items"])) == (29, 20)
    assert sum(one["assigned_count"] for one in payload["assignees"]) == 29
    assert payload["items"][0]["url"] == (f"https://ops.example/board/items/{payload['items'][0]['id']}")


def test_the_number_of_queries_does_not_depend_on_the_number_of_items(ctx, session, clock, engine):
    def queries(count, start):
        for number in range(start, start + count):
            item(session, clock, number, number)
        session.commit()
        with statements(engine) as seen:
            made = run(ctx, AUTO_ASSIGN, {"limit": 500}).result.detail
        assert made.assigned_count == count
        return len(seen)

    few = queries(5, 1)
    assert queries(200, 100) <= few + 5


@pytest.fixture
def given(ctx, session, clock):
    """Return away three items and return the run."""
    for number in (1, 2, 3):
        item(session, clock, number, number)
    session.commit()
    return run(ctx, AUTO_ASSIGN).run


def test_an_assignment_is_taken_back_where_nobody_touched_it_since(ctx, make_ctx, session, given):
    start_writing(session)
    tracker_items.change(ctx, items_of_now(session)[2].id, ItemChange(status="blocked"))
    ctx.commit()
    start_writing(session)

    undone = assignment.undo(make_ctx("manager", username="chul"), given.id)
    ctx.commit()

    rows = items_of(session)
    assert [(rows[number].assignee, rows[number].status) for number in (1, 3)] == [(None, "pending")] * 2
    assert rows[2].assignee is not None
    assert (set(undone.restored), undone.skipped) == ({rows[1].id, rows[3].id}, (rows[2].id,))
    session.rollback()
    start_writing(session)
    with pytest.raises(Gone):
        assignment.undo(ctx, given.id)


def test_taking_back_sends_as_many_statements_for_many_items_as_for_few(ctx, session, clock, engine):
    def sent(count, start):
        for number in range(start, start + count):
            item(session, clock, number, number, status="blocked" if number % 2 else "pending")
        session.commit()
        made = run(ctx, AUTO_ASSIGN, {"limit": 500}).run
        start_writing(session)
        with statements(engine) as seen:
            undone = assignment.undo(ctx, made.id)
        ctx.commit()
        assert len(undone.restored) == count
        session.execute(update(TrackerItem).values(is_active=False))
        session.commit()
        return len(seen)

    assert sent(4, 1) == sent(200, 100) <= 9


def items_of_now(session):
    rows = session.scalars(select(TrackerItem).execution_options(populate_existing=True))
    return {row.number: row for row in rows}


def test_what_everybody_changed_again_cannot_be_taken_back(ctx, session, given):
    start_writing(session)
    session.execute(update(TrackerItem).values(version=TrackerItem.version + 1))

    with pytest.raises(Conflict):
        assignment.undo(ctx, given.id)


def test_an_assignment_is_taken_back_within_a_day_by_those_who_manage(make_ctx, session, clock, given):
    start_writing(session)
    for actor, refusal in (
        (make_ctx("operator"), PermissionDenied),
        (make_ctx("manager", ("본관",)), GlobalScopeRequired),
    ):
        with pytest.raises(refusal):
            assignment.undo(actor, given.id)
    clock.advance(timedelta(hours=24, seconds=1))
    with pytest.raises(Gone):
        assignment.undo(make_ctx(), given.id)


def test_a_run_that_gave_nothing_away_cannot_be_taken_back(ctx, session, clock):
    dry = run(ctx, AUTO_ASSIGN, dry_run=True).run
    start_writing(session)

    for run_id in (dry.id, 9999):
        with pytest.raises(NotFound):
            assignment.undo(ctx, run_id)


def test_the_workload_counts_open_items_only(ctx, session, clock):
    ids = {row.username: row.id for row in session.scalars(select(User))}
    item(session, clock, 1, assignee="bora", assignee_user_id=ids["bora"])
    item(session, clock, 2, owner_role="DR Owner")
    item(session, clock, 3, status="done")
    item(session, clock, 4, is_active=False)

    made = workload.view(ctx, include_inactive=True, max_suggestions=1)

    assert (made.total_open_items, made.unassigned_open_count, made.inactive_items) == (2, 1, 1)
    assert made.assignee_open_counts == {"bora": 1, "unassigned": 1}
    assert made.owner_role_open_counts == {"DR Owner": 1, "Ops Manager": 1}
    assert made.candidate_usernames_by_role == {
        "owner": ["anna"],
        "manager": ["bora", "chul"],
        "operator": ["dong", "eun"],
    }
    assert [(one.item_id, one.recommended_assignee) for one in made.suggestions] == [("GR-002", "anna")]


def test_a_caller_sees_the_workload_of_their_sites(make_ctx, session, clock):
    for number, site in enumerate((None, "본관", "별관"), start=1):
        item(session, clock, number, site=site)

    made = workload.view(make_ctx("manager", ("본관",)))

    assert (made.total_open_items, [one.site for one in made.suggestions]) == (2, [None, "본관"])


def test_policy_and_request_decide_how_many(ctx, session, clock):
    for number in range(1, 5):
        item(session, clock, number, number)
    session.commit()
    set_policy(ctx, auto_assign_max_items=2)

    by_policy = run(ctx, AUTO_ASSIGN, dry_run=True).result.detail
    by_request = run(ctx, AUTO_ASSIGN, {"limit": 3}, dry_run=True).result.detail

    assert (by_policy.limit, by_policy.candidate_count, by_policy.settings_source) == (2, 2, "policy")
    assert (by_request.limit, by_request.candidate_count, by_request.settings_source) == (3, 3, "request")


def test_the_run_row_holds_the_published_result(ctx, session, clock):
    item(session, clock, 1, 2 * 24)
    session.commit()

    found = run(ctx, AUTO_ASSIGN)

    stored = session.get_one(JobRun, found.run.id).detail_json
    assert set(stored) >= {
        *("enabled", "dry_run", "limit", "workload", "candidate_count", "assigned_count", "skipped_count"),
        *("no_candidate_count", "updated_ids", "assignments"),
    }
    assert stored["workload"]["suggestions"][0]["due_at"] == (clock.now() + 48 * HOUR).isoformat(
        timespec="microseconds"
    )
