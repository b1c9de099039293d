"""One item of the board: changed in the drawer, in the row or by its card; taken, commented, added; conflicts."""

import re

import pytest
from sqlalchemy import select

from console.domain.tracker.requests import ItemChange
from console.models.tracker import TrackerItem
from console.services.tracker import items as tracker_items
from tests.blueprints.tracker.board_support import OTHER, PARTIAL, SITE, heard
from tests.factories import make_user


def test_a_change_in_the_drawer_answers_with_toast_undo_and_refresh(browser_client, session, items, clock):
    client = browser_client("manager")
    answer = client.post(
        f"/board/items/{items[3]}",
        data={"from": "drawer", "version": "1", "assignee": "lee", "status": "in_progress", "completion_note": "시작"},
        headers=PARTIAL,
    )
    said = heard(answer)

    assert answer.status_code == 200
    assert "tracker-changed" in said
    assert said["toast"]["undo"] == "/board/undo"
    row = session.get(TrackerItem, items[3])
    assert (row.assignee, row.status, row.completion_note, row.version) == ("lee", "in_progress", "시작", 2)

    undone = client.post("/board/undo", data={"token": said["toast"]["token"]}, headers=PARTIAL)
    session.rollback()
    row = session.get(TrackerItem, items[3])
    assert undone.status_code == 200
    assert (row.assignee, row.status, row.completion_note) == (None, "pending", "")


def test_without_script_a_change_ends_on_the_page_with_its_message(browser_client, session, items):
    client = browser_client("manager")
    answer = client.post(f"/board/items/{items[3]}?view=table", data={"version": "1", "status": "done"})

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/board/items/{items[3]}?view=table")
    assert "GR-004" in client.get(answer.headers["Location"]).text
    assert session.get(TrackerItem, items[3]).status == "done"


def test_a_new_due_date_is_read_in_the_readers_zone_and_needs_a_reason(browser_client, session, items, clock):
    client = browser_client("manager")
    sent = {"from": "drawer", "version": "1", "due_was": "", "due_at": "2026-03-09T18:00"}
    refused = client.post(f"/board/items/{items[3]}", data=sent, headers=PARTIAL)
    assert refused.status_code == 422
    assert 'value="2026-03-09T18:00"' in refused.text
    assert "error-summary" in refused.text

    client.post(f"/board/items/{items[3]}", data={**sent, "reason": "부품 대기"}, headers=PARTIAL)
    assert session.get(TrackerItem, items[3]).due_at.isoformat() == "2026-03-09T09:00:00+00:00"


@pytest.mark.parametrize("zone", ["Nowhere/Never", "Asia", "../etc", "가" * 300])
def test_a_zone_that_is_none_is_read_as_the_zone_of_the_business(browser_client, session, items, zone):
    sent = {"version": "1", "due_was": "", "due_at": "2026-03-09T18:00", "reason": "부품 대기", "zone": zone}

    answer = browser_client("manager").post(f"/board/items/{items[3]}", data=sent, headers=PARTIAL)

    assert answer.status_code == 200
    assert session.get(TrackerItem, items[3]).due_at.isoformat() == "2026-03-09T09:00:00+00:00"


def test_an_untouched_due_date_is_not_moved_by_its_seconds(browser_client, session, items, clock):
    client = browser_client("manager")
    row = session.get(TrackerItem, items[3])
    row.due_at = row.due_at.replace(second=31)
    session.commit()
    form = client.get(f"/board/items/{items[3]}", headers=PARTIAL).text
    was = re.search(r'name="due_was"[^>]*value="([^"]+)"', form)[1]

    answer = client.post(
        f"/board/items/{items[3]}",
        data={"from": "drawer", "version": "1", "due_was": was, "due_at": was, "completion_note": "x"},
        headers=PARTIAL,
    )
    session.rollback()
    row = session.get(TrackerItem, items[3])
    assert answer.status_code == 200
    assert (row.due_at.second, row.due_changed_at, row.completion_note) == (31, None, "x")


def test_a_conflict_shows_both_versions_and_keeps_what_was_typed(browser_client, session, ctx, items):
    client = browser_client("manager")
    tracker_items.change(ctx, items[3], ItemChange(status="blocked", completion_note="theirs"))
    ctx.commit()
    sent = {"from": "drawer", "version": "1", "status": "done", "completion_note": "mine"}

    answer = client.post(f"/board/items/{items[3]}", data=sent, headers=PARTIAL)

    assert answer.status_code == 409
    assert ">mine</textarea>" in answer.text.replace("\r\n", "")
    assert "<ins>mine</ins>" in answer.text
    assert "<del>theirs</del>" in answer.text
    assert 'name="version" type="hidden" value="2"' in answer.text
    again = client.post(f"/board/items/{items[3]}", data={**sent, "version": "2"}, headers=PARTIAL)
    assert again.status_code == 200
    session.rollback()
    assert session.get(TrackerItem, items[3]).completion_note == "mine"


