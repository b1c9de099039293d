"""The pages of the autopilot: what they say and to whom, that they act through the queue, and work without script."""

import html
import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from console.models.audit import AuditLog
from console.models.identity import User
from console.models.jobs import JobRun
from console.models.policies import PolicyProposal, PolicyRevision
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from tests.conftest import actor_of
from tests.services.automation.automation_support import (
    AUTO_ASSIGN,
    AUTOPILOT,
    KPI,
    item,
    items_of,
    people,
    run,
    set_policy,
)

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
PAGES = ["/autopilot", "/autopilot/policy", "/autopilot/figures", "/autopilot/runs"]
KO, EN = {"Accept-Language": "ko"}, {"Accept-Language": "en"}


@pytest.fixture
def tracker(session, clock, make_ctx):
    """Four items, a policy that somebody set, and some runs."""
    people(session, clock)
    session.commit()
    ctx = make_ctx(username="olga")
    set_policy(ctx, sync_before_run=False)
    item(session, clock, 1, -2, critical=True)
    item(session, clock, 2, 3)
    item(session, clock, 3, 100, assignee="kim")
    session.commit()
    return ctx


@pytest.fixture
def ran(tracker, session, clock):
    """The same after a measurement, a dry run, a run and a skipped one."""
    run(tracker, KPI)
    run(tracker, AUTOPILOT, dry_run=True)
    found = run(tracker, AUTOPILOT)
    clock.advance(timedelta(minutes=5))
    run(tracker, AUTOPILOT)
    clock.advance(timedelta(hours=1))
    run(tracker, KPI)
    return found.run.id


def words(response):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.text)))


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("role", ["owner", "manager", "operator", "auditor"])
def test_the_pages_open_for_those_who_read_the_tracker(api, ran, path, role):
    assert api(role).get(path).status_code == 200


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("language", "letters"), [("ko", "[가-힣]"), ("en", "[A-Za-z]")])
def test_a_page_speaks_the_language_of_its_reader(api, ran, path, language, letters):
    response = api().get(path, headers={"Accept-Language": language})

    assert re.search(rf"<h1>[^<]*{letters}[^<]*</h1>", response.text)
    assert f'lang="{language}"' in response.text


def test_the_plan_names_items_people_and_reasons_in_korean(api, session, tracker):
    names = session.scalars(select(User.display_name).where(User.username.in_(("anna", "bora")))).all()
    response = api().get("/autopilot", headers=KO)

    said = words(response)
    assert "오토파일럿" in said
    assert "계획 미리보기" in said
    assert any(f"배정 GR-001 → {name}" in said for name in names)
    assert "새 단계: 심각·기한 초과" in said
    assert "처리 안 함 GR-003" in said
    assert "상황이 바뀌면 실행하지 않습니다" in said
    assert "다음 실행 09:55" in said


def test_the_plan_of_the_page_is_that_of_the_api(api, tracker):
    caller = api("owner", username="olga")
    plan = caller.post("/api/ops/governance/gate/remediation/tracker/autopilot/preview").json["plan"]
    page = caller.get("/autopilot")

    rows = re.findall(r'<a class="cell-title" href="/board/items/(\d+)"', page.text)
    assert [int(one) for one in rows] == [line["id"] for line in plan["lines"]]
    assert f'name="fingerprint" value="{plan["fingerprint"]}"' in page.text


@pytest.mark.parametrize(
    ("path", "element"),
    [("/autopilot", "autopilot"), ("/autopilot/policy", "policy"), ("/autopilot/figures", "figures")],
)
def test_a_page_holds_the_very_fragment_that_is_asked_for(api, ran, path, element):
    caller = api()
    fragment, page = caller.get(path, headers=PARTIAL), caller.get(path)

    assert fragment.text.strip().startswith(f'<div id="{element}"')
    assert "<html" not in fragment.text
    assert fragment.text.strip().split("\n")[0] in page.text


def test_a_run_as_planned_goes_through_the_queue_with_its_fingerprint(api, session, tracker):
    caller = api("manager")
    page = caller.get("/autopilot")
    mark = re.search(r'name="fingerprint" value="([0-9a-f]{64})"', page.text)[1]

    response = caller.post("/autopilot/start", data={"fingerprint": mark}, headers=PARTIAL)

    row = session.scalars(select(JobRun).where(JobRun.state == "queued")).one()
    assert (row.options_json["fingerprint"], row.dry_run, row.trigger) == (mark, False, "manual")
    assert f'id="run-{AUTOPILOT}"' in response.text
    assert 'data-poll-every="2"' in response.text


