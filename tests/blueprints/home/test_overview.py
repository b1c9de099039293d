import html
import re

import pytest

from console.domain.jobs import names as job_names
from console.models.jobs import JobRun
from console.services.jobs import registry
from console.services.jobs import schedule as run_schedule
from console.services.policies import automation
from tests.factories import make_site, make_user
from tests.factories.tracker import HOUR, add_item
from tests.factories.work_orders import add_order
from tests.support.statements import statements

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
SITE, OTHER = "한빛마을 3단지", "푸른숲 타워"


@pytest.fixture
def company(session, clock):
    now = clock.now()
    for name in (SITE, OTHER):
        make_site(session, name, now=now)
    add_item(session, now, 1, site=SITE, due_at=now - HOUR, item_name="변전실 절연 저하")
    add_item(session, now, 2, site=OTHER, due_at=now + HOUR, item_name="<b>펌프</b>")
    verdict = {
        "decision": "no_go",
        "reasons": [{"code": "x", "rule_ids": [], "message": "m", "message_text": {"msgid": "m", "params": {}}}],
        "rules": [],
        "summary": {"weighted_score_percent": 47.5},
    }
    session.add(
        JobRun(
            job_name=job_names.GATE,
            trigger="cron",
            state="finished",
            status="critical",
            executed=True,
            requested_at=now,
            started_at=now,
            finished_at=now,
            detail_json=verdict,
        )
    )
    session.commit()


def test_today_stands_in_one_screen(browser_client, company):
    page = browser_client("manager").get("/overview").text

    assert "NO-GO" in page
    assert "변전실 절연 저하" in page
    assert re.search(r"<title>\(1\) 오늘", page)


def test_what_people_write_is_escaped(browser_client, company):
    page = browser_client("manager").get("/overview").text

    assert "<b>펌프</b>" not in page
    assert "&lt;b&gt;펌프&lt;/b&gt;" in page


def test_a_site_narrows_the_figures_and_stays_in_the_links(browser_client, company):
    page = browser_client("manager").get(f"/overview?site={OTHER}").text

    assert "변전실" not in page
    assert "site=%ED%91%B8" in re.search(r'class="stat-link" href="([^"]+)"', page).group(1)
    assert re.search(r'class="rail-link" href="/my-work\?site=%ED%91%B8', page)


def test_a_site_outside_the_scope_is_refused(browser_client, company):
    assert browser_client("operator", (SITE,)).get(f"/overview?site={OTHER}").status_code == 403


def test_the_fragment_is_the_very_part_of_the_page(browser_client, company):
    client = browser_client("manager")
    fragment = client.get("/overview", headers=PARTIAL)

    assert fragment.text.strip().startswith('<div id="overview"')
    assert fragment.text.strip() in client.get("/overview").text
    assert "HX-Request-Type" in fragment.headers["Vary"]


def test_somebody_without_any_permission_is_told_so(app, browser_client, company, monkeypatch):
    monkeypatch.setattr("console.core.context.Actor.can", lambda _self, _name: False)

    page = browser_client("operator").get("/overview").text

    assert "볼 권한이 없습니다" in page
    assert "변전실" not in page


@pytest.mark.parametrize("items", [0, 40])
def test_the_number_of_queries_does_not_grow(browser_client, session, clock, app, items):
    for number in range(items):
        add_item(session, clock.now(), number + 10, due_at=clock.now() + HOUR)
    session.commit()
    client = browser_client("manager")
    client.get("/overview")
    with statements() as asked:
        client.get("/overview")

    selects = [statement for statement in asked if statement.lstrip().upper().startswith("SELECT")]
    assert 0 < len(selects) <= 20, selects


@pytest.mark.parametrize("path", ["/overview", "/autopilot", "/jobs"])
def test_every_page_about_the_day_says_who_stopped_the_automation_and_why(
    browser_client, company, session, make_ctx, clock, path
):
    reader = browser_client("owner")
    assert "자동 처리 정지 중" not in reader.get(path).text
    make_user(session, username="boss", now=clock.now(), display_name="김대표")
    session.commit()
    ctx = make_ctx("owner", username="boss")
    ctx.begin_write()
    automation.pause(ctx, reason="배정이 너무 많습니다")
    session.commit()

    page = reader.get(path).text

    assert "자동 처리 정지 중" in page
    assert re.search(r"김대표 님이 09:00에 정지했습니다. 사유: 배정이 너무 많습니다", page)
    assert len(re.findall("사유: 배정이 너무 많습니다", page)) == 1
    clock.advance(HOUR)
    ctx.begin_write()
    automation.resume(ctx, reason="다시")
    session.commit()
    assert "자동 처리 정지 중" not in reader.get(path).text


def test_jobs_are_not_green_while_the_automation_is_stopped(browser_client, company, session, make_ctx):
    ctx = make_ctx("owner")
    ctx.begin_write()
    run_schedule.tick(ctx, registry.schedule(), registry.find)
    session.commit()
    reader = browser_client("owner")
    good = reader.get("/overview").text
    ctx.begin_write()
    automation.pause(ctx, reason="r")
    session.commit()
    stopped = reader.get("/overview").text

    green = re.compile(r'<p class="ok strong cluster">(?:(?!</p>).)*예약 작업', re.DOTALL)
    assert green.search(good)
    assert not green.search(stopped)
    assert "관련 예약 작업은 아무것도 바꾸지 않습니다" in stopped


def test_the_figures_of_the_day_lead_to_their_rows(browser_client, session, clock):
    now = clock.now()
    make_site(session, SITE, now=now)
    add_order(session, now - 48 * HOUR, site=SITE, due_at=now - HOUR, status="completed", completed_at=now - 2 * HOUR)
    add_order(session, now - 48 * HOUR, site=SITE, due_at=now - HOUR)
    add_order(session, now - 48 * HOUR, site=SITE, due_at=now - HOUR, status="canceled")
    add_order(session, now, site=SITE, due_at=now + HOUR)
    session.commit()
    reader = browser_client("operator", (SITE,))
    page = reader.get("/overview").text

    assert "30일 기한 준수" in page
    assert ">50.0</span>" in page or ">50</span>" in page
    assert "기한 2건 중 1건" in page
    assert "/inspections?today=1" in page
    # The share opens the orders that it is of.
    (rows,) = {one for one in re.findall(r'href="([^"]*was_due=1[^"]*)"', page) if "site=" not in one}
    assert 'data-total="2"' in reader.get(html.unescape(rows)).text
