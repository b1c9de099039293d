"""The pages of handovers, as people go through them."""

import html
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from console.models.handover import Handover, HandoverLine
from tests.factories import make_site
from tests.factories.facility import add_delivery
from tests.factories.work_orders import add_order

SITE = "본관"
HOUR = timedelta(hours=1)


@pytest.fixture
def people(browser_client, session, clock, api):
    add_order(session, clock.now(), title="Pump <b>leaks</b>", due_at=clock.now() - HOUR, priority="high")
    session.commit()
    night = browser_client("operator", (SITE,), username="kang", display_name="강야간")
    day = browser_client("operator", (SITE,), username="lee", display_name="이정비")
    return night, day


def given(night):
    sent = night.post("/handover/give", data={"site": SITE, "previous": "0", "taker": "", "deadline": "120"})
    assert sent.status_code == 303
    return sent.headers["Location"]


def test_two_people_hand_over_by_hand(people, session):
    night, day = people
    page = night.get("/handover").text
    assert "Pump &lt;b&gt;leaks&lt;/b&gt;" in page
    assert night.post("/handover/notes", data={"site": SITE, "note": "CCTV 흐림"}).status_code == 303
    address = given(night)
    seen = day.get("/handover")
    assert (seen.status_code, seen.headers["Location"].split("?")[0]) == (303, address)
    first = day.get(address).text
    assert "CCTV 흐림" in first
    assert "disabled" in first
    lines = session.scalars(select(HandoverLine).order_by(HandoverLine.place)).all()
    asked = day.post(f"{address}/lines/{lines[0].id}/ask", data={"question": "언제 옵니까?"})
    assert asked.status_code == 303
    assert "언제 옵니까?" in night.get(address).text
    assert "답변을 기다리는 질문 1건" in night.get("/handover").text
    night.post(f"{address}/lines/{lines[0].id}/answer", data={"answer": "오전 10시"})
    for line in lines:
        assert day.post(f"{address}/lines/{line.id}/confirm").status_code == 303
    assert "오전 10시" in day.get(address).text
    assert day.post(f"{address}/accept").status_code == 303
    session.rollback()
    assert session.scalars(select(Handover.accepted_by)).one() == "lee"
    listed = day.get("/handover/list").text
    assert f'href="{address}"' in listed
    assert "강야간" in listed
    assert "이정비" in listed
    assert "CCTV 흐림" not in night.get("/handover?next=1").text


def test_a_refusal_is_said_and_keeps_what_was_written(people, session):
    night, _day = people
    address = given(night)
    line = session.scalars(select(HandoverLine.id)).first()
    for path, words in (
        (f"{address}/lines/{line}/confirm", {}),
        (f"{address}/lines/{line}/answer", {"answer": "아무 일 없음"}),
        (f"{address}/accept", {}),
    ):
        refused = night.post(path, data=words)
        assert refused.status_code == 409
    again = night.post("/handover/give", data={"site": SITE, "previous": "0", "deadline": "120"})
    assert again.status_code == 409
    assert night.post("/handover/notes", data={"site": SITE, "note": " "}).status_code == 422
    long = night.post("/handover/notes", data={"site": SITE, "note": "x" * 501})
    assert (long.status_code, "x" * 501 in long.text) == (422, True)


def test_other_sites_are_refused(people, browser_client):
    night, _day = people
    address = given(night)
    far = browser_client("operator", ("별관",), username="far")

    assert far.get(address).status_code == 403
    assert far.post(f"{address}/accept").status_code == 403
    assert far.post("/handover/give", data={"site": SITE}).status_code == 403
    assert far.post("/handover/notes", data={"site": SITE, "note": "x"}).status_code == 403
    assert address not in far.get("/handover/list").text
    assert far.get("/handover/999").status_code == 404


def test_papers_are_those_of_the_site(people):
    night, _day = people
    csv, pdf = (night.get(f"/handover/brief.{form}?site={SITE}") for form in ("csv", "pdf"))

    assert csv.data.startswith(b"\xef\xbb\xbfsection,key,value")
    assert pdf.data[:5] == b"%PDF-"
    assert night.get("/handover/brief.csv?site=별관").status_code == 403
    assert night.get(f"/handover/list/csv?site={SITE}").mimetype == "text/csv"


def test_whoever_has_several_sites_chooses_one(browser_client, session, clock):
    from tests.factories import make_site

    for name in (SITE, "별관"):
        make_site(session, now=clock.now(), name=name)
    session.commit()
    page = browser_client("manager").get("/handover").text

    assert "/handover?site=%EB%B3%84%EA%B4%80" in page


@pytest.mark.parametrize("path", ["/work-orders?created_from=x", "/inspections?stored_from=2026-01-01T00:00"])
def test_an_instant_that_is_none_is_refused_in_words(browser_client, path):
    assert browser_client("operator", (SITE,)).get(path).status_code == 422


def test_alerts_that_did_not_arrive_open_exactly_their_rows(browser_client, session, clock):
    now = clock.now()
    make_site(session, SITE, now=now)
    lost = {"channel": "made-1", "target": "https://duty.example/…"}
    for more in ({"status": "failed"}, {"status": "warning"}, {"status": "dead", "site": SITE}):
        add_delivery(session, now, SITE, **lost | more)
    for other in (
        {"probe": True}, {"site": "별관"}, {"status": "success"}, {"last_attempt_at": now - 24 * HOUR},
        {"channel": "c"},
    ):  # fmt: skip
        add_delivery(session, now, SITE, **lost | {"site": SITE} | other)
    session.commit()
    reader = browser_client("manager", (SITE,), username="park")
    page = html.unescape(reader.get(f"/handover?site={SITE}").text)

    (url,) = re.findall(r'href="(/alerts[^"]*)">https://duty.example/… 알림 3건 발송 실패<', page)
    assert 'data-total="3"' in reader.get(url).text
