"""SLA policies, what-if and escalation as published: paths, fields, words, bounds, status codes."""

from datetime import timedelta

import pytest

from tests.factories.work_orders import add_order

S, SIMULATE = "/api/admin/policies/sla", "/api/ops/sla/simulate"
RUN = "/api/work-orders/escalations/run"
POLICY = ["policy_key", "site", "source", "default_due_hours", "escalation_grace_minutes", "updated_at"]
PROPOSAL = [
    *("id", "site", "status", "policy", "simulation", "note", "requested_by", "decided_by", "decision_note"),
    *("created_at", "decided_at", "applied_at"),
]
REVISION = ["id", "site", "policy", "source_action", "actor_username", "note", "created_at"]
WHAT_IF = [
    *("checked_at", "site", "limit", "total_candidates", "baseline_escalate_count", "simulated_escalate_count"),
    *("delta_escalate_count", "baseline_by_site", "simulated_by_site", "newly_escalated_ids"),
    *("no_longer_escalated_ids", "notes"),
]
ESCALATION = [
    *("checked_at", "dry_run", "site", "candidate_count", "escalated_count", "work_order_ids", "alert_dispatched"),
    *("alert_error", "alert_channels"),
]
DAY = {"default_due_hours": {"medium": 1}, "escalation_grace_minutes": 30}


@pytest.fixture
def owner(api):
    return api("owner", username="olga")


@pytest.fixture
def late(session, clock):
    def add(minutes, **fields):
        row = add_order(session, clock.now(), due_at=clock.now() - timedelta(minutes=minutes), **fields)
        session.commit()
        return row.id

    return add


def test_the_policy_and_its_fields(owner):
    first = owner.get(S)
    assert list(first.json)[: len(POLICY)] == POLICY
    assert first.json["default_due_hours"] == {"low": 72, "medium": 24, "high": 8, "critical": 2}
    assert (first.json["policy_key"], first.json["source"], first.json["site"]) == ("default", "default", None)

    made = owner.put(S, json=DAY)
    assert made.json["default_due_hours"] == {"low": 72, "medium": 1, "high": 8, "critical": 2}
    # A whole replace: what is left out takes its default.
    assert owner.put(S, json={}).json["escalation_grace_minutes"] == 0
    site = owner.put(f"{S}?site=Site A", json=DAY)
    assert (site.json["policy_key"], site.json["source"]) == ("site:Site A", "site")
    other = owner.get(f"{S}?site=Site B").json
    assert (other["source"], other["policy_key"], other["site"]) == ("default", "default", "Site B")
    assert owner.delete(f"{S}?site=Site A").json["source"] == "default"
    assert owner.delete(f"{S}?site=Site A").status_code == 404
    long = "긴 이름의 사업장 " * 10 + "끝"
    assert owner.put(f"{S}?site={long[:120].strip()}", json=DAY).json["source"] == "site"


@pytest.mark.parametrize(
    "body",
    [
        {"default_due_hours": {"medium": 0}},
        {"default_due_hours": {"medium": 721}},
        {"default_due_hours": {"urgent": 1}},
        {"default_due_hours": {"medium": "soon"}},
        {"default_due_hours": [1]},
        {"escalation_grace_minutes": 1441},
        {"escalation_grace_minutes": -1},
        {"pause_on_hold": 7},
        {"ack_target_minutes": {"critical": 0}},
    ],
)
def test_what_cannot_be_is_refused_with_the_key_and_leaves_nothing(owner, body):
    refused = owner.put(S, json=body)

    assert refused.status_code == 422
    assert refused.json["detail"][0]["loc"][0] == "body"
    assert owner.get(f"{S}/revisions").json == []
    assert owner.post(f"{S}/proposals", json={"policy": body}).status_code == 422
    assert owner.post(SIMULATE, json={"policy": body}).status_code == 422


def test_a_proposal_from_its_beginning_to_its_end(owner, api):
    made = owner.post(f"{S}/proposals", json={"policy": DAY, "note": "nights"})
    assert (made.status_code, list(made.json)[: len(PROPOSAL)]) == (201, PROPOSAL)
    assert list(made.json["simulation"])[: len(WHAT_IF)] == WHAT_IF
    path = f"{S}/proposals/{made.json['id']}"
    refused = owner.post(f"{path}/approve", json={})
    assert (refused.status_code, refused.json["detail"]) == (409, "Proposal cannot be self-approved")
    other = api("owner", username="park")
    done = other.post(f"{path}/approve", json={"note": "fine"})
    assert (done.status_code, done.json["status"], done.json["decided_by"]) == (200, "approved", "park")
    again = other.post(f"{path}/approve", json={})
    assert (again.status_code, again.json["detail"]) == (409, "Only pending proposal can be approved")
    assert other.post(f"{path}/reject", json={}).json["detail"] == "Only pending proposal can be rejected"
    assert owner.get(S).json["escalation_grace_minutes"] == 30
    second = owner.post(f"{S}/proposals", json={"policy": {}, "site": "본관"}).json
    assert owner.post(f"{S}/proposals/{second['id']}/reject", json={}).json["status"] == "rejected"
    assert [one["id"] for one in owner.get(f"{S}/proposals?status=rejected").json] == [second["id"]]
    assert [one["id"] for one in owner.get(f"{S}/proposals?limit=1&offset=1").json] == [made.json["id"]]
    assert owner.get(f"{S}/proposals/999").json["detail"] == "SLA policy proposal not found"
    assert owner.post(f"{S}/proposals/999/approve", json={}).status_code == 404
    assert owner.get(f"{S}/proposals?limit=301").status_code == 422