def test_a_dry_run_is_asked_for_without_a_fingerprint(api, session, tracker):
    api("manager").post("/autopilot/start", data={"fingerprint": "a" * 64, "dry_run": "1"}, headers=PARTIAL)

    row = session.scalars(select(JobRun).where(JobRun.state == "queued")).one()
    assert (row.options_json["fingerprint"], row.dry_run) == (None, True)


def test_passing_over_the_guard_needs_a_reason_that_stays(api, session, tracker):
    caller = api("manager")
    assert caller.post("/autopilot/start", data={"force": "1", "reason": " "}).status_code == 422

    response = caller.post("/autopilot/start", data={"force": "1", "reason": "Fire in the pump room"})

    assert response.status_code == 303
    row = session.scalars(select(JobRun).where(JobRun.state == "queued")).one()
    assert row.options_json["force"] is True
    said = session.scalars(select(AuditLog.detail_json).where(AuditLog.action.like("%autopilot_force"))).one()
    assert "Fire in the pump room" in said


def test_the_panel_ends_its_polling_with_the_run(api, session, tracker):
    caller = api("manager")
    caller.post("/autopilot/start", data={}, headers=PARTIAL)
    assert caller.get("/autopilot/panel", headers=PARTIAL).status_code == 200
    row = session.scalars(select(JobRun).where(JobRun.state == "queued")).one()
    session.rollback()
    run_engine.perform(tracker, registry.find, row.id, "worker")

    done = caller.get("/autopilot/panel", headers={**PARTIAL, **EN})

    assert done.status_code == 286
    assert "Assigned 2, told about 0." in words(done)
    assert f'href="/autopilot/runs/{row.id}"' in done.text


@pytest.mark.parametrize("role", ["operator", "auditor"])
def test_who_only_reads_sees_no_buttons_and_starts_nothing(api, session, tracker, role):
    caller = api(role)

    assert "autopilot-start" not in caller.get("/autopilot").text
    assert "/autopilot/stop" not in caller.get("/autopilot").text
    for path in ("start", "stop", "resume", "policy"):
        assert caller.post(f"/autopilot/{path}", data={"reason": "x"}).status_code == 403
    assert session.scalar(select(func.count()).select_from(JobRun).where(JobRun.state == "queued")) == 0


def test_readers_of_one_site_get_their_figures_and_an_explanation(api, session, clock, tracker):
    item(session, clock, 9, -1, site="별관")
    session.commit()
    caller = api("manager", ("본관",))

    assert "all sites" in words(caller.get("/autopilot", headers=EN))
    assert "GR-001" not in caller.get("/autopilot").text
    figures = caller.get("/autopilot/figures", headers=EN)
    assert "3 open, 1 late, 2 unassigned" in words(figures)
    for path in ("/autopilot/policy", "/autopilot/runs", "/autopilot/history.csv", "/autopilot/runs.csv"):
        assert caller.get(path).status_code == 403


def test_the_kill_switch_stands_out_and_only_owners_resume(api, session, tracker):
    manager, owner = api("manager", username="minsu"), api("owner", username="otto")
    assert manager.post("/autopilot/stop", data={"reason": ""}).status_code == 422
    assert manager.post("/autopilot/stop", data={"reason": "Wrong people"}).status_code == 303

    page = manager.get("/autopilot", headers=EN)
    assert "The automation is stopped" in words(page)
    assert "Run as planned" not in words(page)
    assert "autopilot-resume" not in page.text
    assert "autopilot-resume" in owner.get("/autopilot").text
    assert manager.post("/autopilot/resume", data={"reason": "x"}).status_code == 403
    assert owner.post("/autopilot/resume", data={"reason": "Mended"}).status_code == 303
    assert "The automation is stopped" not in words(owner.get("/autopilot", headers=EN))


def form_of(caller, **changes):
    """Return what the form of the policy would send."""
    inputs = re.findall(r"<input ([^>]*)>", caller.get("/autopilot/policy").text)
    fields = [dict(re.findall(r'([\w-]+)(?:="([^"]*)")?', one)) for one in inputs]
    values = {one["name"]: one["value"] for one in fields if one.get("type") == "number"}
    boxes = {one["name"]: "y" for one in fields if one.get("type") == "checkbox" and "checked" in one}
    return {**values, **boxes, "reason": "because", **changes}


