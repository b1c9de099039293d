"""The page of the daily check: what it says, to whom, with and without a run."""

import re
from datetime import timedelta

import pytest

from console.domain.runbook.runbook import registered
from console.ui.labels.runbook import CHECKS
from tests.support.page_words import words_of

PAGE = "/ops/daily-check"
RUN = "/api/ops/runbook/checks/run"


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("manager", 200), ("auditor", 200), ("operator", 200)])
def test_the_page_opens_for_those_who_read_the_gate(api, role, status):
    assert api(role).get(PAGE).status_code == status


def test_before_the_first_run_it_says_so_and_still_judges(api):
    words = words_of(api().get(PAGE, headers={"Accept-Language": "en"}))

    assert "No daily check yet" in words
    assert f"{len(registered())} checks" in words


def test_after_a_run_it_names_run_and_files(api):
    caller = api()
    run = caller.post(RUN).json

    page = caller.get(PAGE, headers={"Accept-Language": "en"})
    assert f"Run #{run['run_id']}" in words_of(page)
    assert "as written" in words_of(page)
    for suffix, kind in (("json", "application/json"), ("csv", "text/csv; charset=utf-8")):
        answer = caller.get(f"{PAGE}/runs/{run['run_id']}.{suffix}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
        assert run["archive"][f"{suffix}_file"] in answer.headers["Content-Disposition"]
    assert caller.get(f"{PAGE}/archive.csv").status_code == 200


def test_a_run_that_left_no_file_has_none_to_hand_out(api):
    assert api().get(f"{PAGE}/runs/4711.json").status_code == 404


def test_the_worst_check_stands_first(api):
    text = api().get(PAGE, headers={"Accept-Language": "en"}).text
    shown = re.findall(r'<tr id="check-(\w+)"', text)

    assert len(shown) == len(registered())
    assert shown.index("dr_rehearsal_recent") < shown.index("alert_retry_recent")


def test_a_failing_check_says_since_which_run_and_leads_to_its_item(api, clock):
    caller = api()
    first = caller.post(RUN).json
    clock.advance(timedelta(hours=1))
    second = caller.post(RUN).json
    text = caller.get(PAGE, headers={"Accept-Language": "en"}).text
    row = re.search(r'<tr id="check-dr_rehearsal_recent".*?</tr>', text, re.DOTALL)[0]

    assert f'href="/jobs/runs/{first["run_id"]}"' in row
    assert f'/jobs/runs/{second["run_id"]}"' not in row
    assert "since the run of" in row
    assert re.search(r'href="/board/[^"]+">GR-\d{3}<', row)
    passing = text.split('id="passing"')[1]
    assert "since the run" not in passing.split("</details>")[0]


def test_the_result_of_the_run_is_said_in_the_language_of_the_reader(api):
    caller = api()
    caller.post(RUN)
    assert "결과: 경고" in words_of(caller.get(PAGE, headers={"Accept-Language": "ko"}))


def test_every_check_has_a_name_for_people():
    assert {spec.id for spec in registered()} <= set(CHECKS)


def test_the_button_asks_a_worker(api):
    caller = api()
    assert caller.post(f"{PAGE}/start").status_code in (200, 303)
    assert caller.get("/api/ops/job-runs?job_name=ops_daily_check&state=queued").json


def test_every_check_leads_to_a_page_that_is_there(api):
    caller = api()
    text = caller.get(PAGE).text
    rows = re.findall(r'<tr id="check-(\w+)".*?</tr>', text, re.DOTALL)
    links = re.findall(r'<a class="cell-title" href="([^"]+)"', text)
    assert len(links) == len(rows) == len(registered())
    for address in sorted({link.partition("#")[0] for link in links}):
        assert caller.get(address).status_code == 200, address
    assert "/jobs/ops_runbook_critical_review/start" in links
