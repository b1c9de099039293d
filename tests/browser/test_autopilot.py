"""The autopilot in a real browser: plan, run before one's eyes, kill switch, proposal; and every page for everybody."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from console.core.config import Config
from console.core.context import SYSTEM, unit_of_work
from console.core.process import ProcessRuntime, worker_name
from console.domain.alerts.alerts import answered
from console.models.jobs import JobRun
from console.services.alerts import channels as alert_channels
from console.services.alerts import delivery as alert_delivery
from console.services.alerts import outbox as alerts
from console.services.jobs import engine as run_engine
from console.services.jobs import registry

OTHERS = ("/autopilot/policy", "/autopilot/figures", "/autopilot/runs")
JOB = "ops_governance_remediation_autopilot"
PANEL = f"#run-{JOB}"


@pytest.fixture
def place(site):
    made = ProcessRuntime.of(Config.for_tests(DATABASE_URL=site.database))
    yield made
    made.engine.dispose()


@pytest.fixture
def dead(site, place):
    """One delivery that its receiver did not want any more; returns its id."""
    config = Config.for_tests(DATABASE_URL=site.database, ALERT_WEBHOOK_URLS="https://gone.example/hook")

    def transactions():
        return unit_of_work(place.sessions, actor=SYSTEM, clock=place.clock, config=config)

    with transactions() as ctx:
        raised = alerts.raise_alert(ctx, "ops_governance_remediation_escalation", {"event": "escalation"})
    known = {one.key: one for one in alert_channels.built_in(config)}
    alert_delivery.deliver(transactions, Gone(), known, most_attempts=8)
    return raised.delivery_ids[0]


class Gone:
    """A receiver that is no more."""

    def send(self, _channel, _message_id, _payload, _at):
        """Refuse for good."""
        return answered(410)


def carry_out(place):
    """Do what a worker would do with the run that waits; returns its id."""
    with place.by_hand() as ctx:
        waiting = select(func.max(JobRun.id)).where(JobRun.job_name == JOB, JobRun.state == "queued")
        run_id = ctx.session.scalar(waiting)
        ctx.session.rollback()
        assert run_engine.perform(ctx, registry.find, run_id, worker_name()) is not None
    return run_id


def test_a_dry_run_ends_before_ones_eyes_and_leads_to_what_it_would_do(page_as, place):
    page = page_as("manager", lang="en")
    page.goto("/autopilot")
    page.get_by_role("button", name="Dry run").click()

    expect(page.locator(PANEL)).to_contain_text("Queued")
    run_id = carry_out(place)
    expect(page.locator(PANEL)).to_contain_text("Dry run")
    expect(page.locator(PANEL)).to_have_attribute("data-poll-every", "0")
    page.locator(f"{PANEL} a").first.click()
    page.wait_for_url(f"**/autopilot/runs/{run_id}")
    assert "Run #" in page.locator("h1").inner_text()


def test_a_plan_that_no_longer_holds_is_refused(page_as, place):
    page = page_as("manager", lang="en")
    page.goto("/autopilot")
    page.locator("#autopilot-start input[name=fingerprint]").evaluate("field => { field.value = '0'.repeat(64); }")
    page.get_by_role("button", name="Run as planned").click()

    expect(page.locator(PANEL)).to_contain_text("Queued")
    carry_out(place)

    expect(page.locator(PANEL)).to_contain_text("the situation had changed")


def test_the_kill_switch_asks_why_and_an_owner_turns_it_back(page_as):
    page = page_as("owner", lang="en")
    page.goto("/autopilot")
    page.get_by_text("Stop…").first.click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_label("Reason").fill("night works")
    dialog.get_by_role("button", name="Stop").click()

    expect(page.locator(".notice-late")).to_contain_text("The automation is stopped")
    assert page.get_by_role("button", name="Run as planned").count() == 0
    page.get_by_text("Resume…").first.click()
    dialog.get_by_label("Reason").fill("done")
    dialog.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Run as planned")).to_be_visible()


def test_a_manager_proposes_and_the_owner_decides(page_as):
    page = page_as("manager", lang="en")
    page.goto("/autopilot/policy")
    page.get_by_label("Cooldown").fill("45")
    page.get_by_label("Reason").first.fill("fewer runs")
    page.get_by_role("button", name="Propose").click()
    expect(page.locator("#proposal")).to_contain_text("fewer runs")

    page = page_as("owner", lang="en")
    page.goto("/autopilot/policy")
    assert page.locator(".rail-link[aria-current=page]").inner_text().strip() == "Autopilot"
    page.get_by_text("Approve…").first.click()
    page.locator("dialog[open]").get_by_role("button", name="Approve").click()
    expect(page.locator("#revisions")).to_contain_text("fewer runs")
    expect(page.get_by_label("Cooldown")).to_have_value("45")


@pytest.mark.parametrize(("width", "theme", "lang"), [(1440, "dark", "ko"), (390, "light", "en")])
@pytest.mark.parametrize("address", OTHERS)
def test_the_other_pages_fit_and_are_accessible(page_as, axe, address, width, theme, lang):
    page = page_as("owner", width=width, theme=theme, lang=lang)
    page.goto(address)

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert axe(page) == []


@pytest.mark.parametrize(
    "address", ["/autopilot", "/autopilot/policy", "/autopilot/figures", "/autopilot/runs", "/alerts"]
)
def test_without_script_everything_is_there(page_as, address):
    page = page_as("owner", lang="ko", script=False)
    response = page.goto(address)

    assert response.status == 200
    assert re.search("[가-힣]", page.locator("h1").inner_text())


def test_a_dead_channel_shows_its_attempts_and_can_be_tried_again(page_as, axe, dead):
    page = page_as("owner", lang="ko", width=390)
    page.goto("/alerts?status=dead")
    page.get_by_role("link", name="기한 임박·초과 조치").click()

    expect(page.locator("h1")).to_contain_text(f"#{dead}")
    expect(page.get_by_role("table")).to_contain_text("410")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert axe(page) == []
    page.get_by_role("button", name="다시 보내기").click()

    expect(page.get_by_text("알림을 발송하지 못했습니다")).to_be_visible()
    expect(page.get_by_role("table")).to_contain_text("이 채널은 더 이상 설정에 없습니다")
