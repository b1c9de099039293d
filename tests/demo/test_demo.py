"""The demo company is true: made through the services, with a chain that verifies and something on every page."""

from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from console.core.context import SYSTEM, unit_of_work
from console.core.listing import ListQuery
from console.demo.automation import RECEIVERS
from console.demo.channels import NAME
from console.demo.company import PEOPLE, SITES
from console.demo.evidence import KEY_LOST_DAYS_AGO
from console.demo.story import SEOUL, Story
from console.domain.jobs import names
from console.domain.runbook.runbook import look_through
from console.domain.tracker.tracker import REMEDIATION
from console.models.assets import Asset
from console.models.audit import AuditLog
from console.models.inspections import Inspection
from console.models.jobs import JobRun
from console.models.work_orders import SlaReplay, WorkOrder, WorkOrderHold
from console.services.alerts import accuracy, board, channels, guard, states
from console.services.alerts import outbox as alerts
from console.services.audit import record as audit
from console.services.automation import history as autopilot_history
from console.services.automation import kpi, shadow
from console.services.common.lists import slice_of
from console.services.gate import gate
from console.services.identity import lists as identity_lists
from console.services.inspections import templates
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.services.policies import policies
from console.services.policies.automation import AUTOPILOT
from console.services.programme import weeks as programme
from console.services.recovery import history as recovery
from console.services.releases.lists import DEPLOYS
from console.services.reliability import routes
from console.services.reports import months
from console.services.runbook import runbook
from console.services.tracker import board as tracker_board
from console.services.tracker import lists as tracker_lists
from console.services.work_orders import repeats
from tests.support.migrated import noted


def test_the_demo_company_is_true(engine, config, clock):
    """The company is played once: that takes as long as all that is looked at."""
    with noted(engine):
        Story(sessionmaker(engine), config, clock.now()).play()
    with unit_of_work(sessionmaker(engine), actor=SYSTEM, clock=clock, config=config, write=False) as ctx:
        something_true_is_on_every_page(ctx)
        nobody_can_sign_in_until_an_owner_says_so(ctx)
        a_fortnight_of_automation_is_there_with_its_policy_and_a_dead_channel(ctx)
        four_sites_stand_at_four_places_of_the_programme(ctx)
        three_templates_have_three_months_of_rounds(ctx)
        three_months_of_orders_are_there_in_every_state(ctx)
        one_finished_month_is_closed_and_corrected_and_one_waits(ctx)
        every_verdict_follows_from_the_facts_of_its_day(ctx)
        it_is_no_go_now_for_reasons_that_the_board_has_items_for(ctx)
        there_is_evidence_of_every_kind(ctx)
        five_days_were_slow_and_somebody_was_told_once(ctx)
        alerts_were_right_but_for_what_people_marked(ctx)
        a_channel_is_in_quarantine_with_its_failures_and_what_waits_for_it(ctx)
    a_day_of_the_running_demo_sends_nothing_anywhere(engine, config, clock)


def something_true_is_on_every_page(ctx):
    assert {site.name for site in identity_lists.all_sites(ctx)} == set(SITES)
    assert {user.username for user in identity_lists.all_users(ctx)} == {person.username for person in PEOPLE}
    assert all(user.username.startswith("demo.") for user in identity_lists.all_users(ctx))

    strip = gate.overview(ctx)
    assert strip.decision == "no_go"
    decisions = set(ctx.session.scalars(select(JobRun.detail_json["decision"].as_string())))
    assert {"go", "no_go"} <= decisions

    board = tracker_board.board(ctx, REMEDIATION, ListQuery())
    assert all(column.count for column in board.columns)

    assert ctx.session.scalar(select(func.count()).select_from(AuditLog)) > 100
    assert audit.chain_status(ctx).chain_ok
    future = select(func.count()).select_from(AuditLog).where(AuditLog.created_at > ctx.now())
    assert ctx.session.scalar(future) == 0


def nobody_can_sign_in_until_an_owner_says_so(ctx):
    assert not any(user.has_password for user in identity_lists.all_users(ctx))


def a_fortnight_of_automation_is_there_with_its_policy_and_a_dead_channel(ctx):
    seen = autopilot_history.summary(ctx, days=14)
    assert seen.total_runs >= 20
    assert {"cooldown_active", "policy_disabled"} <= set(seen.skip_reason_counts)
    assert seen.executed_runs > 5

    comparison = shadow.comparison(ctx)
    assert comparison.proposal.shadow
    assert comparison.runs >= 3
    assert {one.source for one in policies.revisions(ctx, AUTOPILOT)} == {"update", "approval", "pause", "resume"}

    assert len(kpi.history(ctx, ctx.now(), window_days=14).points) > 30
    states = alerts.outbox(ctx)
    assert states["success"] > 0
    assert states["dead"] > 0
    assert states["queued"] == 0


