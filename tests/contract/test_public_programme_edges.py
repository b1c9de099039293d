"""The published programme at its edges: Korean names, bots, a week more, another year, another zone."""

from __future__ import annotations

from copy import deepcopy
from urllib.parse import unquote

import pytest

from console.domain.programme import documents
from console.domain.programme.documents import PACKS
from tests.contract.published import (
    ADDRESSES,
    PUBLIC,
    parsed,
    rows_of,
    sixteenth,
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_also_speaks_korean(client, address):
    answer = client.get(address, query_string={"lang": "ko"})

    assert answer.status_code == 200
    assert answer.headers["ETag"] != client.get(address).headers["ETag"]
    if "Content-Disposition" in answer.headers:
        answer.headers["Content-Disposition"].encode("ascii")
    if address.endswith(".ics"):
        parsed(answer.data)


def test_a_korean_file_has_a_korean_name_with_the_published_one_beside_it(client):
    named = client.get(f"{PUBLIC}/w02/checklist.csv?lang=ko").headers["Content-Disposition"]

    plain, _mark, coded = named.partition("; filename*=UTF-8''")
    assert plain == 'attachment; filename="ka-facility-os-adoption-w02-sop-sandbox-checklist.csv"'
    assert unquote(coded) == "W02 표준 절차와 연습 환경 자료-checklist.csv"


def test_excel_gets_its_mark_when_it_is_asked_for(client):
    answer = client.get(f"{PUBLIC}/w02/checklist.csv?lang=ko&bom=1")

    assert answer.data.startswith(b"\xef\xbb\xbfsection,")


def test_a_person_sees_a_page_and_no_cache_keeps_it(client):
    answer = client.get(f"{PUBLIC}/w02", headers={"Accept": "text/html"})
    raw = client.get(f"{PUBLIC}/w02?raw=1", headers={"Accept": "text/html"})

    assert (answer.mimetype, raw.mimetype) == ("text/html", "application/json")
    assert "public" not in answer.headers["Cache-Control"]
    assert client.get(f"{PUBLIC}/w02/schedule.ics", headers={"Accept": "text/html"}).mimetype == "text/calendar"


def test_bots_are_held_back_and_heavy_files_have_a_budget_of_their_own(make_app):
    """API contract, known defects, D21."""
    app = make_app(API_RATE_LIMIT_ENABLED=True, API_RATE_LIMIT_MAX_PUBLIC=3, API_RATE_LIMIT_MAX_PUBLIC_HEAVY=2)
    client = app.test_client()
    files = [client.get(f"{PUBLIC}/{week}/schedule.ics") for week in ("w02", "w03", "w04")]
    reads = [client.get(f"{PUBLIC}/{week}") for week in ("w02", "w03", "w04", "w05")]

    assert [one.status_code for one in files] == [200, 200, 429]
    assert {one.headers["X-RateLimit-Policy"] for one in files} == {"public-heavy"}
    assert [one.status_code for one in reads] == [200, 200, 200, 429]
    assert int(reads[3].headers["Retry-After"]) >= 1
    assert client.get(f"{PUBLIC}/w02/checklist.csv").headers["X-RateLimit-Policy"] == "public-heavy"


def test_a_week_that_is_added_as_data_has_all_its_addresses(client, monkeypatch):
    monkeypatch.setitem(documents.PACKS, "w16", sixteenth())
    plan = client.get(PUBLIC).json

    assert plan["timeline"] == {"start_date": "2026-03-02", "end_date": "2026-06-19", "duration_weeks": 16}
    assert plan["w16_looking_ahead"]["timeline"]["start_date"] == "2026-06-15"
    for address in plan["w16_looking_ahead"]["downloads"].values():
        assert client.get(address).status_code == 200
        named = client.get(f"{address}?lang=ko").headers.get("Content-Disposition", "")
        assert not named or "🎉" in unquote(named)
    assert client.get("/api/service-info").json["public_adoption_w16_schedule_ics_api"] == f"{PUBLIC}/w16/schedule.ics"
    rows = {row[1]: row for row in rows_of(client.get(f"{PUBLIC}/w16/checklist.csv"))}
    assert rows["W16-OP-01"][3] == "'=1+1; a, b"
    parsed(client.get(f"{PUBLIC}/w16/schedule.ics?lang=ko").data)


def test_weeks_run_across_the_end_of_a_year_and_a_change_of_clocks(client, monkeypatch, make_app):
    monkeypatch.setattr(documents, "PLAN", {**documents.PLAN, "start_date": "2026-12-21"})
    monkeypatch.setitem(documents.PACKS, "w02", deepcopy(dict(PACKS["w02"])))
    berlin = make_app(BUSINESS_TIME_ZONE="Europe/Berlin").test_client()
    plan = client.get(PUBLIC).json

    assert [(row["start_date"], row["end_date"]) for row in plan["weekly_execution"]][1:3] == [
        ("2026-12-28", "2027-01-01"),
        ("2027-01-04", "2027-01-08"),
    ]
    assert plan["timeline"] == {"start_date": "2026-12-21", "end_date": "2027-04-02", "duration_weeks": 15}
    _calendar, events = parsed(client.get(f"{PUBLIC}/w02/schedule.ics").data)
    assert [start.isoformat() for _u, _s, _d, start, _e in events][-1] == "2027-01-01T17:00:00+09:00"
    _calendar, before = parsed(berlin.get(f"{PUBLIC}/w14/schedule.ics").data)
    _calendar, after = parsed(berlin.get(f"{PUBLIC}/w15/schedule.ics").data)
    assert [start.utcoffset().total_seconds() / 3600 for _u, _s, _d, start, _e in (before[0], after[0])] == [1, 2]
