"""What changed, out of the shapes in which entries hold it."""

import pytest

from console.domain.audit.detail import FieldChange, read_detail


@pytest.mark.parametrize(
    ("detail", "changes", "rest"),
    [
        ({}, (), {}),
        (
            {"username": "kim", "changes": {"role": {"old": "operator", "new": "manager"}}},
            (FieldChange("role", "operator", "manager"),),
            {"username": "kim"},
        ),
        (
            {"old": {"status": "open", "note": "a"}, "new": {"status": "done", "note": "a", "by": "kim"}, "id": 7},
            (FieldChange("status", "open", "done"), FieldChange("by", None, "kim")),
            {"id": 7},
        ),
        ({"before": {"a": 1}, "after": {}}, (FieldChange("a", 1, None),), {}),
        ({"changes": {"role": "manager"}}, (), {"changes": {"role": "manager"}}),
        ({"changes": []}, (), {"changes": []}),
        ({"old": "a", "new": "b"}, (), {"old": "a", "new": "b"}),
        ({"changes": {"a": {"new": [1]}}}, (FieldChange("a", None, [1]),), {}),
    ],
)
def test_a_detail_is_parted_into_changes_and_the_rest(detail, changes, rest):
    read = read_detail(detail)

    assert (read.changes, read.rest) == (changes, rest)
