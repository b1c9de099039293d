"""The gate over stored facts: what a fresh installation says, what runs change, what is stored and shown."""

from datetime import timedelta

import pytest

from console.core.context import SYSTEM
from console.core.serialize import plain
from console.domain.errors import NotFound, PermissionDenied
from console.domain.gate import gate as domain
from console.domain.jobs import names as job_names
from console.models.jobs import JobRun
from console.services.gate import gate
from tests.domain.gate.gate_facts import GOOD_SMOKE
from tests.factories import make_token, make_user
from tests.support.statements import statements


def add_run(ctx, job, *, hours_ago=1.0, status="success", **values):
    """Store a finished run of a job."""
    at = ctx.now() - timedelta(hours=hours_ago)
    row = JobRun(
        **{
            "job_name": job, "trigger": "cron", "status": status, "started_at": at, "finished_at": at,
            "state": "finished", "requested_at": at, "executed": True, "detail_json": {}, **values,
        }
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    return row


def add_verdict(ctx, *, hours_ago=1.0, **values):
    """Store a run of the gate with the verdict of this very moment."""
    taken = gate.snapshot(ctx)
    detail = plain(domain.as_detail(taken)) | values.pop("detail", {})
    return add_run(ctx, job_names.GATE, hours_ago=hours_ago, status=taken.job_status, detail_json=detail, **values)


def _rule(ctx, rule_id):
    return next(rule for rule in gate.snapshot(ctx).rules if rule.id == rule_id)


def test_a_fresh_installation_is_no_go_for_its_score_and_says_so(ctx):
    taken = gate.snapshot(ctx)

    assert taken.decision == "no_go"
    assert [reason.code for reason in taken.reasons] == ["weighted_score_below_minimum"]
    assert taken.summary.weighted_score_percent == 47.5
    assert [rule.id for rule in taken.rules if rule.passed] == [
        "preflight_no_error", "runbook_no_critical", "security_risk_within_max",
    ]  # fmt: skip


def test_runs_of_the_other_jobs_turn_the_verdict(ctx):
    add_run(ctx, gate.DAILY_CHECK, hours_ago=5)
    add_run(ctx, gate.DR_REHEARSAL, hours_ago=24, detail_json={"restore_valid": True})
    for weeks in range(4):
        add_run(ctx, gate.WEEKLY_REPORT, hours_ago=24 * 7 * weeks + 1)

    taken = gate.snapshot(ctx)

    assert (taken.decision, taken.summary.weighted_score_percent) == ("go", 85.0)
    assert [reason.code for reason in taken.reasons] == ["requirements_met", "warnings_accepted"]


def test_dry_runs_and_unfinished_runs_prove_nothing(ctx):
    add_run(ctx, gate.DAILY_CHECK, dry_run=True)
    add_run(ctx, gate.WEEKLY_REPORT, dry_run=True)
    add_run(ctx, gate.DR_REHEARSAL, state="running", finished_at=None, status=None, detail_json={"restore_valid": True})

    assert gate.snapshot(ctx).summary.passed_rules == 3


def test_a_deploy_smoke_counts_only_against_a_known_checklist(ctx):
    add_run(ctx, gate.DEPLOY_SMOKE, detail_json=GOOD_SMOKE | {"checklist_version": "2020.01.v1"})

    rule = _rule(ctx, "deploy_smoke_binding_recent")

    assert (rule.status, rule.detail["checklist_version_match"]) == ("warning", False)


def test_the_newest_run_counts_not_the_best(ctx):
    add_run(ctx, gate.DR_REHEARSAL, hours_ago=30, detail_json={"restore_valid": True})
    add_run(ctx, gate.DR_REHEARSAL, hours_ago=2, detail_json={"restore_valid": False})

    assert not _rule(ctx, "dr_restore_valid_recent").passed


def test_the_preflight_names_its_source(ctx):
    detail = _rule(ctx, "preflight_no_error").detail

    assert (detail["source"], detail["age_seconds"]) == ("this_process", 0)


def test_risk_beyond_the_limit_fails_a_required_rule(ctx, make_ctx):
    for _ in range(3):
        user = make_user(ctx.session, now=ctx.now(), role="manager", site_scope=("*",))
        make_token(ctx.session, user, now=ctx.now(), expires_at=ctx.now() + timedelta(days=1))
    strict = make_ctx()
    strict.config = type(ctx.config).for_tests(GOVERNANCE_GATE_MAX_SECURITY_RISK_LEVEL="low")

    rule = next(rule for rule in gate.snapshot(strict).rules if rule.id == "security_risk_within_max")

    assert (rule.status, rule.detail["risk_score"], rule.detail["risk_level"]) == ("fail", 49, "medium")


def test_the_number_of_statements_is_fixed(ctx):
    with statements() as few:
        gate.snapshot(ctx)
    for number in range(20):
        add_run(ctx, gate.DAILY_CHECK, hours_ago=number)
        add_run(ctx, gate.WEEKLY_REPORT, hours_ago=24 * number)
        user = make_user(ctx.session, now=ctx.now())
        make_token(ctx.session, user, now=ctx.now())
    with statements() as many:
        gate.snapshot(ctx)

    assert len(many) == len(few) <= 30


@pytest.mark.parametrize(
    ("role", "allowed"), [("owner", True), ("manager", True), ("operator", True), ("auditor", True)]
)
def test_every_role_reads_the_gate(make_ctx, role, allowed):
    assert bool(gate.snapshot(make_ctx(role))) is allowed


def test_without_the_permission_nobody_reads_the_gate(make_ctx):
    for use in (gate.snapshot, gate.latest, gate.history, gate.overview):
        with pytest.raises(PermissionDenied, match="Missing permission: admins:manage"):
            use(make_ctx("operator", grants=frozenset()))


def test_before_the_first_run_there_is_no_latest_verdict(ctx):
    with pytest.raises(NotFound, match="No ops_governance_gate run found"):
        gate.latest(ctx)


def test_the_latest_verdict_is_the_newest_that_came_to_its_end(ctx):
    first = add_verdict(ctx, hours_ago=5)
    add_run(ctx, job_names.GATE, hours_ago=1, status="critical", executed=False, error_code="work_failed")
    add_verdict(ctx, hours_ago=0.5, dry_run=True)

    found = gate.latest(ctx)

    assert (found.run_id, found.decision) == (first.id, "no_go")
    assert list(found.flat())[:6] == ["run_id", "job_name", "trigger", "status", "started_at", "finished_at"]
    assert gate.stored(ctx, first.id) == found
    with pytest.raises(NotFound):
        gate.stored(ctx, first.id + 1)


def test_the_history_is_paged_and_filtered(ctx):
    old = add_verdict(ctx, hours_ago=50)
    add_verdict(ctx, hours_ago=30, detail={"decision": "go"})
    add_verdict(ctx, hours_ago=10)

    everything = gate.history(ctx)
    assert [item.decision for item in everything.items] == ["no_go", "go", "no_go"]
    assert (everything.count, everything.total) == (3, 3)
    assert (everything.items[0].warning_count, everything.items[0].weighted_score_percent) == (4, 47.5)

    page = gate.history(ctx, limit=1, offset=2)
    assert ([item.run_id for item in page.items], page.count, page.total) == ([old.id], 1, 3)
    assert gate.history(ctx, decision="go").total == 1
    recent = gate.history(ctx, since=ctx.now() - timedelta(hours=40), until=ctx.now() - timedelta(hours=20))
    assert [item.decision for item in recent.items] == ["go"]


def test_the_overview_comes_from_stored_runs_with_two_statements(ctx):
    add_verdict(ctx, hours_ago=2)

    with statements() as seen:
        overview = gate.overview(ctx)

    assert len(seen) == 2
    assert (overview.decision, overview.age_seconds, overview.is_stale) == ("no_go", 7200, False)
    assert [rule["id"] for rule in overview.failing_rules] == [
        "daily_check_recent", "dr_restore_valid_recent", "deploy_smoke_binding_recent", "weekly_streak_target_met",
    ]  # fmt: skip
    assert overview.reasons[0]["message_text"]["msgid"].startswith("The weighted score")


def test_the_overview_before_the_first_run_says_so(ctx):
    overview = gate.overview(ctx)

    assert (overview.run_id, overview.decision, len(overview.strip)) == (None, None, 30)
    assert {day.decision for day in overview.strip} == {None}


def test_the_strip_shows_the_last_verdict_of_each_business_day(ctx):
    add_verdict(ctx, hours_ago=0, detail={"decision": "go"})  # 09:00 in Seoul, 2 March
    add_verdict(ctx, hours_ago=9.5)  # 23:30 in Seoul, 1 March
    add_verdict(ctx, hours_ago=20, detail={"decision": "go"})  # 13:00, 1 March
    add_verdict(ctx, hours_ago=40 * 24)

    strip = gate.last_days(ctx)

    assert [(day.day.isoformat(), day.decision) for day in strip[-3:]] == [
        ("2026-02-28", None), ("2026-03-01", "no_go"), ("2026-03-02", "go"),
    ]  # fmt: skip
    assert strip[0].day.isoformat() == "2026-02-01"


def test_the_system_may_ask_for_a_verdict(make_ctx):
    made = make_ctx()
    made.actor = SYSTEM

    assert gate.snapshot(made).decision == "no_go"
