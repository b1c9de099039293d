"""SLA policies through the services: default and sites, four eyes, revisions, what-if, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from console.domain.errors import Conflict, GlobalScopeRequired, NotFound, PermissionDenied, SiteDenied
from console.domain.facility_sla.policy import BUILT_IN, HOURS, SlaPolicy, as_values, from_values
from console.domain.work_orders.requests import NewOrder
from console.models.audit import AuditLog
from console.models.policies import Policy, PolicyRevision
from console.services.facility_sla import policies, proposals, whatif
from console.services.facility_sla.whatif import Wish
from console.services.work_orders import actions, create, events, holds
from tests.factories.work_orders import add_order
from tests.support.statements import statements

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ALL = ("*",)


def policy(grace=0, **hours):
    return SlaPolicy({**HOURS, **hours}, grace)


@pytest.fixture
def other(make_ctx):
    """Somebody else who may decide."""
    return make_ctx(username="park", display_name="박관리")


def actions_on_record(ctx):
    ctx.commit()
    return list(ctx.session.scalars(select(AuditLog.action).order_by(AuditLog.id)))


def test_reading_writes_nothing_and_a_site_without_its_own_follows_the_default(ctx):
    found = policies.view(ctx, "본관")

    assert (found.policy_key, found.source, found.site, found.revision) == ("default", "default", "본관", 0)
    assert found.default_due_hours == dict(HOURS)
    assert ctx.session.scalar(select(func.count()).select_from(Policy)) == 0
    policies.put(ctx, policy(grace=30), site="본관")
    mine = policies.view(ctx, "본관")
    assert (mine.policy_key, mine.source, mine.escalation_grace_minutes) == ("site:본관", "site", 30)
    assert policies.view(ctx, "별관").source == "default"
    policies.put(ctx, policy(grace=5, high=4))
    # The policy of a site is complete: the default one does not shine through.
    assert policies.view(ctx, "본관").default_due_hours["high"] == 8
    assert policies.view(ctx, "별관").default_due_hours["high"] == 4


def test_every_write_leaves_one_revision_with_the_whole_policy(ctx, clock):
    first = policies.put(ctx, policy(grace=30))
    policies.put(ctx, policy(grace=30))
    policies.put(ctx, policy(grace=45), site="본관", reason="night shift")
    back = policies.restore(ctx, first.revision_id, note="too long")
    gone = policies.remove(ctx, "본관")

    told = [(one.site, one.source_action, one.number) for one in policies.revisions(ctx)]
    assert told == [
        ("본관", "override_removal", 2),
        (None, "revision_restore", 3),
        ("본관", "manual_update", 1),
        *((None, "manual_update", number) for number in (2, 1)),
    ]
    assert gone.source == "default"
    assert back.escalation_grace_minutes == 30
    assert policies.revisions(ctx)[1].note == f"revision_id={first.revision_id}; too long"
    assert policies.revisions(ctx, site="본관", source_action="manual_update")[0].note == "night shift"
    with pytest.raises(NotFound):
        policies.remove(ctx, "본관")
    with pytest.raises(NotFound):
        policies.restore(ctx, 9999)
    again = policies.put(ctx, policy(), site="본관")
    assert (again.source, again.revision) == ("site", 3)
    assert "sla_policy_restore" in actions_on_record(ctx)


def test_orders_take_their_due_date_from_the_policy_in_force_and_keep_its_revision(ctx, clock):
    ours = policies.put(ctx, policy(medium=1))
    order = create.create(ctx, NewOrder("Pump", "본관", "B1"))
    site = policies.put(ctx, policy(medium=5), site="본관")
    later = create.create(ctx, NewOrder("Pump", "본관", "B1"))
    actions.complete(ctx, order.id, "done")
    again = actions.reopen(ctx, order.id, "leaks")

    assert (order.due_at - clock.now(), order.policy_revision_id) == (HOUR, ours.revision_id)
    assert (later.due_at - clock.now(), later.policy_revision_id) == (5 * HOUR, site.revision_id)
    assert (again.due_at - clock.now(), again.policy_revision_id) == (5 * HOUR, site.revision_id)
    told = events.listed(ctx, order.id)[0]
    assert [event.policy_revision_id for event in (told[0], told[-1])] == [ours.revision_id, site.revision_id]
    assert told[0].detail["due_source"] == "default"


def test_the_clock_pauses_only_where_the_policy_says_so(ctx, clock):
    def waited(site):
        order = create.create(ctx, NewOrder("Pump", site, "B1"))
        actions.acknowledge(ctx, order.id)
        holds.hold(ctx, order.id, "parts")
        clock.advance(HOUR)
        holds.hold(ctx, order.id, "contractor")
        clock.advance(2 * HOUR)
        return holds.resume(ctx, order.id).due_at - order.due_at

    policies.put(ctx, SlaPolicy(HOURS, 0, pause_on_hold=True), site="별관")
    assert waited("본관") == timedelta(0)
    assert waited("별관") == 3 * HOUR


def test_a_proposal_needs_a_second_person_and_is_applied_once(ctx, other, clock):
    made = proposals.propose(ctx, policy(grace=30), Wish(), note="nights")
    assert (made.status, made.base_valid, made.applied_at) == ("pending", True, None)
    with pytest.raises(Conflict, match="Proposal cannot be self-approved"):
        proposals.approve(ctx, made.id)
    done = proposals.approve(other, made.id, note="fine")

    assert (done.status, done.decided_by, done.decision_note, done.applied_at) == (
        *("approved", "park", "fine", clock.now()),
    )
    assert policies.view(ctx).escalation_grace_minutes == 30
    for again, words in ((proposals.approve, "approved"), (proposals.reject, "rejected")):
        with pytest.raises(Conflict, match=f"Only pending proposal can be {words}"):
            again(other, made.id)
    assert policies.revisions(ctx)[0].note == f"proposal_id={made.id}; fine"
    assert len(policies.revisions(ctx)) == 1


def test_several_proposals_wait_and_one_whose_base_moved_is_refused(ctx, other):
    first = proposals.propose(ctx, policy(grace=30), Wish())
    second = proposals.propose(ctx, policy(grace=60), Wish())
    proposals.approve(other, first.id)

    with pytest.raises(Conflict) as refused:
        proposals.approve(other, second.id)
    assert refused.value.code == "proposal_outdated"
    assert proposals.get(ctx, second.id).base_valid is False
    assert proposals.reject(ctx, second.id, note="anew").status == "rejected"
    assert [one.status for one in proposals.listed(ctx, status="rejected")] == ["rejected"]
    site = proposals.propose(ctx, policy(grace=45), Wish(site="본관"))
    policies.put(ctx, policy(grace=1))
    # A site without a policy of its own stands upon the default one.
    with pytest.raises(Conflict):
        proposals.approve(other, site.id)


def test_who_may_see_and_change_what(make_ctx, ctx):
    scoped = make_ctx("owner", ("본관",), username="choi")
    everywhere = proposals.propose(ctx, policy(grace=30), Wish())
    far = proposals.propose(ctx, policy(grace=30), Wish(site="별관"))
    near = proposals.propose(scoped, policy(grace=30), Wish(site="본관"))

    assert [one.id for one in proposals.listed(scoped)] == [near.id]
    with statements() as seen:
        assert [one.base_valid for one in proposals.listed(ctx)] == [True] * 3
    assert len(seen) == 2, "the policies that count are read once for all of them"
    for ask in (proposals.get, proposals.approve, proposals.reject):
        with pytest.raises(GlobalScopeRequired):
            ask(scoped, everywhere.id)
        with pytest.raises(SiteDenied):
            ask(scoped, far.id)
    for write in (lambda: policies.put(scoped, policy()), lambda: proposals.propose(scoped, policy(), Wish())):
        with pytest.raises(GlobalScopeRequired):
            write()
    assert policies.view(scoped).source == "default"
    with pytest.raises(SiteDenied):
        policies.view(scoped, "별관")
    assert policies.revisions(scoped) == ()
    for role in ("manager", "operator", "auditor"):
        with pytest.raises(PermissionDenied):
            policies.view(make_ctx(role))


def test_an_installation_may_demand_proposals(ctx):
    ctx.config = ctx.config.replaced(SLA_POLICY_REQUIRES_PROPOSAL=True)
    for write in (lambda: policies.put(ctx, policy()), lambda: policies.remove(ctx, "본관")):
        with pytest.raises(Conflict) as refused:
            write()
        assert refused.value.code == "proposal_required"


def test_the_what_if_is_exact_for_each_site(ctx, session, clock):
    now = clock.now()
    for site, minutes in (("본관", (10, 50)), ("별관", (10, 50)), ("신관", (50,))):
        for late in minutes:
            add_order(session, now, site=site, due_at=now - late * MINUTE, created_at=now - 3 * HOUR)
    add_order(session, now, due_at=now - HOUR, is_escalated=True)
    policies.put(ctx, policy(grace=30), site="별관")

    found = whatif.simulate(ctx, policy(grace=20), Wish())
    assert (found.total_candidates, found.total, found.truncated) == (5, 5, False)
    assert found.baseline_by_site == {"본관": 2, "별관": 1, "신관": 1}
    # The site with its own policy stays as it is.
    assert found.simulated_by_site == {"본관": 1, "별관": 1, "신관": 1}
    assert (found.delta_escalate_count, len(found.no_longer_escalated_ids), found.newly_escalated_ids) == (-1, 1, ())
    assert found.skipped_sites == ("별관",)
    mine = whatif.simulate(ctx, policy(grace=5), Wish(site="별관"))
    assert (mine.baseline_escalate_count, mine.simulated_escalate_count, len(mine.newly_escalated_ids)) == (1, 2, 1)
    anew = whatif.simulate(ctx, policy(medium=2), Wish(recompute_due_from_policy=True, sample_size=0))
    assert (anew.simulated_by_site, anew.newly_escalated_ids) == ({"본관": 2, "별관": 1, "신관": 1}, ())
    cut = whatif.simulate(ctx, policy(), Wish(limit=2))
    assert (cut.total_candidates, cut.total, cut.truncated) == (2, 5, True)


def test_values_go_to_the_store_and_back():
    made = SlaPolicy({**HOURS, "low": 48}, 30, True, {"critical": 30})

    assert from_values(as_values(made)) == made
    assert from_values({}) == SlaPolicy(dict(HOURS)) == SlaPolicy(dict(BUILT_IN.default_due_hours))


def test_a_change_that_is_undone_leaves_no_revision(ctx, session):
    ctx.commit()
    with pytest.raises(RuntimeError):
        _fails(ctx)
    session.rollback()
    assert session.scalar(select(func.count()).select_from(PolicyRevision)) == 0


def _fails(ctx):
    ctx.begin_write()
    policies.put(ctx, policy(grace=1))
    raise RuntimeError