def four_sites_stand_at_four_places_of_the_programme(ctx):
    state = programme.state(ctx)
    begun = [cell for cell in state.cells.values() if cell.begun]

    assert state.sites == tuple(sorted(SITES))
    assert len({len([cell for cell in begun if cell.site == site]) for site in SITES}) == 4
    assert {cell.status for cell in begun} == {"active", "completed", "completed_with_exceptions"}
    assert {cell.phase for cell in begun} == {"past", "running"}
    assert any(cell.readiness.overdue_count for cell in begun)
    assert any(cell.readiness.blocked_count for cell in begun)
    unproven = [cell for cell in begun if cell.readiness.blocker_codes == ("missing_required_evidence",)]
    assert unproven
    assert sum(cell.readiness.evidence_total_count for cell in begun) > 20


def three_templates_have_three_months_of_rounds(ctx):
    assert {one.code for one in templates.offered(ctx)} == {"power-monthly", "pump-daily", "fire-weekly"}
    levels = ctx.session.execute(select(Inspection.risk_level, func.count()).group_by(Inspection.risk_level))
    assert set(dict(levels.all())) == {"normal", "warning", "danger"}


def three_months_of_orders_are_there_in_every_state(ctx):
    assert {site for (site,) in ctx.session.execute(select(Asset.site))} == set(SITES)
    assert ctx.session.scalar(select(func.count()).select_from(Asset).where(~Asset.is_active)) == 1
    assert ctx.session.scalar(select(func.count()).select_from(Inspection).where(Inspection.asset_id.is_(None))) == 0

    orders = ctx.session.scalars(select(WorkOrder)).all()
    assert len(orders) > 50
    assert {one.site for one in orders} == set(SITES)
    assert {one.status for one in orders} >= {"open", "acked", "completed"}
    late = [one for one in orders if one.completed_at is not None and one.completed_at > one.due_at]
    assert 3 <= len(late) < len(orders) / 3
    assert any(one.waiting_reason for one in orders)
    assert any(one.is_escalated for one in orders)
    assert ctx.session.scalar(select(func.count()).select_from(WorkOrderHold)) > 5
    first = ctx.session.scalars(select(Asset).where(Asset.site == SITES[0], Asset.code == "TR-01")).one()
    assert [one.trade for one in repeats.of_asset(ctx, first.id)] == ["electric"]

    proposal = ctx.session.scalars(select(SlaReplay)).one()
    assert proposal.proven
    book = look_through(runbook.facts(ctx), ctx.now())
    assert {one.id: one.status for one in book.checks}["sla_cron_recent"] == "ok"


def one_finished_month_is_closed_and_corrected_and_one_waits(ctx):
    _under_way, last, closed = months.listed(ctx, SITES[0]).rows[:3]
    assert (last.state, closed.state) == ("draft", "frozen")
    assert last.received > 10
    assert [one.version for one in closed.versions] == [2, 1]
    assert {one["key"] for one in closed.frozen.differences} >= {"figures.completed", "sentences.ko"}

    shown = months.view(ctx, SITES[0], closed.month).document
    assert any(one["photos"]["before"] and one["photos"]["after"] for one in shown["faults"])
    waiting = months.view(ctx, SITES[0], last.month).document
    assert waiting["open"]["rows"][0]["waiting_reason"] == "parts"
    assert waiting["previous"]["received"] == closed.received


def verdicts(ctx):
    """Return the last verdict of each day of Seoul, as (days ago, decision, score, critical checks)."""
    today = ctx.now().astimezone(SEOUL).date()
    found = {}
    for item in reversed(gate.history(ctx, limit=100).items):
        rules = {rule["id"]: rule for rule in gate.stored(ctx, item.run_id).snapshot["rules"]}
        critical = rules["runbook_no_critical"]["detail"]["critical_ids"]
        ago = (today - item.finished_at.astimezone(SEOUL).date()).days
        found[ago] = (item.decision, item.weighted_score_percent, critical)
    return found


def every_verdict_follows_from_the_facts_of_its_day(ctx):
    seen = verdicts(ctx)

    assert {seen[ago][0] for ago in (90, 60, 30)} == {"no_go"}, "before there was evidence"
    assert seen[90][1] < seen[50][1] < seen[29][1], "each kind of evidence is worth its share"
    assert seen[26][0] == "go", "since the first drill"
    assert [seen[ago] for ago in KEY_LOST_DAYS_AGO] == [("no_go", seen[23][1], ["startup_preflight"])] * 2
    assert {seen[ago][0] for ago in range(21, 9, -1)} == {"go"}
    assert {(seen[ago][0], *seen[ago][2]) for ago in range(9, 4, -1)} == {("no_go", "api_latency_p95")}
    assert [seen[ago][:2] for ago in (4, 3, 2)] == [("go", 100.0)] * 3, "after the release that mended it"
    assert len({score for _decision, score, _critical in seen.values()}) >= 5