def test_a_moved_card_that_somebody_moved_before_comes_back_with_a_word(browser_client, ctx, items):
    client = browser_client("manager")
    tracker_items.change(ctx, items[3], ItemChange(status="blocked"))
    ctx.commit()

    answer = client.post(
        f"/board/items/{items[3]}", data={"from": "inline", "version": "1", "status": "done"}, headers=PARTIAL
    )

    assert answer.status_code == 409
    assert heard(answer)["toast"]["kind"] == "error"
    assert "tracker-changed" in heard(answer)
    assert answer.headers["HX-Reswap"] == "none"


@pytest.mark.parametrize("field", ["assignee", "status", "due_at"])
def test_one_field_can_be_edited_in_its_place(browser_client, items, field):
    client = browser_client("manager")
    answer = client.get(f"/board/items/{items[3]}/inline?field={field}", headers=PARTIAL)

    assert answer.status_code == 200
    assert f'name="{field}"' in answer.text
    plain = client.get(f"/board/items/{items[3]}/inline?field={field}")
    assert (plain.status_code, plain.headers["Location"]) == (303, f"/board/items/{items[3]}")


def test_only_people_who_may_work_on_it_are_offered(browser_client, session, items, clock):
    for username, role, sites, active in (
        ("auditor1", "auditor", ("*",), True),
        ("gone", "operator", ("*",), False),
        ("elsewhere", "operator", (OTHER,), True),
        ("here", "operator", (SITE,), True),
    ):
        make_user(session, now=clock.now(), username=username, role=role, site_scope=sites, is_active=active)
    session.commit()
    client = browser_client("manager")
    at_site = client.get(f"/board/items/{items[0]}/inline?field=assignee", headers=PARTIAL).text

    assert [name for name in ("auditor1", "gone", "elsewhere", "here") if f'value="{name}"' in at_site] == ["here"]


def test_taking_commenting_and_adding(browser_client, session, items):
    client = browser_client("manager")
    taken = client.post(f"/board/items/{items[3]}/claim", headers=PARTIAL)
    assert taken.status_code == 200
    assert client.post(f"/board/items/{items[3]}/claim", headers=PARTIAL).status_code == 409
    commented = client.post(f"/board/items/{items[3]}/comments", data={"text": "사진 <b>참고</b>"}, headers=PARTIAL)
    assert "사진 &lt;b&gt;참고&lt;/b&gt;" in commented.text
    assert client.post(f"/board/items/{items[3]}/comments", data={"text": " "}, headers=PARTIAL).status_code == 422

    page = client.get("/board/new")
    assert page.status_code == 200
    assert '<option selected value="Ops Manager">운영 관리 담당</option>' in page.text
    refused = client.post("/board/new", data={"title": "", "sla_hours": "0", "priority": "4"})
    assert refused.status_code == 422
    assert "이 항목은 필수입니다." in refused.text
    assert "This field" not in refused.text
    added = client.post("/board/new", data={"title": "점검표 갱신", "site": SITE, "sla_hours": "8", "priority": "2"})
    assert added.status_code == 303
    row = session.scalars(select(TrackerItem).order_by(TrackerItem.id.desc())).first()
    assert (row.item_name, row.site, row.item_type, row.sla_hours, row.number) == ("점검표 갱신", SITE, "manual", 8, 11)


def test_no_form_gives_an_item_to_somebody_who_never_sees_it(browser_client, session, items, clock):
    make_user(session, now=clock.now(), username="here", site_scope=(SITE,))
    session.commit()
    client = browser_client("manager")
    elsewhere = items[1]  # at the other site

    changed = client.post(f"/board/items/{elsewhere}", data={"assignee": "here", "from": "inline"}, headers=PARTIAL)
    added = client.post(
        "/board/new", data={"title": "누수 점검", "site": OTHER, "assignee": "here", "sla_hours": "8", "priority": "2"}
    )

    assert (changed.status_code, added.status_code) == (422, 422)
    assert 'value="누수 점검"' in added.text
    session.rollback()
    assert session.get(TrackerItem, elsewhere).assignee != "here"


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("post", "/board/items/{id}", {"status": "done"}),
        ("post", "/board/items/{id}/claim", {}),
        ("post", "/board/items/{id}/comments", {"text": "x"}),
        ("post", "/board/items/{id}/close", {}),
        ("get", "/board/items/{id}/inline?field=status", None),
        ("get", "/board/new", None),
        ("post", "/board/bulk/apply", {"action": "status", "value": "done", "ids": "{id}"}),
        ("post", "/board/sync", {}),
        ("post", "/board/complete", {"force": "1", "completion_note": "x"}),
    ],
)
def test_an_auditor_changes_nothing(browser_client, session, items, method, path, data):
    client = browser_client("auditor")
    filled = {key: value.format(id=items[3]) for key, value in (data or {}).items()}
    answer = getattr(client, method)(path.format(id=items[3]), data=filled, headers=PARTIAL)

    assert answer.status_code == 403
    assert session.get(TrackerItem, items[3]).version == 1
