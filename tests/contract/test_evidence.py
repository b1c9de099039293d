"""Evidence on remediation items, letter for letter (API contract, evidence upload)."""

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from console.models.evidence import EvidenceFile
from console.models.tracker import TrackerEvent, TrackerItem
from tests.factories.tracker import add_item
from tests.services.tracker.tracker_support import audited
from tests.support.files import EICAR, JPEG, PDF, WEBP, exif, jpeg_with, multipart, png, zipped

T = "/api/ops/governance/gate/remediation/tracker"
FIELDS = [
    *("id", "tracker_item_id", "site", "file_name", "content_type", "file_size", "storage_backend", "sha256"),
    *("malware_scan_status", "malware_scan_engine", "malware_scanned_at", "note", "uploaded_by", "uploaded_at"),
]
LIMIT = 5 * 1024 * 1024
SITE = "한빛마을 3단지"


@pytest.fixture
def item(session, clock):
    """The id of an open item of a site."""
    row = add_item(session, clock.now(), 1, site=SITE)
    made = row.id
    session.commit()
    return made


def send(client, item_id, content, name="evidence.txt", content_type="text/plain", note=None):
    body, kind = multipart(content, name, content_type, {} if note is None else {"note": note})
    return client.post(f"{T}/items/{item_id}/evidence", data=body, content_type=kind)


def rows(session):
    session.rollback()
    return session.scalar(select(func.count()).select_from(EvidenceFile))


def kept(app):
    root = app.extensions["console_config"].path("EVIDENCE_STORAGE_PATH")
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.fixture
def clean(app):
    """The storage without what other tests left in it."""
    for path in kept(app):
        path.unlink()
    return app


def test_an_upload_is_answered_with_the_published_fields(api, item, session):
    answer = send(api("operator", username="이기사"), item, b"measured: 4.2 MOhm", note="  절연 저항 측정  ")

    assert (answer.status_code, list(answer.json)[:14]) == (201, FIELDS)
    made = answer.json
    assert made["sha256"] == hashlib.sha256(b"measured: 4.2 MOhm").hexdigest()
    assert (made["file_name"], made["content_type"], made["file_size"]) == ("evidence.txt", "text/plain", 18)
    assert (made["site"], made["tracker_item_id"], made["storage_backend"]) == (SITE, item, "fs")
    assert (made["malware_scan_status"], made["malware_scan_engine"]) == ("clean", "basic-signature")
    assert (made["note"], made["uploaded_by"]) == ("절연 저항 측정", "이기사")
    assert made["uploaded_at"] == made["malware_scanned_at"] == "2026-03-02T00:00:00.000000+00:00"
    session.rollback()
    row = session.get(TrackerItem, item)
    assert (row.evidence_count, row.updated_by, row.version) == (1, "이기사", 1)
    assert [event.kind for event in session.scalars(select(TrackerEvent))] == ["evidence"]
    [(resource, reference, status, detail)] = audited(session, "evidence_upload")
    assert (resource, reference, status) == ("ops_governance_remediation_tracker_evidence", str(made["id"]), "success")
    assert detail == {
        "tracker_item_id": item,
        "site": SITE,
        "file_name": "evidence.txt",
        "file_size": 18,
        "storage_backend": "fs",
        "sha256": made["sha256"],
        "scan_status": "clean",
        "scan_reason": None,
    }


def test_the_list_is_newest_first(api, item, clock):
    owner = api()
    first = send(owner, item, b"one").json["id"]
    second = send(owner, item, b"two").json["id"]
    clock.advance(timedelta(hours=1))
    third = send(owner, item, b"three").json["id"]

    listed = owner.get(f"{T}/items/{item}/evidence")

    assert [row["id"] for row in listed.json] == [third, second, first]
    assert list(listed.json[0])[:14] == FIELDS


