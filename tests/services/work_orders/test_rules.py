"""Completion rules through the services: site before all, and nothing refused where no site switched it on."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from console.domain.errors import GlobalScopeRequired, Invalid, PermissionDenied, PreconditionFailed, SiteDenied
from console.domain.tracker.requests import Selection
from console.domain.work_orders.completion import Incomplete
from console.domain.work_orders.requests import OrderBulk
from console.models.audit import AuditLog
from console.models.inspections import Inspection
from console.models.work_orders import WorkOrder
from console.services.work_orders import actions, bulk, rules
from tests.factories import make_site
from tests.factories.work_orders import add_order

ALL = {f"{name}_electric": "high" for name in ("photo", "measurement", "text")}


@pytest.fixture
def order(session, clock):
    make_site(session, "본관", now=clock.now())
    make_site(session, "별관", now=clock.now())
    row = add_order(session, clock.now(), trade="electric", priority="high", assignee="kim")
    session.commit()
    return row.id


def missing_of(refusal):
    return [one["loc"][1] for one in refusal.value.detail]


def inspected(at):
    """An inspection of the place of the order."""
    place = {"site": "본관", "location": "B1", "cycle": "daily", "inspector": "kang", "created_by": "kang"}
    facts = {"risk_level": "normal", "risk_flags": [], "finding_names": [], "rule_version": "1"}
    return Inspection(**place, **facts, inspected_at=at, created_at=at)


def test_rules_only_tell_until_a_site_switches_them_on(ctx, order, clock):
    rules.change(ctx, ALL, site=None)
    rules.change(ctx, {"photo_fire": "low"}, site="본관", reason="fire audit")

    assert not rules.in_force(ctx, "본관").enforced
    assert rules.in_force(ctx, "본관").demands("electric", "critical") == ("after_photo", "measurement", "completion")
    assert rules.in_force(ctx, "본관").demands("fire", "low") == ("after_photo",)
    assert rules.in_force(ctx, "별관").demands("fire", "low") == ()
    assert actions.complete(ctx, order).status == "completed"


def test_a_site_that_insists_answers_with_everything_that_is_missing(ctx, session, order, clock):
    rules.change(ctx, ALL, site=None)
    rules.change(ctx, {"enforced": True}, site="본관")
    with pytest.raises(Incomplete) as refused:
        actions.complete(ctx, order)
    assert missing_of(refused) == ["after_photo", "measurement", "completion"]

    with pytest.raises(Incomplete) as refused:
        actions.complete(ctx, order, "changed")
    assert missing_of(refused) == ["after_photo", "measurement"]
    told = bulk.preview(ctx, Selection(ids=(order,)), OrderBulk("complete", text="changed"))
    assert (told.changed, told.refused) == (0, 1)
    clock.advance(timedelta(hours=1))
    session.add(inspected(ctx.now()))
    session.get_one(WorkOrder, order).evidence_after = 1
    session.flush()
    assert actions.complete(ctx, order, "changed").status == "completed"


def test_another_site_and_less_urgent_orders_are_not_concerned(ctx, session, clock, order):
    far = add_order(session, clock.now(), trade="electric", priority="high", site="별관").id
    calm = add_order(session, clock.now(), trade="electric", priority="low").id
    session.flush()
    rules.change(ctx, {**ALL, "enforced": True}, site="본관")

    assert actions.complete(ctx, far).status == "completed"
    assert actions.complete(ctx, calm).status == "completed"


def test_who_may_change_rules(make_ctx, ctx, order):
    with pytest.raises(Invalid):
        rules.change(ctx, {"enforced": True}, site=None)
    with pytest.raises(PermissionDenied):
        rules.change(make_ctx("manager"), ALL, site="본관")
    scoped = make_ctx("owner", ("본관",))
    with pytest.raises(SiteDenied):
        rules.change(scoped, ALL, site="별관")
    with pytest.raises(GlobalScopeRequired):
        rules.change(scoped, ALL, site=None)
    assert rules.change(scoped, ALL, site="본관").revision == 1
    with pytest.raises(PreconditionFailed):
        rules.change(scoped, {"enforced": True}, site="본관", if_match=0)
    assert [one.site for one in rules.by_site(scoped)] == ["본관"]


def test_every_change_has_its_revision_and_its_entry(ctx, session, order):
    rules.change(ctx, {"photo_electric": "critical"}, site="본관", reason="audit")
    rules.change(ctx, {"photo_electric": "nonsense"}, site="본관")
    rules.change(ctx, {"photo_electric": "low"}, site="본관")
    ctx.commit()

    found = rules.revisions(ctx, "본관")
    assert [one.revision for one in found] == [2, 1]
    assert found[1].changes == {"photo_electric": {"old": "never", "new": "critical"}}
    assert set(session.scalars(select(AuditLog.action))) == {"work_order_completion_policy_update"}
