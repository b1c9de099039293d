"""The remediation tracker as published: paths, fields, words, status codes, and what the earlier tests pin down."""

import csv
import io
import json

import pytest

T = "/api/ops/governance/gate/remediation/tracker"
ITEM_FIELDS = [
    "id",
    "item_id",
    "rule_id",
    "rule_status",
    "required",
    "priority",
    "owner_role",
    "sla_hours",
    "due_at",
    "action",
    "reason",
    "detail",
    "assignee",
    "status",
    "completion_checked",
    "completion_note",
    "completed_at",
    "is_active",
    "gate_generated_at",
    "created_by",
    "updated_by",
    "created_at",
    "updated_at",
]
SYNC_FIELDS = [
    "generated_at",
    "gate_generated_at",
    "decision",
    "include_warnings",
    "max_items",
    "synced_count",
    "created_count",
    "reopened_count",
    "resolved_count",
    "active_count",
    "items",
]
OVERVIEW_FIELDS = [
    "generated_at",
    "total_items",
    "active_count",
    "closed_count",
    "pending_count",
    "in_progress_count",
    "done_count",
    "blocked_count",
    "completion_rate_percent",
    "missing_assignee_count",
    "critical_open_count",
    "overdue_count",
]
READINESS_FIELDS = [
    "generated_at",
    "total_items",
    "pending_count",
    "in_progress_count",
    "done_count",
    "blocked_count",
    "completion_rate_percent",
    "missing_assignee_count",
    "missing_completion_checked_count",
    "critical_open_count",
    "overdue_count",
    "readiness_score_percent",
    "ready",
    "blockers",
]
COMPLETION_FIELDS = [
    "status",
    "completion_note",
    "completed_by",
    "completed_at",
    "force_used",
    "last_checked_at",
    "readiness",
]


@pytest.fixture
def owner(api):
    return api("owner")


@pytest.fixture
def synced(owner):
    answer = owner.post(f"{T}/sync", json={"include_warnings": True, "max_items": 30})
    assert answer.status_code == 200
    return answer.json


def items_of(client, **query):
    return client.get(f"{T}/items", query_string=query).json


def test_a_fresh_gate_gives_at_least_one_item(synced):
    assert list(synced)[: len(SYNC_FIELDS)] == SYNC_FIELDS
    assert synced["active_count"] == synced["synced_count"] == synced["created_count"] == len(synced["items"]) >= 1
    assert synced["decision"] in {"go", "no_go"}
    item = synced["items"][0]
    assert list(item)[: len(ITEM_FIELDS)] == ITEM_FIELDS
    assert item["item_id"] == "GR-001"
    assert item["due_at"].endswith("+00:00")
    assert item["status"] == "pending"
    assert isinstance(item["detail"], dict)
    assert (item["escalation_level"], item["escalation_count"], item["last_escalated_at"]) == (0, 0, None)


def test_the_items_are_a_bare_array_with_the_total_in_a_header(owner, synced):
    answer = owner.get(f"{T}/items", query_string={"limit": 1})

    assert isinstance(answer.json, list)
    assert len(answer.json) == 1
    assert answer.headers["X-Total-Count"] == str(synced["active_count"])
    assert owner.get(f"{T}/items", query_string={"limit": 1, "offset": 1}).json != answer.json


def test_from_sync_to_completion_as_the_earlier_tests_have_it(owner, synced):
    first = synced["items"][0]["id"]
    blocked = owner.patch(
        f"{T}/items/{first}", json={"assignee": "Ops Owner", "status": "blocked", "completion_checked": False}
    )
    assert (blocked.status_code, blocked.json["status"], blocked.json["assignee"]) == (200, "blocked", "Ops Owner")

    refused = owner.post(f"{T}/complete", json={"completion_note": "x", "force": False})
    assert refused.status_code == 409
    assert list(refused.json["detail"]) == ["message", "blockers", "readiness_score_percent"]

    for item in items_of(owner):
        done = owner.patch(
            f"{T}/items/{item['id']}", json={"assignee": "Ops Owner", "status": "done", "completion_checked": True}
        )
        assert (done.json["status"], done.json["completion_checked"]) == ("done", True)
    assert owner.get(f"{T}/readiness").json["ready"] is True
    closed = owner.post(f"{T}/complete", json={"completion_note": "closed", "force": False})
    assert (closed.status_code, closed.json["status"], closed.json["force_used"]) == (200, "completed", False)
    shown = owner.get(f"{T}/completion").json
    assert list(shown)[: len(COMPLETION_FIELDS)] == COMPLETION_FIELDS
    assert (shown["status"], shown["completion_note"]) == ("completed", "closed")
    assert list(shown["readiness"])[: len(READINESS_FIELDS)] == READINESS_FIELDS