@pytest.mark.parametrize(
    ("name", "content_type", "content"),
    [
        ("보고서.pdf", "application/pdf", PDF),
        ("사진.jpg", "image/jpeg", JPEG),
        ("shot.png", "image/png", png()),
        ("shot.webp", "image/webp", WEBP),
        ("측정.csv", "text/csv", "시각,값\n08:00,4.2\n".encode()),
        ("측정-cp949.csv", "text/csv", "시각,값\n08:00,4.2\n".encode("cp949")),
        ("mixed.log", "text/plain", "측정 ".encode() + "값".encode("cp949") + "값".encode()[:-1]),
        ("unicode.txt", "text/plain", "측정".encode("utf-16")),
        ("values.json", "application/json", b'{"value": 1}'),
        ("charset.txt", "text/plain; charset=utf-8", b"plain"),
        ("upper.txt", "Text/PLAIN", b"plain"),
    ],
)
def test_a_download_gives_the_very_bytes_and_nothing_to_run(api, item, name, content_type, content):
    owner = api()
    made = send(owner, item, content, name, content_type).json

    answer = owner.get(f"{T}/evidence/{made['id']}/download")

    assert (answer.status_code, answer.data) == (200, content)
    assert answer.headers["Content-Type"].startswith(content_type.partition(";")[0].lower())
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["X-Evidence-SHA256"] == hashlib.sha256(content).hexdigest()
    assert answer.headers["X-Download-Options"] == "noopen"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox;")
    assert answer.headers["Content-Length"] == str(len(content))
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_download_is_on_record(api, item, session):
    owner = api()
    made = send(owner, item, b"x").json
    owner.get(f"{T}/evidence/{made['id']}/download")

    assert [row[1] for row in audited(session, "evidence_download")] == [str(made["id"])]


