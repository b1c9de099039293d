"""The board as a whole: many items at once, the sync with the gate, closing it."""

import pytest
from sqlalchemy import select

from console.models.jobs import JobRun
from console.models.tracker import TrackerItem
from tests.blueprints.tracker.board_support import OTHER, PARTIAL, SITE, heard
from tests.factories import make_user


@pytest.mark.parametrize("ids", ["x", "-1", "9" * 5000, "1.5"])
def test_chosen_rows_are_numbers(browser_client, items, ids):
    client = browser_client("manager")

    assert client.get("/board/items.csv", query_string={"ids": ids}).status_code == 422
    assert client.post("/board/bulk", data={"action": "assign", "ids": ids}).status_code == 422


@pytest.mark.parametrize(("lang", "words"), [("ko", "기한을 입력해 주십시오"), ("en", "A due date is needed")])
def test_a_refused_field_is_told_in_a_sentence_of_the_reader(browser_client, items, lang, words):
    client = browser_client("manager")
    client.set_cookie("lang", lang)

    refused = client.post("/board/bulk/apply", data={"action": "due", "ids": items[0]}, headers=PARTIAL)

    assert refused.status_code == 422
    assert words in refused.text
    assert f"due_at: {words}" not in refused.text


def test_a_bulk_action_tells_before_and_after(browser_client, session, items):
    client = browser_client("manager")
    asked = client.post(
        "/board/bulk", data={"action": "assign", "ids": [str(one) for one in items[:3]]}, headers=PARTIAL
    )
    assert asked.status_code == 200
    assert "data-open" in asked.text
    chosen = {"action": "assign", "value": "lee", "ids": [str(one) for one in items[:3]]}
    counted = client.post("/board/bulk/count", data=chosen, headers={**PARTIAL, "Accept-Language": "en"})
    assert "1 of 3 would change" in counted.text
    done = client.post("/board/bulk/apply", data=chosen, headers={**PARTIAL, "Accept-Language": "en"})
    assert heard(done)["toast"]["message"] == "Changed: 1 · as wanted already: 2"
    assert session.get(TrackerItem, items[1]).assignee == "lee"
    client.post("/board/bulk/apply", data={**chosen, "value": "-"}, headers=PARTIAL)
    session.rollback()
    assert session.get(TrackerItem, items[1]).assignee is None


def test_a_bulk_action_leaves_out_who_cannot_work_there(browser_client, session, items, clock):
    make_user(session, now=clock.now(), username="here", display_name="여기", site_scope=(SITE,))
    session.commit()
    client, english = browser_client("manager"), {**PARTIAL, "Accept-Language": "en"}
    chosen = {"action": "assign", "ids": [str(one) for one in items[:3]]}

    asked = client.post("/board/bulk", data=chosen, headers=english).text
    told = client.post("/board/bulk/count", data={**chosen, "value": "here"}, headers=english).text
    done = client.post("/board/bulk/apply", data={**chosen, "value": "here"}, headers=english)

    assert "여기 (sees 2 of 3)" in asked
    assert "would change" not in asked
    assert "2 of 3 would change" in told
    assert f"여기 does not see {OTHER}" in told
    assert f"여기 does not see {OTHER}" in done.text
    assert 'action="/board/undo"' in done.text
    session.rollback()
    held = [session.get(TrackerItem, one) for one in items[:3]]
    assert {(one.site, one.assignee) for one in held} == {(SITE, "here"), (OTHER, None), (None, "here")}


def test_all_that_match_are_chosen_by_their_filter(browser_client, session, items):
    client = browser_client("manager")
    sent = {"action": "status", "value": "in_progress", "all": "1", "query": "status=pending&view=table"}
    client.post("/board/bulk/apply", data=sent, headers=PARTIAL)

    counts = {}
    for status in session.scalars(select(TrackerItem.status)):
        counts[status] = counts.get(status, 0) + 1
    assert counts == {"in_progress": 5, "blocked": 3, "done": 2}


@pytest.mark.parametrize(
    "sent",
    [
        {"action": "explode", "ids": "1"},
        {"action": "assign", "ids": "1", "value": ""},
        {"action": "status", "ids": "1"},
        {"action": "status", "ids": "1", "value": "nonsense"},
        {"action": "due", "ids": "1", "value": "2026-03-09T18:00"},
        {"action": "due", "ids": "1", "value": "tomorrow", "reason": "x"},
        {"action": "assign", "value": "lee", "all": "1", "query": "status=nonsense"},
    ],
)
def test_a_bulk_action_that_makes_no_sense_is_refused(browser_client, items, sent):
    assert browser_client("manager").post("/board/bulk/apply", data=sent, headers=PARTIAL).status_code == 422


def test_closing_needs_a_reason_when_something_is_open(browser_client, items):
    client = browser_client("manager")
    refused = client.post("/board/complete", data={}, headers=PARTIAL)
    assert refused.status_code == 409
    assert heard(refused)["toast"]["kind"] == "error"
    assert client.post("/board/complete", data={"force": "1"}, headers=PARTIAL).status_code == 422
    closed = client.post("/board/complete", data={"force": "1", "completion_note": "월말 마감"}, headers=PARTIAL)
    assert closed.status_code == 200
    assert "월말 마감" in closed.text
    assert "월말 마감" in client.get("/board/history").text


def test_the_sync_goes_through_the_queue(browser_client, session, items):
    client = browser_client("manager")
    answer = client.post("/board/sync", headers=PARTIAL)
    run = session.scalars(select(JobRun)).one()

    assert (run.job_name, run.state) == ("ops_governance_remediation_sync", "queued")
    assert f'data-poll="/board/sync?run={run.id}"' in answer.text
    assert client.get(f"/board/sync?run={run.id}", headers=PARTIAL).status_code == 200
    assert client.get("/board/sync?run=x", headers=PARTIAL).status_code == 286
