"""The facts of each site as they lie in the database, and who may read the verdicts."""

from datetime import timedelta

import pytest

from console.domain.errors import PermissionDenied, SiteDenied
from console.domain.inspections.points import Point
from console.domain.inspections.readings import Readings
from console.domain.inspections.requests import NewInspection, NewTemplate
from console.services.gate import gate, site_gate
from console.services.inspections import create, follow_up, templates
from tests.factories import make_site
from tests.factories.work_orders import add_order
from tests.support.statements import statements

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def sites(ctx, session, clock):
    for name in ("본관", "별관"):
        make_site(session, name, now=clock.now())
    session.flush()


def failing(ctx, site="본관"):
    (found,) = site_gate.verdicts(ctx, site)
    return [rule.id for rule in found.failing]


def danger(ctx, **values):
    new = {"site": "본관", "location": "전기실", "cycle": "daily", "inspector": "kim", "inspected_at": ctx.now()}
    return create.create(ctx, NewInspection(**{**new, "readings": Readings(insulation_mohm=0.1), **values}))


def test_a_danger_is_told_after_two_hours_until_it_is_ordered_or_settled(ctx, clock, session):
    stored = danger(ctx)
    assert failing(ctx) == []

    clock.advance(2 * HOUR)
    assert failing(ctx) == ["site_danger_ordered"]
    assert failing(ctx, "별관") == []
    follow_up.close_finding(ctx, stored.id, "insulation_mohm", "측정 실수")
    assert failing(ctx) == []


def test_only_critical_orders_past_their_due_date_count(ctx, clock, session):
    now = clock.now()
    add_order(session, now, priority="high", due_at=now - HOUR)
    add_order(session, now, priority="critical", due_at=now + HOUR)
    add_order(session, now, priority="critical", due_at=now - HOUR, status="completed", completed_at=now)
    assert failing(ctx) == []

    add_order(session, now, priority="critical", due_at=now - HOUR)
    assert failing(ctx) == ["site_critical_in_time"]


def test_urgent_work_without_a_file_is_told_a_day_later(ctx, clock, session):
    now = clock.now()
    for values in ({"priority": "low"}, {"priority": "high", "evidence_after": 1}):
        add_order(session, now - 3 * DAY, status="completed", completed_at=now - 2 * DAY, **values)
    add_order(session, now, status="completed", completed_at=now - HOUR, priority="high")
    assert failing(ctx) == []

    add_order(session, now - 3 * DAY, status="completed", completed_at=now - DAY, priority="high")
    assert failing(ctx) == ["site_evidence_given"]


def test_a_round_is_missed_where_it_is_done_and_nowhere_else(ctx, clock, session):
    point = Point("temp", "온도", unit="°C", optional=True)
    everywhere = templates.publish(ctx, NewTemplate("all", "순회", "전기실", "daily", (point,)))
    templates.publish(ctx, NewTemplate("own", "월간", "전기실", "monthly", (point,), "별관"))
    danger(ctx, readings=Readings(), template_id=everywhere.id)
    clock.advance(37 * HOUR)
    assert (failing(ctx), failing(ctx, "별관")) == (["site_rounds_done"], [])

    # A new version is still the same round.
    newer = templates.publish(ctx, NewTemplate("all", "순회", "전기실", "daily", (point,)))
    assert failing(ctx) == ["site_rounds_done"]
    danger(ctx, readings=Readings(), template_id=newer.id)
    assert failing(ctx) == []
    clock.advance(39 * DAY)
    assert failing(ctx, "별관") == ["site_rounds_done"]


def test_all_sites_cost_the_same_queries_the_worst_stands_first(ctx, clock, session):
    now = clock.now()
    add_order(session, now, priority="critical", due_at=now - HOUR, site="본관")
    for number in range(12):
        make_site(session, f"사업장 {number}", now=now)
    with statements() as asked:
        found = site_gate.verdicts(ctx)

    assert (found[0].site, found[0].decision, len(found)) == ("본관", "no_go", 14)
    assert len(asked) <= 5


def test_each_caller_reads_the_sites_of_his_scope(make_ctx):
    assert [one.site for one in site_gate.verdicts(make_ctx("manager", ("본관",)))] == ["본관"]
    with pytest.raises(SiteDenied):
        site_gate.verdicts(make_ctx("manager", ("본관",)), "별관")
    with pytest.raises(PermissionDenied):
        site_gate.verdicts(make_ctx("operator", permissions=(), grants=frozenset()))


def test_the_verdict_of_the_platform_does_not_know_them(ctx, clock, session):
    before = gate.snapshot(ctx)
    add_order(session, clock.now(), priority="critical", due_at=clock.now() - HOUR)
    after = gate.snapshot(ctx)

    assert (before.decision, before.summary, [one.id for one in before.rules]) == (
        after.decision,
        after.summary,
        [one.id for one in after.rules],
    )
