"""Figures over time: own samples, thinned, with the trend of the first and the last day."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from console.domain.errors import PermissionDenied, SiteDenied
from console.models.automation import BacklogSample, RunFact
from console.models.jobs import JobRun
from console.services.automation import kpi
from console.services.automation import latest as automation_runs
from console.services.automation import sla_snapshot as sla
from tests.services.automation.automation_support import AUTO_ASSIGN, KPI, item, run, set_policy
from tests.support.statements import statements


@pytest.fixture
def ctx(make_ctx):
    return make_ctx()


def sample(session, at, open_items):
    session.add(
        BacklogSample(tracker="remediation", finished_at=at, source_job=KPI, status="success", open_items=open_items)
    )


def test_a_real_run_keeps_a_sample_and_a_dry_one_does_not(ctx, session, clock):
    item(session, clock, 1, -1)
    session.commit()

    run(ctx, KPI, dry_run=True)
    real = run(ctx, KPI)
    run(ctx, AUTO_ASSIGN, dry_run=True)

    samples = session.scalars(select(BacklogSample)).all()
    assert [(one.run_id, one.open_items, one.overdue_count, one.status) for one in samples] == [
        (real.run.id, 1, 1, "critical")
    ]
    assert real.run.status == "critical"
    assert real.detail["status_reasons"] == ["overdue", "unassigned_open"]
    assert session.scalar(select(func.count()).select_from(RunFact)) == 3


def test_an_assignee_written_like_the_word_for_none_hides_nobody(ctx, session, clock):
    for number, assignee in enumerate(("kim", None, "unassigned", None, "kim"), start=1):
        item(session, clock, number, assignee=assignee)
    session.commit()

    counts = sla.snapshot(ctx, clock.now(), due_soon_hours=24).assignee_open_counts

    assert list(counts.items()) == [("unassigned", 3), ("kim", 2)]


def test_a_run_keeps_no_history_in_its_result_but_answers_with_it(ctx, session, clock):
    for _hour in range(3):
        clock.advance(timedelta(hours=1))
        found = run(ctx, KPI, {"window_days": 7, "due_soon_hours": 12})

    stored = session.get_one(JobRun, found.run.id).detail_json
    answer = automation_runs.latest(ctx, KPI)
    assert "backlog_history" not in stored
    assert (stored["window_days"], stored["due_soon_hours"]) == (7, 12)
    assert (answer["run_id"], answer["backlog_history"].count) == (found.run.id, 3)
    later = clock.now()
    clock.advance(timedelta(hours=1))
    run(ctx, KPI)
    # The answer about an old run does not change with the runs after it.
    assert automation_runs.answer_of(ctx, found.run)["backlog_history"].points[-1].finished_at == later


def test_the_history_has_the_newest_samples_oldest_first(ctx, session, clock):
    now = clock.now()
    for hour in range(24 * 60):
        sample(session, now - timedelta(hours=hour), hour)
    sample(session, now + timedelta(hours=1), 999)
    session.commit()

    made = kpi.history(ctx, now, window_days=30)

    assert (made.count, made.thinned) == (len(made.points), True)
    assert 200 < made.count <= 400
    assert made.points[-1].open_items == 0
    assert [one.finished_at for one in made.points] == sorted(one.finished_at for one in made.points)
    assert made.trend == "down"


def test_a_short_history_is_complete(ctx, session, clock):
    for hour in (30, 20, 2, 1):
        sample(session, clock.now() - timedelta(hours=hour), hour)
    session.commit()

    made = kpi.history(ctx, clock.now(), window_days=1)

    assert ([one.open_items for one in made.points], made.thinned, made.trend) == ([20, 2, 1], False, "down")


def test_what_is_not_said_comes_from_the_policy(ctx, session):
    by_setting = kpi.view(ctx)
    set_policy(ctx, kpi_window_days=30, kpi_due_soon_hours=48)
    by_policy = kpi.view(ctx)
    by_request = kpi.view(ctx, window_days=7)

    assert (by_setting.window_days, by_setting.due_soon_hours, by_setting.settings_source) == (14, 24, "environment")
    assert (by_policy.window_days, by_policy.due_soon_hours, by_policy.settings_source) == (30, 48, "policy")
    assert (by_request.window_days, by_request.due_soon_hours, by_request.settings_source) == (7, 48, "request")


def test_the_latest_items_past_their_deadline_come_first_by_priority(ctx, session, clock):
    for number in range(1, 13):
        item(session, clock, number, -number, priority=1 if number == 3 else 4)
    session.commit()

    made = kpi.view(ctx)

    assert [one.item_id for one in made.top_overdue_items][:3] == ["GR-003", "GR-012", "GR-011"]
    assert (len(made.top_overdue_items), made.top_overdue_items[0].overdue_hours) == (10, 3.0)
    assert made.status_counts == {"pending": 12, "in_progress": 0, "done": 0, "blocked": 0}


def test_callers_of_one_site_see_its_figures_and_no_history_of_all(make_ctx, session, clock):
    for number, site in enumerate((None, "본관", "별관"), start=1):
        item(session, clock, number, site=site)
    sample(session, clock.now(), 3)
    session.commit()
    scoped = make_ctx("manager", ("본관",))

    made = kpi.view(scoped)

    assert (made.metrics.open_items, made.backlog_history.count) == (2, 0)
    assert sla.view(scoped).metrics.open_items == 2
    for view in (kpi.view, sla.view):
        with pytest.raises(SiteDenied):
            view(scoped, site="별관")


def test_figures_need_the_permission_to_read(make_ctx, session):
    nobody = make_ctx("operator", permissions=(), grants=frozenset())

    for view in (kpi.view, sla.view):
        with pytest.raises(PermissionDenied):
            view(nobody)


def test_the_snapshot_lists_the_items_most_at_risk(ctx, session, clock):
    item(session, clock, 1, 30)
    item(session, clock, 2, -1.5, assignee="kim", critical=True, priority=1)
    item(session, clock, 3, 2, assignee="kim")
    item(session, clock, 4, -1, status="done")
    session.commit()

    made = sla.view(ctx, due_soon_hours=24)

    assert [(one.item_id, one.minutes_until_due) for one in made.top_risk_items] == [
        ("GR-002", -90),
        ("GR-003", 120),
        ("GR-001", 1800),
    ]
    assert made.assignee_open_counts == {"kim": 2, "unassigned": 1}
    metrics = made.metrics
    assert (metrics.total_items, metrics.open_items, metrics.done_count) == (4, 3, 1)
    assert (metrics.overdue_count, metrics.due_soon_count, metrics.critical_open_count) == (1, 1, 1)
    assert sla.view(ctx, due_soon_hours=0).metrics.due_soon_count == 0


@pytest.mark.parametrize(("view", "most"), [(sla.view, 4), (kpi.view, 9)])
def test_the_number_of_queries_is_fixed(ctx, session, clock, engine, view, most):
    for number in range(1, 200):
        item(session, clock, number, number % 50 - 25)
    session.commit()

    with statements(engine) as seen:
        view(ctx)

    assert len(seen) <= most
