"""Policies of W09 to W15 as published: envelope, scopes, bounds, warnings, revisions, and the way back to inherited."""

import pytest
from sqlalchemy import func, select

from console.models.audit import AuditLog
from console.models.policies import Policy, PolicyRevision
from tests.support.policy_shape import assert_policy_shape

SITE, OTHER = "한빛마을 3단지", "푸른숲 타워"
OPS = "/api/ops/adoption"
# phase, policy_kind, key prefix, audit resource (API contract, identity section 16.3).
POLICIES = [
    ("w09", "kpi-policy", "adoption_w09_policy"),
    ("w10", "support-policy", "adoption_w10_support_policy"),
    ("w11", "readiness-policy", "adoption_w11_readiness_policy"),
    ("w12", "handoff-policy", "adoption_w12_handoff_policy"),
    ("w13", "handoff-policy", "adoption_w13_handoff_policy"),
    ("w14", "stability-policy", "adoption_w14_stability_policy"),
    ("w15", "efficiency-policy", "adoption_w15_efficiency_policy"),
]
W10 = {
    "enabled": True,
    "repeat_rate_green_threshold": 20.0,
    "repeat_rate_yellow_threshold": 30.0,
    "guide_publish_green_threshold": 80.0,
    "guide_publish_yellow_threshold": 60.0,
    "runbook_completion_green_threshold": 80.0,
    "runbook_completion_yellow_threshold": 60.0,
    "readiness_target": 75.0,
}
LATER = {
    name.replace("repeat_rate", "risk_rate")
    .replace("guide_publish", "checklist_completion")
    .replace("runbook_completion", "simulation_success"): value
    for name, value in W10.items()
}
KPI = ["kpi_key", "kpi_name", "direction", "owner_role", "green_threshold", "yellow_threshold", "target", "source_api"]
RULE = ["id", "kpi_key", "condition", "escalate_to", "sla_hours", "action"]
W10_PATH = f"{OPS}/w10/support-policy"


@pytest.fixture
def owner(api):
    return api("owner", username="olga")


@pytest.mark.parametrize(("week", "kind", "resource"), POLICIES)
def test_every_policy_answers_in_the_one_shape(owner, session, week, kind, resource):
    path, prefix = f"{OPS}/{week}/{kind}", f"adoption_{week}_{kind.replace('-', '_')}:"
    for site in (None, SITE):
        query = f"?site={site}" if site else ""
        read, put = owner.get(path + query), owner.put(path + query, json={"enabled": True})
        for answer in (read, put):
            assert answer.status_code == 200
            assert_policy_shape(answer.json, key=prefix, site=site, phase=week, policy_kind=kind, endpoint=path)
        assert (read.json["effective_from"], read.json["inherited"]) == ("default" if site is None else "global", True)
        assert (put.json["effective_from"], put.json["inherited"]) == ("global" if site is None else "site", False)

    columns = (AuditLog.action, AuditLog.resource_type, AuditLog.resource_id)
    entries = session.execute(select(*columns).order_by(AuditLog.seq))
    action = f"{week}_{kind.replace('-', '_')}_update"
    assert [tuple(row) for row in entries if row.action == action] == [
        (action, resource, f"{prefix}default"),
        (action, resource, f"{prefix}site:{SITE}"),
    ]


def test_the_built_in_values_are_the_published_ones(owner):
    assert owner.get(W10_PATH).json["policy"] == W10
    for week, kind, _resource in POLICIES[2:]:
        assert owner.get(f"{OPS}/{week}/{kind}").json["policy"] == LATER
    kpis = owner.get(f"{OPS}/w09/kpi-policy").json["policy"]
    assert list(kpis) == ["enabled", "kpis", "escalation_map"]
    assert [list(kpi) for kpi in kpis["kpis"]] == [KPI] * 5
    assert [(kpi["green_threshold"], kpi["yellow_threshold"]) for kpi in kpis["kpis"]] == [
        *((65.0, 55.0), (75.0, 65.0), (20.0, 30.0), (85.0, 75.0), (5.0, 10.0)),
    ]
    # What was published first, and for how many days its condition has to hold.
    assert [list(rule) for rule in kpis["escalation_map"]] == [[*RULE, "hold_days"]] * 4
    assert [rule["hold_days"] for rule in kpis["escalation_map"]] == [7, 7, 3, 1]
    assert [rule["sla_hours"] for rule in kpis["escalation_map"]] == [24, 24, 8, 24]


