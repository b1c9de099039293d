"""The pages of work orders: the list with its views, one order, and the steps that people take."""

import io
from datetime import timedelta

import pytest

from tests.factories.work_orders import add_order

HOUR = timedelta(hours=1)


@pytest.fixture
def person(browser_client):
    return browser_client("operator", ("본관",), username="kim", display_name="김정비")


@pytest.fixture
def orders(session, clock):
    """A late one, one that waits, one that is done, and one of another site."""
    now = clock.now()
    made = {
        "late": add_order(session, now, title="Late pump", due_at=now - HOUR),
        "waits": add_order(
            session, now, title="Slow lift", status="acked", assignee="lee", waiting_reason="parts", acknowledged_at=now
        ),
        "done": add_order(session, now, title="Old lamp", status="completed", completed_at=now),
        "far": add_order(session, now, title="Far door", site="별관"),
    }
    ids = {name: row.id for name, row in made.items()}
    session.commit()
    return ids


def test_the_list_shows_what_is_open_at_the_sites_of_the_reader_and_its_figures(person, orders):
    page = person.get("/work-orders").text

    assert page.index("Late pump") < page.index("Slow lift")
    assert "Old lamp" not in page
    assert "Far door" not in page
    assert "열린 2건" in page
    fragment = person.get("/work-orders", headers={"HX-Request": "true", "HX-Request-Type": "partial"}).text
    assert "Late pump" in fragment
    assert "<html" not in fragment


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("due=late", {"Late pump"}),
        ("assignee=none", {"Late pump"}),
        ("held=1", {"Slow lift"}),
        ("state=closed&week=1", {"Old lamp"}),
        ("state=all", {"Late pump", "Slow lift", "Old lamp"}),
        ("q=pump", {"Late pump"}),
        ("evidence=none&assignee=lee", {"Slow lift"}),
    ],
)
def test_a_view_is_an_address(person, orders, query, shown):
    page = person.get(f"/work-orders?{query}").text

    assert {title for title in ("Late pump", "Slow lift", "Old lamp", "Far door") if title in page} == shown


def test_the_tab_of_the_view_is_marked(person, orders):
    page = person.get("/work-orders?due=late").text

    assert page.count('aria-current="page">기한 초과') == 1


def test_one_order_from_taking_it_to_its_end(person, orders):
    path = f"/work-orders/{orders['late']}"

    assert "내가 맡기" in person.get(path).text
    assert person.post(f"{path}/take").status_code == 303
    assert person.post(f"{path}/begin").status_code == 303
    assert person.post(f"{path}/comments", data={"comment": "seal ordered"}).status_code == 303
    assert person.post(f"{path}/complete", data={"resolution_notes": "seal changed"}).status_code == 303
    page = person.get(path).text
    assert "seal changed" in page
    assert "seal ordered" in page
    assert person.post(f"{path}/reopen", data={"reason": "leaks"}).status_code == 303
    assert person.post(f"{path}/cancel", data={"reason": "double"}).status_code == 303


def test_who_comes_too_late_is_told_who_was_first_and_keeps_the_words(person, browser_client, orders):
    other = browser_client("operator", ("본관",), username="lee")
    path = f"/work-orders/{orders['late']}"
    other.post(f"{path}/cancel", data={"reason": "double"})
    refused = person.post(f"{path}/complete", data={"resolution_notes": "seal changed by me"})

    assert refused.status_code == 409
    assert "lee 님이 먼저 처리했습니다" in refused.text
    assert "seal changed by me" in refused.text


def test_an_order_of_another_site_is_not_shown(person, orders):
    assert person.get(f"/work-orders/{orders['far']}").status_code == 403
    assert person.get("/work-orders/999999").status_code == 404


def test_an_auditor_sees_no_buttons(browser_client, orders):
    auditor = browser_client("auditor", username="audrey")

    page = auditor.get(f"/work-orders/{orders['late']}").text
    assert "내가 맡기" not in page
    assert auditor.post(f"/work-orders/{orders['late']}/take").status_code == 403


