"""The rules of a site on the board: opened for the site, raised and resolved by themselves, seen by its people."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from console.domain.gate.site_rules import SITE_RULES
from console.domain.remediation.site_rules import REMEDIES, SITE_RULE
from console.models.tracker import TrackerItem
from console.models.work_orders import WorkOrder
from console.services.remediation import site_rules, sync
from tests.factories import make_site
from tests.factories.work_orders import add_order

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def sites(ctx, session, clock):
    for name in ("본관", "별관"):
        make_site(session, name, now=clock.now())
    session.flush()


def items(session):
    session.expire_all()
    found = session.scalars(select(TrackerItem).where(TrackerItem.item_type == SITE_RULE).order_by(TrackerItem.id))
    return [(one.site, one.item_key, one.rule_status, one.is_active, one.required) for one in found]


def test_each_rule_of_a_site_has_its_remedy():
    assert set(REMEDIES) == {spec.id for spec in SITE_RULES}


def test_a_late_critical_order_is_an_item_of_its_site_until_it_is_done(ctx, session, clock):
    order = add_order(session, clock.now(), priority="critical", due_at=clock.now() - HOUR, site="별관")

    sync.sync(ctx)
    assert items(session) == [("별관", "site_critical_in_time", "fail", True, False)]
    assert site_rules.keep_up(ctx) == 0, "nothing more changes"

    session.get(WorkOrder, order.id).status = "canceled"
    session.flush()
    clock.advance(HOUR)
    sync.sync(ctx)
    assert [(site, active) for site, _key, _status, active, _required in items(session)] == [("별관", False)]


def test_warnings_alone_open_nothing_where_they_are_left_out(ctx, session, clock):
    now = clock.now()
    add_order(session, now, status="completed", completed_at=now - 30 * HOUR, priority="high")

    sync.sync(ctx, include_warnings=False)
    assert items(session) == []
    sync.sync(ctx)
    assert items(session) == [("본관", "site_evidence_given", "warning", True, False)]


def test_the_changes_that_the_sync_counts_are_those_of_the_platform(ctx, session, clock):
    before = sync.sync(ctx)
    add_order(session, clock.now(), priority="critical", due_at=clock.now() - HOUR)
    after = sync.sync(ctx)

    assert (after.created_count, after.resolved_count) == (0, 0)
    assert after.active_count == before.active_count + 1
    assert [one.site for one in after.items if one.item_type == SITE_RULE] == ["본관"]
