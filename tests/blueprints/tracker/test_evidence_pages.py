"""The evidence panel of the board and of the weeks, with and without script."""

import pytest
from sqlalchemy import select

from console.core.config import Config
from console.models.evidence import EvidenceFile
from console.models.tracker import TrackerItem
from tests.factories import make_site
from tests.factories.tracker import add_item
from tests.support.files import EICAR, JPEG, exif, jpeg_with, multipart, zipped
from tests.support.people import without_tokens

FRAGMENT = {"HX-Request": "true", "HX-Request-Type": "partial"}
SITE = "한빛마을 3단지"


@pytest.fixture(params=["remediation", "w02"])
def place(request, session, clock):
    """Where the pages of an item are, and the item's id."""
    make_site(session, SITE, now=clock.now())
    needs = {} if request.param == "remediation" else {"tracker": "w02", "evidence_required": True}
    row = add_item(session, clock.now(), 1, site=SITE, item_name="절연 저항 측정", **needs)
    key = row.id
    session.commit()
    return ("/board" if request.param == "remediation" else "/programme/w02"), key


def send(client, place, content=b"measured", headers=None, name="측정.txt"):
    body, kind = multipart(content, name, fields={"note": "현장 확인"})
    root, item = place
    return client.post(f"{root}/items/{item}/evidence", data=body, content_type=kind, headers=headers or {})


def test_the_item_shows_its_panel(browser_client, place):
    root, item = place
    page = browser_client("operator").get(f"{root}/items/{item}")

    assert page.status_code == 200
    assert f'action="{root}/items/{item}/evidence"' in page.text
    assert ("증빙이 있어야 마감할 수 있습니다" in page.text) == (root != "/board")
    assert "js/evidence" in page.text


def test_the_script_gets_the_panel_back(browser_client, place):
    client = browser_client("operator", username="이기사")
    answer = send(client, place, headers=FRAGMENT)

    assert answer.status_code == 200
    assert answer.text.strip().startswith("<section")
    assert "측정.txt" in answer.text
    assert "현장 확인" in answer.text
    root, item = place
    panel = client.get(f"{root}/items/{item}/evidence", headers=FRAGMENT).text
    assert without_tokens(panel).strip() == without_tokens(answer.text).strip()
    assert "측정.txt" in client.get(f"{root}/items/{item}").text


def test_a_plain_form_leads_back_to_the_item(browser_client, place, session):
    client = browser_client("operator")
    root, item = place
    answer = send(client, place)

    assert (answer.status_code, answer.headers["Location"]) == (303, f"{root}/items/{item}")
    assert "증빙 1건을 올렸습니다" in client.get(f"{root}/items/{item}").text
    assert client.get(f"{root}/items/{item}/evidence").status_code == 303
    session.rollback()
    assert session.get(TrackerItem, item).evidence_count == 1


def test_a_refusal_is_said_in_korean(browser_client, place):
    client = browser_client("operator")

    blocked = send(client, place, EICAR, headers=FRAGMENT)
    empty = send(client, place, b"", headers=FRAGMENT)
    nothing = client.post(f"{place[0]}/items/{place[1]}/evidence", data={"note": "x"}, headers=FRAGMENT)

    assert blocked.status_code == 422
    assert "바이러스 검사용 시험 문자열" in blocked.text
    assert (empty.status_code, "빈 파일입니다. 다시 저장하거나" in empty.text) == (400, True)
    assert (nothing.status_code, "파일을 선택해 주십시오" in nothing.text) == (422, True)


def test_a_file_is_downloaded_and_removed(browser_client, place, session):
    client = browser_client("operator")
    send(client, place)
    [made] = session.scalars(select(EvidenceFile.id)).all()
    root, item = place

    got = client.get(f"{root}/evidence/{made}")
    removed = client.post(f"{root}/evidence/{made}/remove", data={"reason": "다른 설비"}, headers=FRAGMENT)

    assert (got.data, got.headers["Content-Disposition"].partition(";")[0]) == (b"measured", "attachment")
    assert removed.status_code == 200
    assert "측정.txt" not in removed.text
    assert "tracker-changed" in removed.headers["HX-Trigger"]
    assert client.get(f"{root}/evidence/{made}").status_code == 404
    assert "다른 설비" in client.get(f"{root}/items/{item}").text