def test_reading_writes_nothing(owner, session):
    owner.get(W10_PATH)
    owner.get(f"{W10_PATH}?site={SITE}")
    assert session.scalar(select(func.count(Policy.id))) == 0


def test_a_site_inherits_value_by_value_and_finds_back(owner):
    at = f"{W10_PATH}?site={SITE}"
    owner.put(at, json={"readiness_target": 90})
    owner.put(W10_PATH, json={"readiness_target": 50, "guide_publish_green_threshold": 70})
    own = owner.get(at).json
    assert (own["policy"]["readiness_target"], own["policy"]["guide_publish_green_threshold"]) == (90.0, 70.0)
    assert (own["source"], own["inherited"]) == ("site", False)

    back = owner.delete(at)
    assert (back.status_code, back.json["source"], back.json["inherited"]) == (200, "global", True)
    assert back.json["policy"]["readiness_target"] == 50.0
    assert owner.delete(at).status_code == 404
    assert owner.delete(W10_PATH).status_code == 422
    revisions = owner.get(f"{W10_PATH}/revisions?site={SITE}").json
    assert [(one["revision"], one["source"], one["actor"]) for one in revisions] == [
        (2, "removal", "olga"),
        (1, "update", "olga"),
    ]
    assert owner.put(at, json={"readiness_target": 60}).json["meta"]["revision"] == 3


def test_numbers_are_bounded_and_brought_into_order_and_told(owner):
    sent = {
        "repeat_rate_green_threshold": 40,
        "repeat_rate_yellow_threshold": 10,
        "readiness_target": 120,
        "guide_publish_green_threshold": 50,
        "guide_publish_yellow_threshold": 66.666,
        "runbook_completion_green_threshold": "75.5",
        "runbook_completion_yellow_threshold": 0,
    }
    made = owner.put(W10_PATH, json=sent).json
    assert {name: made["policy"][name] for name in sent} == {
        "repeat_rate_green_threshold": 40.0,
        "repeat_rate_yellow_threshold": 40.0,
        "readiness_target": 100.0,
        "guide_publish_green_threshold": 50.0,
        "guide_publish_yellow_threshold": 50.0,
        "runbook_completion_green_threshold": 75.5,
        "runbook_completion_yellow_threshold": 0.0,
    }
    assert {(one["field"], one["code"]) for one in made["warnings"]} == {
        ("repeat_rate_yellow_threshold", "clamped"),
        ("readiness_target", "clamped"),
        ("guide_publish_yellow_threshold", "clamped"),
        ("runbook_completion_green_threshold", "converted"),
    }


def test_a_zero_is_never_below_zero(owner):
    made = owner.put(W10_PATH, json={"readiness_target": -0.0, "guide_publish_yellow_threshold": "-0"})
    assert (made.status_code, "-0" in str(made.json["policy"])) == (200, False)


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        '"text"',
        "",
        '{"readiness_target": NaN}',
        '{"readiness_target": Infinity}',
        '{"readiness_target": "nan"}',
        '{"readiness_target": "many"}',
        '{"readiness_target": [75]}',
        '{"readiness_target": {}}',
        '{"enabled": "false"}',
        '{"enabled": 0}',
        '{"readyness_target": 75}',
        '{"readiness_target": 60, "colour": "red"}',
    ],
)
def test_what_can_be_no_value_is_refused_and_leaves_nothing(owner, session, body):
    answer = owner.put(W10_PATH, data=body, content_type="application/json")
    assert answer.status_code == 422
    assert session.scalar(select(func.count(PolicyRevision.id))) == 0
    assert owner.get(W10_PATH).json["policy"] == W10


