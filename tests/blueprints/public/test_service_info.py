import re

from console.blueprints.public import service_info

# The keys of the facility platform and their addresses, as published.
ALERTS = "/api/ops/alerts"
FACILITY = {
    "inspection_api": "/api/inspections",
    "work_order_api": "/api/work-orders",
    "work_order_events_api": "/api/work-orders/{id}/events",
    "escalation_api": "/api/work-orders/escalations/run",
    "monthly_report_api": "/api/reports/monthly",
    "monthly_report_csv_api": "/api/reports/monthly/csv",
    "monthly_report_pdf_api": "/api/reports/monthly/pdf",
    "alert_deliveries_api": f"{ALERTS}/deliveries",
    "alert_retry_api": f"{ALERTS}/retries/run",
    "alert_channel_kpi_api": f"{ALERTS}/kpi/channels",
    "alert_channel_mttr_kpi_api": f"{ALERTS}/kpi/mttr",
    "alert_mttr_slo_policy_api": f"{ALERTS}/mttr-slo/policy",
    "alert_mttr_slo_run_api": f"{ALERTS}/mttr-slo/check/run",
    "alert_mttr_slo_latest_api": f"{ALERTS}/mttr-slo/check/latest",
    "alert_channel_guard_api": f"{ALERTS}/channels/guard",
    "alert_channel_guard_recover_api": f"{ALERTS}/channels/guard/recover",
    "alert_channel_guard_recover_batch_api": f"{ALERTS}/channels/guard/recover-batch",
    "alert_channel_guard_recover_latest_api": f"{ALERTS}/channels/guard/recover/latest",
    "alert_retention_policy_api": f"{ALERTS}/retention/policy",
    "alert_retention_latest_api": f"{ALERTS}/retention/latest",
    "alert_retention_run_api": f"{ALERTS}/retention/run",
    "sla_simulator_api": "/api/ops/sla/simulate",
    "sla_policy_api": "/api/admin/policies/sla",
    "sla_policy_proposals_api": "/api/admin/policies/sla/proposals",
    "sla_policy_revisions_api": "/api/admin/policies/sla/revisions",
    "job_runs_api": "/api/ops/job-runs",
    "dashboard_summary_api": "/api/ops/dashboard/summary",
    "dashboard_trends_api": "/api/ops/dashboard/trends",
    "handover_brief_api": "/api/ops/handover/brief",
    "handover_brief_csv_api": "/api/ops/handover/brief/csv",
    "handover_brief_pdf_api": "/api/ops/handover/brief/pdf",
    "public_modules_api": "/api/public/modules",
    "adoption_portal_html": "/web/adoption",
    "facility_console_html": "/web/console",
    "workflow_locks_api": "/api/workflow-locks",
}


def test_every_address_in_the_answer_exists(client):
    answer = client.get("/api/service-info").json
    addresses = [re.sub(r"\{[^}]+\}", "1", value) for key, value in answer.items() if key not in ("service", "status")]

    assert [address for address in addresses if client.options(address).status_code == 404] == []
    assert client.options("/api/no-such-thing").status_code == 404
    assert len(addresses) > 100


def test_every_week_with_a_tracker_is_listed(client):
    answer = client.get("/api/service-info").json
    weeks = ("w02", "w03", "w04", "w07", "w09", "w10", "w11", "w12", "w13", "w14", "w15")

    for week in weeks:
        for part in ("bootstrap", "items", "overview", "readiness", "completion", "complete"):
            assert answer[f"adoption_{week}_tracker_{part}_api"] == f"/api/adoption/{week}/tracker/{part}"


def test_the_fixed_keys_are_the_published_ones(client):
    answer = client.get("/api/service-info").json

    assert {key: answer[key] for key in ("service", "status", "main_html", "docs")} == {
        "service": "ka-facility-os",
        "status": "running",
        "main_html": "/",
        "docs": "/docs",
    }


def test_the_keys_of_the_facility_platform_are_the_published_ones(client):
    answer = client.get("/api/service-info").json

    assert {key: answer.get(key) for key in FACILITY} == FACILITY


def test_what_has_no_route_is_not_promised():
    made = service_info.service_info({"/api/auth/me", "/api/admin/tokens/{token_id}/rotate"}.__contains__)

    assert made["auth_me_api"] == "/api/auth/me"
    assert made["admin_token_rotate_api"] == "/api/admin/tokens/{token_id}/rotate"
    assert "job_runs_api" not in made


def test_keys_follow_the_naming_rule():
    assert all(re.fullmatch(r"[a-z0-9_]+_(api|html)", key) for key in service_info.KEYS)
    assert len(set(service_info.KEYS.values())) == len(service_info.KEYS)


def test_the_governance_part_is_complete():
    tracker = [key for key in service_info.KEYS if key.startswith("ops_governance_remediation_tracker_")]

    # 24 keys, and two for what came later.
    assert len(tracker) == 26


def test_a_module_shows_with_its_living_links_only():
    made = service_info.modules({"/api/auth/me", "/api/admin/users"}.__contains__)

    assert [module["id"] for module in made["modules"]] == ["rbac-governance"]
    assert [link["href"] for link in made["modules"][0]["links"]] == ["/api/auth/me", "/api/admin/users"]


def test_the_public_list_keeps_the_published_head(client):
    answer = client.get("/api/public/modules").json

    assert list(answer) == ["title", "published_on", "public", "main_page", "console_html", "modules"]
    assert (answer["published_on"], answer["public"], answer["main_page"]) == ("2026-02-27", True, "/")
    assert all(list(one) == ["id", "name", "name_ko", "description", "kpi_hint", "links"] for one in answer["modules"])


def test_the_keys_of_users_and_tokens_are_there(client):
    answer = client.get("/api/service-info").json

    assert answer["admin_user_password_api"] == "/api/admin/users/{user_id}/password"
    assert answer["admin_user_token_issue_api"] == "/api/admin/users/{user_id}/tokens"
    assert answer["admin_token_revoke_api"] == "/api/admin/tokens/{token_id}/revoke"