def test_a_removal_without_script_needs_a_reason_too(browser_client, place, session):
    client = browser_client("operator")
    send(client, place)
    [made] = session.scalars(select(EvidenceFile.id)).all()
    root, item = place

    assert client.post(f"{root}/evidence/{made}/remove", data={"reason": " "}).status_code == 422
    gone = client.post(f"{root}/evidence/{made}/remove", data={"reason": "x"})
    assert (gone.status_code, gone.headers["Location"]) == (303, f"{root}/items/{item}")


def test_who_may_only_look_sees_files_and_no_form(browser_client, place, session):
    send(browser_client("operator"), place)
    root, item = place
    auditor = browser_client("auditor")

    page = auditor.get(f"{root}/items/{item}").text

    assert "측정.txt" in page
    assert "data-evidence-form" not in page
    assert "삭제 사유" not in page
    assert send(auditor, place).status_code == 403


def test_a_stranger_sees_and_sends_nothing(browser_client, place, session):
    send(browser_client("operator"), place)
    [made] = session.scalars(select(EvidenceFile.id)).all()
    root, item = place
    stranger = browser_client("manager", ("푸른숲 타워",))

    for answer in (
        send(stranger, place),
        stranger.get(f"{root}/items/{item}/evidence", headers=FRAGMENT),
        stranger.get(f"{root}/evidence/{made}"),
        stranger.post(f"{root}/evidence/{made}/remove", data={"reason": "x"}),
    ):
        assert answer.status_code == 403


def test_a_file_of_one_tracker_is_no_file_of_another(browser_client, place, session):
    client = browser_client("operator")
    send(client, place)
    [made] = session.scalars(select(EvidenceFile.id)).all()
    other = "/board" if place[0] != "/board" else "/programme/w03"

    assert client.get(f"{other}/evidence/{made}").status_code == 404


def test_an_upload_without_its_token_is_refused(browser_client, place, session):
    client = browser_client("operator")
    client.csrf = ""

    assert send(client, place).status_code in {400, 403}
    assert session.scalars(select(EvidenceFile.id)).all() == []


def test_a_file_that_waits_for_the_scan_is_shown_without_a_link(make_app, browser_client, place, session):
    client = browser_client("operator")
    send(client, place)
    row = session.scalars(select(EvidenceFile)).one()
    row.malware_scan_status = "pending"
    session.commit()
    root, item = place

    page = client.get(f"{root}/items/{item}").text

    assert "검사 대기" in page
    assert f'href="{root}/evidence/{row.id}"' not in page
    assert client.get(f"{root}/evidence/{row.id}").status_code == 409


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (zipped({"inner.zip": b"PK"}), "a.zip", "압축 파일 안에 압축 파일이 있습니다"),
        (zipped({f"{number}.txt": b"" for number in range(2001)}), "a.zip", "2,000개 넘게"),
        (b"\x00\x01\x02", "a.bin", "받지 않는 형식입니다. PDF, JPEG, PNG로"),
    ],
)
def test_a_refusal_says_why_and_what_to_do(browser_client, place, content, name, words):
    client = browser_client("operator")
    root, item = place
    body, kind = multipart(content, name, "application/zip" if name == "a.zip" else "application/octet-stream")
    for headers in (FRAGMENT, {}):
        refused = client.post(f"{root}/items/{item}/evidence", data=body, content_type=kind, headers=headers)
        assert refused.status_code in (415, 422)
        assert words in refused.text
        assert "Evidence" not in refused.text


def test_a_file_that_is_too_large_is_told_what_to_do_whatever_refuses_it(browser_client, app, place):
    client = browser_client("operator")
    app.config["MAX_CONTENT_LENGTH"] = 7 * 1024 * 1024
    for size in (5 * 1024 * 1024 + 1, 8 * 1024 * 1024):
        refused = send(client, place, b"a" * size, headers=FRAGMENT)
        assert refused.status_code == 413
        assert "파일이 5 MB보다 큽니다. 더 작은 사진을 올리거나" in refused.text


@pytest.mark.parametrize(
    ("status", "reason", "code", "words", "why"),
    [
        ("pending", "scanner-unavailable", 409, "몇 분 뒤에 다시 시도해", "검사 프로그램이 응답하지 않습니다"),
        ("quarantined", "Win.Test", 410, "잠긴 파일입니다", "악성코드를 찾았습니다: Win.Test"),
    ],
)
def test_a_file_that_is_not_let_out_says_why(browser_client, place, session, status, reason, code, words, why):
    client = browser_client("operator")
    send(client, place)
    row = session.scalars(select(EvidenceFile)).one()
    row.malware_scan_status, row.malware_scan_reason = status, reason
    session.commit()
    root, item = place

    refused = client.get(f"{root}/evidence/{row.id}")
    assert (refused.status_code, words in refused.text, "Evidence" in refused.text) == (code, True, False)
    page = client.get(f"{root}/items/{item}").text
    assert why in page
    assert "scanner-unavailable" not in page


