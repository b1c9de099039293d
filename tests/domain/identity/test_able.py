"""One rule says who may work on an item at a site."""

import pytest

from console.domain.identity import able
from console.domain.identity.able import Worker
from console.domain.programme.trackers import programmes
from console.domain.tracker.tracker import REMEDIATION

WEEK = next(one for one in programmes() if one.key == "w07")


@pytest.mark.parametrize(
    ("worker", "site", "word"),
    [
        (Worker("operator"), "A동", None),
        (Worker("operator", sites=("A동",)), "A동", None),
        (Worker("operator", sites=("A동",)), "B동", "site"),
        (Worker("operator", sites=("A동",)), None, None),
        (Worker("operator", sites=()), "A동", "site"),
        (Worker("auditor"), "A동", "permission"),
        (Worker("auditor", permissions=("governance:write",)), "A동", None),
        (Worker("auditor", permissions=("governance:*",)), "A동", None),
        (Worker("owner", is_active=False), None, "inactive"),
        (None, None, "unknown"),
    ],
)
def test_who_may_work_on_an_item(worker, site, word):
    assert able.obstacle(worker, REMEDIATION.write, site) == word


def test_a_week_asks_for_its_own_permission():
    helper = Worker("auditor", permissions=("governance:write",))

    assert able.obstacle(helper, REMEDIATION.write, None) is None
    assert able.obstacle(helper, WEEK.write, None) == "permission"


def test_every_obstacle_is_a_sentence():
    for word in able.OBSTACLES:
        assert "이정비" in str(able.sentence(word, "이정비", "B동")), word
