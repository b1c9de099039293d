"""The items of failing runbook checks on the board: opened by the daily check, closed by it and by every sync."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from console.domain.jobs import names as job_names
from console.domain.remediation.checks import CHECK, key_of
from console.domain.runbook.runbook import CheckResult, Runbook
from console.domain.text import T
from console.domain.tracker.requests import ItemChange
from console.models.tracker import TrackerEvent, TrackerItem, TrackerRun
from console.services.alerts import accuracy
from console.services.gate import gate
from console.services.jobs import engine
from console.services.jobs.registry import get as job_of
from console.services.reliability import routes
from console.services.remediation import apply as tracker_apply
from console.services.remediation import checks
from console.services.remediation import plan as remediation
from console.services.remediation import sync as tracker_sync
from console.services.tracker import completion as tracker_completion
from console.services.tracker import items as tracker_items
from console.services.tracker.items import change
from tests.factories.remediation import make_plan, plan_item
from tests.factories.tracker import HOUR
from tests.services.automation.automation_support import HOOK
from tests.support.statements import statements

QUEUE, WORKER, DRILL = "queue_age", "worker_alive", "dr_rehearsal_recent"
RULE = "dr_restore_valid_recent"


def book_of(at, **statuses):
    """Return a runbook of these checks at an instant."""
    found = tuple(
        CheckResult(check_id, status, T("It is so."), "Ops Lead", "jobs", {"figure": 3}, status, at)
        for check_id, status in statuses.items()
    )
    return Runbook(at, "ok", found)


def follow(ctx, **statuses):
    made = checks.follow(ctx, book_of(ctx.now(), **statuses))
    ctx.commit()
    return made


def keep_up(ctx, **statuses):
    made = checks.keep_up(ctx, book_of(ctx.now(), **statuses), make_plan(ctx.now()))
    ctx.commit()
    return made


def items_of(ctx):
    """Return what stands on the board, by key."""
    ctx.session.expire_all()
    found = ctx.session.scalars(select(TrackerItem).where(TrackerItem.is_active)).all()
    assert len(found) == len({one.item_key for one in found})
    return {one.item_key: one for one in found}


def kinds(ctx, item):
    return [event.kind for event in tracker_items.events_of(ctx, item.id)[0]]


def test_a_failing_check_opens_one_item_for_its_owner(ctx):
    made = follow(ctx, queue_age="warning", worker_alive="critical", scheduler_alive="ok")

    assert (made.opened_count, made.resolved_count) == (2, 0)
    found = items_of(ctx)
    assert set(found) == {"runbook:queue_age", "runbook:worker_alive"}
    item = found["runbook:worker_alive"]
    assert (item.item_type, item.owner_role, item.required, item.rule_status) == (CHECK, "Ops Lead", False, "fail")
    assert (item.priority, item.due_at) == (2, ctx.now() + 4 * HOUR)
    assert item.reason == "It is so."
    assert item.action == "워커 다시 시작과 멈춘 원인 확인"
    shown = tracker_items.get(ctx, item.id)
    assert (shown.rule_id, shown.check_id, shown.from_gate, shown.in_week) == (item.item_key, WORKER, False, False)


def test_the_same_result_again_changes_nothing_more(ctx, clock):
    follow(ctx, queue_age="warning")
    before = items_of(ctx)[key_of(QUEUE)]
    known = (before.id, before.version, before.due_at, before.opened_at)
    clock.advance(24 * HOUR)
    made = follow(ctx, queue_age="warning")
    after = items_of(ctx)[key_of(QUEUE)]

    assert not any(vars(made).values())
    assert (after.id, after.version, after.due_at, after.opened_at) == known
    assert after.gate_generated_at == clock.now()


def test_it_closes_by_itself_and_comes_back_as_the_next_episode(ctx, clock):
    follow(ctx, queue_age="warning")
    first = items_of(ctx)[key_of(QUEUE)]
    clock.advance(24 * HOUR)
    assert follow(ctx, queue_age="ok").resolved_count == 1
    assert items_of(ctx) == {}
    clock.advance(24 * HOUR)
    assert follow(ctx, queue_age="critical").reopened_count == 1

    again = items_of(ctx)[key_of(QUEUE)]
    assert (again.id, again.number, again.reopened_count) == (first.id, first.number, 1)
    assert (again.status, again.due_at) == ("pending", clock.now() + 4 * HOUR)
    assert kinds(ctx, again) == ["reopened", "resolved", "opened"]


def test_a_check_that_got_worse_is_due_earlier(ctx, clock):
    follow(ctx, queue_age="warning")
    clock.advance(HOUR)
    assert follow(ctx, queue_age="critical").raised_count == 1
    item = items_of(ctx)[key_of(QUEUE)]
    assert (item.rule_status, item.due_at) == ("fail", clock.now() + 4 * HOUR)
    assert kinds(ctx, item) == ["worsened", "opened"]


def test_the_comparison_of_alerts_misses_nothing_about_items_of_checks(ctx, clock):
    told = replace(ctx, config=ctx.config.replaced(ALERT_WEBHOOK_URLS=HOOK))
    for queue, drill in (("warning", "warning"), ("critical", "warning"), ("ok", "ok"), ("critical", "warning")):
        follow(told, queue_age=queue, dr_rehearsal_recent=drill)
        clock.advance(HOUR)
    now = clock.now()
    plan = make_plan(now, [plan_item(RULE, now)])
    checks.keep_up(told, book_of(now, queue_age="ok", dr_rehearsal_recent="warning"), plan)
    told.commit()
    clock.advance(HOUR)
    assert not sum(accuracy.measure(told, ()).accuracy.labels.values())


def test_called_done_by_hand_while_it_still_fails_it_comes_back_at_the_second_look(ctx, clock):
    follow(ctx, queue_age="warning")
    item = items_of(ctx)[key_of(QUEUE)]
    change(ctx, item.id, ItemChange(assignee="kim", status="done"))
    clock.advance(HOUR)
    keep_up(ctx, queue_age="warning")
    assert items_of(ctx)[key_of(QUEUE)].status == "done"
    clock.advance(HOUR)
    assert keep_up(ctx, queue_age="warning").reopened_count == 1

    after = items_of(ctx)[key_of(QUEUE)]
    assert (after.status, after.assignee) == ("pending", "kim")
    assert kinds(ctx, after) == ["reopened", "unproven", "status", "assigned", "opened"]


def test_called_done_by_hand_it_is_confirmed_when_the_check_passes(ctx, clock):
    follow(ctx, queue_age="warning")
    item = items_of(ctx)[key_of(QUEUE)]
    change(ctx, item.id, ItemChange(assignee="kim", status="done"))
    clock.advance(HOUR)
    keep_up(ctx, queue_age="ok")
    assert items_of(ctx) == {}
    assert tracker_items.get(ctx, item.id).verified


def test_a_sync_opens_none_but_closes_what_passes(ctx, clock):
    assert keep_up(ctx, queue_age="critical").opened_count == 0
    assert items_of(ctx) == {}
    follow(ctx, queue_age="critical")
    clock.advance(HOUR)
    assert keep_up(ctx, queue_age="ok").resolved_count == 1
    clock.advance(HOUR)
    assert keep_up(ctx, queue_age="critical").reopened_count == 0
    assert items_of(ctx) == {}


def test_an_older_look_changes_nothing(ctx, clock):
    old = book_of(ctx.now(), queue_age="critical")
    clock.advance(HOUR)
    follow(ctx, queue_age="critical")
    clock.advance(HOUR)
    follow(ctx, queue_age="ok")
    made = checks.follow(ctx, old)

    assert not any(vars(made).values())
    assert items_of(ctx) == {}


def test_what_the_item_of_a_rule_is_about_gets_none_of_its_own(ctx, clock):
    now = ctx.now()
    tracker_apply.apply(ctx, make_plan(now, [plan_item(RULE, now)]), now)
    made = follow(ctx, dr_rehearsal_recent="warning", queue_age="warning")

    assert (made.opened_count, set(items_of(ctx))) == (1, {RULE, key_of(QUEUE)})


def test_a_rule_that_comes_later_takes_over_and_gives_back(ctx, clock):
    follow(ctx, dr_rehearsal_recent="warning")
    item = items_of(ctx)[key_of(DRILL)]
    clock.advance(HOUR)
    now = ctx.now()
    plan = make_plan(now, [plan_item(RULE, now)])
    assert checks.keep_up(ctx, book_of(now, dr_rehearsal_recent="warning"), plan).covered_count == 1
    tracker_apply.apply(ctx, plan, now)
    assert set(items_of(ctx)) == {RULE}
    gone = tracker_items.get(ctx, item.id)
    assert (gone.status, gone.is_active, gone.completed_at) == ("pending", False, None)

    clock.advance(48 * HOUR)
    now = ctx.now()
    tracker_apply.apply(ctx, make_plan(now, passed=[RULE]), now)
    assert follow(ctx, dr_rehearsal_recent="warning").reopened_count == 1
    again = items_of(ctx)[key_of(DRILL)]
    assert (again.id, again.due_at) == (item.id, clock.now() + 24 * HOUR)
    assert kinds(ctx, again) == ["reopened", "covered", "opened"]


def test_work_on_a_closed_board_opens_it_again(ctx, clock):
    tracker_completion.complete(ctx, force=True)
    follow(ctx, queue_age="ok")
    assert tracker_completion.completion(ctx).status != "active"
    follow(ctx, queue_age="warning")
    assert tracker_completion.completion(ctx).status == "active"


def test_it_never_stands_in_the_way_of_the_release(ctx):
    before = gate.snapshot(ctx)
    planned = [item.rule_id for item in remediation.plan(ctx).items]
    follow(ctx, **{one.id: "critical" for one in gate.judge(ctx).book.checks})

    after = gate.snapshot(ctx)
    assert (after.decision, after.summary) == (before.decision, before.summary)
    assert [item.rule_id for item in remediation.plan(ctx).items] == planned
    assert not [item for item in items_of(ctx).values() if item.required]


def test_a_sync_of_the_gate_keeps_its_own_counts(ctx, clock):
    follow(ctx, queue_age="warning", of_a_check_that_is_gone="critical")
    clock.advance(HOUR)
    result = tracker_sync.sync(ctx)
    ctx.commit()

    opened = [item for item in items_of(ctx).values() if item.item_type == "rule"]
    assert result.created_count == len(opened)
    assert result.resolved_count == 0
    # Both checks pass in the runbook of an empty installation, or are gone.
    assert not [key for key in items_of(ctx) if key in (key_of(QUEUE), key_of("of_a_check_that_is_gone"))]


def test_the_job_opens_and_closes_and_says_so(ctx, clock):
    job = job_of(job_names.DAILY_CHECK)
    off = replace(ctx, config=ctx.config.replaced(OPS_DAILY_CHECK_ARCHIVE_ENABLED=False))
    run = engine.execute(off, job).run
    assert key_of("ops_daily_check_archive") in items_of(ctx)
    assert run.detail["remediation"]["opened_count"] == len(items_of(ctx))

    clock.advance(HOUR)
    run = engine.execute(ctx, job).run
    assert key_of("ops_daily_check_archive") not in items_of(ctx)
    assert run.detail["remediation"]["resolved_count"] == 1


def test_a_dry_run_opens_nothing(ctx):
    engine.execute(ctx, job_of(job_names.DAILY_CHECK), dry_run=True)
    assert items_of(ctx) == {}


def test_the_page_of_response_times_finds_the_item_of_its_check(ctx):
    follow(ctx, api_burn_rate="critical", api_latency_p95="warning")
    found = routes.look(ctx)
    detail = routes.detail(ctx, found, found.routes[0].endpoint, 1)
    assert detail.item.id == items_of(ctx)[key_of("api_burn_rate")].id

    follow(ctx, api_burn_rate="ok", api_latency_p95="warning")
    detail = routes.detail(ctx, found, found.routes[0].endpoint, 1)
    assert detail.item.id == items_of(ctx)[key_of("api_latency_p95")].id


@pytest.mark.parametrize("count", [1, 20])
def test_the_number_of_failing_checks_costs_no_statements_but_their_own(ctx, clock, count):
    """What is new costs an INSERT each; what stands already an UPDATE each, and nothing is read for it alone."""
    names = {f"check_{number}": "warning" for number in range(count)}
    follow(ctx, **names)
    clock.advance(HOUR)
    with statements() as seen:
        follow(ctx, **names)
    assert len([one for one in seen if one.startswith("SELECT")]) <= 4
    assert len(seen) <= 6 + count


def test_many_runs_at_once_open_each_item_once(at_once, session, clock):
    now = clock.now()
    names = {QUEUE: "warning", WORKER: "critical", DRILL: "warning"}

    def look(ctx):
        return checks.follow(ctx, book_of(now, **names))

    def sync(ctx):
        plan = make_plan(now, [plan_item(RULE, now)])
        tracker_sync.checks.keep_up(ctx, book_of(now, **names), plan)
        return tracker_apply.apply(ctx, plan, now)

    results = at_once(look, sync, look, sync, look)

    assert not [one for one in results if isinstance(one, Exception)]
    session.rollback()
    found = session.scalars(select(TrackerItem.item_key).where(TrackerItem.is_active)).all()
    # Whoever came first: the check stands beside the rule until the next sync at most.
    assert sorted(set(found)) == sorted(found)
    assert {key_of(QUEUE), key_of(WORKER), RULE} <= set(found) <= {key_of(QUEUE), key_of(WORKER), key_of(DRILL), RULE}
    assert session.scalar(select(func.count()).select_from(TrackerRun)) == 1
    opened = select(TrackerEvent.item_id).where(TrackerEvent.kind == "opened")
    assert len(session.scalars(opened).all()) == len(set(session.scalars(opened)))
