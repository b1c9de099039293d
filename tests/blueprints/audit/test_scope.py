"""What auditors of some sites see of the trail: the entries of their sites, and those about themselves."""

import pytest

from console.services.audit import record as audit
from tests.services.audit.audit_support import Trail

A = "/api/admin"
WHOLE = (
    f"{A}/audit-integrity", f"{A}/audit-archive/monthly", f"{A}/audit-archive/monthly/csv",
    "/audit/month", "/audit/month?verify=1", "/audit/months/2026-03.json", "/audit/months/2026-03.csv",
)  # fmt: skip


@pytest.fixture
def trail(engine, clock, config):
    made = Trail(engine, clock, config)
    with made.ctx(write=True) as ctx:
        for action, kind, reference, detail in (
            ("hq_change", "thing", 1, {"site": "HQ", "text": "x"}),
            ("annex_change", "thing", 2, {"site": "별관"}),
            ("lower_change", "thing", 3, {"site": "hq"}),
            ("long_change", "thing", 4, {"site": "HQ2"}),
            ("quoted_change", "thing", 5, {"text": 'a "site": "HQ" b', "site": "별관"}),
            ("platform_change", "thing", 6, {}),
            ("hq_complete", "adoption_w02_tracker_site", "HQ", {}),
            ("annex_complete", "adoption_w02_tracker_site", "별관", {}),
        ):
            audit.record(ctx, action, kind, reference, detail=detail)
    return made


def seen(client, path=f"{A}/audit-logs?limit=200"):
    return {entry["action"] for entry in client.get(path).json}


def test_an_auditor_of_a_site_sees_its_entries_and_those_about_themselves(api, trail, session):
    auditor = api("auditor", ("HQ",))
    user_id = auditor.get("/api/auth/me").json["user_id"]
    with trail.ctx(write=True) as ctx:
        audit.record(ctx, "me_update", "admin_user", user_id, detail={})
        audit.record(ctx, "other_update", "admin_user", user_id + 1, detail={})
    with trail.ctx(write=True, user_id=user_id) as ctx:
        audit.record(ctx, "by_me", "thing", 7, detail={})
        audit.record(ctx, "by_me_elsewhere", "thing", 8, detail={"site": "별관"})

    assert seen(auditor) == {"hq_change", "hq_complete", "me_update", "by_me"}
    assert auditor.get(f"{A}/audit-logs").headers["X-Total-Count"] == "4"


@pytest.mark.parametrize("sites", [(), ("nowhere",)])
def test_an_auditor_of_no_such_site_sees_nothing(api, trail, sites):
    assert seen(api("auditor", sites)) == set()


@pytest.mark.parametrize(("role", "sites", "more"), [("auditor", ("*",), ()), ("manager", ("HQ",), ("admins:manage",))])
def test_all_sites_or_the_right_to_manage_see_everything(api, trail, role, sites, more):
    client = api(role, sites, permissions=more)

    assert len(seen(client)) == 8
    for path in WHOLE[:3]:
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", WHOLE)
def test_months_archives_and_the_chain_need_all_sites(api, browser_client, trail, path):
    client = api("auditor", ("HQ",)) if path.startswith("/api") else browser_client("auditor", ("HQ",))
    answer = client.get(path)

    assert answer.status_code == 403
    if path.startswith("/api"):
        assert answer.json["detail"] == "Global site scope required"


def test_the_whole_log_is_verified_for_all_sites_only(api, browser_client, trail):
    assert browser_client("auditor", ("HQ",)).post("/audit/verification").status_code == 403
    run = api("auditor", ("HQ",)).post("/api/ops/jobs/audit_chain_verify/run", json={})
    assert run.status_code == 403


def test_the_page_its_filters_its_download_and_its_drawer_keep_to_the_sites(browser_client, trail):
    browser = browser_client("auditor", ("HQ",))
    page, csv = browser.get("/audit").text, browser.get("/audit/entries.csv").text
    hidden = {row.id: row.action for row in trail.rows() if row.action in ("annex_change", "platform_change")}

    for text in (page, csv):
        assert "hq_change" in text
        assert not any(action in text for action in hidden.values())
    for entry_id in hidden:
        assert browser.get(f"/audit/entries/{entry_id}").status_code == 404
    shown = next(row.id for row in trail.rows() if row.action == "hq_change")
    drawer = browser.get(f"/audit/entries/{shown}")
    assert drawer.status_code == 200
    assert "annex_change" not in drawer.text
