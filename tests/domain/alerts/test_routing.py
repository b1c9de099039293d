import pytest

from console.domain.alerts.routing import Wants, fitted, level_of, shortened


@pytest.mark.parametrize(
    ("event", "payload", "level"),
    [
        ("ops_daily_check", {"overall_status": "critical"}, "critical"),
        ("ops_daily_check", {"overall_status": "warning"}, "warning"),
        ("ops_daily_check", {"overall_status": "ok"}, "info"),
        ("ops_governance_remediation_escalation", {"critical_count": 2}, "critical"),
        ("ops_governance_remediation_escalation", {"critical_count": 0}, "warning"),
        ("sla_escalation", {}, "warning"),
        ("anything", {}, "info"),
    ],
)
def test_how_bad_a_message_is(event, payload, level):
    assert level_of(event, payload) == level


def test_a_channel_gets_what_it_wants_and_nothing_else():
    assert fitted(Wants(frozenset({"a"})), "b", {}, None) is None
    assert fitted(Wants(least_level="critical"), "sla_escalation", {}, None) is None
    assert fitted(Wants(least_level="warning"), "sla_escalation", {}, None) == {}
    assert fitted(Wants(sites=frozenset({"본관"})), "a", {"x": 1}, "본관") == {"x": 1}
    assert fitted(Wants(sites=frozenset({"본관"})), "a", {"x": 1}, "별관") is None
    assert fitted(Wants(sites=frozenset({"본관"})), "a", {"x": 1}, None) is None


def test_a_channel_of_some_sites_gets_their_items_alone():
    items = [{"id": 1, "site": "본관"}, {"id": 2, "site": "별관"}, {"id": 3, "site": None}, "odd"]
    payload = {"count": 3, "notified_count": 3, "items": items, "assignees": ["kim"]}

    assert fitted(Wants(sites=frozenset({"본관"})), "a", payload, None) == {
        "count": 3,
        "notified_count": 1,
        "items": [{"id": 1, "site": "본관"}],
    }
    assert fitted(Wants(sites=frozenset({"신관"})), "a", payload, None) is None


def test_a_channel_of_some_sites_gets_their_orders_alone_and_counts_them():
    orders = [{"id": 1, "site": "본관"}, {"id": 2, "site": "별관"}, {"id": 3, "site": "본관"}]
    payload = {"escalated_count": 3, "work_order_ids": [1, 2, 3], "sites": ["별관", "본관"], "orders": orders}
    made = fitted(Wants(sites=frozenset({"본관"})), "sla_escalation", payload, None)

    assert made == {
        "escalated_count": 2,
        "work_order_ids": [1, 3],
        "sites": ["본관"],
        "orders": [orders[0], orders[2]],
    }
    assert fitted(Wants(sites=frozenset({"신관"})), "sla_escalation", payload, None) is None
    assert fitted(Wants(sites=frozenset({"신관"})), "sla_escalation", payload, "본관") is None
    assert shortened(payload, 1) == {**payload, "orders": orders[:1]}
    assert shortened(payload, None) is payload
