"""Proposals: made by one, decided by another, once, on the ground they were made on."""

import json

import pytest
from sqlalchemy import select

from console.core.context import start_writing
from console.domain.errors import Conflict, Invalid, NotFound, PermissionDenied
from console.inputs.policies import AutopilotPolicyModel
from console.models.audit import AuditLog
from console.services.policies import policies
from console.services.policies import proposals as policy_proposals
from console.services.policies.kinds import PolicyKind
from tests.factories import make_user

KIND = PolicyKind(
    "pilot",
    AutopilotPolicyModel,
    "pilot_policy",
    read=("admins:manage", "governance:read"),
    write=("admins:manage",),
    propose=("admins:manage", "governance:manage"),
    approve=("admins:manage",),
    audit_action="pilot_policy",
    audit_resource="pilot",
    scope="ops.pilot",
)


@pytest.fixture
def people(session, clock):
    """Return ids of two owners and a manager."""
    made = {
        name: make_user(session, now=clock.now(), username=name, role=role).id
        for name, role in (("anna", "owner"), ("bora", "owner"), ("minsu", "manager"))
    }
    session.commit()
    return made


@pytest.fixture
def act(make_ctx, people, session):
    """Return `act(name)`: a context of one of the people, ready to write."""

    def build(name):
        session.commit()
        ctx = make_ctx("manager" if name == "minsu" else "owner", username=name, user_id=people[name])
        start_writing(session)
        return ctx

    return build


def test_a_manager_proposes_and_an_owner_approves(act, session):
    made = policy_proposals.propose(
        act("minsu"), KIND, {"cooldown_minutes": 9999, "mistake": 1}, reason=" Fewer runs ", shadow=True
    )

    assert made.changes == {"cooldown_minutes": {"old": 30, "new": 1440}}
    assert (made.policy["cooldown_minutes"], made.policy["enabled"], made.base_revision) == (1440, True, 0)
    assert [one.code for one in made.warnings] == ["unknown", "clamped"]
    assert (made.reason, made.state, made.shadow) == ("Fewer runs", "open", True)
    assert policies.resolve(act("anna"), KIND).values["cooldown_minutes"] == 30

    found = policy_proposals.approve(act("anna"), KIND, made.id, note="Agreed")

    assert (found.values["cooldown_minutes"], found.revision) == (1440, 1)
    newest = policies.revisions(act("anna"), KIND)[0]
    assert (newest.source, newest.proposal_id, newest.reason, newest.actor) == (
        "approval",
        made.id,
        "Fewer runs",
        "anna",
    )
    decided = policy_proposals.listed(act("anna"), KIND)[0]
    assert (decided.state, decided.decided_by, decided.decision_note) == ("approved", "anna", "Agreed")
    session.commit()
    actions = session.scalars(select(AuditLog.action).order_by(AuditLog.id)).all()
    assert actions == ["pilot_policy_propose", "pilot_policy_update", "pilot_policy_approve"]


def test_a_proposal_is_on_record_with_its_changes(act, session):
    policy_proposals.propose(act("minsu"), KIND, {"cooldown_minutes": 60}, reason="Fewer runs")
    session.commit()

    row = session.scalars(select(AuditLog)).one()
    assert json.loads(row.detail_json)["changes"] == {"cooldown_minutes": {"old": 30, "new": 60}}


def test_who_proposed_does_not_approve(act):
    made = policy_proposals.propose(act("anna"), KIND, {"cooldown_minutes": 60}, reason="x")

    with pytest.raises(PermissionDenied) as caught:
        policy_proposals.approve(act("anna"), KIND, made.id)
    assert caught.value.code == "own_proposal"

    assert policy_proposals.approve(act("bora"), KIND, made.id).values["cooldown_minutes"] == 60


def test_the_only_owner_for_all_sites_may_approve_alone(make_ctx, session, clock):
    owner_id = make_user(session, now=clock.now(), username="solo", role="owner").id
    make_user(session, now=clock.now(), username="gone", role="owner", is_active=False)
    make_user(session, now=clock.now(), username="robot", role="owner", is_bootstrap=True)
    make_user(session, now=clock.now(), username="elsewhere", role="owner", site_scope=("HQ",))
    session.commit()
    ctx = make_ctx(username="solo", user_id=owner_id)
    start_writing(session)

    made = policy_proposals.propose(ctx, KIND, {"cooldown_minutes": 60}, reason="x")

    assert policy_proposals.approve(ctx, KIND, made.id).values["cooldown_minutes"] == 60


