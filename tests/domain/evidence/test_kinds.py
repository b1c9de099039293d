"""Which kind of file it is, whatever it is called."""

from __future__ import annotations

import errno
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.core.config import Config
from console.domain.evidence.content import ZIP, NotAsDeclared, check_declared
from console.domain.evidence.kinds import HWP, HWPX, NotTakenError, identified, right_ending, settled
from tests.support.files import JPEG, PDF, WEBP, png, zipped

CONFIG = Config.for_tests()
API = CONFIG["EVIDENCE_ALLOWED_CONTENT_TYPES"]
PAGE = (*API, *CONFIG["EVIDENCE_PAGE_CONTENT_TYPES"])
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
HWP_FILE = OLE + b"HWP Document File" + bytes(200)
HEIC = b"\x00\x00\x00\x18ftypheic" + bytes(100)
CSV = "시각,압력\n09:00,3.2\n".encode("cp949")
XLSX = zipped({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"})
DOCX = zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"})
HWPX_FILE = zipped({"mimetype": b"application/hwp+zip", "Contents/section0.xml": b"<x/>"})
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def kind(content: bytes, declared: str, name: str, allowed: tuple[str, ...]) -> str:
    return settled(io.BytesIO(content), declared, name, allowed)


@pytest.mark.parametrize("allowed", [API, PAGE, ("*",)], ids=["api", "page", "all"])
@pytest.mark.parametrize(
    ("content", "declared", "name", "found"),
    [
        (CSV, "application/vnd.ms-excel", "측정값.csv", "text/csv"),
        (CSV, "application/octet-stream", "측정값.CSV", "text/csv"),
        (CSV, "text/x-csv", "a.csv", "text/csv"),
        (b'{"a": 1}', "application/octet-stream", "a.json", "application/json"),
        (JPEG, "image/jpg", "a.jpg", "image/jpeg"),
        (JPEG, "image/pjpeg", "a.jpg", "image/jpeg"),
        (JPEG, "application/octet-stream", "KakaoTalk", "image/jpeg"),
        (PDF, "application/x-pdf", "a.pdf", "application/pdf"),
        (PDF, "application/haansoftpdf", "a.pdf", "application/pdf"),
        (WEBP, "image/jpeg", "a.jpg", "image/webp"),
        (png(), "image/jpeg", "a.jpg", "image/png"),
        (b"plain", "text/plain", "a.txt", "text/plain"),
        (CSV, "text/plain", "a.csv", "text/plain"),
    ],
)
def test_wrong_guesses_are_corrected(content, declared, name, found, allowed):
    assert kind(content, declared, name, allowed) == found


@pytest.mark.parametrize("allowed", [PAGE, ("*",)], ids=["page", "all"])
@pytest.mark.parametrize(
    ("content", "declared", "name", "found"),
    [
        (HWP_FILE, "application/haansofthwp", "a.hwp", HWP),
        (HWP_FILE, "application/x-hwp", "a.hwp", HWP),
        (HWP_FILE, "application/octet-stream", "a.hwp", HWP),
        (HWPX_FILE, "application/haansofthwpx", "a.hwpx", HWPX),
        (HWPX_FILE, "application/octet-stream", "a.hwpx", HWPX),
        (XLSX, SHEET, "a.xlsx", SHEET),
        (XLSX, "application/vnd.ms-excel", "a.xlsx", SHEET),
        (XLSX, "application/octet-stream", "a.xlsx", SHEET),
        (DOCX, "application/haansoftdocx", "a.docx", WORD),
        (OLE, "application/msword", "a.doc", "application/msword"),
        (HEIC, "image/heic", "a.heic", "image/heic"),
        (HEIC, "application/octet-stream", "a.heic", "image/heic"),
        (b"II*\x00" + bytes(20), "image/tif", "a.tif", "image/tiff"),
        (zipped({"a.txt": b"a"}), "application/x-zip-compressed", "a.zip", "application/zip"),
    ],
)
def test_the_pages_take_what_offices_and_phones_make(content, declared, name, found, allowed):
    assert kind(content, declared, name, allowed) == found


def test_an_unknown_type_over_a_container_is_no_lie():
    assert kind(OLE, "application/x-some-editor", "a.abc", ("*",)) == "application/octet-stream"
    assert kind(zipped({"a": b"a"}), "application/x-some-editor", "a.abc", ("*",)) == "application/zip"


@pytest.mark.parametrize(
    ("content", "declared", "name"),
    [
        (b"<html>", "text/html", "a.html"),
        (b"plain", "text/html", "a.csv"),
        (PDF, "text/html", "a.pdf"),
        (b"<svg/>", "image/svg+xml", "a.svg"),
        (b"alert(1)", "text/javascript", "a.csv"),
        (zipped({"a.txt": b"a"}), "application/zip", "a.zip"),
        (HEIC, "image/heic", "a.heic"),
        (b"plain", "application/octet-stream", "a.bin"),
        (b"MZ\x90\x00" + bytes(80), "application/octet-stream", "a.csv"),
    ],
)
def test_what_is_not_taken(content, declared, name):
    with pytest.raises(NotTakenError):
        kind(content, declared, name, API)


@pytest.mark.parametrize(
    ("content", "declared", "name"),
    [
        (b"plain", "image/png", "a.csv"),
        (b"MZ\x90\x00" + bytes(80), "application/pdf", "a.pdf"),
        (b"<!DOCTYPE html><p>", "text/plain", "a.csv"),
        (b"<svg onload='x'/>", "image/png", "a.png"),
        (zipped({"a": b"a"}), "text/plain", "a.txt"),
        (HEIC, "image/png", "a.png"),
        (b"\x00\x01", "text/csv", "a.csv"),
    ],
)
def test_what_lies(content, declared, name):
    with pytest.raises(NotAsDeclared):
        kind(content, declared, name, API)


@given(
    st.sampled_from([JPEG, PDF, WEBP, png(), CSV, XLSX, OLE, HEIC, b"<html>", b"MZ\x90\x00" + bytes(80), b""]),
    st.binary(max_size=80),
    st.sampled_from(["text/html", "text/plain", "image/png", "image/heic", "application/x-foo", *PAGE]),
    st.sampled_from(["a.csv", "a", "a.html", "a.exe", "a.hwp"]),
)
def test_what_is_taken_is_allowed_and_agrees(begin, rest, declared, name):
    content = io.BytesIO(begin + rest)
    try:
        found = settled(content, declared, name, PAGE)
    except (NotTakenError, NotAsDeclared):
        return
    assert found in PAGE
    check_declared(content, found)


@pytest.mark.parametrize(
    ("name", "content_type", "right"),
    [
        ("사진.jpg", "image/webp", "사진.webp"),
        ("a.JPEG", "image/jpeg", "a.JPEG"),
        ("a.xls", SHEET, "a.xlsx"),
        ("2026.03.01", "image/png", "2026.03.01"),
        ("photo", "image/png", "photo"),
        ("a.csv", "text/csv", "a.csv"),
    ],
)
def test_an_ending_of_another_kind_is_corrected(name, content_type, right):
    assert right_ending(name, content_type) == right


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@given(data=st.data())
def test_a_damaged_archive_is_an_archive(method, data):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        archive.writestr("mimetype", b"application/vnd.oasis.opendocument.text" * 5)
        archive.writestr("content.xml", b"<a/>" * 50)
    damaged = bytearray(content.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(4, len(damaged) - 1))] = data.draw(st.integers(0, 255))

    found = identified(io.BytesIO(bytes(damaged)), "application/zip", "a.zip")

    assert found == ZIP or found.startswith("application/vnd.oasis.")


def test_a_broken_stream_says_nothing_about_the_kind():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", b"application/vnd.oasis.opendocument.text" * 5)
    damaged = bytearray(content.getvalue())
    damaged[38] = 0xFF  # no block of deflate begins like this

    assert identified(io.BytesIO(bytes(damaged)), "application/zip", "a.zip") == ZIP


def test_a_disk_that_fails_says_nothing_about_the_kind():
    class Failing(io.BytesIO):
        def read(self, size=-1):
            if self.tell() == HWPX_FILE.index(b"PK\x01\x02"):  # the directory
                raise OSError(errno.EIO, "Input/output error")
            return super().read(size)

    with pytest.raises(OSError, match="Input/output error"):
        identified(Failing(HWPX_FILE), "application/zip", "a.zip")