@pytest.mark.parametrize(
    ("name", "kept_as"),
    [
        ("점검사진.jpg", "점검사진.jpg"),
        ("점검 사진 (1).jpg", "점검_사진_1.jpg"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\Users\\kim\\사진.png", "사진.png"),
        ("a\tb.txt", "a_b.txt"),
        ("...", "evidence.bin"),
        ("<script>alert(1)</script>.txt", "script.txt"),
        ("사\u202egnp.exe", "사gnp.exe.txt"),
        ("report.html", "report.html.txt"),
        ("가" * 200 + ".pdf", "가" * 116 + ".pdf"),
        ("=cmd|calc.csv", "cmdcalc.csv"),
    ],
)
def test_names_stay_readable_and_harmless(api, item, name, kept_as):
    made = send(api(), item, b"plain text", name)

    assert made.json["file_name"] == kept_as


def test_a_korean_name_travels_in_utf8_with_a_fallback(api, item):
    owner = api()
    made = send(owner, item, JPEG, "점검사진.jpg", "image/jpeg").json
    told = owner.get(f"{T}/evidence/{made['id']}/download").headers["Content-Disposition"]

    assert told == "attachment; filename=\"jpg\"; filename*=UTF-8''%EC%A0%90%EA%B2%80%EC%82%AC%EC%A7%84.jpg"


@pytest.mark.parametrize(
    ("content_type", "content", "status", "detail"),
    [
        ("text/html", b"<html>", 415, "Unsupported evidence content type"),
        ("application/zip", zipped({"a.txt": b"a"}), 415, "Unsupported evidence content type"),
        ("", b"plain", 415, "Unsupported evidence content type"),
        ("image/png", b"plain text", 415, "Evidence content does not match its content type"),
        ("application/pdf", b"MZ\x90\x00" + b"\x00" * 80, 415, "Evidence content does not match its content type"),
        ("text/plain", b"\x00\x01\x02", 415, "Evidence content does not match its content type"),
        ("text/plain", b"<!DOCTYPE html><p>", 415, "Evidence content does not match its content type"),
        ("text/plain", b"\xef\xbb\xbf  <script>1</script>", 415, "Evidence content does not match its content type"),
        ("text/plain", zipped({"a.txt": b"a"}), 415, "Evidence content does not match its content type"),
        ("text/csv", b"\xff\xfe\xfd", 415, "Evidence content does not match its content type"),
        ("application/json", b"hello", 415, "Evidence content does not match its content type"),
        (
            "image/png",
            b"<?xml version='1.0'?><svg onload='x'/>",
            415,
            "Evidence content does not match its content type",
        ),
        ("text/plain", b"", 400, "Empty evidence file is not allowed"),
        ("text/plain", b"a" * (LIMIT + 1), 413, "Evidence file too large (max 5242880 bytes)"),
        ("text/plain", EICAR, 422, "Evidence scan blocked upload: eicar-signature-detected"),
        ("text/plain", b"a" * 65_530 + EICAR, 422, "Evidence scan blocked upload: eicar-signature-detected"),
        ("application/pdf", PDF + EICAR, 422, "Evidence scan blocked upload: eicar-signature-detected"),
        ("image/png", png(60_000, 60_000), 422, "Evidence scan blocked upload: decompression-bomb-detected"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(clean, api, item, session, content_type, content, status, detail):
    answer = send(api(), item, content, content_type=content_type)

    assert (answer.status_code, answer.json["detail"]) == (status, detail)
    assert (rows(session), kept(clean)) == (0, [])
    assert session.get(TrackerItem, item).evidence_count == 0
    assert audited(session, "evidence_upload") == []


@pytest.mark.parametrize(
    ("name", "content_type", "content", "kept_as"),
    [
        ("측정값.csv", "application/vnd.ms-excel", "시각,압력\n".encode("cp949"), ("측정값.csv", "text/csv")),
        ("a.jpg", "image/jpg", JPEG, ("a.jpg", "image/jpeg")),
        ("a.jpg", "image/jpeg", WEBP, ("a.webp", "image/webp")),
        ("a.pdf", "application/x-pdf", PDF, ("a.pdf", "application/pdf")),
    ],
)
def test_a_wrong_guess_of_the_sender_is_corrected(api, item, name, content_type, content, kept_as):
    made = send(api(), item, content, name, content_type)

    assert made.status_code == 201
    assert (made.json["file_name"], made.json["content_type"]) == kept_as


@pytest.mark.parametrize(("content", "status"), [(b"", 415), (b"a" * (LIMIT + 1), 415)])
def test_the_kind_is_blamed_before_the_size(api, item, content, status):
    assert send(api(), item, content, content_type="video/mp4").status_code == status


def test_exactly_the_limit_is_taken(api, item):
    assert send(api(), item, b"a" * LIMIT).status_code == 201


def test_a_form_without_a_file_is_422(api, item):
    owner = api()
    for form in ({}, {"file": "text"}, {"note": "x"}):
        answer = owner.post(f"{T}/items/{item}/evidence", data=form, content_type="multipart/form-data")
        assert (answer.status_code, answer.json["detail"][0]["loc"]) == (422, ["body", "file"])


def test_a_note_is_kept_as_it_was_sent(api, item):
    owner = api()

    assert [send(owner, item, b"x", note=note).json["note"] for note in ("123", '{"a": 1}', "null", "")] == [
        *("123", '{"a": 1}', "null", ""),
    ]
    too_long = send(owner, item, b"x", note="가" * 4001)
    assert too_long.status_code == 422
    (told,) = too_long.json["detail"]
    assert (told["loc"], told["msg"].rpartition(" ")[2]) == (["body", "note"], "characters")
    assert send(owner, item, b"x", note="a\x00b").status_code == 422


def test_nothing_is_written_before_the_item_is_known(clean, api, session):
    owner = api()
    for path in ("items/999999/evidence", "items/99999999999999999999/evidence"):
        body, kind = multipart(b"x", "a.txt", "text/plain")
        answer = owner.post(f"{T}/{path}", data=body, content_type=kind)
        assert (answer.status_code, answer.json["detail"]) == (404, "Remediation tracker item not found")
    assert kept(clean) == []


def test_other_sites_are_out_of_reach(clean, api, item, session):
    made = send(api(), item, b"x").json["id"]
    before = len(kept(clean))
    stranger = api("manager", ("푸른숲 타워",))

    for answer in (
        send(stranger, item, b"y"),
        stranger.get(f"{T}/items/{item}/evidence"),
        stranger.get(f"{T}/evidence/{made}/download"),
        stranger.post(f"{T}/evidence/{made}/remove", json={"reason": "x"}),
    ):
        assert (answer.status_code, answer.json["detail"]) == (403, "Site access denied")
    assert (rows(session), len(kept(clean))) == (1, before)


@pytest.mark.parametrize(
    ("role", "read", "write"),
    [("owner", 200, 201), ("manager", 200, 201), ("operator", 200, 201), ("auditor", 200, 403)],
)
def test_who_may(api, client, item, role, read, write):
    made = send(api(), item, b"x").json["id"]
    caller = api(role, (SITE,))

    assert send(client, item, b"x").status_code == 401
    assert caller.get(f"{T}/items/{item}/evidence").status_code == read
    assert caller.get(f"{T}/evidence/{made}/download").status_code == read
    assert send(caller, item, b"x").status_code == write


def test_a_file_is_removed_by_its_uploader_or_somebody_who_may_force(clean, api, item, session):
    uploader, colleague, manager = api("operator", username="lee"), api("operator"), api("manager")
    made, other = (send(uploader, item, content).json["id"] for content in (b"one", b"two"))
    address = f"{T}/evidence/{made}/remove"

    assert colleague.post(address, json={"reason": "x"}).json["detail"] == "Missing permission: admins:manage"
    assert uploader.post(address, json={"reason": "   "}).status_code == 422
    removed = uploader.post(address, json={"reason": "다른 설비 사진"})

    assert (removed.status_code, removed.json["id"]) == (200, made)
    assert uploader.post(address, json={"reason": "x"}).status_code == 404
    missing = uploader.get(f"{T}/evidence/{made}/download")
    assert (missing.status_code, missing.json["detail"]) == (404, "Remediation tracker evidence not found")
    assert [row["id"] for row in uploader.get(f"{T}/items/{item}/evidence").json] == [other]
    assert len(kept(clean)) == 1
    session.rollback()
    assert session.get(TrackerItem, item).evidence_count == 1
    assert audited(session, "evidence_remove")[0][3]["reason"] == "다른 설비 사진"
    assert manager.post(f"{T}/evidence/{other}/remove", json={"reason": "x"}).status_code == 200
    assert kept(clean) == []


def test_a_missing_file_is_gone_and_a_changed_one_is_a_conflict(clean, api, item):
    owner = api()
    made = send(owner, item, b"measured").json["id"]
    [path] = kept(clean)

    path.write_bytes(b"forged!!")
    changed = owner.get(f"{T}/evidence/{made}/download")
    path.unlink()
    missing = owner.get(f"{T}/evidence/{made}/download")

    assert (changed.status_code, changed.json["detail"]) == (409, "Evidence integrity check failed")
    assert (missing.status_code, missing.json["detail"]) == (410, "Evidence file is unavailable")


def test_an_upload_opens_a_closed_tracker_and_says_so(api, item, session):
    owner = api()
    assert owner.post(f"{T}/complete", json={"force": True}).json["status"] == "completed_with_exceptions"

    first, second = send(owner, item, b"x").json, send(owner, item, b"y").json

    assert (first["reopened_completion"], second["reopened_completion"]) == (True, False)
    assert owner.get(f"{T}/completion").json["status"] == "active"


def test_a_closed_item_takes_no_evidence(api, item, session):
    session.get(TrackerItem, item).is_active = False
    session.commit()

    assert send(api(), item, b"x").json["code"] == "item_inactive"


def test_items_count_their_files_and_readiness_asks_for_none(api, item):
    owner = api()
    send(owner, item, b"x")
    send(owner, item, b"y")

    assert owner.get(f"{T}/items/{item}").json["evidence_count"] == 2
    assert owner.get(f"{T}/readiness").json["missing_required_evidence_count"] == 0


def test_a_file_beyond_every_limit_is_refused_in_the_same_words(clean, api, item):
    answer = send(api(), item, b"a" * (2 * LIMIT))

    assert (answer.status_code, answer.json) == (
        413,
        {"detail": "Evidence file too large (max 5242880 bytes)", "code": "too_large"},
    )


def test_a_photo_comes_back_as_it_was_sent_place_and_all(api, item):
    client = api("operator")
    photo = jpeg_with(exif())
    made = send(client, item, photo, "a.jpg", "image/jpeg").json

    assert (made["sha256"], made["file_size"]) == (hashlib.sha256(photo).hexdigest(), len(photo))
    assert client.get(f"{T}/evidence/{made['id']}/download").data == photo
    assert {"captured_at", "shrunk"}.isdisjoint(made)