def it_is_no_go_now_for_reasons_that_the_board_has_items_for(ctx):
    verdict = gate.latest(ctx)
    failing = {rule["id"]: rule for rule in verdict.snapshot["rules"] if rule["status"] != "pass"}
    assert verdict.decision == "no_go"
    assert set(failing) == {"runbook_no_critical", "deploy_smoke_binding_recent"}
    assert failing["runbook_no_critical"]["detail"]["critical_ids"] == ["deploy_smoke_checklist", "alert_channel_guard"]

    query = ListQuery(filters={"item_type": ("rule",)})
    items = tracker_lists.slice_of(ctx, REMEDIATION, query, limit=100, offset=0).items
    assert {item.rule_id for item in items if item.rule_id and item.status != "done"} >= set(failing)


def there_is_evidence_of_every_kind(ctx):
    count = dict(ctx.session.execute(select(JobRun.job_name, func.count()).group_by(JobRun.job_name)).all())
    assert count[names.DAILY_CHECK] in (29, 30), "today's may be yet to come"
    assert count[names.QUALITY_WEEKLY] == 8
    assert count[names.W07_WEEKLY] == 8
    assert count[names.QUALITY_MONTHLY] in (1, 2)
    assert [drill.restore_valid for drill in recovery.history(ctx).items] == [True, True]

    releases = slice_of(ctx, DEPLOYS, ListQuery(), limit=10, offset=0).items
    assert [one.status for one in releases] == ["critical", "success", "warning", "success"]
    assert len({one.checklist_version for one in releases}) == 2


def five_days_were_slow_and_somebody_was_told_once(ctx):
    slow = [row for row in routes.read(ctx).routes if row.budget.used > 100]
    assert {row.endpoint for row in slow} == {"GET /api/work-orders", "GET /api/ops/dashboard/summary"}
    for row in slow:
        assert row.state == "ok"
        assert 0 < row.budget.left_percent < 75
        seen = routes.detail(ctx, routes.read(ctx), row.endpoint, 30)
        assert len(seen.deploys) == 4
        assert [len(alert.told) for alert in seen.ended_alerts] == [2]
        assert not seen.open_alerts


def alerts_were_right_but_for_what_people_marked(ctx):
    own = replace(ctx, config=ctx.config.replaced(**RECEIVERS))
    found = accuracy.measure(own, registry.schedule()).accuracy
    assert {label for label, number in found.labels.items() if number} == {
        "marked_false",
        "recorded_missed",
        "dead_channel",
    }
    assert found.standing == "ok"


def a_channel_is_in_quarantine_with_its_failures_and_what_waits_for_it(ctx):
    seen = board.read(ctx, starts=(ctx.now(),))
    (line,) = (one for one in seen.lines if one.made)
    assert (line.made.name, line.health.state_computed) == (NAME, "quarantined")
    assert line.health.consecutive_failures >= 10
    assert line.health.remaining_quarantine_minutes == 18
    assert line.waiting_count >= 1
    assert line.kpi.success_count >= 3, "it took alerts before"
    assert line.recoveries.figures.unresolved_incidents == 1


def a_day_of_the_running_demo_sends_nothing_anywhere(engine, config, clock):
    """Neither connects nor looks a name up, whatever is due, tried by the schedule, or tried by hand."""
    begun, quiet = clock.now(), config.replaced(ALERT_WEBHOOK_RETRIES=1)
    with patch("socket.create_connection") as connected, patch("socket.getaddrinfo") as looked_up:
        for hour in range(24):
            clock.set(begun + timedelta(hours=hour, minutes=30))
            for job, options in ((names.ALERT_DELIVERY, {}), (names.ALERT_GUARD_RECOVER, {"state": "all"})):
                with unit_of_work(sessionmaker(engine), actor=SYSTEM, clock=clock, config=quiet) as ctx:
                    run_engine.execute(ctx, registry.get(job), options, trigger="cron")
        with unit_of_work(sessionmaker(engine), actor=SYSTEM, clock=clock, config=quiet) as ctx:
            (key,) = (one.key for one in channels.all_made(ctx))
            assert guard.recover(ctx, key).probe_error == "webhook url error: gaierror"
            state = states.of_channels(ctx)[key]
    assert (connected.call_count, looked_up.call_count) == (0, 0)
    assert state.consecutive_failures > 24
