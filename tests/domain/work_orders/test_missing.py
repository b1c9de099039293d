"""What an order still needs, in the order in which it is done."""

from console.domain.work_orders.missing import Progress, needs


def missing(**values):
    made = {"status": "open", "assigned": False, "waiting": False, "photos_after": 0}
    return [need.key for need in needs(Progress(**(made | values))) if not need.met]


def test_a_new_order_needs_everything():
    assert missing() == ["assignee", "answer", "after_photo", "completion"]


def test_one_that_waits_must_be_taken_up_again_first():
    assert missing(status="acked", assigned=True, waiting=True) == ["resume", "after_photo", "completion"]


def test_a_closed_order_needs_nothing():
    assert missing(status="completed") == []
