"""The history of an item in words."""

from datetime import UTC, datetime
from types import SimpleNamespace

from console.domain.text import T
from console.ui.labels.tracker import timeline


def noted(app, **new):
    event = SimpleNamespace(
        at=datetime(2026, 3, 2, tzinfo=UTC), actor_name="system", kind="auto_assigned", old={}, new=new
    )
    with app.test_request_context("/", headers={"Accept-Language": "en"}):
        return timeline((event,), {})[0].note


def test_a_reason_that_was_decided_below_the_pages_is_said_and_one_that_was_written_stands(app):
    reason = T("Least load of %(candidates)s candidates: %(load)s open", candidates=3, load="0")

    assert noted(app, reason=reason.as_dict()) == str(reason)
    assert noted(app, text="100% <b>") == "100% <b>"
    assert noted(app) is None
