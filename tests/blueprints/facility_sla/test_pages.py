"""The page of SLA policies: propose, replay, decide; what does not prove itself is no ground."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from console.core.context import Context, start_writing
from console.domain.work_orders.requests import NewOrder
from console.models.jobs import JobRun
from console.models.work_orders import SlaReplay
from console.services.facility_sla import policies, replays
from console.services.facility_sla.proposals import get
from console.services.work_orders import create, escalation
from tests.conftest import actor_of
from tests.factories import make_site

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
VALUES = {
    **{f"due_hours_{word}": hours for word, hours in (("low", 72), ("medium", 24), ("high", 8), ("critical", 4))},
    **{f"ack_target_minutes_{word}": 0 for word in ("low", "medium", "high", "critical")},
    "escalation_grace_minutes": 30,
    "note": "nights",
}


@pytest.fixture
def kim(browser_client):
    return browser_client("owner", username="kim", display_name="김대표")


@pytest.fixture
def park(browser_client):
    return browser_client("owner", username="park", display_name="박관리")


@pytest.fixture
def replayed(session, clock, config, kim):
    """A proposal of kim with a replay over an order that would be kept."""
    ctx = Context(session, clock, actor_of("owner"), config)
    start_writing(session)
    create.create(ctx, NewOrder("Pump leaks", "본관", "B1", priority="critical"))
    ctx.commit()
    clock.advance(timedelta(hours=3))
    start_writing(session)
    escalation.escalate(ctx)
    ctx.commit()
    clock.advance(timedelta(minutes=1))
    assert kim.post("/sla/propose", data=VALUES).status_code == 303
    start_writing(session)
    found = get(ctx, 1)
    replays.keep(ctx, replays.run(ctx, found.proposed, site=None, days=30), found.proposed, 1)
    ctx.commit()
    return ctx


def test_an_empty_page_says_what_counts_and_what_to_do(kim):
    page = kim.get("/sla").text

    assert "기다리는 제안이 없습니다" in page
    assert "72시간" in page
    assert 'href="/sla/propose"' in page


def test_a_proposal_is_shown_with_its_differences_and_not_approved_by_its_maker(kim, park):
    kim.post("/sla/propose", data=VALUES)
    page = kim.get("/sla").text

    assert "+2시간" in page
    assert "본인의 제안이라 다른 사람이 승인해야 합니다." in page
    refused = kim.post("/sla/proposals/1/approve", data={"note": ""})
    assert refused.status_code == 409
    done = park.post("/sla/proposals/1/approve", data={"note": "fine"})
    assert done.status_code == 303
    assert "현행 개정 1" in park.get("/sla").text


def test_what_cannot_be_is_refused_and_keeps_what_was_written(kim):
    refused = kim.post("/sla/propose", data={**VALUES, "due_hours_low": "721"})

    assert refused.status_code == 422
    assert 'value="721"' in refused.text
    assert "nights" in refused.text


def test_a_proposal_that_changes_nothing_is_refused_until_a_site_takes_it_as_its_own(kim, session, clock):
    make_site(session, "본관", now=clock.now())
    session.commit()
    same = {**VALUES, "due_hours_critical": 2, "escalation_grace_minutes": 0}
    refused = kim.post("/sla/propose", data=same)

    assert refused.status_code == 422
    assert "현행 정책과 다른 값이 없습니다" in refused.text
    assert kim.post("/sla/propose", data={**same, "site": "본관"}).status_code == 303


def test_the_replay_shows_pairs_sites_and_orders_that_change_sides(park, replayed):
    page = park.get("/sla").text

    assert "기록된 에스컬레이션 1건과 모두 일치합니다" in page
    assert "Pump leaks" in page
    assert "지키게 됨" in page
    assert 'data-dialog="approve"' in page
    assert "1건 중 · 100% →" in page
    assert "아직 실행한 적이 없습니다" not in page
    assert "Pump leaks" not in park.get("/sla?side=newly_breached").text
    assert park.get("/sla?side=wrong").status_code == 422


def test_the_orders_that_change_sides_are_downloaded(park, replayed, browser_client):
    page = park.get("/sla?proposal=1").text
    assert "/sla/proposals/1/orders.csv?bom=1" in page

    header, row = park.get("/sla/proposals/1/orders.csv").text.splitlines()
    assert header == "id,title,site,priority,side,due_before,due_after,created_at,completed_at"
    assert row.startswith("1,Pump leaks,본관,critical,kept,")
    assert park.get("/sla/proposals/2/orders.csv").status_code == 404
    scoped = browser_client("owner", ("본관",), username="scoped")
    assert scoped.get("/sla/proposals/1/orders.csv").status_code == 404
    assert browser_client("manager").get("/sla/proposals/1/orders.csv").status_code == 403


def test_a_replay_that_does_not_prove_itself_is_no_ground(park, replayed, session):
    start_writing(session)
    session.execute(update(SlaReplay).values(proven=False))
    session.commit()
    page = park.get("/sla").text

    assert 'data-dialog="approve"' not in page
    assert "이 결과로는 승인할 수 없습니다" in page
    refused = park.post("/sla/proposals/1/approve", data={"note": ""})
    assert refused.status_code == 409
    session.rollback()
    assert policies.shown(replayed, None).revision == 0


def test_a_replay_is_asked_of_a_worker(park, kim, session, clock):
    kim.post("/sla/propose", data=VALUES)
    assert park.post("/sla/proposals/1/replay", data={"days": "30"}).status_code == 303
    fragment = park.get("/sla/replay?proposal=1", headers=PARTIAL)
    assert fragment.status_code == 200
    assert "결과 보기" not in fragment.text
    session.execute(
        update(JobRun).values(
            state="finished",
            executed=True,
            status="success",
            started_at=clock.now(),
            finished_at=clock.now(),
            detail_json={"proven": True},
        )
    )
    session.commit()
    done = park.get("/sla/replay?proposal=1", headers=PARTIAL)
    assert done.status_code == 286
    assert 'href="/sla?proposal=1"' in done.text
    # The run of one proposal says nothing about another.
    assert "결과 보기" not in park.get("/sla/replay?proposal=2", headers=PARTIAL).text
    assert park.post("/sla/proposals/9/replay", data={"days": "30"}).status_code == 404


def test_a_policy_may_count_at_once_unless_proposals_are_demanded(kim):
    assert kim.post("/sla/propose", data={**VALUES, "now": "1"}).status_code == 303
    assert "현행 개정 1" in kim.get("/sla").text


@pytest.mark.parametrize("role", ["manager", "operator", "auditor"])
def test_it_is_for_administrators(browser_client, role):
    assert browser_client(role).get("/sla").status_code == 403
