"""The page of one's own alerts, as a person goes through it."""

import pytest
from sqlalchemy import select

from console.domain.alerts.alerts import answered
from console.models.personal_alerts import PersonalAddress, PersonalChoices, PersonalName
from console.services.alerts import delivery
from tests.services.alerts.test_guard import Receivers

PAGE = "/account/alerts"
HOOK = "https://hooks.example.com/T0/very-secret"


@pytest.fixture
def places():
    found = Receivers()
    with delivery.sending_with(found):
        yield found


@pytest.fixture
def kim(browser_client):
    return browser_client("operator", ("본관", "별관"), username="kim", display_name="김정비")


def post(client, path, **data):
    return client.post(f"{PAGE}{path}", data=data)


def test_from_no_address_to_a_confirmed_one(kim, places, session):
    assert PAGE in kim.get("/account").text
    assert "알림을 받을 주소가 없습니다" in kim.get(PAGE).text
    assert post(kim, "/addresses", kind="mail", address="kim@example.com", name="<b>일</b>").status_code == 303
    page = kim.get(PAGE).text
    assert "&lt;b&gt;일&lt;/b&gt;" in page
    assert "kim@example.com" not in page
    one = f"/addresses/{session.scalars(select(PersonalAddress.id)).one()}"
    wrong = post(kim, f"{one}/confirm", code="12")
    assert (wrong.status_code, "인증번호가 틀렸거나" in wrong.text) == (422, True)
    assert post(kim, f"{one}/confirm", code=places.seen[0][2]["code"]).status_code == 303
    assert "알림을 받을 수 있습니다" in kim.get(PAGE).text

    places.behave["kim@example.com"] = answered(503)
    assert post(kim, f"{one}/try").status_code == 303
    assert "발송하지 못했습니다" in kim.get(PAGE).text
    assert post(kim, f"{one}/pause", paused="1", version="2").status_code == 303
    assert "일시 중지" in kim.get(PAGE).text
    assert post(kim, f"{one}/remove").status_code == 303
    session.rollback()
    assert session.scalars(select(PersonalAddress)).all() == []


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"kind": "mail", "address": "nobody"}, "메일 주소"),
        ({"kind": "slack", "address": "http://example.com/x"}, "https://"),
        ({"kind": "pager", "address": HOOK}, "error-summary"),
        ({"kind": "slack", "address": ""}, "error-summary"),
    ],
)
def test_an_address_that_cannot_be_is_refused_in_words(kim, session, data, told):
    refused = post(kim, "/addresses", **data)
    assert (refused.status_code, told in refused.text) == (422, True)
    assert session.scalars(select(PersonalAddress)).all() == []


def test_choices_and_quiet_hours(kim, session):
    chosen = {"event_types": ["sla_escalation"], "least_level": "warning", "sites": ["본관"], "quiet_days": ["0", "4"]}
    times = {"quiet_start": "22:00", "quiet_end": "07:30", "zone": "Asia/Seoul"}
    assert post(kim, "/choices", version="0", **chosen, **times).status_code == 303
    row = session.scalars(select(PersonalChoices)).one()
    assert (row.event_types, row.sites, row.quiet_days) == (["sla_escalation"], ["본관"], [0, 4])
    assert (row.quiet_start, row.quiet_end, row.only_mine, row.critical_passes) == (1320, 450, False, False)
    assert 'value="22:00"' in kim.get(PAGE).text
    late = post(kim, "/choices", version="0", **chosen)
    assert (late.status_code, "먼저 바꿨습니다" in late.text) == (409, True)
    half = post(kim, "/choices", version="1", **chosen, quiet_start="22:00")
    assert (half.status_code, "시작과 종료" in half.text) == (422, True)


def test_a_name_for_a_channel(kim, browser_client, session):
    owner = browser_client("owner", username="boss")
    owner.post("/alerts/channels/new", data={"name": "현장", "kind": "slack", "address": HOOK, "least_level": "info"})
    page = kim.get(PAGE).text
    assert "현장" in page
    assert "hooks.example.com" not in page
    (key,) = {part.split('"')[0] for part in page.split('name="channel" value="')[1:]}
    assert post(kim, "/names", channel=key, name="<!channel>").status_code == 303
    assert session.scalars(select(PersonalName.name)).one() == "<!channel>"
    assert "&lt;!channel&gt;" in kim.get(PAGE).text


def test_who_administers_accounts_sees_that_there_is_an_address(kim, browser_client, session):
    post(kim, "/addresses", kind="slack", address=HOOK)
    user_id = session.scalars(select(PersonalAddress.user_id)).one()
    page = browser_client("owner", username="boss").get(f"/admin/users/{user_id}").text
    assert "알림 수신 주소" in page
    assert "https://hooks.example.com/…" in page
    assert "very-secret" not in page
