"""The built-in SLA policy, with the published numbers."""

from datetime import UTC, datetime, timedelta

import pytest

from console.domain.facility_sla.policy import BUILT_IN, due_after


@pytest.mark.parametrize(("priority", "hours"), [("low", 72), ("medium", 24), ("high", 8), ("critical", 2)])
def test_each_priority_has_its_hours(priority, hours):
    start = datetime(2026, 3, 2, tzinfo=UTC)

    assert due_after(BUILT_IN, priority, start) - start == timedelta(hours=hours)


def test_there_is_no_grace_by_default():
    assert BUILT_IN.escalation_grace_minutes == 0