@pytest.mark.parametrize(
    "body",
    [
        {"kpis": {}},
        {"kpis": [5]},
        {"kpis": [{"green_threshold": 5}]},
        {"kpis": [{"kpi_key": "unknown"}]},
        {"kpis": [{"kpi_key": "escalation_rate_percent", "colour": "red"}]},
        {"kpis": [{"kpi_key": "escalation_rate_percent", "direction": "sideways"}]},
        {"kpis": [{"kpi_key": "escalation_rate_percent", "green_threshold": "low"}]},
        {"kpis": [{"kpi_key": "escalation_rate_percent", "owner_role": 7}]},
        {"kpis": [{"kpi_key": "escalation_rate_percent", "owner_role": "x" * 201}]},
        {"escalation_map": "all"},
        {"escalation_map": [{"kpi_key": "unknown"}]},
        {"escalation_map": [{"id": 5}]},
        {"escalation_map": [{"id": "X", "sla_hours": "soon"}]},
        {"escalation_map": [{"id": "X", "hold_days": "long"}]},
        {"escalation_map": [{"id": "X", "hold_days": True}]},
        {"escalation_map": [{"id": "X", "colour": "red"}]},
        {"escalation_map": [{"id": "X"}] * 41},
    ],
)
def test_kpis_and_rules_that_can_be_none_are_refused(owner, session, body):
    refused = owner.put(f"{OPS}/w09/kpi-policy", json=body)
    assert refused.status_code == 422
    assert "list of objects" not in str(refused.json) or "hold_days" not in str(body)
    assert session.scalar(select(func.count(PolicyRevision.id))) == 0


def test_a_refusal_names_the_value_as_it_was_sent(owner):
    kpi = {"kpi_key": "escalation_rate_percent", "green_threshold": "low"}
    refused = owner.put(f"{OPS}/w09/kpi-policy", json={"kpis": [kpi]}).json["detail"]
    assert [one["loc"] for one in refused] == [["body", "kpis.escalation_rate_percent.green_threshold"]]


def test_one_kpi_is_changed_and_the_others_stay(owner):
    path, key = f"{OPS}/w09/kpi-policy?site={SITE}", "escalation_rate_percent"
    change = {"kpi_key": key, "owner_role": "야간 반장", "green_threshold": 35, "yellow_threshold": 10}
    made = owner.put(path, json={"kpis": [change]}).json
    kpis = {kpi["kpi_key"]: kpi for kpi in made["policy"]["kpis"]}
    assert len(kpis) == 5
    one = kpis[key]
    assert (one["owner_role"], one["green_threshold"], one["yellow_threshold"]) == ("야간 반장", 35.0, 35.0)
    # An owner cannot be cleared, and what a partial list leaves out is not reset.
    kept = owner.put(path, json={"kpis": [{"kpi_key": "report_discipline_score", "green_threshold": 90}]})
    again = {kpi["kpi_key"]: kpi for kpi in kept.json["policy"]["kpis"]}
    assert again[key]["owner_role"] == "야간 반장"
    cleared = owner.put(path, json={"kpis": [{"kpi_key": key, "owner_role": ""}]}).json
    assert {kpi["kpi_key"]: kpi for kpi in cleared["policy"]["kpis"]}[key]["owner_role"] == "야간 반장"
    # Another site and the global policy know nothing of it.
    assert owner.get(f"{OPS}/w09/kpi-policy?site={OTHER}").json["policy"]["kpis"][2]["owner_role"] == "Site Champion"
    rules = owner.put(path, json={"escalation_map": [{"id": "R1", "kpi_key": key, "sla_hours": 999}]}).json
    assert rules["policy"]["escalation_map"] == [
        {
            "id": "R1",
            "kpi_key": key,
            "condition": "",
            "escalate_to": "",
            "sla_hours": 168,
            "action": "",
            "hold_days": 1,
        }
    ]