def test_an_assignee_who_cannot_work_on_it_is_taken_with_a_warning(owner, synced):
    first = synced["items"][0]["id"]

    odd = owner.patch(f"{T}/items/{first}", json={"assignee": "Ops Owner"})
    fine = owner.patch(f"{T}/items/{first}", json={"assignee": ""})

    assert (odd.status_code, odd.json["warnings"]) == (200, ["“Ops Owner” is not a user of the console"])
    assert fine.json["warnings"] == []


def test_an_empty_assignee_clears_it(owner, synced):
    first = synced["items"][0]["id"]
    owner.patch(f"{T}/items/{first}", json={"assignee": "Ops Owner"})

    assert owner.patch(f"{T}/items/{first}", json={"assignee": ""}).json["assignee"] is None


def test_overview_and_readiness_have_the_published_fields(owner, synced):
    overview, readiness = owner.get(f"{T}/overview").json, owner.get(f"{T}/readiness").json

    assert list(overview)[: len(OVERVIEW_FIELDS)] == OVERVIEW_FIELDS
    assert list(readiness)[: len(READINESS_FIELDS)] == READINESS_FIELDS
    assert overview["total_items"] == overview["active_count"] == readiness["total_items"] == synced["active_count"]
    assert len(readiness["blockers"]) == len(readiness["blocker_codes"]) >= 3
    assert readiness["readiness_score_percent"] < 100


def test_before_any_sync_nothing_is_closed_and_nothing_is_ready(owner):
    shown = owner.get(f"{T}/completion").json

    assert (shown["status"], shown["completion_note"], shown["completed_by"], shown["completed_at"]) == (
        "active",
        "",
        None,
        None,
    )
    assert (shown["readiness"]["ready"], shown["readiness"]["blocker_codes"]) == (False, ["never_synced"])
    assert shown["last_checked_at"] == shown["readiness"]["generated_at"]


@pytest.mark.parametrize("word", ["nonsense", "", "  ", "pending,done"])
def test_an_unknown_status_word_is_refused_in_the_published_words(owner, word):
    answer = owner.get(f"{T}/items", query_string={"status": word})

    assert (answer.status_code, answer.json["detail"]) == (422, "Invalid tracker status")


