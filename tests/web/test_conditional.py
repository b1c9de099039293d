"""Who holds the newest state of a list is told so in a few bytes, and nobody is ever told so wrongly."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.models.tracker import TrackerItem
from tests.blueprints.tracker.board_support import SITE
from tests.factories import make_site
from tests.factories.tracker import add_item
from tests.support.statements import statements

API = "/api/ops/governance/gate/remediation/tracker/items"
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def board(session, clock):
    """Three items on the board."""
    make_site(session, SITE, now=clock.now())
    rows = [add_item(session, clock.now(), number, site=SITE) for number in (1, 2, 3)]
    session.commit()
    return [row.id for row in rows]


def poll(client, path="/board", tag="", **headers):
    return client.get(path, headers={**PARTIAL, **headers, **({"HX-PTag": tag} if tag else {})})


@pytest.mark.parametrize("path", ["/board", "/board?view=table", "/jobs", "/audit", "/admin/users", "/alerts"])
def test_a_live_part_that_did_not_change_is_answered_in_a_few_bytes(browser_client, board, path):
    client = browser_client("owner")
    first = poll(client, path)

    again = poll(client, path, first.headers["HX-PTag"])

    assert (again.status_code, again.data) == (304, b"")
    assert len(str(again.headers)) <= 300
    assert again.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", [API, "/api/ops/job-runs", "/api/admin/users", "/api/admin/audit-logs"])
def test_programs_may_ask_conditionally(api, board, path):
    client = api()
    first = client.get(path)

    tagged = {"If-None-Match": first.headers["ETag"]}
    assert client.get(path, headers=tagged).status_code == 304
    # A compressing proxy may have marked the tag.
    assert client.get(path, headers={"If-None-Match": first.headers["ETag"][:-1] + ':br"'}).status_code == 304
    assert client.get(path, headers={"If-None-Match": '"0123"'}).status_code == 200


def test_an_unchanged_poll_asks_for_the_tokens_and_nothing_else(browser_client, board):
    client = browser_client("manager")
    tag = poll(client).headers["HX-PTag"]
    poll(client, tag=tag)

    with statements() as seen:
        assert poll(client, tag=tag).status_code == 304

    assert len(seen) == 1, seen


def test_a_committed_change_shows_with_the_next_request(browser_client, api, board, session):
    client, program = browser_client("manager"), api()
    tag, etag = poll(client).headers["HX-PTag"], program.get(API).headers["ETag"]

    session.get(TrackerItem, board[0]).item_name = "다른 사람이 고친 일"
    session.commit()

    assert poll(client, tag=tag).status_code == 200
    assert program.get(API, headers={"If-None-Match": etag}).status_code == 200


def test_a_change_of_something_else_leaves_the_tag(browser_client, board, make_ctx):
    from console.services.audit import record as audit

    client = browser_client("manager")
    tag = poll(client).headers["HX-PTag"]
    ctx = make_ctx("owner")
    audit.record(ctx, "something", "else", "1")
    ctx.commit()

    assert poll(client, tag=tag).status_code == 304


def test_a_tag_belongs_to_its_reader_language_look_and_address(browser_client, board):
    manager, other, auditor = browser_client("manager"), browser_client("manager"), browser_client("auditor")
    manager.set_cookie("lang", "ko")
    tag = poll(manager).headers["HX-PTag"]

    assert poll(other, tag=tag).status_code == 200
    assert poll(auditor, tag=tag).status_code == 200
    assert poll(manager, "/board?status=pending", tag).status_code == 200
    assert manager.get("/board", headers={"HX-PTag": tag}).status_code == 200
    manager.set_cookie("lang", "en")
    assert poll(manager, tag=tag).status_code == 200
    manager.set_cookie("lang", "ko")
    assert poll(manager, tag=tag).status_code == 304


def test_a_tag_ends_with_the_minute_and_with_a_deadline(browser_client, board, session, clock):
    client = browser_client("manager")
    deadline = clock.now().replace(second=0, microsecond=0) + timedelta(minutes=1, seconds=20)
    session.get(TrackerItem, board[0]).due_at = deadline
    session.commit()
    clock.set(deadline - timedelta(seconds=5))
    tag = poll(client).headers["HX-PTag"]

    clock.set(deadline)
    assert poll(client, tag=tag).status_code == 304
    clock.set(deadline + timedelta(microseconds=1))
    assert poll(client, tag=tag).status_code == 200
    tag = poll(client).headers["HX-PTag"]
    clock.advance(timedelta(minutes=1))
    assert poll(client, tag=tag).status_code == 200


def test_narrowed_rights_end_a_tag(browser_client, board, session):
    from console.models.identity import User

    client = browser_client("manager", username="kim")
    tag = poll(client).headers["HX-PTag"]
    session.query(User).filter_by(username="kim").update({"role": "operator"})
    session.commit()

    assert poll(client, tag=tag).status_code != 304


def test_an_ended_session_gets_no_304(browser_client, board, session, clock):
    from console.models.identity import WebSession

    client = browser_client("manager")
    tag = poll(client).headers["HX-PTag"]
    session.query(WebSession).update({"revoked_at": clock.now()})
    session.commit()

    assert poll(client, tag=tag).status_code == 401


def test_a_message_that_is_shown_once_is_never_held_back(browser_client, board):
    client = browser_client("manager")
    page = client.get("/board")
    with client.session_transaction() as session:
        session["toasts"] = [{"message": "한 번만", "kind": "success", "undo": None, "token": None}]

    again = client.get("/board", headers={"HX-PTag": page.headers["HX-PTag"]})

    assert "한 번만" in again.text
    assert "HX-PTag" not in again.headers
