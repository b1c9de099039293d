"""What a checklist is bound to, and how versions are named."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.releases.checklist import Guide, checklist, month_of, next_version, source_of
from console.domain.releases.history import Seen, changes
from console.domain.releases.smoke import in_future, worst

NOW = datetime(2026, 3, 31, 23, 59, tzinfo=UTC)
GUIDE = Guide("docs/guide.md", exists=True, sha256="0" * 64)
VALUES = {
    "recent_hours": 48, "require_runbook_gate": True, "ui_path": "/overview", "ui_markers": ("a",), "overridden": False,
}  # fmt: skip


def test_the_signature_is_that_of_the_same_content():
    assert checklist(GUIDE, **VALUES).signature == checklist(GUIDE, **VALUES).signature


@pytest.mark.parametrize(
    ("guide", "changed"),
    [
        (Guide("docs/guide.md", exists=True, sha256="1" * 64), {}),
        (Guide("docs/guide.md", exists=False, sha256=None), {}),
        (GUIDE, {"recent_hours": 24}), (GUIDE, {"require_runbook_gate": False}), (GUIDE, {"ui_path": "/board"}),
        (GUIDE, {"ui_markers": ("a", "b")}),
    ],
)  # fmt: skip
def test_the_signature_changes_with_guide_and_settings(guide, changed):
    assert checklist(guide, **VALUES | changed).signature != checklist(GUIDE, **VALUES).signature


def test_months_are_those_of_utc():
    assert month_of(NOW.astimezone(timezone(timedelta(hours=9)))) == "2026.03"


@pytest.mark.parametrize(
    ("given_away", "version"),
    [
        ([], "2026.03.v1"), (["2026.03.v1", "2026.03.v10", "2026.03.v9"], "2026.03.v11"),
        (["2026.02.v7", "2026.03.vX", "2026.03.v", "hotfix"], "2026.03.v1"),
    ],
)  # fmt: skip
def test_a_version_follows_the_highest_of_its_month(given_away, version):
    assert next_version("2026.03", given_away) == version


@given(st.lists(st.integers(1, 99_999), max_size=20))
def test_a_new_version_was_never_given_away(numbers):
    given_away = [f"2026.03.v{number}" for number in numbers]

    assert next_version("2026.03", given_away) not in given_away


def test_the_source_names_the_month_of_the_version():
    assert source_of("2026.03.v4", new=False) == "deploy_smoke_signature_match:2026-03"
    assert source_of("2026.03.v4", new=True) == "auto_increment:2026-03"


@given(st.lists(st.sampled_from(["ok", "skipped", "unknown", "warning", "critical"])))
def test_the_worst_finding_counts_whatever_their_order(found):
    expected = "critical" if "critical" in found else "warning" if {"warning", "unknown"} & set(found) else "success"

    assert worst("success", *found) == worst("success", *reversed(found)) == expected


@pytest.mark.parametrize(("minutes", "refused"), [(-60, False), (5, False), (5.1, True)])
def test_times_ahead_are_borne_as_far_as_clocks_differ(minutes, refused):
    assert in_future(NOW + timedelta(minutes=minutes), NOW) is refused


def test_what_changed_is_said_in_sentences():
    before, now = Seen("2026.03.v1", "a", ("x", "y")), Seen("2026.03.v1", "b", ("y", "z"))

    assert [str(one) for one in changes(now, before)] == [
        "Content of the checklist changed", "New findings: 1", "Findings gone: 1",
    ]  # fmt: skip
    assert changes(before, before) == ()
    assert [str(one) for one in changes(now, None)] == ["First record"]
