"""The integrity batch, letter for letter (API contract, evidence and archive integrity)."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from console.models.evidence import EvidenceFile
from console.services.audit import archive_files as audit_files
from tests.contract.test_evidence import clean, item, kept, send

__all__ = ["clean", "item"]

ADDRESS = "/api/ops/integrity/evidence-archive"
FIELDS = [
    *("status", "message", "sample_per_table", "checked_count", "missing_blob_count", "missing_hash_count"),
    *("digest_mismatch_count", "read_error_count", "issue_count", "issues", "tables", "archive"),
]
WEEKS = ["w02", "w03", "w04", "w07", "w09", "w10", "w11", "w12", "w13", "w14", "w15"]


def test_an_installation_without_evidence_is_fine(api):
    answer = api().get(ADDRESS, query_string={"sample_per_table": 1})

    assert (answer.status_code, list(answer.json)[: len(FIELDS)]) == (200, FIELDS)
    made = answer.json
    assert (made["status"], made["sample_per_table"], made["checked_count"], made["issues"]) == ("ok", 1, 0, [])
    assert [table["module"] for table in made["tables"]] == ["inspection", *WEEKS, "remediation", "work_orders"]
    policy = api("owner", username="second").get("/api/ops/security/posture").json["evidence_archive_integrity_policy"]
    assert policy["modules"] == [table["module"] for table in made["tables"]]
    assert list(made["archive"])[:8] == [
        *("month", "entry_count", "chain_ok", "archive_sha_ok", "signature_ok", "signature_algorithm_ok"),
        *("signature_algorithm", "signed"),
    ]
    assert (made["archive"]["month"], made["archive"]["signature_algorithm"]) == ("2026-03", "hmac-sha256")
    assert made["archive"]["archive_sha_ok"] is made["archive"]["signature_ok"] is True


def test_each_kind_of_damage_has_its_counter_and_its_issue(clean, api, item, session):
    owner = api()
    ids = [send(owner, item, content).json["id"] for content in (b"whole", b"forged", b"lost", b"unhashed", b"locked")]
    session.rollback()
    keys = dict(session.execute(select(EvidenceFile.id, EvidenceFile.storage_key)).all())
    root = clean.extensions["console_config"].path("EVIDENCE_STORAGE_PATH")
    (root / keys[ids[1]]).write_bytes(b"FORGED")
    (root / keys[ids[2]]).unlink()
    session.execute(update(EvidenceFile).where(EvidenceFile.id == ids[3]).values(sha256=None))
    session.commit()
    (root / keys[ids[4]]).unlink()
    (root / keys[ids[4]]).mkdir()

    made = owner.get(ADDRESS).json
    (root / keys[ids[4]]).rmdir()

    assert (made["status"], made["checked_count"]) == ("critical", 5)
    counters = ("missing_blob_count", "missing_hash_count", "digest_mismatch_count", "read_error_count")
    assert [made[name] for name in counters] == [1, 1, 1, 1]
    found = {(issue["evidence_id"], issue["reason"]): issue for issue in made["issues"]}
    assert set(found) == {
        (ids[1], "sha256_mismatch"),
        (ids[2], "missing_blob"),
        (ids[3], "missing_sha256"),
        (ids[4], "read_error"),
    }
    mismatch = found[ids[1], "sha256_mismatch"]
    assert list(mismatch) == ["module", "evidence_id", "site", "reason", "stored_sha256", "actual_sha256"]
    assert found[ids[2], "missing_blob"]["storage_backend"] == "fs"
    assert found[ids[4], "read_error"]["error"] == "IsADirectoryError"
    cut = owner.get(ADDRESS, query_string={"max_issues": 2}).json
    assert (cut["issue_count"], len(cut["issues"]), cut["missing_blob_count"]) == (2, 2, 2)


def test_files_take_turns_and_broken_ones_are_read_every_time(clean, api, item, session, clock):
    owner = api()
    ids = [send(owner, item, bytes([65 + number])).json["id"] for number in range(4)]
    seen = []
    for _round in range(4):
        clock.advance(timedelta(hours=1))
        owner.get(ADDRESS, query_string={"sample_per_table": 1})
        session.rollback()
        seen.append(session.scalar(select(EvidenceFile.id).where(EvidenceFile.integrity_checked_at == clock.now())))
    assert sorted(seen) == sorted(ids)

    for path in kept(clean):
        path.unlink()
    first, second = (owner.get(ADDRESS, query_string={"sample_per_table": 1}).json["issues"] for _ in range(2))
    assert first == second


def test_a_kept_archive_that_was_changed_is_found(api, ctx, app):
    ctx.config = app.extensions["console_config"]
    made = audit_files.keep_month(ctx, month="2026-02", write_file=True)
    ctx.commit()
    owner = api()
    assert owner.get(ADDRESS).json["archive"]["stored_mismatch_count"] == 0

    path = ctx.config.path("AUDIT_ARCHIVE_PATH") / "audit-archive-2026-02.json"
    assert str(path) == made.output_file
    document = json.loads(path.read_bytes())
    path.write_text(json.dumps({**document, "total_count": 99}))
    try:
        answer = owner.get(ADDRESS).json
    finally:
        path.unlink()
    assert (answer["status"], answer["archive"]["stored_mismatch_count"]) == ("critical", 1)


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("auditor", 200), ("manager", 403), ("operator", 403)])
def test_who_may_ask(api, role, status):
    answer = api(role).get(ADDRESS)

    assert answer.status_code == status
    assert status == 200 or answer.json["detail"] == "Missing permission: admins:manage"


@pytest.mark.parametrize("query", [{"sample_per_table": 0}, {"sample_per_table": 201}, {"max_issues": 501}])
def test_bounds(api, query):
    assert api().get(ADDRESS, query_string=query).status_code == 422
