"""Workflow locks over the API (API contract, workflow locks)."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from console.models.audit import AuditLog
from console.models.workflow_locks import WorkflowLock, WorkflowLockEvent

L = "/api/workflow-locks"
SITE, OTHER = "본관", "신관"
FIELDS = [
    "id", "site", "workflow_key", "status", "content", "requested_ticket", "last_comment", "lock_reason",
    "unlock_reason", "created_by", "updated_by", "reviewed_by", "approved_by", "locked_by", "unlocked_by",
    "created_at", "updated_at", "reviewed_at", "approved_at", "locked_at", "unlocked_at",
]  # fmt: skip


@pytest.fixture
def people(api):
    """Callers by role; `opener` is a manager who may open locks."""
    known = {role: api(role) for role in ("operator", "manager", "owner", "auditor")}
    return {**known, "opener": api("manager", permissions=["workflow_locks:admin"])}


def begin(caller, **more):
    return caller.post(L, json={"site": SITE, "workflow_key": "daily-round", **more})


def step(caller, lock_id, action, **body):
    return caller.post(f"{L}/{lock_id}/{action}", json=body)


def detail(response):
    return response.status_code, response.json["detail"]


def test_the_published_flow(people):
    made = begin(people["operator"], content={"steps": ["점검", "기록"]}, requested_ticket="T-1")
    assert made.status_code == 201
    assert list(made.json) == FIELDS
    assert (made.json["status"], made.json["last_comment"]) == ("draft", "")
    assert made.json["created_by"] == made.json["updated_by"]
    key = made.json["id"]

    edited = people["operator"].patch(f"{L}/{key}/draft", json={"content": {"steps": ["보고"]}, "comment": "고침"})
    assert (edited.json["content"], edited.json["requested_ticket"]) == ({"steps": ["보고"]}, "T-1")
    kept = people["operator"].patch(f"{L}/{key}/draft", json={"comment": " "})
    assert (kept.json["content"], kept.json["last_comment"]) == ({"steps": ["보고"]}, "고침")
    for role in ("manager", "owner", "auditor"):
        denied = people[role].patch(f"{L}/{key}/draft", json={})
        assert detail(denied) == (403, "Workflow lock action denied: update_draft")

    assert step(people["operator"], key, "submit", comment="부탁").json["status"] == "review"
    assert detail(step(people["operator"], key, "approve")) == (403, "Workflow lock action denied: approve")
    approved = step(people["manager"], key, "approve").json
    assert approved["status"] == "approved"
    assert approved["approved_by"] == approved["reviewed_by"]
    assert approved["approved_at"] == approved["reviewed_at"]

    assert detail(step(people["manager"], key, "lock")) == (403, "Workflow lock action denied: lock")
    locked = step(people["owner"], key, "lock", reason=" ").json
    assert (locked["status"], locked["lock_reason"]) == ("locked", "Approved workflow lock")
    assert detail(step(people["owner"], key, "unlock", reason="a", requested_ticket="b"))[0] == 403

    assert detail(step(people["opener"], key, "unlock")) == (400, "Unlock reason is required")
    assert detail(step(people["opener"], key, "unlock", reason="고장")) == (400, "Unlock request ticket is required")
    opened = step(people["opener"], key, "unlock", reason="고장", requested_ticket="T-2").json
    assert (opened["status"], opened["unlock_reason"], opened["requested_ticket"]) == ("approved", "고장", "T-2")
    assert opened["locked_by"]
    assert people["auditor"].get(f"{L}/{key}").json == opened


def test_what_is_sent_back_begins_anew(people):
    key = begin(people["operator"]).json["id"]
    step(people["operator"], key, "submit")
    back = step(people["manager"], key, "reject").json

    assert (back["status"], back["last_comment"]) == ("draft", "Rejected in review")
    assert back["reviewed_by"]
    assert [back[name] for name in ("approved_by", "locked_by", "unlocked_by", "lock_reason", "unlock_reason")] == [
        None
    ] * 5


@pytest.mark.parametrize(
    ("action", "role", "needs"),
    [("approve", "manager", "review"), ("reject", "owner", "review"), ("lock", "owner", "approved"),
     ("unlock", "opener", "locked")],
)  # fmt: skip
def test_a_step_out_of_turn_is_a_conflict(people, action, role, needs):
    key = begin(people["operator"]).json["id"]

    refused = step(people[role], key, action, reason="x", requested_ticket="y")
    assert detail(refused) == (409, f"{action} requires {needs} status")


def test_refusals_come_in_their_order(api, people):
    key = begin(people["operator"]).json["id"]
    stranger = api("auditor", (OTHER,))

    assert detail(step(people["auditor"], 987654, "unlock")) == (400, "Unlock reason is required")
    assert detail(step(people["auditor"], 987654, "lock")) == (404, "Workflow lock not found")
    assert detail(step(stranger, key, "lock")) == (403, "Site access denied")
    assert detail(step(people["auditor"], key, "approve")) == (403, "Workflow lock action denied: approve")
    assert detail(begin(api("auditor", (OTHER,)))) == (403, "Site access denied")
    assert detail(begin(people["auditor"])) == (403, "Workflow lock action denied: create")
    assert stranger.get(f"{L}/{key}").status_code == 403


def test_the_list_is_narrowed_by_site_status_and_key(api, people):
    mine = [begin(people["operator"], workflow_key=key).json["id"] for key in ("a", "b")]
    begin(people["operator"], site=OTHER)
    step(people["operator"], mine[0], "submit")
    there = api("operator", (SITE,))

    found = there.get(L)
    assert [row["id"] for row in found.json] == mine[::-1]
    assert found.headers["X-Total-Count"] == "2"
    assert [row["id"] for row in there.get(f"{L}?status=review").json] == mine[:1]
    assert [row["id"] for row in there.get(f"{L}?workflow_key=b").json] == mine[1:]
    assert [row["id"] for row in there.get(f"{L}?limit=1&offset=1").json] == mine[:1]
    assert there.get(f"{L}?site={OTHER}").status_code == 403
    assert detail(there.get(f"{L}?status=closed")) == (400, "Invalid workflow lock status")
    assert there.get(f"{L}?limit=201").status_code == 422
    assert api("operator", ()).get(L).json == []


@pytest.mark.parametrize(
    "body",
    [
        {"site": SITE}, {"site": "", "workflow_key": "a"}, {"site": SITE, "workflow_key": "a" * 121},
        {"site": SITE, "workflow_key": "a", "content": []}, {"site": SITE, "workflow_key": "a", "status": "locked"},
        {"site": SITE, "workflow_key": "a", "content": {"x": "y" * 70_000}},
        {"site": SITE, "workflow_key": "a", "requested_ticket": "t" * 121},
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_leaves_nothing(people, session, body):
    assert people["operator"].post(L, json=body).status_code == 422
    assert session.scalars(select(WorkflowLock)).all() == []


def test_nobody_approves_what_they_handed_in(api, session, people):
    key = begin(people["operator"]).json["id"]
    step(people["operator"], key, "submit")
    session.rollback()
    row = session.get(WorkflowLock, key)
    manager = people["manager"].get("/api/auth/me").json["username"]
    row.submitted_by = manager
    session.commit()

    assert detail(step(people["manager"], key, "approve")) == (409, "Workflow lock cannot be self-approved")
    assert step(people["owner"], key, "approve").status_code == 200


def test_every_step_is_on_record_with_its_event(people, session):
    key = begin(people["operator"], content={"steps": ["점검"]}).json["id"]
    for role, action in (("operator", "submit"), ("manager", "approve"), ("owner", "lock")):
        assert step(people[role], key, action, comment="말").status_code == 200
    session.rollback()

    entries = session.scalars(select(AuditLog).where(AuditLog.resource_type == "workflow_lock").order_by(AuditLog.id))
    assert [entry.action for entry in entries] == [
        f"workflow_lock_{name}" for name in ("create", "submit", "approve", "lock")
    ]
    events = session.scalars(select(WorkflowLockEvent).order_by(WorkflowLockEvent.id)).all()
    assert [(event.from_status, event.to_status) for event in events] == [
        (None, "draft"), ("draft", "review"), ("review", "approved"), ("approved", "locked"),
    ]  # fmt: skip
    told = people["auditor"].get(f"{L}/{key}/history").json
    assert [line["action"] for line in told] == ["lock", "approve", "submit", "create"]
    assert told[-1]["content"] == {"steps": ["점검"]}


def test_of_two_approvals_at_once_one_wins(api, people, session):
    key = begin(people["operator"]).json["id"]
    step(people["operator"], key, "submit")
    callers = [people["manager"], people["owner"], api("manager"), api("owner")]
    with ThreadPoolExecutor(len(callers)) as pool:
        codes = sorted(pool.map(lambda caller: step(caller, key, "approve").status_code, callers))

    assert codes == [200, 409, 409, 409]
    session.rollback()
    assert session.scalars(select(WorkflowLockEvent.action).where(WorkflowLockEvent.action == "approve")).all() == [
        "approve"
    ]
