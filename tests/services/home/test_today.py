"""What the overview says of each site and of alerts: the same numbers as the figures, for those who may see them."""

from datetime import timedelta

from console.services.common.figures import counted
from console.services.home import today
from console.services.home.figures import REGISTER
from tests.factories import make_site
from tests.factories.facility import add_delivery, add_inspection
from tests.factories.work_orders import add_order
from tests.support.statements import statements

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SITES = ("본관", "별관")


def two_sites(session, clock):
    now = clock.now()
    for name in SITES:
        make_site(session, name, now=now)
    add_order(session, now, due_at=now - HOUR, site=SITES[1])
    add_order(session, now, site=SITES[1])
    add_order(session, now, status="completed", completed_at=now - DAY, created_at=now - 2 * DAY)
    add_inspection(session, now)
    session.commit()


def test_a_line_of_a_site_says_what_each_of_its_figures_says(make_ctx, session, clock):
    two_sites(session, clock)
    ctx = make_ctx("manager")
    lines = today.site_lines(ctx, None)

    assert [line.name for line in lines] == ["별관", "본관"]
    assert [one.value for one in lines[0].figures] == [2, 1, 0, 0]
    for line in lines:
        for one in line.figures:
            own = counted(ctx, REGISTER[one.figure.key], line.name)
            assert (own.value, own.args) == (one.value, one.args)


def test_whoever_sees_one_site_needs_no_table_of_it(make_ctx, session, clock):
    two_sites(session, clock)

    assert today.site_lines(make_ctx("operator", SITES[:1]), None) == ()
    assert [line.name for line in today.site_lines(make_ctx("manager"), SITES[0])] == [SITES[0]]


def test_fourteen_days_end_today_in_the_zone_of_the_installation(make_ctx, session, clock):
    two_sites(session, clock)
    days = today.days(make_ctx("operator", SITES), None)

    assert (len(days), days[-1].date) == (14, "2026-03-02")
    assert [one.work_orders_created_count for one in days[-3:]] == [1, 0, 2]
    assert [one.work_orders_completed_count for one in days[-3:]] == [0, 1, 0]


def test_alerts_are_a_share_only_where_there_were_any(make_ctx, session, clock):
    assert today.alerts(make_ctx("manager")).percent is None
    for status in ("success", "success", "dead"):
        add_delivery(session, clock.now() - DAY, SITES[0], status, site=SITES[0])
    add_delivery(session, clock.now() - 8 * DAY, SITES[0])
    session.commit()
    found = today.alerts(make_ctx("manager"))

    assert (found.raised.value, found.delivered.value, found.percent) == (3, 2, 66.7)
    assert today.alerts(make_ctx("operator")) is None


def test_what_the_facility_says_costs_seven_statements(make_ctx, session, clock):
    two_sites(session, clock)
    ctx = make_ctx("manager")
    with statements(session.get_bind()) as sent:
        today.site_lines(ctx, None)
        today.days(ctx, None)
        today.alerts(ctx)

    assert len(sent) == 7