def test_the_status_word_is_trimmed_and_lower_cased(owner, synced):
    assert len(items_of(owner, status="  PENDING ")) == synced["active_count"]
    assert items_of(owner, status="done") == []


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 501},
        {"limit": "many"},
        {"offset": -1},
        {"include_inactive": "maybe"},
        {"priority": "x"},
        {"rule_status": "pass"},
        {"site": "x" * 121},
        {"platform": "sometimes"},
        {"q": "x" * 201},
        {"assignee": "\x00"},
    ],
)
def test_query_values_out_of_bounds_are_refused(owner, query):
    assert owner.get(f"{T}/items", query_string=query).status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "sync", None),
        ("post", "sync", []),
        ("post", "sync", "x"),
        ("post", "sync", {"max_items": 0}),
        ("post", "sync", {"max_items": 201}),
        ("post", "sync", {"max_items": "30"}),
        ("post", "sync", {"include_warnings": "false"}),
        ("post", "complete", None),
        ("post", "complete", []),
        ("post", "complete", {"force": "true"}),
        ("post", "complete", {"completion_note": "x" * 4001}),
        ("patch", "items/1", None),
        ("patch", "items/1", []),
        ("patch", "items/1", {"status": "Done"}),
        ("patch", "items/1", {"status": "closed"}),
        ("patch", "items/1", {"assignee": "x" * 121}),
        ("patch", "items/1", {"assignee": 7}),
        ("patch", "items/1", {"completion_checked": "true"}),
        ("patch", "items/1", {"completion_checked": 1}),
        ("patch", "items/1", {"completion_note": "x" * 4001}),
        ("patch", "items/1", {"completion_note": "a\x00b"}),
        ("patch", "items/1", {"due_at": 0}),
        ("patch", "items/1", {"due_at": "tomorrow", "reason": "x"}),
        ("patch", "items/1", {"due_at": "2026-03-09T00:00:00Z"}),
        ("patch", "items/1", {"due_at": "9999-12-31T23:59:59Z", "reason": "x"}),
        ("patch", "items/1", {"version": 0}),
        ("patch", "items/1", {"version": 10**30}),
        ("patch", "items/abc", {}),
        ("post", "items", {"title": ""}),
        ("post", "items", {"title": "   "}),
        ("post", "items", {"title": "x", "site": "nowhere"}),
        ("post", "items", {"title": "x", "priority": 0}),
        ("post", "items", {"title": "x", "sla_hours": 10**9}),
        ("post", "items/1/comments", {"text": " "}),
        ("post", "items/bulk", {"action": "delete", "ids": [1]}),
        ("post", "items/bulk", {"action": "assign", "ids": [0]}),
        ("post", "items/bulk", {"action": "status", "ids": [1]}),
        ("post", "items/bulk", {"action": "assign", "everything": True, "filters": {"status": ["x"]}}),
        ("post", "undo", {}),
    ],
)
def test_bodies_out_of_bounds_are_refused_and_leave_nothing_behind(owner, synced, method, path, body):
    before = items_of(owner, include_inactive=True)
    answer = getattr(owner, method)(f"{T}/{path}", json=body)

    assert answer.status_code == 422, answer.text
    assert items_of(owner, include_inactive=True) == before


@pytest.mark.parametrize("body", ['{"status": NaN}', '{"version": Infinity}', "{", ""])
def test_what_is_no_json_is_refused(owner, synced, body):
    answer = owner.patch(f"{T}/items/1", data=body.encode(), content_type="application/json")

    assert answer.status_code in {400, 422}


def test_an_unknown_item_is_not_found_in_the_published_words(owner, synced):
    for item_id in (99999, 0, -1, 2**31, 10**30):
        answer = owner.patch(f"{T}/items/{item_id}", json={})
        assert (answer.status_code, answer.json["detail"]) == (404, "Remediation tracker item not found")


@pytest.mark.parametrize(
    ("body", "status", "checked", "adjusted"),
    [
        ({}, "pending", False, False),
        ({"status": "done"}, "done", True, False),
        ({"status": "done", "completion_checked": False}, "in_progress", False, True),
        ({"status": "blocked", "completion_checked": True}, "done", True, True),
        ({"completion_checked": True}, "done", True, False),
        ({"status": None, "completion_checked": None, "assignee": None}, "pending", False, False),
    ],
)
def test_the_pair_of_status_and_check(owner, synced, body, status, checked, adjusted):
    answer = owner.patch(f"{T}/items/{synced['items'][0]['id']}", json=body)

    assert answer.status_code == 200
    assert (answer.json["status"], answer.json["completion_checked"], answer.json["adjusted"]) == (
        status,
        checked,
        adjusted,
    )
    assert (answer.json["completed_at"] is not None) == checked


def test_versions_guard_against_overwriting(owner, synced):
    address = f"{T}/items/{synced['items'][0]['id']}"
    seen = owner.get(address)
    assert seen.headers["ETag"] == '"1"'
    ours = owner.patch(address, json={"assignee": "kim"}, headers={"If-Match": seen.headers["ETag"]})
    assert (ours.status_code, ours.headers["ETag"]) == (200, '"2"')

    by_header = owner.patch(address, json={"assignee": "lee"}, headers={"If-Match": seen.headers["ETag"]})
    by_body = owner.patch(address, json={"assignee": "lee", "version": 1})
    nonsense = owner.patch(address, json={"assignee": "lee"}, headers={"If-Match": "yesterday"})

    assert (by_header.status_code, by_body.status_code, nonsense.status_code) == (412, 409, 412)
    assert by_body.json["detail"]["current_version"] == 2
    assert owner.patch(address, json={"assignee": "lee"}, headers={"If-Match": "*"}).status_code == 200