def test_a_manager_proposes_and_an_owner_approves(api, session, tracker):
    manager, owner = api("manager", username="minsu"), api("owner", username="otto")
    sent = form_of(manager, cooldown_minutes="90", action="propose")

    assert manager.post("/autopilot/policy", data=sent).status_code == 303

    made = session.scalars(select(PolicyProposal)).one()
    assert (made.changes, made.shadow, made.reason) == ({"cooldown_minutes": {"old": 30, "new": 90}}, True, "because")
    page = owner.get("/autopilot/policy", headers=EN)
    assert "Proposed change" in words(page)
    assert f'id="approve-{made.id}"' in page.text
    assert f'id="approve-{made.id}"' not in manager.get("/autopilot/policy").text
    assert "The comparison begins with the next hourly run." in words(page)
    # The form is gone while it waits; the page says why, and what brings it back.
    other = api("manager", username="suji")
    waits = f"Proposal #{made.id} waits for a decision"
    assert f"{waits} Approve or reject it, or withdraw it; then another change can be proposed." in words(page)
    for reader, then in (
        (manager, "Withdraw it to propose another change."),
        (other, "Another change can be proposed when it is decided or withdrawn."),
    ):
        assert f"{waits} {then}" in words(reader.get("/autopilot/policy", headers=EN))
        assert "Propose a change…" not in words(reader.get("/autopilot", headers=EN))
    decided = owner.post(f"/autopilot/proposals/{made.id}", data={"decision": "approve", "note": ""})
    assert decided.status_code == 303
    assert "revision 2" in words(owner.get("/autopilot", headers=EN))
    assert waits not in words(manager.get("/autopilot/policy", headers=EN))
    assert "Propose a change…" in words(manager.get("/autopilot", headers=EN))


def test_the_shadow_shows_day_and_agreement(api, session, clock, tracker):
    manager = api("manager", username="minsu")
    manager.post("/autopilot/policy", data=form_of(manager, auto_assign_max_items="1", action="propose"))
    session.commit()
    run(tracker, AUTOPILOT)
    clock.advance(timedelta(days=2))

    assert "day 3 of comparison · agrees 0 %" in words(manager.get("/autopilot", headers=EN))
    page = words(manager.get("/autopilot/policy", headers=EN))
    assert "Runs that act / 1 1 1" in page
    assert "Assignments 2 1" in page


def test_an_owner_saves_at_once_and_a_manager_cannot(api, session, tracker):
    manager, owner = api("manager", username="minsu"), api("owner", username="otto")

    assert (
        manager.post("/autopilot/policy", data=form_of(manager, cooldown_minutes="90", action="save")).status_code
        == 403
    )
    assert owner.post("/autopilot/policy", data=form_of(owner, cooldown_minutes="90", action="save")).status_code == 303

    newest = session.scalars(select(PolicyRevision).order_by(PolicyRevision.id.desc())).first()
    assert (newest.changes, newest.reason) == ({"cooldown_minutes": {"old": 30, "new": 90}}, "because")


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"cooldown_minutes": "5000"}, "cooldown_minutes"), ({"cooldown_minutes": "x"}, "cooldown_minutes"),
     ({"reason": ""}, "reason"), ({"kpi_window_days": "0"}, "kpi_window_days")],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_named_and_what_was_typed_stays(api, session, tracker, changes, field):
    owner = api("owner", username="otto")

    response = owner.post("/autopilot/policy", data=form_of(owner, **changes, action="propose"))

    assert response.status_code == 422
    assert f'id="{field}-error"' in response.text
    for value in filter(None, changes.values()):
        assert value in response.text
    assert session.scalar(select(func.count()).select_from(PolicyProposal)) == 0


def test_a_simulation_tells_what_a_run_would_do_and_stores_nothing(api, session, tracker):
    owner = api("owner", username="otto")
    before = session.scalar(select(func.count()).select_from(PolicyRevision))

    response = owner.post(
        "/autopilot/policy", data=form_of(owner, auto_assign_max_items="1", reason="", action="simulate"), headers=EN
    )

    assert response.status_code == 200
    assert "A run would assign 1 items and tell about 2." in words(response)
    assert session.scalar(select(func.count()).select_from(PolicyRevision)) == before


def test_every_number_of_the_figures_opens_its_rows(api, ran):
    caller = api()
    page = caller.get("/autopilot/figures", headers=EN)

    links = {html.unescape(one) for one in re.findall(r'class="stat-link" href="([^"]+)"', page.text)}
    assert len(links) == 8
    for link in links:
        assert caller.get(link).status_code == 200
    late = next(link for link in links if "due=overdue" in link)
    assert "GR-001" in caller.get(late).text
    assert "GR-003" not in caller.get(late).text


