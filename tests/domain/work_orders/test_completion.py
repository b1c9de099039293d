"""Completion rules: a demand holds for a priority and all that are worse, and only a site that insists refuses."""

import pytest

from console.domain.work_orders.completion import CompletionRules, Incomplete, from_values, refuse
from console.domain.work_orders.missing import Progress, lacking, needs


@pytest.mark.parametrize(
    ("threshold", "demanding"),
    [
        ("never", set()),
        ("critical", {"critical"}),
        ("high", {"critical", "high"}),
        ("low", {"critical", "high", "medium", "low"}),
    ],
)
def test_a_demand_holds_for_a_priority_and_all_that_are_worse(threshold, demanding):
    rules = from_values({"photo_electric": threshold}, enforced=True)

    assert {word for word in ("critical", "high", "medium", "low") if rules.demands("electric", word)} == demanding
    assert rules.demands("fire", "critical") == ()


def test_nothing_is_demanded_by_default():
    assert CompletionRules().demands("electric", "critical") == ()
    assert from_values({}, enforced=False).demands("electric", "critical") == ()


def test_what_is_missing_stands_in_the_order_in_which_it_is_done():
    demanded = ("after_photo", "measurement", "completion")
    bare = Progress("acked", True, False, 0, demanded=demanded)

    assert lacking(bare) == demanded
    assert [need.key for need in needs(bare)] == ["assignee", "answer", "after_photo", "measurement", "completion"]
    assert lacking(Progress("acked", True, False, 1, noted=True, measured=True, demanded=demanded)) == ()
    assert lacking(Progress("acked", True, False, 0)) == ()
    assert lacking(Progress("completed", True, False, 0, demanded=demanded)) == ()


def test_a_refusal_names_every_missing_thing():
    refuse(())
    with pytest.raises(Incomplete) as refused:
        refuse(("after_photo", "measurement"))

    assert [one["loc"] for one in refused.value.detail] == [["body", "after_photo"], ["body", "measurement"]]
