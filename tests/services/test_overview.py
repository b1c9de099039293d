from datetime import timedelta

import pytest

from console.domain.errors import SiteDenied
from console.services import overview, run_schedule
from workers import runtime
from workers.schedule import LINES


def test_three_figures_say_the_same_as_the_whole_schedule(make_ctx, clock, session):
    ctx = make_ctx("owner")
    ctx.begin_write()
    run_schedule.tick(ctx, LINES, runtime.find)
    session.commit()
    for step in (timedelta(minutes=1), timedelta(hours=3)):
        clock.advance(step)
        whole = run_schedule.overview(ctx, LINES, runtime.find)
        short = run_schedule.health(ctx, LINES, runtime.find)

        assert (short.lines, short.late_count, short.silent) == (len(whole.rows), whole.late_count, whole.silent)
    assert short.late_count > 0


@pytest.mark.parametrize(
    ("role", "parts"),
    [("owner", (True, True, True)), ("manager", (True, True, True)), ("operator", (True, True, False))],
)
def test_each_part_is_for_those_who_may_see_it(make_ctx, role, parts):
    found = overview.read(make_ctx(role), None, lambda ctx: run_schedule.health(ctx, LINES, runtime.find))

    assert (found.gate is not None, found.board is not None, found.schedule is not None) == parts


def test_a_site_outside_the_scope_is_refused(make_ctx):
    with pytest.raises(SiteDenied):
        overview.read(make_ctx("operator", ("본관",)), "별관")