def test_photos_stand_before_and_after_the_work(person, browser_client, orders):
    path = f"/work-orders/{orders['late']}"

    def send(phase, content=b"measured", **headers):
        data = {"file": (io.BytesIO(content), "a.txt", "text/plain"), "note": ""}
        return person.post(f"{path}/evidence?phase={phase}", data=data, headers=headers)

    assert send("before").status_code == 303
    fragment = send("after", b"done", **{"HX-Request": "true", "HX-Request-Type": "partial"})
    assert 'id="evidence-after"' in fragment.text
    page = person.get(path).text
    before, after = page.index('id="evidence-before"'), page.index('id="evidence-after"')
    assert before < page.index("a.txt") < after
    auditor = browser_client("auditor", username="audrey").get(path).text
    assert "a.txt" in auditor
    assert "data-evidence-form" not in auditor


def test_a_new_order_is_added_by_its_form_and_a_refusal_keeps_what_was_written(person, session):
    page = person.get("/work-orders/new")
    assert page.status_code == 200
    sent = {"title": "누수", "site": "본관", "location": "B1", "priority": "high", "trade": "mechanical", "due_at": ""}
    refused = person.post("/work-orders/new", data={**sent, "title": " "})
    assert (refused.status_code, "B1" in refused.text) == (422, True)
    assert person.post("/work-orders/new", data={**sent, "due_at": "2026-13-01T00:00"}).status_code == 422
    assert person.post("/work-orders/new", data={**sent, "site": "별관"}).status_code == 403
    made = person.post("/work-orders/new", data=sent)
    assert made.status_code == 303
    shown = person.get(made.headers["Location"]).text
    assert "누수" in shown
    assert "SLA 시계" in shown


def test_changes_need_their_reason_and_the_version_that_was_seen(person, orders):
    path = f"/work-orders/{orders['late']}"
    refused = person.post(f"{path}/edit", data={"priority": "critical", "reason": "", "version": "1"})
    assert refused.status_code == 422
    done = person.post(f"{path}/edit", data={"priority": "critical", "reason": "water everywhere", "version": "1"})
    assert done.status_code == 303
    stale = person.post(f"{path}/edit", data={"priority": "low", "reason": "dry again", "version": "1"})
    assert stale.status_code == 409
    assert "dry again" in stale.text
    moved = person.post(f"{path}/edit", data={"due_at": "2026-03-09T09:00", "reason": "agreed", "version": "2"})
    assert moved.status_code == 303
    assert "water everywhere" in person.get(path).text


def test_waiting_is_begun_and_ended_on_the_page(person, orders):
    path = f"/work-orders/{orders['late']}"
    assert person.post(f"{path}/hold", data={"reason": "parts"}).status_code == 409
    person.post(f"{path}/take")
    person.post(f"{path}/begin")
    assert person.post(f"{path}/hold", data={"reason": "nothing"}).status_code == 422
    assert person.post(f"{path}/hold", data={"reason": "parts", "note": "seal"}).status_code == 303
    page = person.get(path).text
    assert "다시 시작" in page or "계속" in page
    assert person.post(f"{path}/resume").status_code == 303
    assert person.post(f"{path}/resume").status_code == 409


def test_the_large_button_of_a_phone_is_the_first_thing_that_is_missing(person, orders):
    path = f"/work-orders/{orders['late']}"

    def button():
        page = person.get(path).text
        return page[page.index('class="order-bar"') :][:1200]

    assert "내가 맡기" in button()
    person.post(f"{path}/take")
    person.post(f"{path}/begin")
    assert "조치 후 사진 찍기" in button()
    data = {"file": (io.BytesIO(b"done"), "a.txt", "text/plain"), "note": ""}
    person.post(f"{path}/evidence?phase=after", data=data)
    assert 'data-dialog="complete"' in button()