def test_a_manager_decides_nothing(act):
    made = policy_proposals.propose(act("anna"), KIND, {"cooldown_minutes": 60}, reason="x")

    for decide in (policy_proposals.approve, policy_proposals.reject, policy_proposals.withdraw):
        with pytest.raises(PermissionDenied):
            decide(act("minsu"), KIND, made.id, note="no")


def test_a_policy_that_moved_on_refuses_the_old_proposal(act):
    made = policy_proposals.propose(act("minsu"), KIND, {"cooldown_minutes": 60}, reason="x")
    policies.update_policy(act("anna"), KIND, {"overdue_trigger": 5})

    with pytest.raises(Conflict) as caught:
        policy_proposals.approve(act("bora"), KIND, made.id)

    assert caught.value.code == "proposal_outdated"
    assert (caught.value.detail["base_revision"], caught.value.detail["current_revision"]) == (0, 1)
    assert policies.resolve(act("bora"), KIND).values["cooldown_minutes"] == 30


def test_a_policy_that_came_back_to_its_values_takes_the_proposal(act):
    made = policy_proposals.propose(act("minsu"), KIND, {"cooldown_minutes": 60}, reason="x")
    policies.update_policy(act("anna"), KIND, {"overdue_trigger": 5})
    policies.update_policy(act("anna"), KIND, {"overdue_trigger": 1})

    assert policy_proposals.approve(act("bora"), KIND, made.id).values["cooldown_minutes"] == 60


def test_there_is_one_open_proposal_per_policy(act):
    first = policy_proposals.propose(act("minsu"), KIND, {"cooldown_minutes": 60}, reason="x")
    with pytest.raises(Conflict) as caught:
        policy_proposals.propose(act("anna"), KIND, {"cooldown_minutes": 90}, reason="y")
    assert caught.value.code == "proposal_open"

    policy_proposals.withdraw(act("minsu"), KIND, first.id)
    second = policy_proposals.propose(act("anna"), KIND, {"cooldown_minutes": 90}, reason="y")

    assert policy_proposals.open_proposal(act("anna"), KIND).id == second.id


@pytest.mark.parametrize(
    ("sent", "reason", "code"),
    [
        ({"cooldown_minutes": 60}, "  ", "invalid"),
        ({"cooldown_minutes": 30}, "x", "nothing_changes"),
        ({"enabled": "false"}, "x", "nothing_changes"),
        ({}, "x", "nothing_changes"),
    ],
)
def test_a_proposal_without_reason_or_change_is_refused(act, sent, reason, code):
    with pytest.raises(Invalid) as caught:
        policy_proposals.propose(act("minsu"), KIND, sent, reason=reason)

    assert caught.value.code == code


def test_a_rejection_says_why_and_ends_it(act):
    made = policy_proposals.propose(act("minsu"), KIND, {"cooldown_minutes": 60}, reason="x")
    with pytest.raises(Invalid):
        policy_proposals.reject(act("anna"), KIND, made.id, note=" ")

    rejected = policy_proposals.reject(act("anna"), KIND, made.id, note="Too slow")

    assert (rejected.state, rejected.decision_note) == ("rejected", "Too slow")
    for decide in (policy_proposals.approve, policy_proposals.withdraw):
        with pytest.raises(Conflict) as caught:
            decide(act("bora"), KIND, made.id)
        assert caught.value.code == "proposal_decided"


def test_a_proposal_of_another_kind_is_not_found(act):
    made = policy_proposals.propose(act("minsu"), KIND, {"cooldown_minutes": 60}, reason="x")
    other = PolicyKind(**{**{f: getattr(KIND, f) for f in KIND.__dataclass_fields__}, "name": "other"})

    with pytest.raises(NotFound):
        policy_proposals.approve(act("anna"), other, made.id)
