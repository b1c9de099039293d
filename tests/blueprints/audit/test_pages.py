"""The audit pages: the log and its drawer, the month and its verification, downloads, and who may see them."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest

from console.core.config import Config
from console.services.audit import record as audit
from console.services.audit.lists import words_of
from console.services.audit.rebaseline import rebaseline
from tests.services.audit.audit_support import Trail
from tests.support.statements import statements

PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def trail(engine, clock, config):
    return Trail(engine, clock, config)


@pytest.fixture
def auditor(browser_client):
    return browser_client("auditor")


def test_the_page_shows_log_and_chain_and_leads_to_the_month(auditor, trail):
    trail.write(3)
    page = auditor.get("/audit")

    assert page.status_code == 200
    assert "thing_update" in page.text
    assert "list-audit" in page.text
    assert 'href="/audit/month"' in page.text
    month = auditor.get("/audit/month").text
    assert 'id="audit-month"' in month
    assert "run-audit_chain_verify" in month
    assert "/audit/months/2026-03.json" in month


def test_the_list_alone_is_the_fragment_of_the_page(auditor, trail):
    trail.write(2)
    fragment = auditor.get("/audit", headers=PART).text.strip()

    assert fragment.startswith('<section class="listing" id="list-audit"')
    assert "<html" not in fragment


def own(trail):
    """The entries of the test itself; signing in leaves some of its own."""
    return [row for row in trail.rows() if not row.action.startswith("auth_")]


def shown(client, **query):
    text = client.get("/audit", headers=PART, query_string=query).text
    return [part.split('"')[0].split("?")[0] for part in text.split('href="/audit/entries/')[1:] if part[0].isdigit()]


def test_filters_and_search_narrow_the_log(browser_client, trail, clock):
    trail.write(2, action="first")
    clock.advance(timedelta(days=1))
    trail.write(1, action="second", status="warning")
    auditor = browser_client("auditor")
    one, two, three = (str(row.id) for row in own(trail))

    for query, ids in [
        ({"action": "first"}, [two, one]), ({"action": ["first", "second"]}, [three, two, one]),
        ({"status": "warning"}, [three]), ({"resource_type": "thing", "resource_id": "1"}, [two]),
        ({"actor_username": "nobody"}, []), ({"from": "2026-03-03", "resource_type": "thing"}, [three]),
        ({"to": "2026-03-02", "resource_type": "thing"}, [two, one]),
        ({"q": f"#{own(trail)[1].seq}"}, [two]), ({"q": "thing/0"}, [three, one]), ({"q": "second"}, [three]),
        ({"q": "owner_a"}, [three, two, one]), ({"q": " SECo "}, [three]), ({"q": "Thing/1"}, [two]), ({"q": "%"}, []),
        ({"sort": "created_at", "resource_type": "thing"}, [one, two, three]),
    ]:  # fmt: skip
        assert shown(auditor, **query) == ids, query


@pytest.mark.parametrize("query", [{"from": "yesterday"}, {"status": "open"}, {"sort": "detail"}, {"page": "x"}])
def test_what_the_list_cannot_be_asked_is_refused(auditor, query):
    assert auditor.get("/audit", headers=PART, query_string=query).status_code == 422


def test_the_choices_of_a_filter_are_the_words_in_the_log(trail):
    assert trail.check(lambda ctx: words_of(ctx, "action")) == []
    for action in ("b", "a", "c", "a"):
        trail.write(1, action=action)

    assert trail.check(lambda ctx: words_of(ctx, "action")) == ["a", "b", "c"]


@pytest.fixture
def change(trail):
    """An entry with old and new values; returns its id."""
    with trail.ctx(write=True) as ctx:
        detail = {"username": "박기사", "changes": {"role": {"old": "operator", "new": "manager"}}}
        audit.record(ctx, "admin_user_update", "admin_user", 7, detail=detail)
        audit.record(ctx, "admin_token_revoke", "admin_token", 9)
    return own(trail)[0].id


def test_an_entry_opens_beside_the_list_with_what_changed(auditor, change, trail):
    drawer = auditor.get(f"/audit/entries/{change}", headers=PART).text

    assert drawer.strip().startswith("<aside")
    assert "<del>operator</del>" in drawer
    assert "<ins>manager</ins>" in drawer
    assert "박기사" in drawer
    assert own(trail)[0].entry_hash in drawer
    # What else the same request did.
    assert f"/audit/entries/{own(trail)[1].id}" in drawer


def test_an_entry_has_an_address_of_its_own_that_keeps_the_list(auditor, change):
    page = auditor.get(f"/audit/entries/{change}?action=admin_user_update").text

    assert "<html" in page
    assert "data-drawer-close" in page
    assert 'href="/audit?action=admin_user_update" data-drawer-close' in page


def test_an_entry_that_was_changed_later_says_so(auditor, change, trail):
    before = auditor.get(f"/audit/entries/{change}?lang=en", headers=PART).text
    trail.change(own(trail)[0].seq, detail_json="{}")
    after = auditor.get(f"/audit/entries/{change}", headers=PART).text

    assert "k-tag-ok" in before
    assert "k-tag-late" in after


def test_markup_in_an_entry_is_shown_and_not_run(auditor, trail):
    with trail.ctx(write=True, username="<script>alert(1)</script>") as ctx:
        audit.record(ctx, "thing_update", "thing", "<img src=x>", detail={"changes": {"a": {"new": "<b>x</b>"}}})

    for address in ("/audit", f"/audit/entries/{own(trail)[0].id}"):
        text = auditor.get(address).text
        assert "&lt;script&gt;alert" in text
        assert "<script>alert" not in text
        assert "<img src=x>" not in text
        assert "<b>x</b>" not in text


@pytest.mark.parametrize("entry_id", [0, 987654321, 2**70])
def test_an_entry_that_does_not_exist(auditor, entry_id):
    assert auditor.get(f"/audit/entries/{entry_id}").status_code == 404


def test_a_month_is_verified_on_demand(auditor, trail):
    trail.write(3)
    quiet = auditor.get("/audit/month?month=2026-03", headers=PART).text
    whole = auditor.get("/audit/month?month=2026-03&verify=1", headers=PART).text
    trail.change(own(trail)[1].seq, detail_json="{}")
    broken = auditor.get("/audit/month?month=2026-03&verify=1", headers=PART).text

    assert "notice-ok" not in quiet
    assert "notice-ok" in whole
    assert "notice-late" in broken
    assert f"/audit/entries/{own(trail)[1].id}" in broken


def test_a_month_has_a_page_that_holds_the_same_card(auditor, trail):
    trail.write(1)
    card = auditor.get("/audit/month?verify=1", headers=PART).text.strip()

    assert card in auditor.get("/audit/month?verify=1").text


def test_the_month_says_how_it_is_checked_offline_and_offers_the_verifier(auditor, trail):
    trail.write(1)
    page = auditor.get("/audit/month?month=2026-03").text
    tool = auditor.get("/audit/verify_audit.py")

    assert "verify_audit.py audit-archive-2026-03.json --key-file signing.key --chain-key-file audit_chain_key" in page
    assert "보관본 서명 키로 서명함" in page
    assert 'href="/audit/verify_audit.py" download' in page
    assert tool.data == (Path(__file__).parents[3] / "tools" / "verify_audit.py").read_bytes()
    assert tool.headers["Content-Disposition"] == 'attachment; filename="verify_audit.py"'


def test_a_month_that_nobody_signs_says_so_and_asks_for_no_key_of_signatures(auditor, app, config, monkeypatch):
    bare = Config({**config, "AUDIT_ARCHIVE_SIGNING_KEY": ""}, frozenset())
    monkeypatch.setitem(app.extensions, "console_config", bare)
    page = auditor.get("/audit/month?month=2026-03").text

    assert "verify_audit.py audit-archive-2026-03.json --chain-key-file audit_chain_key" in page
    assert "서명하지 않음" in page
    assert "--key-file" not in page


def test_a_month_too_large_for_a_page_is_left_to_the_job(auditor, trail, monkeypatch):
    monkeypatch.setattr("console.services.audit.months.MOST_AT_ONCE", 2)
    trail.write(3)
    card = auditor.get("/audit/month?verify=1", headers=PART).text

    assert "notice-ok" not in card
    assert "verify=1" not in card


@pytest.mark.parametrize("month", ["2026-13", "march"])
def test_what_is_no_month(auditor, month):
    assert auditor.get("/audit/month", query_string={"month": month}).status_code == 400
    assert auditor.get(f"/audit/months/{month}.json").status_code == 400


def test_a_rebaseline_is_shown_with_its_reason(auditor, trail):
    trail.write(2)
    trail.change(own(trail)[0].seq, detail_json="{}")
    with trail.ctx(write=True) as ctx:
        rebaseline(ctx, reason="디스크 장애")

    assert "디스크 장애" in auditor.get("/audit/month", headers=PART).text


def test_downloads_are_signed_and_go_on_record(auditor, trail):
    trail.write(2)
    archive = auditor.get("/audit/months/2026-03.json")
    table = auditor.get("/audit/months/2026-03.csv")
    facts = auditor.get("/audit/months/2026-03.csv?format_version=v2")

    assert archive.headers["Content-Disposition"] == 'attachment; filename="audit-archive-2026-03.json"'
    assert json.loads(archive.data)["signature_algorithm"] == "hmac-sha256"
    assert table.headers["X-Content-Signature"]
    assert facts.text.startswith("section,key,value")
    assert [row.action for row in own(trail)[2:] if row.action.startswith("admin_audit")] == [
        "admin_audit_archive_export_json",
        "admin_audit_archive_export_csv",
        "admin_audit_archive_export_csv",
    ]


def test_the_csv_holds_exactly_the_rows_of_the_list_and_goes_on_record(auditor, trail):
    trail.write(2, action="first")
    trail.write(1, action="second")
    response = auditor.get("/audit/entries.csv?action=first&columns=created_at,action,resource_id")

    rows = list(csv.reader(io.StringIO(response.data.decode("utf-8-sig"))))
    assert len(rows[0]) == 3
    assert not any(name in rows[0] for name in ("created_at", "action", "resource_id"))
    assert [(row[1], row[2].split()[-1]) for row in rows[1:]] == [("first", "1"), ("first", "0")]
    last = trail.rows()[-1]
    assert (last.action, json.loads(last.detail_json)["filters"]) == (
        "admin_audit_log_export_csv",
        {"action": ["first"]},
    )


def test_the_full_verification_is_asked_of_a_worker(auditor, trail):
    trail.write(1)
    answered = auditor.post("/audit/verification", headers=PART)

    assert answered.status_code == 200
    assert "run-audit_chain_verify" in answered.text
    panel = auditor.get("/audit/verification", headers=PART)
    assert panel.status_code == 200
    assert auditor.post("/audit/verification").status_code == 303


def test_the_month_wants_no_right_beside_that_to_the_log(browser_client, trail):
    trail.write(1)
    reader = browser_client("operator", permissions=("audit:read",))

    assert reader.get("/audit/month").status_code == 200
    assert reader.get("/audit/verification", headers=PART).status_code == 286


@pytest.mark.parametrize("role", ["manager", "operator"])
@pytest.mark.parametrize("address", ["/audit", "/audit/month", "/audit/entries.csv", "/audit/months/2026-03.json"])
def test_who_may_not_read_the_trail_is_told(browser_client, role, address):
    assert browser_client(role).get(address).status_code == 403


def test_the_page_asks_no_more_of_the_database_for_more_rows(auditor, trail, engine):
    counts = []
    for size in (5, 60):
        trail.write(size)
        with statements(engine) as seen:
            auditor.get("/audit?per_page=100")
        counts.append(len(seen))

    assert counts[0] == counts[1]


def test_what_is_no_month_is_told_in_the_reader_s_language(browser_client):
    refused = browser_client("auditor").get("/audit/month?month=2026-13")

    assert refused.status_code == 400
    assert "월은 2026-03 형식으로 입력해 주십시오" in refused.text
