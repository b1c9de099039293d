"""The pages of gate, preflight and security: what they say, in which language, to whom, with and without script."""

import html
import re

import pytest
from sqlalchemy import select

from console.domain.gate.rules import RULES
from console.domain.identity.risk import RISK_TERMS
from console.domain.runbook.runbook import registered
from console.models.audit import AuditLog
from console.models.jobs import JobRun
from console.services.gate import gate
from console.services.runbook import preflight
from console.services.runbook.preflight import examine_process
from console.ui.labels.runbook import CHECKS, FIELDS
from console.ui.labels.runbook import RISK_TERMS as TERM_WORDS
from console.ui.labels.runbook import RULES as RULE_WORDS
from tests.factories import make_user
from tests.support.page_words import words_of

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
PAGES = ["/gate", "/gate/history", "/ops/preflight", "/ops/security"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("manager", 200), ("auditor", 200)])
def test_the_pages_open_for_those_who_read_them(api, path, role, status):
    assert api(role).get(path).status_code == status


@pytest.mark.parametrize(
    ("path", "status"), [("/gate", 200), ("/gate/history", 200), ("/ops/preflight", 403), ("/ops/security", 403)]
)
def test_an_operator_sees_the_gate_but_not_the_insides_of_the_platform(api, path, status):
    assert api("operator").get(path).status_code == status


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("language", "title"), [("ko", "[가-힣]"), ("en", "[A-Za-z]")])
def test_a_page_speaks_the_language_of_its_reader(api, path, language, title):
    response = api().get(path, headers={"Accept-Language": language})

    assert re.search(rf"<h1>[^<]*{title}[^<]*</h1>", response.text)
    assert f'lang="{language}"' in response.text


def test_the_gate_tells_the_verdict_in_words_with_links_to_the_rules(api):
    response = api().get("/gate", headers={"Accept-Language": "ko"})

    assert "가중 점수 47.5%가 기준 75.0%보다 낮습니다." in words_of(response)
    assert 'href="#rule-daily_check_recent"' in response.text
    assert 'id="rule-daily_check_recent"' in response.text
    assert response.text.count('id="rule-') == 7


@pytest.mark.parametrize(
    ("path", "element"), [("/gate", "gate"), ("/ops/preflight", "preflight"), ("/ops/security", "security")]
)
def test_a_page_holds_the_very_fragment_that_is_polled(api, path, element):
    caller = api()
    fragment = caller.get(path, headers=PARTIAL)
    page = caller.get(path)

    assert fragment.text.strip().startswith(f'<div id="{element}"')
    assert "<html" not in fragment.text
    assert "HX-Request-Type" in fragment.headers["Vary"]
    opening = fragment.text.strip().split("\n")[0]
    assert opening in page.text


def test_the_gate_is_run_through_the_queue(api, session):
    caller = api("manager")

    response = caller.post("/gate/start", headers=PARTIAL)

    row = session.scalars(select(JobRun)).one()
    assert (row.job_name, row.state, row.trigger) == ("ops_governance_gate", "queued", "manual")
    assert 'id="run-ops_governance_gate"' in response.text
    assert 'data-poll="/gate/panel" data-poll-every="2"' in response.text
    panel = caller.get("/gate/panel", headers=PARTIAL)
    assert panel.status_code == 200
    assert f"#{row.id}" in panel.text


def test_without_script_the_start_leads_back_to_the_page(api):
    response = api().post("/gate/start")

    assert (response.status_code, response.headers["Location"]) == (303, "/gate")


def test_polling_ends_when_the_run_is_over(api):
    caller = api()
    caller.post("/api/ops/governance/gate/run")

    panel = caller.get("/gate/panel", headers=PARTIAL)

    assert panel.status_code == 286
    assert "/gate/runs/1" in panel.text


@pytest.mark.parametrize("role", ["operator", "auditor"])
def test_readers_find_no_button_and_no_way_to_run_the_gate(api, session, role):
    caller = api(role)

    assert "/gate/start" not in caller.get("/gate").text
    assert caller.post("/gate/start").status_code == 403
    caller.application.extensions["afterwards"].flush()
    # The page that explains the refusal must not hold the lock that its record needs.
    denied = session.execute(select(AuditLog.action, AuditLog.resource_id).where(AuditLog.status == "denied")).all()
    assert [(row.action, row.resource_id.split()[-1]) for row in denied] == [("permission_denied", "/gate/start")]


def test_a_stored_verdict_has_a_page_of_its_own(api):
    caller = api()
    caller.post("/api/ops/governance/gate/run")

    response = caller.get("/gate/runs/1", headers={"Accept-Language": "en"})

    assert response.status_code == 200
    assert "The weighted score of 47.5 % is below 75.0 %." in words_of(response)
    assert caller.get("/gate/runs/99").status_code in (303, 404)


def test_a_run_without_verdict_is_shown_as_the_run_that_it_is(api, session, monkeypatch):
    caller = api()
    monkeypatch.setattr(preflight, "facts", lambda _ctx: 1 / 0)
    assert caller.post("/api/ops/governance/gate/run").status_code == 500

    response = caller.get("/gate/runs/1")

    assert (response.status_code, response.headers["Location"]) == (303, "/jobs/runs/1")


def test_the_page_says_when_the_stored_verdict_is_another_one(api, session):
    caller = api()
    assert "저장된 판정이 아직 없습니다" in caller.get("/gate").text
    caller.post("/api/ops/governance/gate/run")
    assert "마지막으로 저장된 판정" not in caller.get("/gate").text

    row = session.scalars(select(JobRun)).one()
    row.detail_json = {**row.detail_json, "decision": "go"}
    session.commit()

    assert "마지막으로 저장된 판정" in caller.get("/gate").text