def test_revisions_and_their_restoration(owner):
    owner.put(S, json=DAY)
    owner.put(S, json={})
    found = owner.get(f"{S}/revisions").json
    assert list(found[0])[: len(REVISION)] == REVISION
    assert [one["source_action"] for one in found] == ["manual_update"] * 2
    assert found[1]["policy"]["default_due_hours"]["medium"] == 1
    back = owner.post(f"{S}/revisions/{found[1]['id']}/restore", json={"note": "better"})
    assert back.json["escalation_grace_minutes"] == 30
    newest = owner.get(f"{S}/revisions?source_action=revision_restore").json
    assert [one["note"] for one in newest] == [f"revision_id={found[1]['id']}; better"]
    assert owner.post(f"{S}/revisions/999/restore", json={}).json["detail"] == "SLA policy revision not found"
    assert owner.get(f"{S}/revisions?limit=501").status_code == 422


def test_scope_of_policies(owner, api):
    scoped = api("owner", ("본관",))
    for refused in (
        scoped.put(S, json={}),
        scoped.post(f"{S}/proposals", json={"policy": {}}),
        scoped.post(f"{S}/revisions/{1}/restore", json={}) if owner.put(S, json={}) else None,
    ):
        assert (refused.status_code, refused.json["detail"]) == (403, "Global site scope required")
    assert scoped.get(S).status_code == 200
    assert scoped.get(f"{S}?site=별관").json["detail"] == "Site access denied"
    assert scoped.put(f"{S}?site=본관", json={}).status_code == 200
    assert [one["site"] for one in scoped.get(f"{S}/revisions").json] == ["본관"]
    manager = api("manager")
    assert manager.get(S).json["detail"] == "Missing permission: admins:manage"


def test_the_what_if(owner, late):
    number = late(30)
    found = owner.post(SIMULATE, json={"policy": {"escalation_grace_minutes": 60}}).json

    assert list(found)[: len(WHAT_IF)] == WHAT_IF
    assert (found["baseline_escalate_count"], found["simulated_escalate_count"]) == (1, 0)
    assert found["no_longer_escalated_ids"] == [number]
    assert found["delta_escalate_count"] == -1
    assert len(found["notes"]) == 2
    assert owner.post(SIMULATE, json={}).status_code == 422
    assert owner.post(SIMULATE, json={"policy": {}, "limit": 20001}).status_code == 422


def test_a_what_if_without_any_site_has_zeros_and_one_remark(api, late):
    late(30)
    found = api("manager", (), permissions=("admins:manage",)).post(SIMULATE, json={"policy": {}}).json

    assert (found["total_candidates"], found["baseline_by_site"]) == (0, {})
    assert found["notes"] == ["No site is accessible."]


def test_grace_and_overrides_in_a_run(owner, api, late):
    scoped, operator = api("manager", ("본관",)), api("operator")
    owner.put(S, json={"escalation_grace_minutes": 30})
    owner.put(f"{S}?site=별관", json={"escalation_grace_minutes": 60})
    late(10)
    outside = late(40)
    late(40, site="별관")
    dry = owner.post(RUN, json={"dry_run": True}).json
    assert list(dry)[: len(ESCALATION)] == ESCALATION
    assert (dry["candidate_count"], dry["escalated_count"], dry["work_order_ids"]) == (1, 0, [outside])
    made = owner.post(RUN, json={})
    assert (made.status_code, made.json["escalated_count"], made.json["work_order_ids"]) == (200, 1, [outside])
    assert made.json["alert_channels"] == []
    assert owner.get(f"/api/work-orders/{outside}").json["is_escalated"] is True
    assert owner.post(RUN, json={}).json["candidate_count"] == 0
    assert owner.post(RUN, json={"limit": 2001}).status_code == 422
    assert owner.post(RUN, json={"site": "x" * 121}).status_code == 422
    assert scoped.post(RUN, json={"site": "별관"}).json["detail"] == "Site access denied"
    assert scoped.post(RUN, json={}).status_code == 200
    assert operator.post(RUN, json={}).json["detail"] == "Missing permission: work_orders:escalate"
    assert owner.get(f"/api/work-orders/{outside}/events").json[-1]["event_type"] == "escalated"


def test_a_run_over_all_sites_lists_nothing_for_readers_of_one(owner, api, late):
    mine = api("manager", ("본관",), permissions=("admins:manage",))
    for site in ("본관", "별관"):
        late(40, site=site)
    owner.post(RUN, json={})
    again = {"title": "Pump", "site": "본관", "location": "B1", "due_at": "2026-03-01T00:00:00Z"}
    owner.post("/api/work-orders", json=again)
    own = mine.post(RUN, json={}).json["work_order_ids"]
    owner.post(RUN, json={"site": "별관"})

    far, near, every = (one["detail"] for one in mine.get("/api/ops/job-runs?job_name=sla_escalation").json)
    for hidden, count in ((far, 0), (every, 2)):
        assert not {"work_order_ids", "grace_minutes_by_site", "alert_channels"} & set(hidden)
        assert hidden["escalated_count"] == count
    assert (near["work_order_ids"], near["allowed_sites"], near["grace_minutes_by_site"]) == (
        own,
        ["본관"],
        {"본관": 0},
    )
    assert len(owner.get("/api/ops/job-runs?job_name=sla_escalation").json[2]["detail"]["work_order_ids"]) == 2


def test_the_published_addresses_are_in_the_service_info(client):
    found = client.get("/api/service-info").json
    assert found["sla_simulator_api"] == SIMULATE
    assert found["escalation_api"] == RUN
    assert (found["sla_policy_api"], found["sla_policy_proposals_api"], found["sla_policy_revisions_api"]) == (
        *(S, f"{S}/proposals", f"{S}/revisions"),
    )
