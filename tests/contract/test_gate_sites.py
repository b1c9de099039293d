"""The verdicts of sites over the API: an addition beside the published gate."""

from datetime import timedelta

from tests.factories import make_site
from tests.factories.work_orders import add_order

G = "/api/ops/governance/gate"


def test_each_site_has_a_verdict_in_the_form_of_the_gate(api, session, clock):
    now = clock.now()
    for name in ("본관", "별관"):
        make_site(session, name, now=now)
    add_order(session, now, priority="critical", due_at=now - timedelta(hours=3), site="별관")
    session.commit()

    found = api("owner").get(f"{G}/sites").json
    assert [(one["site"], one["decision"]) for one in found] == [("별관", "no_go"), ("본관", "go")]
    assert list(found[0]) == [
        *("site", "generated_at", "decision", "reasons", "summary", "rules"),
        *("failure_count", "warning_count"),
    ]
    rule = next(one for one in found[0]["rules"] if one["id"] == "site_critical_in_time")
    assert (rule["status"], rule["required"], rule["detail"]) == ("fail", True, {"late_count": 1, "oldest_hours": 3})
    assert rule["message"] == "Urgent work orders that are late: 1, the oldest by 3 h."

    mine = api("manager", ("본관",))
    assert [one["site"] for one in mine.get(f"{G}/sites").json] == ["본관"]
    assert mine.get(f"{G}/sites?site=별관").status_code == 403
    assert [one["site"] for one in api("auditor").get(f"{G}/sites?site=별관").json] == ["별관"]


def test_the_published_verdict_has_its_seven_rules(api):
    taken = api("owner").get(G).json

    assert list(taken)[:5] == ["generated_at", "decision", "summary", "rules", "policy"]
    assert len(taken["rules"]) == taken["summary"]["total_rules"] == 7
    assert not any(rule["id"].startswith("site_") for rule in taken["rules"])


def test_the_page_of_the_gate_shows_the_sites_of_the_reader(browser_client, session, clock):
    now = clock.now()
    make_site(session, "본관", now=now)
    add_order(session, now, priority="critical", due_at=now - timedelta(hours=3))
    session.commit()

    page = browser_client("manager", ("본관",)).get("/gate").text
    assert "사업장별 판정" in page
    assert "기한을 넘긴 긴급 작업지시 1건" in page
