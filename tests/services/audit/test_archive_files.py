"""Monthly files: written once, beside each other, and only for months that are over."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from console.domain.audit.archive import sealed
from console.domain.audit.entry import canonical_json
from console.domain.errors import BadRequest, Conflict, Invalid, StoreUnavailable
from console.services.audit.archive_files import folder_within, keep_month
from tests.services.audit.audit_support import Trail


@pytest.fixture
def trail(engine, clock, config):
    """March has three entries, and it is the second of April."""
    made = Trail(engine, clock, config)
    made.write(3)
    clock.set(datetime(2026, 4, 2, tzinfo=UTC))
    return made


def keep(trail, **values):
    return trail.check(lambda ctx: keep_month(ctx, **{"write_file": True, **values}))


def files(trail):
    return sorted(path.name for path in trail.config.path("AUDIT_ARCHIVE_PATH").iterdir())


def test_the_last_whole_month_is_kept_under_its_published_name(trail):
    kept = keep(trail)

    text = trail.config.path("AUDIT_ARCHIVE_PATH").joinpath("audit-archive-2026-03.json").read_text("utf-8")
    document = json.loads(text)
    assert files(trail) == ["audit-archive-2026-03.json"]
    assert (kept.unchanged, document["month"], len(document["entries"])) == (False, "2026-03", 3)
    assert text == json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    entries = [canonical_json(entry) for entry in document["entries"]]
    again = sealed({**document, "entries": None}, "ci-signing-key", entries)
    assert (again["archive_sha256"], again["signature"]) == (document["archive_sha256"], document["signature"])


def test_it_is_on_record_in_the_present_month(trail):
    keep(trail)

    row = trail.rows()[-1]
    assert (row.action, row.resource_id, row.status) == ("admin_audit_archive_monthly_run", "2026-03", "success")
    assert json.loads(row.detail_json)["file"] == "audit-archive-2026-03.json"


def test_the_same_rows_make_no_second_file(trail):
    keep(trail)
    trail.clock.advance(timedelta(days=1))

    assert keep(trail).unchanged
    assert files(trail) == ["audit-archive-2026-03.json"]


def test_other_rows_get_a_file_beside_the_first_and_never_over_it(trail):
    keep(trail)
    first = trail.config.path("AUDIT_ARCHIVE_PATH").joinpath("audit-archive-2026-03.json").read_bytes()
    trail.change(2, detail_json="{}")

    kept = keep(trail)

    assert (kept.archive.chain_ok, trail.rows()[-1].status) == (False, "critical")
    assert files(trail) == ["audit-archive-2026-03-2.json", "audit-archive-2026-03.json"]
    assert trail.config.path("AUDIT_ARCHIVE_PATH").joinpath("audit-archive-2026-03.json").read_bytes() == first
    assert keep(trail).unchanged


def test_half_a_file_with_the_name_is_left_alone(trail):
    folder = trail.config.path("AUDIT_ARCHIVE_PATH")
    folder.mkdir(parents=True)
    folder.joinpath("audit-archive-2026-03.json").write_text('{"month": "2026')

    assert keep(trail).output_file.endswith("audit-archive-2026-03-2.json")


def test_a_month_that_has_not_ended_is_refused_unless_asked_for(trail):
    with pytest.raises(Conflict, match="2026-04 has not ended"):
        keep(trail, month="2026-04")
    assert len(trail.rows()) == 3

    kept = keep(trail, month="2026-04", include_unfinished=True)
    assert "The month has not ended yet" in kept.archive.document["warnings"]


def test_without_being_asked_no_file_is_written(trail):
    assert keep(trail, write_file=False).output_file is None
    assert not trail.config.path("AUDIT_ARCHIVE_PATH").exists()


def test_a_folder_that_cannot_be_written_is_said_and_nothing_stays(trail):
    folder = trail.config.path("AUDIT_ARCHIVE_PATH")
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file stands in the way")

    with pytest.raises(StoreUnavailable, match="cannot be written"):
        keep(trail)
    assert len(trail.rows()) == 3


def test_what_is_no_month_is_refused(trail):
    with pytest.raises(BadRequest):
        keep(trail, month="2026-13")


@pytest.mark.parametrize(
    ("given", "inside"),
    [
        (None, "audit-archives"),
        ("data/audit-archives", "audit-archives"),
        ("audit-archives/2026", "audit-archives/2026"),
    ],
)
def test_a_job_writes_inside_the_data_folder(trail, given, inside):
    root = trail.config.path("DATA_DIR")

    assert trail.check(lambda ctx: folder_within(ctx, given)) == root / inside


@pytest.mark.parametrize("given", ["/etc", "../elsewhere", "data/../../elsewhere", "/"])
def test_a_job_writes_nowhere_else(trail, given):
    with pytest.raises(Invalid):
        trail.check(lambda ctx: folder_within(ctx, given))
