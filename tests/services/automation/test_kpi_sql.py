"""The figures that the database counts are those that the domain counts one by one."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import update

from console.domain.automation import kpi
from console.domain.automation.kpi import KpiItem, KpiMetrics
from console.models.tracker import TrackerCommand, TrackerEvent
from console.services.automation import kpi_sql
from tests.factories.tracker import add_item
from tests.support.statements import statements

HOUR = timedelta(hours=1)
SITES = (None, "본관", "별관")


@pytest.fixture
def tracker(ctx, session, clock):
    """Add items and events of every kind; give what the domain must know of them, by site."""
    rng, now = random.Random(11), clock.now()
    items, finished = {site: [] for site in SITES}, {site: [] for site in SITES}
    undone = TrackerCommand(tracker="remediation", token="t1", kind="change", actor="a", at=now - HOUR, undone_at=now)
    kept = TrackerCommand(tracker="remediation", token="t2", kind="change", actor="a", at=now - HOUR)
    session.add_all([undone, kept])
    session.flush()
    for number in range(1, 121):
        site = rng.choice(SITES)
        values = {
            "opened_at": now - timedelta(seconds=rng.randrange(0, 40 * 86400)),
            "due_at": rng.choice((None, now, now + rng.randrange(-60, 60) * HOUR, now + 24 * HOUR)),
            "status": rng.choice(("pending", "in_progress", "blocked", "done")),
            "is_active": rng.random() < 0.85,
        }
        assigned, required, failing = rng.random() < 0.5, rng.random() < 0.5, rng.random() < 0.5
        row = add_item(
            session,
            now,
            number,
            site=site,
            assignee="kim" if assigned else None,
            required=required,
            rule_status="fail" if failing else "warning",
            **values,
        )
        items[site].append(KpiItem(**values, assigned=assigned, critical=required and failing))
        for _event in range(rng.randrange(0, 4)):
            at = now - rng.randrange(0, 30 * 24) * HOUR
            to_status = rng.choice(("done", "done", "blocked", None))
            command = rng.choice((None, None, undone, kept))
            session.add(
                TrackerEvent(
                    item_id=row.id,
                    tracker="remediation",
                    site_key=site or "",
                    at=at,
                    actor="a",
                    kind="status",
                    to_status=to_status,
                    command_id=command.id if command else None,
                )
            )
            # What was taken back was taken back within a minute, so its command is as old as its events.
            if to_status == "done" and (command is not undone or at < now - timedelta(days=14)):
                finished[site].append(at)
    session.flush()
    return items, finished


def counted(tracker, sites, now, **windows):
    items, finished = tracker
    return kpi.measure(
        [item for site in sites for item in items[site]],
        [at for site in sites for at in finished[site]],
        now,
        **windows,
    )


@pytest.mark.parametrize("due_soon_hours", [0, 24, 168])
def test_the_database_counts_as_the_domain_does(ctx, clock, tracker, due_soon_hours):
    windows = {"window_days": 14, "due_soon_hours": due_soon_hours}

    assert kpi_sql.metrics(ctx, clock.now(), **windows) == counted(tracker, SITES, clock.now(), **windows)


@pytest.mark.parametrize(
    ("sites", "asked", "seen"),
    [
        (("본관",), None, (None, "본관")),
        ((), None, (None,)),
        (("*",), "별관", ("별관",)),
        (("본관", "별관"), "별관", ("별관",)),
    ],
)
def test_only_what_the_caller_sees_is_counted(make_ctx, clock, tracker, sites, asked, seen):
    windows = {"window_days": 14, "due_soon_hours": 24}

    made = kpi_sql.metrics(make_ctx("manager", sites), clock.now(), site=asked, **windows)

    assert made == counted(tracker, seen, clock.now(), **windows)


def test_an_empty_tracker_has_the_figures_of_nothing(ctx, clock):
    assert kpi_sql.metrics(ctx, clock.now(), window_days=7, due_soon_hours=24) == KpiMetrics()


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_median_is_the_middle_one_or_the_mean_of_the_middle_two(ctx, session, clock, count):
    for number in range(1, count + 1):
        add_item(session, clock.now(), number, opened_at=clock.now() - number * number * HOUR)

    made = kpi_sql.metrics(ctx, clock.now(), window_days=7, due_soon_hours=24)

    assert made.median_open_age_hours == {1: 1.0, 2: 2.5, 3: 4.0, 4: 6.5}[count]
    assert made.oldest_open_age_hours == count * count


def test_work_that_was_taken_back_is_no_finished_work(ctx, session, clock, tracker):
    before = kpi_sql.metrics(ctx, clock.now(), window_days=14, due_soon_hours=24)
    session.execute(update(TrackerCommand).values(undone_at=None))
    after = kpi_sql.metrics(ctx, clock.now(), window_days=14, due_soon_hours=24)

    assert after.done_last_window_count > before.done_last_window_count


def test_figures_take_four_queries_whatever_the_items(ctx, clock, tracker, engine):
    with statements(engine) as seen:
        kpi_sql.metrics(ctx, clock.now(), window_days=14, due_soon_hours=24)

    assert len(seen) == 4


def test_assignees_are_counted_with_the_busiest_first(ctx, session, clock):
    for number, name in enumerate(("kim", "lee", "kim", None, None, None), start=1):
        add_item(session, clock.now(), number, assignee=name)
    add_item(session, clock.now(), 9, assignee="lee", status="done")

    assert list(kpi_sql.assignee_counts(ctx).items()) == [("unassigned", 3), ("kim", 2), ("lee", 1)]
