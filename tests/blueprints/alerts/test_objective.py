"""The form of the objective for recoveries: what it says of now, who changed what, and nothing kept by a trial."""

import pytest

from console.core.context import SYSTEM, Context
from console.services.alerts import slo
from console.services.policies import policies

ADDRESS = "/alerts/channels/objective"


@pytest.fixture
def owner(browser_client):
    return browser_client("owner", username="olga", display_name="Olga", language="en")


@pytest.fixture
def stored(session, clock, config):
    def read():
        session.rollback()
        return policies.resolve(Context(session, clock, SYSTEM, config), slo.KIND)

    return read


def values(**changed):
    form = {
        "enabled": "y",
        "window_days": "30",
        "threshold_minutes": "45",
        "min_incidents": "5",
        "auto_recover_enabled": "y",
        "recover_state": "quarantined",
        "recover_max_targets": "30",
        "notify_enabled": "y",
        "notify_event_type": "mttr_slo_breach",
        "notify_cooldown_minutes": "120",
        "top_channels": "15",
        "reason": "The duty desk answers within twenty minutes",
        "revision": "0",
        "action": "save",
    }
    return form | changed


def test_the_page_says_where_the_values_come_from_and_leads_there(owner):
    page = owner.get(ADDRESS).text

    assert "built-in values" in page
    assert "Nobody has changed the policy yet" in page
    assert f'href="{ADDRESS}"' in owner.get("/alerts/channels").text


def test_a_change_is_a_revision_with_its_reason(owner, stored):
    answer = owner.post(ADDRESS, data=values(threshold_minutes="20", recover_state="all", enabled=""))

    assert (answer.status_code, answer.location) == (303, ADDRESS)
    view = stored()
    assert (view.source, view.revision, view.values["threshold_minutes"]) == ("global", 1, 20)
    page = owner.get(ADDRESS).text
    assert "set here" in page
    assert "revision 1" in page
    assert "The duty desk answers within twenty minutes" in page
    assert "Those in quarantine" in page.partition("Changes")[2]


def test_a_trial_shows_what_the_values_say_and_keeps_nothing(owner, stored):
    page = owner.post(ADDRESS, data=values(threshold_minutes="20", action="simulate", reason=""))

    assert page.status_code == 200
    assert "nothing was stored" in page.text
    assert "20 min" in page.text
    assert stored().revision == 0


@pytest.mark.parametrize("changed", [{"threshold_minutes": "0"}, {"window_days": "ten"}, {"reason": ""}])
def test_what_does_not_fit_is_refused_in_the_form(owner, stored, changed):
    assert owner.post(ADDRESS, data=values(**changed)).status_code == 422
    assert stored().revision == 0


def test_of_two_who_change_it_the_slower_one_is_told(owner, stored):
    owner.post(ADDRESS, data=values(threshold_minutes="20"))
    late = owner.post(ADDRESS, data=values(threshold_minutes="60"))

    assert late.status_code == 412
    assert "Somebody else changed the policy meanwhile" in late.text
    assert 'value="60"' in late.text
    assert stored().values["threshold_minutes"] == 20


def test_a_reader_sees_the_values_and_no_form(browser_client):
    page = browser_client("auditor", language="en").get(ADDRESS).text

    assert "Mean recovery at most" in page
    assert '<form class="stack" method="post"' not in page
