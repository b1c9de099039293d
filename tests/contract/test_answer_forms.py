"""What holds for every answer and body of the trackers and of the automation: sentences, times, sites, JSON bodies."""

import re
import unicodedata
from datetime import timedelta

import pytest

from console.domain.text import T as sentence
from tests.contract.automation import A, T, ok
from tests.contract.test_weekly_trackers import SITE as WEEK_SITE
from tests.contract.test_weekly_trackers import begin, sites, t
from tests.services.automation.automation_support import item

__all__ = ["sites"]
SITE = "푸른숲 타워"
ZULU = re.compile(r"\dZ\"")


@pytest.fixture
def planned(owner, session, clock):
    """An unassigned item of the plan, told once before, and another site's item."""
    text = sentence("Repeat the recovery rehearsal until the restore is proven valid.").as_dict()
    told = item(session, clock, 11, -3, texts={"action": text}, action="복구 리허설", item_name="")
    item(session, clock, 12, 40, site=SITE)
    session.commit()
    owner.post(f"{A}/run?force=true")
    clock.advance(timedelta(hours=9))
    session.rollback()
    return told.id


ANSWERS = (
    ("get", "/workload?max_suggestions=100"),
    ("get", "/auto-assign/latest"),
    ("get", "/escalate/latest"),
    ("get", "/autopilot/latest"),
    ("post", "/autopilot/preview"),
    ("post", "/auto-assign/run?dry_run=true"),
    ("post", "/autopilot/run?dry_run=true&force=true"),
    ("get", "/items/{item}/events"),
)


def test_sentences_are_sentences_and_times_have_one_form(owner, planned):
    for method, path in ANSWERS:
        answer = getattr(owner, method)(T + path.format(item=planned))

        assert answer.status_code == 200, answer.text
        assert "msgid" not in answer.text, path
        assert not ZULU.search(answer.text), path


def test_an_item_is_called_as_its_action_is_published(owner, session, clock):
    text = sentence("Repeat the recovery rehearsal until the restore is proven valid.").as_dict()
    row = item(session, clock, 21, -3, texts={"action": text}, action="복구", item_name="")
    session.commit()

    titles = {one["id"]: one["title"] for one in owner.get(f"{T}/workload").json["suggestions"]}
    lines = {one["id"]: one["title"] for one in owner.post(f"{A}/preview").json["plan"]["lines"]}

    assert titles[row.id] == lines[row.id] == "복구 리허설 재실행(복원 확인까지)"


def test_a_blank_site_is_no_site_and_a_name_is_read_as_it_is_stored(owner, planned):
    def counted(path, **query):
        made = owner.get(f"{T}/{path}", query_string=query)
        assert made.status_code == 200, made.text
        if isinstance(made.json, list):
            return len(made.json)
        figures = made.json.get("metrics", made.json)
        return figures.get("open_items", figures.get("total_items", figures.get("total_open_items")))

    decomposed = unicodedata.normalize("NFD", SITE)
    for path in ("items", "overview", "readiness", "sla", "workload", "kpi"):
        assert counted(path, site="") == counted(path, site="  ") == counted(path), path
        assert counted(path, site=SITE) == counted(path, site=f" {decomposed} ") == 1, path


def test_a_body_that_is_other_json_is_refused_where_it_stands(owner):
    doors = (("put", "/autopilot/policy"), ("post", "/autopilot/preview"), ("post", "/sync"), ("post", "/complete"))
    for method, path in doors:
        for body in ('"{}"', '"x"', "[]", "7"):
            answer = getattr(owner, method)(T + path, data=body, content_type="application/json")

            assert answer.status_code == 422, (path, body)
            assert [part["loc"][0] for part in answer.json["detail"]] == ["body"], (path, body)


def test_a_preview_shows_a_dry_run_when_it_is_asked_to(owner, clock):
    owner.put(f"{A}/policy", json={"cooldown_minutes": 1440})
    ok(owner.post(f"{A}/run?dry_run=true&force=true"))

    real = ok(owner.post(f"{A}/preview", json={}))["guard"]
    dry = ok(owner.post(f"{A}/preview", json={"dry_run": True}))["guard"]
    odd = ok(owner.post(f"{A}/preview", json={"dry_run": "yes"}))

    assert (real["dry_run"], real["blocked"]) == (False, False)
    assert (dry["dry_run"], dry["blocked"], dry["reason"]) == (True, True, "cooldown_active")
    assert (odd["guard"]["dry_run"], [one["field"] for one in odd["warnings"]]) == (False, ["dry_run"])


def test_a_week_that_was_never_begun_is_not_closed_even_by_force(api, sites):
    owner = api("owner")

    answer = owner.post(t("w02", "complete"), json={"site": WEEK_SITE, "force": True})

    assert (answer.status_code, answer.json["detail"]["message"]) == (409, "W02 completion gate failed")
    assert owner.get(t("w02", f"completion?site={WEEK_SITE}")).json["status"] == "active"
    assert owner.get(t("w02", "completion"), query_string={"site": "모르는 곳"}).json["history_count"] == 0


def test_a_site_is_found_by_its_name_however_it_is_written(api, sites):
    owner = api("owner")
    begin(owner, "w02")

    found = owner.get(t("w02", "overview"), query_string={"site": f" {unicodedata.normalize('NFD', WEEK_SITE)} "})

    assert (found.json["site"], found.json["total_items"]) == (WEEK_SITE, 13)
    assert owner.get(t("w02", "overview"), query_string={"site": "  "}).status_code == 422


@pytest.mark.parametrize("broken", ['"\\ud800"', '"a\\u0000"', '{"x": "\\udfff"}'])
def test_characters_that_no_database_takes_are_refused_in_policies_too(owner, broken):
    values = f'{{"cooldown_minutes": {broken}, "other": {broken}}}'
    doors = {
        ("put", "/autopilot/policy"): values,
        ("post", "/autopilot/preview"): f'{{"policy": {values}}}',
        ("post", "/autopilot/policy/proposals"): f'{{"policy": {values}, "reason": "x"}}',
    }
    for (method, path), body in doors.items():
        answer = getattr(owner, method)(T + path, data=body, content_type="application/json")

        assert (answer.status_code, answer.json["detail"][0]["loc"]) == (422, ["body"]), path


def test_a_number_of_any_length_is_clamped(owner):
    long = "1" + "0" * 400

    made = owner.put(f"{A}/policy", data=f'{{"cooldown_minutes": {long}}}', content_type="application/json")

    assert made.json["policy"]["cooldown_minutes"] == 1440
    assert [one["code"] for one in made.json["warnings"]] == ["clamped"]


def test_a_misspelt_filter_never_widens_a_bulk_action(owner):
    before = owner.get(f"{T}/items").json
    sent = {"action": "assign", "assignee": "anna", "everything": True, "filters": {"stauts": ["blocked"]}}

    answer = owner.post(f"{T}/items/bulk", json=sent)

    assert (answer.status_code, answer.json["detail"][0]["loc"]) == (422, ["body", "filters"])
    assert owner.get(f"{T}/items").json == before
