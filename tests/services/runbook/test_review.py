"""The monthly review as it is kept: the deploys of a UTC month, once each, and who may do it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from console.domain.audit.archive import month_of
from console.domain.errors import NotFound, PermissionDenied
from console.domain.jobs import names as job_names
from console.models.audit import AuditLog
from console.services.jobs import engine
from console.services.jobs.registry import get as job_of
from console.services.runbook import review, runbook
from tests.support.runs import add_run
from tests.support.statements import statements

CHECK = "runbook_critical_monthly_review"
MISS = {"runbook_gate_passed": True, "checks": [{"id": "ui", "status": "critical"}], "deploy_id": "d"}


def deploy(ctx, at, status="warning", **values):
    return add_run(ctx.session, at, job_names.DEPLOY_SMOKE, status, executed=True, detail_json=MISS, **values)


def reviewed(ctx, **options):
    return engine.execute(ctx, job_of(job_names.RUNBOOK_REVIEW), options).run


def status_of(ctx):
    return next(one for one in runbook.snapshot(ctx).checks if one.id == CHECK)


@pytest.fixture
def month(clock):
    """March in the middle."""
    clock.set(datetime(2026, 3, 20, tzinfo=UTC))
    return month_of("2026-03")


def test_a_month_has_the_deploys_that_ended_in_it(ctx, month):
    deploy(ctx, month.start - timedelta(seconds=3))
    inside = [deploy(ctx, month.start - timedelta(seconds=2)), deploy(ctx, month.start + timedelta(days=9))]
    deploy(ctx, month.start + timedelta(days=2), dry_run=True)
    deploy(ctx, month.end - timedelta(seconds=2))
    found = review.metrics(ctx, month)

    assert [one.run_id for one in found.false_negative_candidates] == inside[::-1]
    assert (found.deploy_smoke_count, found.window_start, found.window_end) == (2, month.start, month.end)
    assert (found.sample_limit, found.lookback_days) == (8, 35)


def test_it_looks_no_further_back_than_the_setting_says(ctx, month):
    deploy(ctx, month.start + timedelta(days=1))
    late = deploy(ctx, month.start + timedelta(days=15))
    short = replace(ctx, config=ctx.config.replaced(RUNBOOK_CRITICAL_REVIEW_LOOKBACK_DAYS=7))
    found = review.metrics(short, month)

    assert [one.run_id for one in found.false_negative_candidates] == [late]
    assert found.window_start == ctx.now() - timedelta(days=7)


def test_one_query_whatever_the_number_of_deploys(ctx, month):
    for day in range(10):
        deploy(ctx, month.start + timedelta(days=day))
    with statements() as seen:
        found = review.metrics(ctx, month)
    assert len(seen) == 1
    assert (found.false_negative_candidate_count, len(found.false_negative_candidates)) == (10, 8)


def test_a_review_is_kept_with_its_figures_and_said_by_the_check(ctx, month, session):
    deploy(ctx, month.start + timedelta(days=1))
    assert status_of(ctx).status == "warning"
    run = reviewed(ctx, notes="둘 다 봤음")

    detail = run.detail
    assert run.status == "success"
    assert set(detail) == {
        *("month", "window_start", "window_end", "deploy_smoke_count", "false_positive_candidate_count"),
        *("false_negative_candidate_count", "candidate_count", "false_positive_candidates"),
        *("false_negative_candidates", "sample_limit", "lookback_days"),
        *("review_completed", "review_completed_at", "review_notes"),
    }
    assert (detail["review_completed"], detail["review_notes"]) == (True, "둘 다 봤음")
    assert datetime.fromisoformat(detail["review_completed_at"]) == ctx.now()
    assert (status_of(ctx).status, status_of(ctx).fields["latest_run_id"]) == ("ok", run.id)
    actions = session.scalars(select(AuditLog.action).order_by(AuditLog.id)).all()
    assert actions.count("ops_runbook_critical_review_run") == 1


def test_the_review_of_last_month_does_not_stand_for_this_one(ctx, month, clock):
    deploy(ctx, month.start + timedelta(days=1))
    reviewed(ctx)
    clock.set(month.end + timedelta(days=2))
    assert status_of(ctx).status == "ok"
    deploy(ctx, month.end + timedelta(days=1))
    assert status_of(ctx).status == "warning"


@pytest.mark.parametrize("left", [{"executed": False, "error_code": "failed", "status": "critical"}, {"dry_run": True}])
def test_a_review_that_came_to_nothing_is_none(ctx, month, left):
    deploy(ctx, month.start + timedelta(days=1))
    add_run(ctx.session, ctx.now() - timedelta(hours=1), job_names.RUNBOOK_REVIEW, **{"executed": True, **left})
    assert status_of(ctx).status == "warning"
    with pytest.raises(NotFound):
        review.latest(ctx)


def test_the_latest_is_that_of_the_month_in_which_it_was_made(ctx, month, clock):
    march = reviewed(ctx)
    clock.set(month.end + timedelta(days=2))
    april = reviewed(ctx, month="2026-03")

    assert review.latest(ctx).run_id == april.id
    assert review.latest(ctx, "2026-03").run_id == march.id
    assert review.latest(ctx, "2026-04").detail["month"] == "2026-03"
    with pytest.raises(NotFound):
        review.latest(ctx, "2026-02")


@pytest.mark.parametrize(
    ("role", "may"), [("owner", True), ("manager", False), ("operator", False), ("auditor", False)]
)
def test_who_administers_reviews_and_who_reads_the_gate_reads_it(make_ctx, month, role, may):
    caller = make_ctx(role)
    if may:
        assert reviewed(caller).status == "success"
    else:
        with pytest.raises(PermissionDenied):
            reviewed(caller)
        with pytest.raises(NotFound):
            review.latest(caller)
