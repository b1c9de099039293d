"""What the pages of operations show where the published status has no word for it."""

import re


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_evidence_that_nobody_has_read_stands_as_unknown(browser_client):
    said = words(browser_client("owner").get("/ops/preflight").text)

    assert "알 수 없음 아직 증빙 무결성을 확인하지 않았습니다." in said


def test_preflight_runbook_and_security_show_unsigned_archives_alike(browser_client, app, monkeypatch):
    wired = app.extensions["console_config"].replaced(AUDIT_ARCHIVE_SIGNING_KEY="")
    monkeypatch.setitem(app.extensions, "console_config", wired)
    client = browser_client("owner")
    preflight, security = words(client.get("/ops/preflight").text), words(client.get("/ops/security").text)

    unsigned = "감사 보관본에 서명하지 않습니다"
    assert re.search(rf"경고 {unsigned}\.", preflight)
    assert re.search(rf"{unsigned}\. AUDIT[^.]*\. 경고", preflight)
    assert re.search(rf"경고 {unsigned}\.", security)
