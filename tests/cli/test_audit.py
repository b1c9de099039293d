"""`flask audit`: exit codes, and the first broken row by name."""

import json
from datetime import UTC, datetime

import pytest

from console.services.audit.rebaseline import rebaseline
from tests.services.audit.audit_support import Trail


@pytest.fixture
def trail(engine, clock, app):
    return Trail(engine, clock, app.extensions["console_config"])


@pytest.fixture
def invoke(app):
    return lambda *words: app.test_cli_runner().invoke(args=["audit", *words])


def test_a_whole_chain_ends_with_0(invoke, trail):
    trail.write(3)
    result = invoke("verify")

    assert result.exit_code == 0
    assert result.stdout == f"OK: 3 entries verified, head {trail.head().head_hash}\n"


def test_a_broken_chain_ends_with_1_and_names_the_first_broken_row(invoke, trail):
    trail.write(3)
    trail.change(2, detail_json="{}")

    for words in (("verify",), ("verify", "--month", "2026-03")):
        result = invoke(*words)
        assert result.exit_code == 1
        assert result.stdout.splitlines() == [
            "BROKEN: 1 issues in 3 entries",
            f"  row id {trail.rows()[1].id}, sequence 2: entry_hash_mismatch",
        ]


def test_the_result_as_json(invoke, trail):
    trail.write(2)

    told = json.loads(invoke("verify", "--json").stdout)
    assert (told["checked_count"], told["chain_ok"], told["rebaselined_ranges"]) == (2, True, [])


def test_what_is_no_month_is_undecided(invoke):
    result = invoke("verify", "--month", "2026-13")

    assert result.exit_code == 2
    assert "month must be YYYY-MM format" in result.stderr


def test_a_rebaseline_is_told_every_time(invoke, trail):
    trail.write(2)
    trail.change(1, detail_json="{}")
    with trail.ctx(write=True) as ctx:
        rebaseline(ctx, reason="disk fault")

    result = invoke("verify")
    assert result.exit_code == 0
    assert "WARNING: 2 rows (1 to 2) were written anew by owner_a on 2026-03-02 00:00 UTC: disk fault" in result.stdout


def test_a_checkpoint_is_signed_or_refused(invoke, trail):
    trail.write(2)
    assert json.loads(invoke("checkpoint").stdout)["seq"] == 2
    trail.change(1, detail_json="{}")

    assert invoke("checkpoint").exit_code == 0
    full = invoke("checkpoint", "--full")
    assert full.exit_code == 1
    assert json.loads(full.stdout)["first_issue"]["seq"] == 1


def test_the_archive_is_one_line_of_json_and_names_its_file(invoke, trail, tmp_path):
    trail.write(2)
    trail.clock.set(datetime(2026, 4, 1, tzinfo=UTC))

    result = invoke("archive", "--write-file", "--output-dir", str(tmp_path))

    assert result.exit_code == 0
    (line,) = result.stdout.splitlines()
    printed = json.loads(line)
    path = tmp_path / "audit-archive-2026-03.json"
    assert printed.pop("output_file") == str(path)
    assert json.loads(path.read_text()) == printed


def test_the_archive_of_a_broken_month_ends_with_1(invoke, trail):
    trail.write(2)
    trail.change(2, detail_json="{}")
    trail.clock.set(datetime(2026, 4, 1, tzinfo=UTC))

    assert invoke("archive").exit_code == 1


def test_an_unfinished_month_is_undecided(invoke, trail):
    trail.write(1)

    assert invoke("archive", "--month", "2026-03").exit_code == 2
