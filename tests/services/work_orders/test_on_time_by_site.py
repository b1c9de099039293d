"""Sites side by side: the share that was done in time, whole and in parts of the 30 days."""

from datetime import timedelta

from console.domain.work_orders.on_time import PARTS, WINDOW, edges
from console.services.work_orders import on_time
from tests.factories.work_orders import add_order
from tests.support.statements import statements

DAY = timedelta(days=1)


def add(session, clock, site, *, due, done=None, **more):
    now = clock.now()
    closed = {"status": "completed", "completed_at": now - done * DAY} if done is not None else {}
    add_order(session, now - 40 * DAY, site=site, due_at=now - due * DAY, **closed, **more)


def test_each_site_has_the_share_of_the_overview_and_its_course(make_ctx, session, clock, engine):
    add(session, clock, "A", due=1, done=2)
    add(session, clock, "A", due=2, done=1)
    add(session, clock, "A", due=28, done=29)
    add(session, clock, "A", due=31, done=32)
    add(session, clock, "A", due=-1)
    add(session, clock, "B", due=12)
    add(session, clock, "B", due=12, status="canceled", canceled_at=clock.now())
    session.commit()
    ctx = make_ctx("owner")

    with statements(engine) as asked:
        found = on_time.by_site(ctx)

    assert len([one for one in asked if "work_orders" in one]) == 1
    assert found["A"].whole.percent == 66.7
    assert found["A"].trend == (100.0, None, None, None, None, 50.0)
    assert found["B"].trend == (None, None, None, 0.0, None, None)
    for site in found:
        assert found[site].whole == on_time.last_30_days(ctx, site)


def test_who_sees_one_site_gets_that_alone(make_ctx, session, clock):
    for site in "AB":
        add(session, clock, site, due=1, done=2)
    session.commit()

    assert list(on_time.by_site(make_ctx("manager", ("B",)))) == ["B"]


def test_the_parts_cover_the_window_without_a_gap(clock):
    now = clock.now() + timedelta(minutes=17)
    found = edges(now)
    assert (found[0], found[-1], len(found)) == (now - WINDOW, now, PARTS + 1)
    assert list(found) == sorted(found)
