"""The audit endpoints: acceptance items 9 to 14 of the contract, their exact statuses, and what they leave behind."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import select, update

from console.domain.audit.archive import content_signature, sealed
from console.domain.audit.entry import canonical_json
from console.models.audit import AuditChainHead
from console.models.identity import User
from console.models.jobs import JobRun
from console.services.audit import lists as audit_lists
from console.services.audit import record as audit
from tests.factories import make_token, make_user
from tests.services.audit.audit_support import Trail

A = "/api/admin"
LOGS, INTEGRITY, REBASELINE = f"{A}/audit-logs", f"{A}/audit-integrity", f"{A}/audit-chain/rebaseline"
ARCHIVE, CSV = f"{A}/audit-archive/monthly", f"{A}/audit-archive/monthly/csv"
KEY = "ci-signing-key"
V1_HEADER = "id,created_at,actor_username,action,resource_type,resource_id,status,prev_hash,entry_hash"


@pytest.fixture
def trail(engine, clock, config):
    return Trail(engine, clock, config)


@pytest.fixture
def owner(api):
    return api("owner", username="head")


def actions(trail):
    return [row.action for row in trail.rows()]


def test_integrity_of_the_current_month_is_whole_and_signed(owner, trail):
    trail.write(3)

    body = owner.get(INTEGRITY).json

    assert (body["month"], body["entry_count"], body["chain"]["chain_ok"]) == ("2026-03", 3, True)
    assert len(bytes.fromhex(body["archive_sha256"])) == 32
    assert body["signature_algorithm"] == "hmac-sha256"
    assert body["chain"]["last_entry_hash"] == trail.head().head_hash
    assert (body["total_count"], body["truncated"], body["rebaselined_ranges"]) == (3, False, [])
    assert body["meta"]["schema"] == "admin_audit_integrity_response"


def test_without_a_signing_key_integrity_is_unsigned(make_app, session, clock, trail):
    trail.write(1)
    token = make_token(session, make_user(session, now=clock.now(), role="owner"), now=clock.now())
    session.commit()
    client = make_app(AUDIT_ARCHIVE_SIGNING_KEY="").test_client()

    body = client.get(INTEGRITY, headers={"X-Admin-Token": token}).json

    assert (body["signature"], body["signature_algorithm"], body["signing_key_id"]) == (None, "unsigned", None)


def test_looking_leaves_nothing_and_exporting_leaves_a_row(owner, trail):
    trail.write(2)
    for address in (LOGS, INTEGRITY):
        assert owner.get(address).status_code == 200
    assert len(trail.rows()) == 2

    assert owner.get(ARCHIVE).status_code == 200
    assert owner.get(CSV).status_code == 200
    exported = trail.rows()[2:]
    assert [row.action for row in exported] == ["admin_audit_archive_export_json", "admin_audit_archive_export_csv"]
    assert [(row.resource_type, row.resource_id) for row in exported] == [("admin_audit_log", "2026-03")] * 2
    first, second = (json.loads(row.detail_json) for row in exported)
    assert (first["entry_count"], first["chain_ok"], first["include_entries"]) == (2, True, True)
    assert (second["entry_count"], second["format_version"]) == (3, "v1")
    assert owner.get(INTEGRITY).json["chain"]["chain_ok"]


def drill(trail, finished, **detail):
    with trail.factory() as session:
        run = JobRun(
            job_name="dr_rehearsal",
            trigger="api",
            state="finished",
            status="success",
            requested_at=finished,
            started_at=finished,
            finished_at=finished,
            detail_json={"restore_valid": True, "backup_file": "dr.json", **detail},
        )
        session.add(run)
        session.commit()
        return run.id


def test_the_archive_carries_the_recovery_rehearsal_of_its_month(owner, trail):
    before = drill(trail, datetime(2026, 2, 10, tzinfo=UTC))
    empty = owner.get(ARCHIVE).json["dr_rehearsal_attachment"]
    assert (empty["included"], empty["status"], empty["latest_in_month"]) == (False, "warning", None)
    assert empty["latest_before_window_end"]["run_id"] == before

    run = drill(trail, datetime(2026, 3, 1, 5, tzinfo=UTC), pruned_files=2)
    made = owner.get(ARCHIVE).json

    attachment = made["dr_rehearsal_attachment"]
    assert attachment["schema"] == "audit_archive_attachment_dr_rehearsal"
    assert (attachment["included"], attachment["status"], attachment["required"]) == (True, "ok", True)
    assert attachment["latest_in_month"]["run_id"] == run
    assert attachment["latest_in_month"]["finished_at"] == "2026-03-01T05:00:00+00:00"
    assert (attachment["latest_in_month"]["pruned_files"], attachment["latest_in_month"]["notes"]) == (2, None)
    assert made["attachments"] == {"dr_rehearsal": attachment}


def test_the_archive_can_be_checked_with_the_published_rule(owner, trail):
    trail.write(3)
    made = owner.get(ARCHIVE).json
    signed = {k: v for k, v in made.items() if k not in {"archive_sha256", "signature", "signature_algorithm"}}

    assert made["archive_sha256"] == sha256(canonical_json(signed).encode()).hexdigest()
    assert sealed(signed, KEY, [canonical_json(entry) for entry in made["entries"]])["signature"] == made["signature"]
    entry = made["entries"][1]
    assert {
        "id", "actor_user_id", "actor_username", "action", "resource_type", "resource_id", "status", "detail",
        "created_at", "prev_hash", "entry_hash",
    } <= set(entry)  # fmt: skip
    assert (entry["detail"], entry["created_at"]) == ({"n": 1, "site": "본관"}, "2026-03-02T00:00:00+00:00")
    assert made["meta"]["schema"] == "admin_audit_archive_response"
    assert (made["window_start"], made["window_end"]) == ("2026-03-01T00:00:00+00:00", "2026-04-01T00:00:00+00:00")


def test_the_whole_month_is_verified_though_few_entries_are_returned(owner, trail):
    trail.write(5)
    trail.change(4, detail_json="{}")

    made = owner.get(ARCHIVE, query_string={"max_entries": 2}).json

    assert (len(made["entries"]), made["entry_count"], made["total_count"], made["truncated"]) == (2, 2, 5, True)
    assert [entry["seq"] for entry in made["entries"]] == [1, 2]
    assert [issue["seq"] for issue in made["chain"]["issues"]] == [4]
    assert not made["chain"]["chain_ok"]


def test_an_archive_without_entries_says_so(owner, trail):
    trail.write(2)
    made = owner.get(ARCHIVE, query_string={"include_entries": "false"}).json

    assert (made["entries"], made["entries_included"], made["entry_count"]) == ([], False, 2)


def test_the_csv_has_the_published_header_and_can_be_checked(owner, trail):
    trail.write(2)
    response = owner.get(CSV)

    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="audit-archive-2026-03.csv"'
    lines = response.text.split("\r\n")
    assert lines[0] == V1_HEADER
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [row["entry_hash"] for row in rows] == [row.entry_hash for row in trail.rows()[:2]]
    assert len(bytes.fromhex(response.headers["X-Audit-Archive-SHA256"])) == 32
    assert response.headers["X-Audit-Archive-Format-Version"] == "v1"
    assert response.headers["X-Content-SHA256"] == sha256(response.data).hexdigest()
    assert response.headers["X-Content-Signature"] == content_signature(response.data, KEY)


def test_the_second_csv_form_opens_with_facts(owner, trail):
    trail.write(1)
    response = owner.get(CSV, query_string={"format_version": "v2"})

    assert response.headers["Content-Disposition"] == 'attachment; filename="audit-archive-2026-03-v2.csv"'
    facts, table = response.text.split("\r\n\r\n")
    assert facts.splitlines()[:2] == ["section,key,value", "meta,format_version,v2"]
    assert "meta,chain_ok,True" in facts.splitlines()
    assert "attachment.dr_rehearsal,status,warning" in facts.splitlines()
    assert "attachment.dr_rehearsal,schema,audit_archive_attachment_dr_rehearsal" in facts.splitlines()
    assert table.split("\r\n")[0] == V1_HEADER


def test_cells_that_a_spreadsheet_would_run_are_neutralised(owner, trail):
    with trail.ctx(write=True, username="=cmd|' /C calc'!A0") as ctx:
        audit.record(ctx, "thing_update", "thing", "@SUM(A1)")

    row = next(csv.DictReader(io.StringIO(owner.get(CSV).text)))
    assert row["actor_username"].startswith("'=")
    assert row["resource_id"] == "'@SUM(A1)"


def test_tampering_is_found_and_a_rebaseline_links_up_again_with_a_warning_for_ever(owner, trail):
    trail.write(3)
    assert owner.get(INTEGRITY).json["chain"]["chain_ok"]
    trail.change(1, detail_json='{"tampered": true}')
    broken = owner.get(INTEGRITY).json["chain"]
    assert not broken["chain_ok"]
    assert broken["issues"][0] == {"id": trail.rows()[0].id, "reason": "entry_hash_mismatch", "seq": 1}

    answered = owner.post(REBASELINE, query_string={"from_month": "2026-03", "dry_run": "false"})

    assert answered.status_code == 200
    assert answered.json["updated_count"] >= 1
    assert answered.json["first_updated_id"] == trail.rows()[0].id
    healed = owner.get(INTEGRITY).json
    assert healed["chain"]["chain_ok"]
    assert [(r["first_seq"], r["evidence_ok"]) for r in healed["rebaselined_ranges"]] == [(1, True)]
    assert "written anew by head" in healed["warnings"][0]
    assert actions(trail)[-1] == "admin_audit_chain_rebaseline"


def test_production_wants_the_rebaseline_confirmed(make_app, session, clock, trail):
    trail.write(1)
    token = make_token(session, make_user(session, now=clock.now(), role="owner"), now=clock.now())
    session.commit()
    client = make_app(AUDIT_REBASELINE_CONFIRM="always").test_client()
    headers = {"X-Admin-Token": token}

    assert client.post(REBASELINE, headers=headers).status_code == 422
    assert client.post(REBASELINE, headers=headers, query_string={"dry_run": "1"}).status_code == 200
    assert client.post(REBASELINE, headers=headers, query_string={"confirm": "yes"}).status_code == 200
    assert client.post(REBASELINE, headers=headers, query_string={"reason": "복구"}).status_code == 200


@pytest.mark.parametrize("address", [INTEGRITY, ARCHIVE, CSV])
@pytest.mark.parametrize(("month", "status"), [("2026-13", 400), ("0000-01", 400), ("2026-3", 422), ("march", 422)])
def test_what_is_no_month_is_refused(owner, trail, address, month, status):
    response = owner.get(address, query_string={"month": month})

    assert response.status_code == status
    if status == 400:
        assert response.json["detail"] == "month must be YYYY-MM format"
    assert trail.rows() == []


@pytest.mark.parametrize(
    ("address", "query"),
    [
        (INTEGRITY, {"max_entries": 0}),
        (INTEGRITY, {"max_entries": 50001}),
        (ARCHIVE, {"include_entries": "perhaps"}),
        (CSV, {"format_version": "v3"}),
        (LOGS, {"limit": 0}),
        (LOGS, {"limit": 201}),
        (LOGS, {"offset": -1}),
        (LOGS, {"from": "yesterday"}),
        (LOGS, {"action": "a\0b"}),
        (LOGS, {"cursor": 0}),
    ],
)
def test_parameters_out_of_bounds_are_refused(owner, address, query):
    assert owner.get(address, query_string=query).status_code == 422


@pytest.mark.parametrize(
    "query", [{"max_rows": 0}, {"max_rows": 200001}, {"from_month": "2026-1"}, {"reason": "x" * 501}]
)
def test_a_rebaseline_out_of_bounds_is_refused(owner, trail, query):
    assert owner.post(REBASELINE, query_string=query).status_code == 422
    assert owner.post(REBASELINE, query_string={"from_month": "2026-00"}).status_code == 400
    assert trail.rows() == []


def test_the_log_is_a_bare_array_newest_first(owner, trail):
    trail.write(3)
    response = owner.get(LOGS)

    assert [entry["resource_id"] for entry in response.json] == ["2", "1", "0"]
    assert list(response.json[0])[:9] == [
        "id", "actor_user_id", "actor_username", "action", "resource_type", "resource_id", "status", "detail",
        "created_at",
    ]  # fmt: skip
    assert response.json[0]["detail"] == {"n": 2, "site": "본관"}
    assert response.json[0]["created_at"] == "2026-03-02T00:00:00.000000+00:00"
    assert response.headers["X-Total-Count"] == "3"
    assert not any("hash" in key for key in response.json[0])


@pytest.mark.parametrize(("stored", "shown"), [("{broken", {"raw": "{broken"}), ("[1]", {"value": [1]})])
def test_a_detail_that_is_no_object_is_shown_all_the_same(owner, trail, stored, shown):
    trail.write(1)
    trail.change(1, detail_json=stored)

    assert owner.get(LOGS).json[0]["detail"] == shown


def test_every_filter_narrows_the_log(owner, trail, clock):
    trail.write(2, action="first")
    clock.advance(timedelta(hours=1))
    trail.write(1, action="second", status="warning")
    request = trail.rows()[0].request_id

    for query, count in [
        ({"action": "first"}, 2), ({"action": "fir"}, 0), ({"actor_username": "owner_a"}, 3),
        ({"status": "warning"}, 1),
        ({"resource_type": "thing"}, 3), ({"resource_id": "0"}, 2), ({"request_id": request}, 2),
        ({"from": "2026-03-02T01:00:00Z"}, 1), ({"to": "2026-03-02T01:00:00"}, 2),
        ({"from": "2026-03-02T00:00:00Z", "to": "2026-03-02T00:30:00Z", "action": "first"}, 2),
    ]:  # fmt: skip
        response = owner.get(LOGS, query_string=query)
        assert (len(response.json), response.headers["X-Total-Count"]) == (count, str(count)), query


def test_a_cursor_leads_through_the_log_while_entries_join(owner, trail):
    trail.write(5)
    first = owner.get(LOGS, query_string={"limit": 2})
    trail.write(1, action="joined")
    second = owner.get(LOGS, query_string={"limit": 2, "cursor": first.headers["X-Next-Cursor"]})
    third = owner.get(LOGS, query_string={"limit": 2, "cursor": second.headers["X-Next-Cursor"]})

    seen = [entry["resource_id"] for page in (first, second, third) for entry in page.json]
    assert seen == ["4", "3", "2", "1", "0"]
    assert "X-Next-Cursor" not in third.headers


def test_offsets_go_on_working(owner, trail):
    trail.write(5)

    page = owner.get(LOGS, query_string={"limit": 2, "offset": 2}).json
    assert [entry["resource_id"] for entry in page] == ["2", "1"]


READS = [LOGS, INTEGRITY, ARCHIVE, CSV]


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("auditor", 200), ("manager", 403), ("operator", 403)])
def test_who_may_read_the_trail(api, trail, role, status):
    client = api(role)
    for address in READS:
        response = client.get(address)
        assert response.status_code == status
        if status == 403:
            assert response.json["detail"] == "Missing permission: admins:manage"


@pytest.mark.parametrize("role", ["auditor", "manager", "operator"])
def test_only_who_manages_admins_may_rebaseline(api, trail, role):
    response = api(role).post(REBASELINE)

    assert (response.status_code, response.json["detail"]) == (403, "Missing permission: admins:manage")
    assert "admin_audit_chain_rebaseline" not in actions(trail)


def test_a_change_whose_entry_cannot_be_written_is_refused_and_undone(owner, trail, session, app):
    trail.write(1)
    trail.run(update(AuditChainHead).values(seq=0))
    body = {"username": "never_made", "role": "operator"}

    response = owner.post(f"{A}/users", json=body)

    assert response.status_code >= 500
    session.rollback()
    assert session.scalars(select(User).where(User.username == "never_made")).all() == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [4, 3, 2, 1]),
        ("limit=2&offset=1", [3, 2]),
        ("cursor=3", [2, 1]),
        ("cursor=3&offset=1", [1]),
        ("resource_id=2", [3]),
        ("resource_id=", []),
        ("status=success", [4, 3, 2, 1]),
        ("status=anything", []),
        ("status=", []),
        ("from=2026-03-02T00:00:00Z", [4, 3, 2, 1]),
        ("to=2026-03-01T00:00:00Z", []),
    ],
)
def test_the_log_is_narrowed_by_any_word(owner, trail, query, expected):
    trail.write(4)

    assert [entry["seq"] for entry in owner.get(f"{LOGS}?{query}").json] == expected


def test_a_cursor_leads_through_the_whole_log(owner, trail):
    trail.write(5)
    seen, address = [], f"{LOGS}?limit=2"
    while address:
        found = owner.get(address)
        assert found.headers["X-Total-Count"] == "5"
        seen.append([entry["seq"] for entry in found.json])
        following = found.headers.get("X-Next-Cursor")
        address = following and f"{LOGS}?limit=2&cursor={following}"

    assert seen == [[5, 4], [3, 2], [1]]


def test_beyond_what_is_counted_the_log_goes_on(owner, trail, monkeypatch):
    trail.write(4)
    monkeypatch.setattr(audit_lists, "_FOR_PROGRAMS", replace(audit_lists._FOR_PROGRAMS, count_cap=2))

    found = owner.get(f"{LOGS}?offset=3")

    assert (found.headers["X-Total-Count"], found.headers["X-Total-Count-Capped"]) == ("2", "true")
    assert [entry["seq"] for entry in found.json] == [1]