def test_csv_and_json_say_the_same(owner, synced):
    owner.patch(f"{T}/items/{synced['items'][0]['id']}", json={"assignee": "=cmd()", "completion_note": "가,나\n다"})
    listed = items_of(owner)
    answer = owner.get(f"{T}/items.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    table = list(csv.DictReader(io.StringIO(answer.text, newline="")))

    assert len(table) == len(listed)
    assert list(table[0]) == list(listed[0])
    for line, item in zip(table, listed, strict=True):
        for name, value in item.items():
            if isinstance(value, dict):
                assert json.loads(line[name]) == value
            elif name == "assignee" and value == "=cmd()":
                assert line[name] == "'=cmd()"
            else:
                assert line[name] == ("" if value is None else str(value))
    assert owner.get(f"{T}/items.csv", query_string={"bom": 1}).data.startswith(b"\xef\xbb\xbfid,item_id,rule_id")
    assert owner.get(f"{T}/items.csv", query_string={"status": "x"}).status_code == 422


def test_events_comments_claim_and_undo_over_the_api(owner, synced):
    address = f"{T}/items/{synced['items'][0]['id']}"
    claimed = owner.post(f"{address}/claim", json={})
    assert (claimed.status_code, claimed.json["assignment_source"]) == (200, "manual")
    assert owner.post(f"{address}/claim", json={}).status_code == 409
    assert owner.post(f"{address}/comments", json={"text": "사진 참고"}).status_code == 201
    undone = owner.post(f"{T}/undo", json={"token": claimed.headers["X-Undo-Token"]})
    assert undone.json == {"restored": [synced["items"][0]["id"]], "skipped": []}
    assert owner.post(f"{T}/undo", json={"token": claimed.headers["X-Undo-Token"]}).status_code == 410
    assert owner.post(f"{T}/undo", json={"token": "x"}).status_code == 404

    events = owner.get(f"{address}/events")
    assert [event["kind"] for event in events.json] == ["undo", "comment", "assigned", "opened"]
    assert list(events.json[0]) == ["id", "item_id", "at", "actor", "actor_name", "kind", "old", "new", "run_id"]
    assert events.headers["X-Total-Count"] == "4"


def test_bulk_over_the_api(owner, synced):
    ids = [item["id"] for item in synced["items"]]
    told = owner.post(f"{T}/items/bulk", json={"action": "assign", "assignee": "kim", "ids": ids, "preview": True})
    assert (told.json["will_change"], told.json["as_job"]) == (len(ids), False)
    done = owner.post(
        f"{T}/items/bulk",
        json={"action": "status", "status": "in_progress", "everything": True, "filters": {"status": ["pending"]}},
    )
    assert (done.status_code, done.json["changed"]) == (200, len(ids))
    assert {item["status"] for item in items_of(owner)} == {"in_progress"}
    assert len(owner.post(f"{T}/undo", json={"token": done.json["undo"]}).json["restored"]) == len(ids)


def test_a_large_bulk_action_becomes_a_job(make_app, session, clock):
    from tests.conftest import TokenClient
    from tests.factories import make_token, make_user
    from tests.factories.tracker import add_item

    app = make_app(TRACKER_BULK_DIRECT_ROWS=2)
    user = make_user(session, now=clock.now(), role="owner")
    for number in range(1, 4):
        add_item(session, clock.now(), number)
    client = TokenClient(app, app.response_class, use_cookies=False)
    client.token = make_token(session, user, now=clock.now())
    session.commit()
    answer = client.post(f"{T}/items/bulk", json={"action": "assign", "assignee": "kim", "everything": True})

    assert (answer.status_code, answer.json["job_name"]) == (202, "ops_governance_remediation_bulk")
    assert answer.headers["Location"].endswith(f"/api/ops/job-runs/{answer.json['id']}")