def test_what_is_pulled_into_its_bounds_in_a_rule_is_told(owner):
    rules = [{"id": "A", "sla_hours": 999, "hold_days": -5}, {"id": "B", "sla_hours": 8, "hold_days": 2}]
    rules += [{"id": "C", "sla_hours": "12", "hold_days": 2.5}]
    kpi = {"kpi_key": "report_discipline_score", "green_threshold": "90.126", "yellow_threshold": 101}
    made = owner.put(f"{OPS}/w09/kpi-policy?site={SITE}", json={"escalation_map": rules, "kpis": [kpi]}).json
    told = [(one["field"], one["code"], one["sent"], one["used"]) for one in made["warnings"]]
    assert told[:4] == [
        ("escalation_map.sla_hours", "clamped", "999", 168),
        ("escalation_map.hold_days", "clamped", "-5", 1),
        ("escalation_map.sla_hours", "converted", "12", 12),
        ("escalation_map.hold_days", "converted", "2.5", 2),
    ]
    # Values are named as they were sent, and what is told is what counts: rounded, and in order.
    assert told[4:] == [
        ("kpis.report_discipline_score.green_threshold", "converted", "90.126", 90.13),
        ("kpis.report_discipline_score.yellow_threshold", "clamped", "101", 90.13),
        ("kpis.report_discipline_score.yellow_threshold", "clamped", "100", 90.13),
    ]
    assert [made["policy"]["kpis"][3][name] for name in ("green_threshold", "yellow_threshold")] == [90.13, 90.13]
    body = '{"escalation_map": [{"id": "X", "sla_hours": 1e999}]}'
    endless = owner.put(f"{OPS}/w09/kpi-policy?site={SITE}", data=body, content_type="application/json")
    assert endless.status_code == 422


def test_old_clients_send_fields_that_nobody_knows(make_app, api):
    client, headers = make_app(API_UNKNOWN_FIELDS="ignore").test_client(), {"X-Admin-Token": api("owner").token}
    made = client.put(W10_PATH, json={"readiness_target": 60, "colour": "red"}, headers=headers)
    assert (made.status_code, made.json["policy"]["readiness_target"]) == (200, 60.0)
    assert made.json["warnings"] == [{"field": "colour", "code": "unknown", "sent": "red", "used": None}]
    sent = {"kpis": [{"kpi_key": "unknown"}], "escalation_map": [{"id": "R", "kpi_key": ""}, {"kpi_key": "unknown"}]}
    kpis = client.put(f"{OPS}/w09/kpi-policy", json=sent, headers=headers).json
    assert len(kpis["policy"]["kpis"]) == 5
    assert [rule["id"] for rule in kpis["policy"]["escalation_map"]] == ["R"]
    assert {one["code"] for one in kpis["warnings"]} == {"unknown"}


@pytest.mark.parametrize("value", ["many", [75], {}, "nan"])
def test_values_of_old_clients_that_can_be_none_of_their_fields_stay_as_they_were(make_app, api, value):
    """API contract, policy standard: accepted, and told."""
    client, headers = make_app(API_UNKNOWN_FIELDS="ignore").test_client(), {"X-Admin-Token": api("owner").token}
    client.put(W10_PATH, json={"readiness_target": 60}, headers=headers)
    sent = {"readiness_target": value, "enabled": "false", "repeat_rate_green_threshold": 10}
    made = client.put(W10_PATH, json=sent, headers=headers)
    assert made.status_code == 200
    assert [made.json["policy"][name] for name in sent] == [60.0, True, 10.0]
    assert {(one["field"], one["code"], one["used"]) for one in made.json["warnings"]} == {
        ("enabled", "refused", True),
        ("readiness_target", "refused", 60.0),
    }
    endless = client.put(W10_PATH, data='{"readiness_target": NaN}', headers=headers, content_type="application/json")
    assert endless.status_code == 422