def test_the_runs_are_listed_filtered_and_exported(api, ran):
    caller = api()

    def ids(query=""):
        return re.findall(
            r'<a class="cell-title" href="/autopilot/runs/(\d+)"', caller.get(f"/autopilot/runs{query}").text
        )

    assert len(ids()) == 3
    assert ids("?outcome=executed&kind=real") == [str(ran)]
    assert len(ids("?skip_reason=cooldown_active")) == 1
    assert len(ids("?kind=dry")) == 1
    assert len(ids("?since=2000-01-01")) == 3
    assert ids("?until=2000-01-01") == ids("?since=2100-01-01") == []
    assert caller.get("/autopilot/runs?outcome=other").status_code == 422
    exported = caller.get("/autopilot/runs.csv?outcome=executed&kind=real").text.splitlines()
    assert len(exported) == 2


def test_the_page_the_files_and_the_api_tell_the_same_numbers(api, ran):
    caller = api()
    base = "/api/ops/governance/gate/remediation/tracker/autopilot"
    summary = caller.get(f"{base}/summary?days=14").json
    page = words(caller.get("/autopilot", headers=EN))

    assert summary["total_runs"] == 3
    assert "Executed 1" in page
    assert f"Skipped {summary['skipped_runs']}" in page
    assert f"Cooldown {summary['skip_reason_counts']['cooldown_active']}" in page
    lines = dict(line.split(",", 1) for line in caller.get("/autopilot/summary.csv").text.splitlines()[1:])
    assert (lines["total_runs"], lines["skipped_runs"]) == ("3", "1")
    for what in ("history", "summary", "anomalies"):
        file = caller.get(f"/autopilot/{what}.csv?bom=1")
        assert file.text.startswith("\ufeff")
        assert "attachment" in file.headers["Content-Disposition"]


def test_a_run_shows_what_it_did_and_can_be_taken_back(api, session, ran):
    caller = api("manager")
    page = caller.get(f"/autopilot/runs/{ran}", headers=EN)

    said = words(page)
    assert "2 of 2 suggestions" in said
    assert "No one could be notified: no alert channel is configured." in said
    assert re.search(r"Unassigned 2 0", said)
    undo = re.search(r'action="(/autopilot/runs/\d+/undo)"', page.text)[1]
    assert caller.post(undo).status_code == 303
    assert all(row.assignee in (None, "kim") for row in items_of(session).values())
    assert "/undo" not in api("auditor").get(f"/autopilot/runs/{ran}").text


def test_a_run_of_its_own_and_one_that_was_lost_are_shown_as_well(api, session, clock, tracker):
    own = run(tracker, AUTO_ASSIGN).run.id
    lost = JobRun(job_name=AUTOPILOT, trigger="cron", state="finished", status="critical", error_code="worker_lost",
                  detail_json={"error": "worker_lost"}, started_at=clock.now(), finished_at=clock.now(),
                  requested_at=clock.now())  # fmt: skip
    session.add(lost)
    session.commit()
    caller = api()

    assert "2 of 2 suggestions" in words(caller.get(f"/autopilot/runs/{own}", headers=EN))
    assert "The worker disappeared" in words(caller.get(f"/autopilot/runs/{lost.id}", headers=EN))
    assert caller.get("/autopilot/runs/99999").status_code == 404


def test_an_empty_tracker_says_what_to_expect(api):
    said = words(api().get("/autopilot", headers=EN))

    assert "Nothing is open" in said
    assert "It has not run yet." in said
    assert "A run would do nothing now: no trigger of the policy is met." in said


def test_the_place_is_in_the_navigation_of_those_who_read(api, tracker):
    assert 'href="/autopilot"' in api("operator").get("/autopilot").text
    assert actor_of("operator").can("governance:read")


@pytest.mark.parametrize("configured", [False, True])
def test_the_plan_and_the_dialog_say_before_the_button_that_nobody_is_told(api, tracker, app, monkeypatch, configured):
    if configured:
        wired = app.extensions["console_config"].replaced(ALERT_WEBHOOK_URLS="https://hooks.example/alerts")
        monkeypatch.setitem(app.extensions, "console_config", wired)
    page = api("manager").get("/autopilot", headers=KO).text
    plan = page[page.index('id="plan-title"') : page.index('id="autopilot-start"')]
    dialog = page[page.index('id="autopilot-force"') :]

    assert "새 단계" in plan
    for part in (plan, dialog):
        assert ("채널 없음: 아무에게도 가지 않습니다" in part) is not configured


def test_a_plan_without_messages_says_nothing_about_channels(api, session, clock, make_ctx):
    item(session, clock, 1, 100, assignee="kim")
    session.commit()

    assert "채널 없음" not in api("auditor").get("/autopilot", headers=KO).text