def test_plan_and_verdicts_download_as_csv(api, session):
    caller = api()
    caller.post("/api/ops/governance/gate/run")

    plan = caller.get("/gate/plan.csv?bom=1")
    verdicts = caller.get("/gate/history.csv?decision=no_go")

    assert plan.text.startswith("\ufeffitem_id,rule_id,")
    lines = verdicts.text.split("\r\n")
    assert lines[0] == "run_id,decision,weighted_score_percent,failure_count,warning_count,trigger,finished_at"
    assert lines[1].startswith("1,no_go,47.5,0,4,api,2026-03-02T00:00:00")
    session.rollback()
    actions = set(session.scalars(select(AuditLog.action)))
    assert "ops_governance_gate_remediation_csv_export" in actions


def test_verdicts_are_filtered(api):
    caller = api()
    caller.post("/api/ops/governance/gate/run")

    assert "/gate/runs/1" in caller.get("/gate/history?decision=no_go&since=2026-03-02").text
    assert "/gate/runs/1" not in caller.get("/gate/history?decision=go").text
    assert caller.get("/gate/history?since=never").status_code == 422


def test_the_preflight_shows_each_process_and_looks_again(api):
    caller = api()
    assert "아직 보고한 프로세스가 없습니다" in caller.get("/ops/preflight").text

    response = caller.post("/ops/preflight/refresh")

    assert (response.status_code, response.headers["Location"]) == (303, "/ops/preflight")
    name = caller.get("/api/ops/preflight").json["source"]
    page = caller.get(f"/ops/preflight?process={name}", headers={"Accept-Language": "en"})
    assert name.removeprefix("web-") in page.text
    assert "Runbook checks" in page.text


@pytest.mark.parametrize(("query", "days"), [("", 30), ("?days=7", 7), ("?days=8", 30), ("?days=x", 30)])
def test_the_security_page_looks_back_as_far_as_asked(api, query, days):
    response = api().get(f"/ops/security{query}", headers={"Accept-Language": "en"})

    assert f'data-poll="/ops/security?days={days}"' in response.text


def test_every_rule_check_and_field_has_a_name(ctx):
    taken = gate.snapshot(ctx)
    found = [check.id for check in examine_process(ctx.config, ctx.now()).checks]
    # A variable that must be set is called by its own name.
    checks = [id_ for id_ in found if not id_.startswith("required_env_")]

    assert {rule.id for rule in RULES} <= set(RULE_WORDS)
    assert {*checks, *(spec.id for spec in registered())} <= set(CHECKS)
    assert {key for rule in taken.rules for key in rule.detail} | set(vars(taken.policy)) <= set(FIELDS)
    assert {term.name for term in RISK_TERMS} == set(TERM_WORDS)


def test_what_others_wrote_is_shown_as_text(api, session, clock):
    caller = api(username="<b>boss</b>")
    caller.post("/api/ops/governance/gate/run")

    page = caller.get("/ops/security").text

    assert "&lt;b&gt;boss&lt;/b&gt;" in page
    assert "<b>boss</b>" not in page


def test_the_numbers_of_the_security_page_open_their_rows(api, session, clock):
    make_user(session, now=clock.now())
    caller = api()
    caller.post("/api/ops/governance/gate/run")
    page = caller.get("/ops/security").text

    links = {html.unescape(link) for link in re.findall(r'href="(/(?:audit|admin)[^"]*)"', page)}

    assert {"/admin/tokens", "/admin/users?state=active"} <= links
    assert any(link.startswith("/audit?from=2026-01-31&status=warning") for link in links)
    assert {link: caller.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_the_plan_shows_no_number_that_means_another_item_on_the_board(browser_client):
    # A line of the plan is numbered by its rank, an item of the board once and for ever.
    page = browser_client("owner").get("/gate")

    assert 'id="plan"' in page.text
    assert "GR-0" not in page.text


@pytest.mark.parametrize(
    ("language", "sum_", "turn"),
    [
        ("ko", "가중치 10 중 4.75 통과: 47.5%. GO가 되려면 75%가 필요합니다.", "통과하면 GO로 바뀌는 규칙:"),
        ("en", "4.75 of 10 weights pass: 47.5 %; GO needs 75 %.", "It turns to GO when these pass:"),
    ],
)
def test_the_score_is_a_picture_with_its_table_and_the_way_to_go(api, language, sum_, turn):
    response = api().get("/gate", headers={"Accept-Language": language})
    page = response.text
    figure = page[page.index('aria-labelledby="gate-weights-title') : page.index('id="gate-turn"')]
    way = page[page.index('id="gate-turn"') :].split("</p>")[0]

    assert sum_ in words_of(response)
    assert figure.count('<rect class="series-') == len(RULES)
    assert figure.count('href="#rule-') == len(RULES)
    assert turn in way
    assert re.search(r"\+\d+(\.\d+)?", way)
    assert 'href="#rule-' in way


def test_a_kept_verdict_has_the_same_picture(api, session):
    caller = api()
    caller.post("/api/ops/governance/gate/run")
    run = session.scalars(select(JobRun.id).where(JobRun.job_name == "ops_governance_gate")).first()

    assert 'id="gate-weights-title"' in caller.get(f"/gate/runs/{run}").text
