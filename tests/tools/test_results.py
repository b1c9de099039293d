"""The file of measurements: each command renews its own part, whatever order they run in."""

from __future__ import annotations

from benchmarks.results import BENCH, READS, SOAK, put


def test_each_command_renews_its_own_part(tmp_path):
    path = tmp_path / "RESULTS.md"
    for part, text in ((SOAK, "old\n\n### SQLite\n"), (BENCH, "one\n"), (READS, "two\n"), (SOAK, "three\n")):
        put(part, text, path)

    lines = path.read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("#")] == [
        "# Measurements",
        "## Reading in five ways",
        "## Broken on purpose",
    ]
    assert [line.rpartition(" ")[2] for line in lines if line.startswith("Written")] == ["one", "two", "three"]
