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
    assert "lee님이 먼저 처리했습니다" in refused.text
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