def test_a_quota_that_is_used_up_says_whom_to_ask(browser_client, app, place, config, monkeypatch):
    small = Config({**config, "EVIDENCE_QUOTA_USER_DAY_MB": 1}, frozenset())
    monkeypatch.setitem(app.extensions, "console_config", small)
    refused = send(browser_client("operator"), place, b"a" * 1_100_000, headers=FRAGMENT)

    assert refused.status_code == 413
    assert "나머지는 내일 올리거나 총괄 관리자에게" in refused.text


def test_the_pages_take_more_than_the_api(browser_client, api, place):
    client, program = browser_client("operator"), api("operator", username="program")
    root, item = place
    sheet = zipped({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"})
    body, kind = multipart(sheet, "월간.xlsx", "application/vnd.ms-excel")

    assert client.post(f"{root}/items/{item}/evidence", data=body, content_type=kind).status_code == 303
    page = client.get(f"{root}/items/{item}").text
    assert "월간.xlsx" in page
    assert ".hwpx" in page
    tracker = "/api/ops/governance/gate/remediation/tracker" if root == "/board" else "/api/adoption/w02/tracker"
    assert program.post(f"{tracker}/items/{item}/evidence", data=body, content_type=kind).status_code == 415


def send_photo(client, place, content, told=None, headers=FRAGMENT):
    body, kind = multipart(content, "IMG_1.jpg", "image/jpeg", fields={"note": "", **(told or {})})
    root, item = place
    return client.post(f"{root}/items/{item}/evidence", data=body, content_type=kind, headers=headers)


def test_a_photo_says_when_it_was_taken_and_loses_its_place(browser_client, place, session):
    client = browser_client("operator", language="en")
    answer = send_photo(client, place, jpeg_with(exif()))

    assert "taken 1 Mar 2026 10:12" in answer.text or "taken 1 Mar 10:12" in answer.text
    assert "made smaller" not in answer.text.partition("data-evidence-form")[0]
    assert "read from the file" in answer.text
    root, item = place
    row = session.scalars(select(EvidenceFile)).one()
    stored = client.get(f"{root}/evidence/{row.id}")
    assert b"37,30.98N" not in stored.data
    assert stored.headers["X-Evidence-SHA256"] == row.sha256
    assert client.get(f"{root}/items/{item}").text.count("taken 1 Mar") == 2
    again = send_photo(client, place, jpeg_with(exif()))
    assert "It is there already" in again.headers["HX-Trigger"]


def test_a_photo_that_the_browser_made_smaller_says_so_in_both_languages(browser_client, place, session):
    told = {"shrunk": "1", "taken": "2026:03:01 10:12:33", "taken_offset": ""}
    answer = send_photo(browser_client("operator"), place, JPEG, told)

    assert "2026-03-01 10:12(카메라 시계) 촬영 · 크기를 줄임" in answer.text
    assert "크기를 줄인 브라우저가 알려 준 시각" in answer.text
    root, item = place
    english = browser_client("operator", language="en").get(f"{root}/items/{item}").text
    assert english.count("taken 1 Mar 2026 10:12 by the camera&#39;s clock · made smaller") == 2
    assert "told by the browser that made it smaller" in english


@pytest.mark.parametrize("taken", ["", "yesterday", "2026:13:01 10:12:33", "<script>", "2026:03:01 10:12:33" * 9000])
def test_what_is_no_time_counts_as_none(browser_client, place, session, taken):
    told = {"shrunk": "1", "taken": taken, "taken_offset": "+99:99"}
    answer = send_photo(browser_client("operator"), place, JPEG, told)

    assert answer.status_code == 200
    row = session.scalars(select(EvidenceFile)).one()
    assert (row.captured_at, row.shrunk) == (None, True)


def test_a_site_that_wants_the_place_says_so(browser_client, app, place, monkeypatch):
    client = browser_client("operator", language="en")
    root, item = place
    assert "not the place" in client.get(f"{root}/items/{item}").text
    wants = app.extensions["console_config"].replaced(EVIDENCE_KEEP_PLACE=True)
    monkeypatch.setitem(app.extensions, "console_config", wants)

    page = client.get(f"{root}/items/{item}").text
    assert "Photos keep the time and the place" in page
    assert "data-keeps-place" in page
