"""The page of a week: measures with their rows, only what blocks, the sites side by side, the policy and its origin."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from console.domain.programme import catalogue
from console.domain.programme.measures import OF_WEEK
from console.models.jobs import JobRun
from console.models.policies import PolicyRevision
from console.services.programme import policies
from console.services.programme import weeks as programme
from tests.factories import make_site
from tests.factories.programme import SITE, answered, completed
from tests.support.statements import statements

OTHER = "별관"
DAY = timedelta(days=1)


@pytest.fixture
def sites(session, clock):
    for name in (SITE, OTHER):
        make_site(session, name, now=clock.now())
    session.commit()


@pytest.fixture
def facts(session, clock, sites):
    """Ten orders at one site, four of them escalated and two late."""
    for number in range(8):
        completed(session, clock.now() - 2 * DAY, 60, is_escalated=number < 4)
    for _number in range(2):
        answered(session, clock.now() - 2 * DAY, 41, due_at=clock.now() - DAY)
    session.commit()


@pytest.mark.parametrize("code", OF_WEEK)
def test_every_week_shows_its_measures(browser_client, facts, code):
    person = browser_client("manager")
    page = person.get(f"/programme/{code}?site={SITE}")
    assert page.status_code == 200
    assert 'id="measures-title"' in page.text
    assert 'id="advice"' in page.text
    assert 'id="policy"' in page.text
    papers = page.text.split('id="papers"')[1].split("</section>")[0]
    for address in re.findall(r'<a href="([^"]+)"', papers):
        assert person.get(address).status_code == 200
    assert papers.count("<a href=") == 3


def test_a_number_opens_its_rows(browser_client, facts):
    person = browser_client("manager")
    page = person.get(f"/programme/w07?site={SITE}").text
    rows = [part.split('"')[0].replace("&amp;", "&") for part in page.split('class="stat-link" href="')[1:]]
    violated = next(url for url in rows if "violated=1" in url)
    escalated = next(url for url in rows if "escalated=1" in url)
    assert "20" in page.split("violated=1")[1][:600]
    assert person.get(violated).text.count("data-row") == 2
    assert person.get(escalated).text.count("data-row") == 4
    # Broken addresses are refused in words.
    assert person.get("/work-orders?created_from=yesterday").status_code == 422


def test_only_what_blocks(ctx, browser_client, sites):
    made = programme.bootstrap(ctx, catalogue.WEEKS["w07"], SITE)
    ctx.commit()
    person = browser_client("manager")
    everything = person.get(f"/programme/w07?site={SITE}&view=table")
    blocking = person.get(f"/programme/w07?site={SITE}&view=table&blocking=1")
    assert (everything.status_code, blocking.status_code) == (200, 200)
    assert made.items[0].item_name in made.items[0].item_name
    assert "blocking=1" in everything.text
    assert "aria-current" in blocking.text


def test_the_sites_stand_side_by_side(browser_client, facts):
    page = browser_client("manager").get("/programme/w07/sites").text.split("<main")[1]
    assert page.index(SITE) < page.index(OTHER)
    assert SITE not in browser_client("auditor", (OTHER,)).get("/programme/w07/sites").text.split("<main")[1]


def test_a_site_differs_and_finds_back(browser_client, session, sites):
    person = browser_client("manager", (SITE,))
    at = f"/programme/w10/policy?site={SITE}"
    form = person.get(at)
    assert "Built in" in form.text or "기본값" in form.text
    sent = {"revision": "0", "enabled": "1", "reason": "야간 인원이 적음"}
    sent |= {name: f"{value:g}" for name, value in policies.REPEATS["w10"].defaults().items()}
    person.post(at, data={**sent, "readiness_target": "60"})
    # Only what differs is set; the rest goes on being inherited.
    revision = session.scalars(select(PolicyRevision)).one()
    assert revision.policy_json == {"readiness_target": 60.0}
    assert (revision.actor, revision.reason) == (
        "manager_a",
        "야간 인원이 적음",
    ) or revision.reason == "야간 인원이 적음"
    again = person.get(at).text
    assert "야간 인원이 적음" in again
    outdated = person.post(at, data={**sent, "readiness_target": "61"})
    assert outdated.status_code == 412
    refused = person.post(at, data={**sent, "revision": "1", "readiness_target": "viel"})
    assert refused.status_code == 422
    back = person.post(f"/programme/w10/policy/inherit?site={SITE}")
    assert back.status_code == 303
    assert "inherit?" not in person.get(at).text


def test_who_may_change_the_policy(browser_client, sites):
    reader = browser_client("auditor", (SITE,))
    at = f"/programme/w09/policy?site={SITE}"
    assert reader.get(at).status_code == 200
    assert 'type="submit">' not in reader.get(at).text.split("<main")[1].split("</main")[0]
    assert reader.post(at, data={"revision": "0"}).status_code == 403
    assert reader.get("/programme/w09/policy").status_code == 403
    assert browser_client("operator", (OTHER,)).post(at, data={"revision": "0"}).status_code == 403


def test_the_weekly_run_is_asked_for(browser_client, session, sites):
    person = browser_client("manager", (SITE,))
    assert "/programme/w07/weekly" in person.get(f"/programme/w07?site={SITE}").text
    assert person.post(f"/programme/w07/weekly?site={SITE}").status_code == 303
    run = session.scalars(select(JobRun)).one()
    assert (run.state, run.options_json["site"]) == ("queued", SITE)
    assert browser_client("auditor", (SITE,)).post(f"/programme/w07/weekly?site={SITE}").status_code == 403


def test_measures_are_asked_for_once(browser_client, facts, session, clock):
    person = browser_client("manager")
    address = f"/programme/w07?site={SITE}"
    person.get(address)
    with statements() as warm:
        person.get(address)
    # What the measures were counted from has not changed: nothing of it is asked for again.
    assert not [one for one in warm if "row_number" in one.lower()]
    answered(session, clock.now() - DAY, 5)
    session.commit()
    with statements() as cold:
        person.get(address)
    assert len([one for one in cold if "row_number" in one.lower()]) == 5
