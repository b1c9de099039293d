import json

import pytest
from sqlalchemy import select

from console.models.identity import User
from console.models.tracker import TrackerItem
from tests.factories import make_site
from tests.factories.tracker import HOUR, add_item

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
SITE, OTHER = "한빛마을 3단지", "푸른숲 타워"


@pytest.fixture
def lee(browser_client, session, clock):
    """A technician of one site with work of every kind."""
    now = clock.now()
    for name in (SITE, OTHER):
        make_site(session, name, now=now)
    session.commit()
    client = browser_client("operator", (SITE,), username="lee", display_name="이정비")
    user_id = session.scalar(select(User.id).where(User.username == "lee"))
    mine = {"site": SITE, "assignee": "lee", "assignee_user_id": user_id}
    add_item(session, now, 1, due_at=now - HOUR, item_name="늦은 일", **mine)
    add_item(session, now, 2, due_at=now + 100 * HOUR, status="in_progress", item_name="먼 일", **mine)
    add_item(session, now, 3, due_at=now + HOUR, site=SITE, item_name="남은 일")
    add_item(session, now, 4, due_at=now + HOUR, site=OTHER, item_name="남의 일")
    session.commit()
    return client


def item(session, number):
    session.rollback()
    return session.scalar(select(TrackerItem).where(TrackerItem.number == number))


def act(client, session, number, action, headers=PARTIAL, **fields):
    row = item(session, number)
    values = {"tracker": row.tracker, "version": row.version, "show": "assigned", **fields}
    return client.post(f"/my-work/{row.id}/{action}", data=values, headers=headers)


@pytest.mark.parametrize(
    ("show", "names"),
    [("today", {"늦은 일"}), ("assigned", {"늦은 일", "먼 일"}), ("claimable", {"남은 일"}), ("nonsense", {"늦은 일"})],
)
def test_each_list_has_its_own_work_and_nothing_of_other_sites(lee, show, names):
    page = lee.get(f"/my-work?show={show}").text

    assert {name for name in ("늦은 일", "먼 일", "남은 일", "남의 일") if f"{name}</a>" in page} == names


def test_work_begins_with_one_press_and_can_be_undone(lee, session):
    response = act(lee, session, 1, "start")

    heard = json.loads(response.headers["HX-Trigger"])["toast"]
    assert item(session, 1).status == "in_progress"
    assert response.text.strip().startswith('<section id="my-work"')
    assert heard["undo"] == "/board/undo"
    assert lee.post(heard["undo"], data={"token": heard["token"]}, headers=PARTIAL).status_code == 200
    assert item(session, 1).status == "pending"


def test_work_is_reported_as_done_with_what_was_done(lee, session):
    act(lee, session, 2, "done", note="패킹 교체")

    row = item(session, 2)
    assert (row.status, row.completion_checked, row.completion_note) == ("done", True, "패킹 교체")


def test_free_work_is_taken_once(lee, browser_client, session):
    other = browser_client("operator", username="park")

    assert act(lee, session, 3, "claim").status_code == 200
    late = act(other, session, 3, "claim")

    assert item(session, 3).assignee == "lee"
    assert late.status_code == 409
    assert late.text.strip().startswith('<section id="my-work"')  # the newest state comes along


def test_without_script_the_page_comes_back_with_a_message(lee, session):
    response = act(lee, session, 1, "start", headers={})

    assert (response.status_code, response.headers["Location"]) == (303, "/my-work?show=assigned")
    assert "작업을 시작했습니다" in lee.get("/my-work").text


def test_somebody_elses_version_is_a_conflict(lee, session):
    assert act(lee, session, 1, "start", version=99).status_code == 409
    assert item(session, 1).status == "pending"


@pytest.mark.parametrize("fields", [{"version": ""}, {"version": "x"}, {"version": "1" * 30}])
def test_a_version_that_is_none_is_refused(lee, session, fields):
    assert act(lee, session, 1, "start", **fields).status_code == 422


def test_an_unknown_tracker_or_item_is_not_found(lee, session):
    assert act(lee, session, 1, "start", tracker="nothing").status_code == 404
    assert (
        lee.post("/my-work/999999/start", data={"tracker": item(session, 1).tracker, "version": 1}).status_code == 404
    )


def test_work_of_another_site_is_refused(lee, session):
    assert act(lee, session, 4, "claim").status_code == 403
    assert item(session, 4).assignee is None


def test_an_auditor_changes_nothing(browser_client, lee, session):
    auditor = browser_client("auditor")

    assert act(auditor, session, 3, "claim").status_code == 403


def test_a_note_is_kept_whole_or_refused(lee, session):
    longest = "가\r\n" * 1999 + "끝끝"
    assert act(lee, session, 2, "done", note="가" * 4001).status_code == 422
    act(lee, session, 2, "done", note=longest)
    assert item(session, 2).completion_note == longest.replace("\r\n", "\n")
