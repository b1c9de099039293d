from datetime import timedelta

import pytest

from console.domain.errors import SiteDenied
from console.domain.tracker.tracker import REMEDIATION
from console.models.automation import BacklogSample
from console.services.home import overview
from console.services.jobs import registry
from console.services.jobs import schedule as run_schedule
from workers.schedule import ENTRIES


def test_three_figures_say_the_same_as_the_whole_schedule(make_ctx, clock, session):
    ctx = make_ctx("owner")
    ctx.begin_write()
    run_schedule.tick(ctx, ENTRIES, registry.find)
    session.commit()
    for step in (timedelta(minutes=1), timedelta(hours=3)):
        clock.advance(step)
        whole = run_schedule.overview(ctx, ENTRIES, registry.find)
        short = run_schedule.health(ctx, ENTRIES, registry.find)

        assert (short.lines, short.late_count, short.silent) == (len(whole.rows), whole.late_count, whole.silent)
    assert short.late_count > 0


@pytest.mark.parametrize(
    ("role", "parts"),
    [("owner", (True, True, True)), ("manager", (True, True, True)), ("operator", (True, True, False))],
)
def test_each_part_is_for_those_who_may_see_it(make_ctx, role, parts):
    found = overview.read(make_ctx(role), None, lambda ctx: run_schedule.health(ctx, ENTRIES, registry.find))

    assert (found.gate is not None, found.board is not None, found.schedule is not None) == parts


def test_a_site_outside_the_scope_is_refused(make_ctx):
    with pytest.raises(SiteDenied):
        overview.read(make_ctx("operator", ("본관",)), "별관")


def test_trends_are_the_last_measurement_of_each_day_and_now(make_ctx, clock, session):
    now = clock.now()
    for days, hour, late, unassigned in ((9, 1, 50, 50), (2, 1, 9, 9), (2, 5, 4, 2), (1, 3, 6, 1)):
        at = (now - timedelta(days=days)).replace(hour=hour)
        session.add(
            BacklogSample(
                tracker=REMEDIATION.key,
                finished_at=at,
                source_job="kpi",
                status="success",
                open_items=9,
                overdue_count=late,
                unassigned_open_count=unassigned,
            )
        )
    session.commit()
    found = overview.read(make_ctx("owner"), None)

    assert found.trends == overview.Trends(late=(4, 6, 0), unassigned=(2, 1, 0))
    assert overview.read(make_ctx("operator", ("본관",)), "본관").trends is None
