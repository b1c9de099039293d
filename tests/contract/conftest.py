"""A company in which the automation has something to do."""

import pytest

from tests.services.automation.automation_support import HOOK, item, people


@pytest.fixture
def owner(api, session, clock):
    """A client of an owner, beside a few people and four items."""
    people(session, clock)
    item(session, clock, 1, -2, critical=True)
    item(session, clock, 2, 3)
    item(session, clock, 3, 100, assignee="kim")
    item(session, clock, 4, 5, status="done")
    return api("owner", username="olga")


@pytest.fixture
def channel(app, make_app, api):
    """The same with a configured alert channel."""
    app.extensions["console_config"]._values["ALERT_WEBHOOK_URL"] = HOOK
    yield
    app.extensions["console_config"]._values["ALERT_WEBHOOK_URL"] = ""
