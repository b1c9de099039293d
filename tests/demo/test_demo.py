"""The demo company is true: made through the services, with a chain that verifies and something on every page."""

from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from console.core.context import SYSTEM, unit_of_work
from console.core.listing import ListQuery
from console.demo.company import PEOPLE, SITES
from console.demo.story import Story
from console.domain.tracker.tracker import REMEDIATION
from console.models.audit import AuditLog
from console.models.inspections import Inspection
from console.models.jobs import JobRun
from console.services.alerts import outbox as alerts
from console.services.audit import record as audit
from console.services.automation import history as autopilot_history
from console.services.automation import kpi, shadow
from console.services.gate import gate
from console.services.identity import lists as identity_lists
from console.services.inspections import templates
from console.services.policies import policies
from console.services.policies.automation import AUTOPILOT
from console.services.programme import weeks as programme
from console.services.tracker import board as tracker_board


def test_the_demo_company_is_true(engine, config, clock):
    """The company is played once: that takes as long as all that is looked at."""
    Story(sessionmaker(engine), config, clock.now()).play()
    with unit_of_work(sessionmaker(engine), actor=SYSTEM, clock=clock, config=config, write=False) as ctx:
        something_true_is_on_every_page(ctx)
        nobody_can_sign_in_until_an_owner_says_so(ctx)
        a_fortnight_of_automation_is_there_with_its_policy_and_a_dead_channel(ctx)
        four_sites_stand_at_four_places_of_the_programme(ctx)
        three_templates_have_three_months_of_rounds(ctx)


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