def test_kpis_and_rules_of_old_clients_are_taken_as_far_as_they_go(make_app, api):
    client, headers = make_app(API_UNKNOWN_FIELDS="ignore").test_client(), {"X-Admin-Token": api("owner").token}
    path, key = f"{OPS}/w09/kpi-policy", "escalation_rate_percent"
    whole = client.put(path, json={"kpis": "all", "escalation_map": [5]}, headers=headers)
    assert (whole.status_code, len(whole.json["policy"]["escalation_map"])) == (200, 4)
    assert {(one["field"], one["code"]) for one in whole.json["warnings"]} == {
        ("kpis", "refused"),
        ("escalation_map", "refused"),
    }
    kpi = {"kpi_key": key, "green_threshold": 25, "direction": "sideways", "owner_role": 7}
    rules = [{"id": "A", "sla_hours": "soon"}, {"id": "B", "sla_hours": "12"}]
    made = client.put(path, json={"kpis": [{}, kpi], "escalation_map": rules}, headers=headers).json
    one = made["policy"]["kpis"][2]
    assert (one["green_threshold"], one["direction"], one["owner_role"]) == (25.0, "lower_better", "Site Champion")
    assert [(rule["id"], rule["sla_hours"]) for rule in made["policy"]["escalation_map"]] == [("A", 24), ("B", 12)]
    assert {(one["field"], one["code"]) for one in made["warnings"]} == {
        ("kpis.None", "unknown"),
        (f"kpis.{key}.direction", "refused"),
        (f"kpis.{key}.owner_role", "refused"),
        ("escalation_map.sla_hours", "refused"),
        ("escalation_map.sla_hours", "converted"),
    }


@pytest.mark.parametrize(("week", "kind", "_resource"), POLICIES)
def test_who_may_read_and_who_may_write(api, week, kind, _resource):
    path = f"{OPS}/{week}/{kind}"
    manager, auditor, operator = (api(role, (SITE,)) for role in ("manager", "auditor", "operator"))
    for person in (manager, auditor, operator):
        assert person.get(f"{path}?site={SITE}").status_code == 200
        assert person.get(f"{path}?site={OTHER}").status_code == 403
        assert person.get(path).status_code == 403
    assert manager.put(f"{path}?site={SITE}", json={"enabled": True}).status_code == 200
    assert operator.put(f"{path}?site={SITE}", json={"enabled": True}).status_code == 200
    assert auditor.put(f"{path}?site={SITE}", json={"enabled": True}).status_code == 403
    assert manager.put(f"{path}?site={OTHER}", json={"enabled": True}).status_code == 403
    assert manager.put(path, json={"enabled": True}).status_code == 403
    assert manager.delete(f"{path}?site={OTHER}").status_code == 403
    assert auditor.delete(f"{path}?site={SITE}").status_code == 403
    everywhere = api("manager").put(path, json={"enabled": True})
    assert everywhere.status_code == 403
    assert everywhere.json["detail"] == f"Global {week.upper()} policy update requires admins:manage"
    assert api("auditor").get(path).status_code == 200


def test_somebody_who_was_overtaken_is_told(owner):
    first = owner.put(W10_PATH, json={"readiness_target": 60})
    assert first.headers["ETag"] == '"1"'
    assert owner.put(W10_PATH, json={"readiness_target": 61}, headers={"If-Match": '"1"'}).status_code == 200
    assert owner.put(W10_PATH, json={"readiness_target": 62}, headers={"If-Match": '"1"'}).status_code == 412
    # The same again is no change.
    assert owner.put(W10_PATH, json={"readiness_target": 61}).json["meta"]["revision"] == 2


def test_a_blank_site_is_none_and_a_strange_one_is_refused(owner):
    assert owner.get(f"{W10_PATH}?site=%20").json["site"] is None
    assert owner.get(f"{W10_PATH}?site={'x' * 121}").status_code == 422
    assert owner.put(f"{W10_PATH}?site=*", json={}).status_code == 422
