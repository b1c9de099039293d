"""The page of a week: measures with their rows, only what blocks, the sites side by side, the policy and its origin."""

import html
import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from console.domain.programme import catalogue
from console.domain.programme.measures import OF_WEEK
from console.models.jobs import JobRun
from console.models.policies import PolicyRevision
from console.models.tracker import TrackerItem
from console.services.programme import policies
from console.services.programme import weeks as programme
from tests.factories import make_site
from tests.factories.facility import add_delivery, add_inspection
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
    # What is advised speaks of the rows of its measure.
    advice = re.findall(r'href="([^"]+)"', page.split('id="advice"')[1].split("</section>")[0])
    assert escalated in [html.unescape(url) for url in advice]
    # Broken addresses are refused in words.
    assert person.get("/work-orders?created_from=yesterday").status_code == 422


def test_the_rows_are_those_of_the_window_and_the_site(browser_client, session, facts, clock):
    now = clock.now()
    for site, at, status in (
        (SITE, now, "success"), (SITE, now, "dead"), (SITE, now, "dropped"), (SITE, now - 40 * DAY, "success"),
        (OTHER, now, "success"),
    ):  # fmt: skip
        add_delivery(session, at, site, status, site=site)
        add_inspection(session, at, site=site, inspector="강야간")
    session.commit()
    person = browser_client("manager", (SITE, OTHER))

    def opened(code, page_of_rows):
        page = person.get(f"/programme/{code}?site={SITE}").text
        (url,) = re.findall(rf'class="stat-link" href="({page_of_rows}[^"]*)"', page)
        return re.search(r'data-total="(\d+)"', person.get(html.unescape(url)).text)[1]

    assert opened("w07", "/alerts") == "2"
    assert opened("w05", "/inspections") == "3"


def test_the_policy_says_what_was_moved_and_not_that_it_was_typed(browser_client, sites):
    person = browser_client("manager", (SITE,))
    at = f"/programme/w10/policy?site={SITE}"
    sent = {"enabled": "1"} | {name: f"{value:g}" for name, value in policies.REPEATS["w10"].defaults().items()}

    for revision, goal, said in (("0", "80", "정책을 바꿨습니다"), ("1", "800", "허용 범위로 맞췄습니다")):
        answer = person.post(at, data={**sent, "revision": revision, "readiness_target": goal})
        assert said in person.get(answer.headers["Location"]).text


def test_only_what_blocks(ctx, session, browser_client, sites):
    made = programme.bootstrap(ctx, catalogue.WEEKS["w07"], SITE)
    ctx.commit()
    person = browser_client("manager")
    everything = person.get(f"/programme/w07?site={SITE}&view=table")
    blocking = person.get(f"/programme/w07?site={SITE}&view=table&blocking=1")
    assert (everything.status_code, blocking.status_code) == (200, 200)
    chip = everything.text.split("blocking=1")[1].split("</a>")[0]
    assert f'<span class="num late">{len(made.items)}</span>' in chip
    session.execute(
        update(TrackerItem)
        .where(TrackerItem.id.in_([made.items[0].id, made.items[1].id]))
        .values(status="done", completion_checked=True, completed_at=ctx.now(), assignee="lee", evidence_count=1)
    )
    session.execute(update(TrackerItem).where(TrackerItem.id == made.items[1].id).values(evidence_count=0))
    session.commit()
    # What is done blocks while its evidence is missing.
    left = len(made.items) - (2 if not made.items[1].evidence_required else 1)
    everywhere = person.get("/programme/w07?view=table").text.split("blocking=1")[1].split("</a>")[0]
    assert f">{left}</span>" in everywhere
    assert person.get(f"/programme/w07?site={SITE}&view=table&blocking=1").text.count("data-row ") in (left, left + 1)
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


def rules_of(page):
    """Return the fields of the rules in the form, as a browser sends them."""
    form = page.split('id="rules"')[1].split("</form>")[0]
    sent = {}
    for mark in re.finditer(r"<input[^>]*>", form):
        name, value = (re.search(rf' {key}="([^"]*)"', mark[0]) for key in ("name", "value"))
        if name and 'type="checkbox"' not in mark[0]:
            sent[name[1]] = html.unescape(value[1]) if value else ""
    for mark in re.finditer(r'<select[^>]*name="([^"]+)".*?</select>', form, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', mark[0])
        sent[mark[1]] = chosen[1] if chosen else ""
    return {name: value for name, value in sent.items() if name.startswith("rule-")}


def all_fields(page):
    fields = re.findall(r'<input class="form-control[^>]*name="([^"]+)"\s+value="([^"]*)"', page)
    return {**{name: html.unescape(value) for name, value in fields}, **rules_of(page), "enabled": "1"}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_rules_of_w09_have_a_form(browser_client, session, sites, language):
    person = browser_client("manager", (SITE,), language=language)
    at = f"/programme/w09/policy?site={SITE}"
    sent = all_fields(person.get(at).text) | {"revision": "0", "reason": ""}
    assert sent["rule-0-hold_days"] == "7"
    # What is sent back as it was read sets nothing, in any language.
    assert person.post(at, data=sent).status_code == 303
    assert session.scalar(select(PolicyRevision)) is None
    session.rollback()
    extra = {"kpi_key": "data_quality_issue_rate_percent", "hold_days": "5", "escalate_to": "야간 반장 🌙"}
    new = {f"rule-4-{part}": text for part, text in extra.items()}
    changed = {**sent, **new, "rule-0-hold_days": "10", "rule-1-remove": "1"}
    assert person.post(at, data=changed).status_code == 303
    revision = session.scalars(select(PolicyRevision)).one()
    assert list(revision.policy_json) == ["escalation_map"]
    rules = revision.policy_json["escalation_map"]
    assert [(rule["id"], rule["hold_days"], rule["escalate_to"]) for rule in rules] == [
        ("W09-ESC-01", 10, "Head of Ops"),
        ("W09-ESC-03", 3, "Ops Lead + QA"),
        ("W09-ESC-04", 1, "Audit Lead"),
        ("W09-ESC-02", 5, "야간 반장 🌙"),
    ]
    page = person.get(at).text
    assert "W09-ESC-01, W09-ESC-02" in page
    # Somebody who was too late, or wrote nonsense, keeps what they wrote.
    late = person.post(at, data={**changed, "reason": "zu spät"})
    assert (late.status_code, "야간 반장 🌙" in late.text) == (412, True)
    for wrong in ({"rule-0-hold_days": "x"}, {"rule-0-sla_hours": ""}, {"rule-0-kpi_key": "unknown"}):
        refused = person.post(at, data={**changed, "revision": "1", "rule-2-escalate_to": "남는 말", **wrong})
        assert (refused.status_code, "남는 말" in refused.text) == (422, True)
    reader = browser_client("auditor", (SITE,), language=language).get(at).text
    assert "야간 반장 🌙" in reader.split('id="rules"')[1]
    assert "rule-0-" not in reader


def test_a_form_without_rules_keeps_them(browser_client, session, sites):
    person = browser_client("manager", (SITE,))
    at = f"/programme/w09/policy?site={SITE}"
    sent = {name: value for name, value in all_fields(person.get(at).text).items() if not name.startswith("rule-")}
    field = "report_discipline_score__green_threshold"
    assert person.post(at, data={**sent, "revision": "0", field: "90"}).status_code == 303
    assert list(session.scalars(select(PolicyRevision)).one().policy_json) == [field]


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
