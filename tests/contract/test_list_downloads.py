"""Downloads of lists: a filter that cannot be is refused in words, not by an answer that breaks off."""

import pytest


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("/admin/users/csv", "role"),
        ("/admin/tokens/csv", "state"),
        ("/admin/sites/csv", "state"),
        ("/alerts/csv", "status"),
        ("/audit/entries.csv", "status"),
        ("/autopilot/runs.csv", "outcome"),
        ("/gate/history.csv", "decision"),
        ("/jobs/runs.csv", "status"),
    ],
)
def test_an_unknown_word_is_refused_before_the_answer_begins(api, address, key):
    caller = api("owner")

    assert caller.get(address).status_code == 200
    refused = caller.get(address, query_string={key: "nonsense"})
    assert refused.status_code == 422
    assert "nonsense" in refused.text
