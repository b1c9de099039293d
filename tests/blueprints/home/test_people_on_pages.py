"""People are called by their names on the pages of the trackers, not by what they sign in with."""

import ast
import re
from pathlib import Path

import pytest

import console
from console.domain.evidence import evidence
from console.ui.labels.tracker import REOPENED
from tests.factories import make_user
from tests.factories.tracker import add_item

ROOT = Path(console.__file__).parent
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
USERS = {"demo.park": "박서준", "demo.lee": "이하늘"}


@pytest.fixture
def page(browser_client, session, clock):
    """A client of an owner who sees one item that was added by hand and given from one to the other."""
    for username, name in USERS.items():
        make_user(session, now=clock.now(), username=username, display_name=name, role="manager")
    row = add_item(
        session, clock.now(), 1, item_type="manual", item_key="manual-1", item_name="펌프 점검", created_by="demo.park"
    )
    session.commit()
    item_id = row.id
    client = browser_client("owner", username="owner.kim", display_name="김도윤")
    for version, whom in enumerate(USERS, start=1):
        sent = {"from": "drawer", "version": str(version), "assignee": whom}
        assert client.post(f"/board/items/{item_id}", data=sent, headers=PARTIAL).status_code == 200
    return client, item_id


def words(answer):
    """Return what is read on a page: no tags, no form fields."""
    assert answer.status_code == 200, answer.text
    return re.sub(r"<(script|select|datalist)\b.*?</\1>|<[^>]+>", " ", answer.text, flags=re.DOTALL)


def test_the_drawer_names_who_added_an_item_and_whom_it_went_to(page):
    client, item_id = page

    read = words(client.get(f"/board/items/{item_id}", headers=PARTIAL))

    assert "박서준 님이 직접 추가" in read
    assert "이하늘" in read
    assert not [username for username in USERS if username in read]


def test_who_closed_the_tracker_is_named(page):
    client, _item_id = page
    client.post("/board/complete", data={"force": "1", "completion_note": "예외 승인"})

    assert "김도윤" in words(client.get("/board/readiness", headers=PARTIAL))
    history = words(client.get("/board/history"))
    assert "예외 승인" in history
    assert history.count("owner.kim") == 1  # the reader's own menu


def test_who_was_faster_is_named(page):
    client, item_id = page

    late = {"from": "drawer", "version": "1", "assignee": "demo.park", "completion_note": "늦은 메모"}

    answer = client.post(f"/board/items/{item_id}", data=late, headers=PARTIAL)

    assert answer.status_code == 409
    assert "김도윤" in answer.text
    assert "<del>이하늘</del>" in answer.text
    assert "<ins>박서준</ins>" in answer.text


def test_every_reason_to_open_a_closed_tracker_is_said_in_words():
    given = set()
    for path in (ROOT / "services").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "reopen_completion":
                given |= {part.value for part in call.args[3:4] if isinstance(part, ast.Constant)}

    assert "auto_assigned" in given
    assert given | {evidence.UPLOADED, evidence.REMOVED} == set(REOPENED)


def test_a_missing_permission_is_named_in_the_readers_language(browser_client):
    client = browser_client("operator")

    assert "필요한 권한: admins:manage" in client.get("/admin/users").text
    assert "Missing permission: admins:manage" in client.get("/admin/users", headers={"Accept-Language": "en"}).text
    assert client.get("/api/admin/users").json["detail"] == "Missing permission: admins:manage"
