"""A rebaseline makes the chain link up again and keeps every proof that it did not."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, func, select, update

from console.domain.errors import BadRequest, Invalid, PermissionDenied
from console.models.audit import AuditRebaseline, AuditRebaselineRow
from console.services.audit.checkpoints import checkpoint
from console.services.audit.rebaseline import rebaseline
from console.services.audit.rebaseline_records import ranges
from console.services.audit.record import chain_status
from console.services.audit.verify import verify_all
from tests.services.audit.audit_support import Trail, found


@pytest.fixture
def trail(engine, clock, config):
    return Trail(engine, clock, config)


def repair(trail, *, actor=None, **values):
    with trail.ctx(write=True, **(actor or {})) as ctx:
        return rebaseline(ctx, **values)


def evidence(trail):
    with trail.factory() as session:
        return list(session.scalars(select(AuditRebaselineRow).order_by(AuditRebaselineRow.seq)))


def test_a_changed_row_links_up_again_and_its_old_hashes_stay(trail):
    trail.write(4)
    before = trail.rows()
    trail.change(2, detail_json='{"forged": true}')

    result = repair(trail, from_month="2026-03", reason="disk fault")

    assert (result.scanned_count, result.updated_count, result.missing_count) == (4, 3, 0)
    assert (result.first_updated_id, result.last_updated_id) == (before[1].id, before[3].id)
    assert result.anchor_id is None
    assert trail.check(verify_all).chain_ok
    assert [(row.seq, row.old_entry_hash) for row in evidence(trail)] == [
        (row.seq, row.entry_hash) for row in before[1:]
    ]
    assert [row.new_entry_hash for row in evidence(trail)] == [row.entry_hash for row in trail.rows()[1:4]]


def test_an_untouched_chain_is_left_alone(trail):
    trail.write(3)
    before = [row.entry_hash for row in trail.rows()]

    result = repair(trail)

    assert (result.scanned_count, result.updated_count, result.evidence_id) == (3, 0, None)
    assert [row.entry_hash for row in trail.rows()][:3] == before
    assert evidence(trail) == []


def test_a_dry_run_tells_the_same_and_changes_nothing_but_the_record(trail):
    trail.write(4)
    trail.change(2, detail_json="{}")
    before = [row.entry_hash for row in trail.rows()]

    told = repair(trail, dry_run=True)

    assert (told.updated_count, told.evidence_id) == (3, None)
    assert [row.entry_hash for row in trail.rows()][:4] == before
    assert evidence(trail) == []
    assert not trail.check(verify_all).chain_ok
    # The record of the dry run hangs on the broken chain as well.
    assert repair(trail).updated_count == 4


@pytest.mark.parametrize("dry_run", [True, False])
def test_it_is_on_record_itself(trail, dry_run):
    trail.write(2)
    trail.change(1, status="denied")
    result = repair(trail, from_month="2026-03", dry_run=dry_run, reason="restored")

    row = trail.rows()[-1]
    detail = json.loads(row.detail_json)
    assert (row.action, row.resource_type, row.resource_id) == (
        "admin_audit_chain_rebaseline",
        "admin_audit_log",
        "2026-03",
    )
    assert (detail["dry_run"], detail["updated_count"], detail["reason"]) == (dry_run, 2, "restored")
    assert detail["snapshot_sha256"] == result.snapshot_sha256


def test_the_whole_history_is_called_all(trail):
    trail.write(1)
    repair(trail)

    assert trail.rows()[-1].resource_id == "all"


def test_a_later_month_starts_at_the_row_before_it(trail):
    trail.write(2)
    trail.clock.set(datetime(2026, 4, 2, tzinfo=UTC))
    trail.write(2)
    rows = trail.rows()
    trail.change(3, detail_json="{}")

    result = repair(trail, from_month="2026-04")

    assert (result.anchor_id, result.scanned_count, result.updated_count) == (rows[1].id, 2, 2)
    assert trail.check(verify_all).chain_ok


def test_only_so_many_rows_are_looked_at(trail):
    trail.write(6)
    trail.change(2, detail_json="{}")

    result = repair(trail, max_rows=3)

    assert (result.scanned_count, result.updated_count) == (3, 2)
    assert any("first 3 rows" in text for text in result.warnings)
    assert found(trail.check(verify_all))[0] == (4, "prev_hash_mismatch")


def test_rows_missing_in_the_middle_become_a_known_gap(trail):
    trail.write(6)
    trail.drop(3, 4)

    result = repair(trail)

    assert (result.missing_count, result.updated_count) == (2, 2)
    assert trail.check(verify_all).chain_ok
    trail.drop(2)
    assert not trail.check(verify_all).chain_ok


def test_numbers_of_deleted_newest_rows_are_not_given_out_again(trail):
    trail.write(6)
    trail.drop(5, 6)

    result = repair(trail)

    assert result.missing_count == 2
    assert [row.seq for row in trail.rows()] == [1, 2, 3, 4, 7]
    assert trail.check(verify_all).chain_ok, trail.check(verify_all).issues


def test_rows_without_the_products_key_are_taken_in_with_evidence(trail):
    trail.write(3)
    trail.change(2, keyed_hash=None, key_id=None)

    assert repair(trail).updated_count == 1
    assert trail.check(verify_all).chain_ok
    assert evidence(trail)[0].old_keyed_hash is None


def test_a_changed_time_keeps_its_old_text_in_the_evidence(trail):
    trail.write(2)
    trail.change(1, created_at=datetime(2026, 3, 1, tzinfo=UTC))

    repair(trail)

    assert evidence(trail)[0].old_created_text == "2026-03-02T00:00:00+00:00"
    assert trail.check(verify_all).chain_ok


def test_a_checkpoint_before_the_repair_is_reconciled_by_the_evidence_only(trail):
    trail.write(4)
    trail.check(checkpoint)
    trail.change(2, detail_json="{}")
    repair(trail)

    assert trail.check(verify_all).chain_ok
    assert trail.check(chain_status).chain_ok
    trail.run(update(AuditRebaselineRow).where(AuditRebaselineRow.seq == 4).values(mac="0" * 64))
    assert found(trail.check(verify_all)) == [(4, "checkpoint_mismatch")]


def test_the_range_stays_reported_with_its_reason(trail):
    trail.write(4)
    trail.change(2, detail_json="{}")
    repair(trail, reason="disk fault")
    repair(trail)

    (kept,) = trail.check(ranges)
    assert (kept.first_seq, kept.last_seq, kept.changed_count) == (2, 4, 3)
    assert (kept.reason, kept.actor_username, kept.evidence_ok) == ("disk fault", "owner_a", True)
    assert trail.check(chain_status).rebaseline_count == 1
    assert trail.check(lambda ctx: ranges(ctx, first=5, last=9)) == ()


@pytest.mark.parametrize(
    "forge",
    [
        update(AuditRebaseline).values(reason="routine"),
        update(AuditRebaseline).values(actor_username="somebody"),
        delete(AuditRebaselineRow).where(AuditRebaselineRow.seq == 3),
    ],
)
def test_changed_evidence_is_not_genuine(trail, forge):
    trail.write(4)
    trail.change(2, detail_json="{}")
    repair(trail, reason="disk fault")
    trail.run(forge)

    assert [kept.evidence_ok for kept in trail.check(ranges)] == [False]


def test_production_wants_a_confirmation_or_a_reason(trail):
    trail.write(2)
    trail.config = trail.config.for_tests(DATA_DIR=trail.config["DATA_DIR"], ENV="production")

    with pytest.raises(Invalid, match="confirm=true"):
        repair(trail)
    assert repair(trail, dry_run=True).updated_count == 0
    assert repair(trail, confirm=True).updated_count == 0
    assert repair(trail, reason="restored").updated_count == 0


@pytest.mark.parametrize(("setting", "actor", "refused"), [
    ("never", {}, False), ("auto", {}, False), ("always", {}, True), ("never", {"kind": "session"}, True),
])  # fmt: skip
def test_people_always_confirm_and_automation_as_it_is_set(trail, setting, actor, refused):
    trail.write(1)
    trail.config = trail.config.for_tests(DATA_DIR=trail.config["DATA_DIR"], AUDIT_REBASELINE_CONFIRM=setting)

    if refused:
        with pytest.raises(Invalid):
            repair(trail, actor=actor)
    else:
        assert repair(trail, actor=actor).updated_count == 0


def test_what_is_no_month_is_refused(trail):
    with pytest.raises(BadRequest):
        repair(trail, from_month="2026-13")


@pytest.mark.parametrize("role", ["manager", "operator", "auditor"])
def test_only_who_manages_admins_may(trail, role):
    with pytest.raises(PermissionDenied):
        repair(trail, actor={"role": role})


def test_an_error_undoes_all_of_it(trail, monkeypatch):
    trail.write(4)
    trail.change(2, detail_json="{}")
    before = [row.entry_hash for row in trail.rows()]

    def fails(*_args, **_values):
        raise OSError("disk full")

    monkeypatch.setattr("console.services.audit.rebaseline.record", fails)
    with pytest.raises(OSError, match="disk full"):
        repair(trail)

    assert [row.entry_hash for row in trail.rows()] == before
    with trail.factory() as session:
        assert session.scalar(select(func.count(AuditRebaseline.id))) == 0
