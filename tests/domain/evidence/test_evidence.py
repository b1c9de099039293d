"""What a file really is: types, bombs, names, storage keys."""

import errno
import gzip
import io
import struct
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.evidence import evidence as rules
from console.domain.evidence.archives import archive_fault
from console.domain.evidence.content import NotAsDeclared, inspect
from console.domain.evidence.images import image_size
from tests.support.files import JPEG, PDF, WEBP, png, zipped

ZIP = "application/zip"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def verdict(content, declared):
    found = inspect(io.BytesIO(content), declared)
    return found.status, found.reason


def overlapping():
    """A ZIP whose two names share one content, as quoted-overlap bombs do."""
    made = bytearray(zipped({"a.txt": b"a" * 100, "b.txt": b"b" * 100}))
    directory = made.index(b"PK\x01\x02")
    second = made.index(b"PK\x01\x02", directory + 4)
    made[second + 42 : second + 46] = made[directory + 42 : directory + 46]
    return bytes(made)


def lying_size():
    """A ZIP that claims to unpack to next to nothing."""
    made = bytearray(zipped({"a.txt": bytes(30_000_000)}))
    directory = made.index(b"PK\x01\x02")
    made[directory + 24 : directory + 28] = struct.pack("<L", 10)
    return bytes(made)


@pytest.mark.parametrize(
    ("content", "declared", "found"),
    [
        (zipped({"report.txt": b"measured " * 100}), ZIP, ("clean", None)),
        (zipped({"word/document.xml": b"<w:document/>" * 50}), DOCX, ("clean", None)),
        (zipped({"zeros.bin": bytes(120_000_000)}), ZIP, ("infected", "decompression-bomb-detected")),
        (zipped({f"{number}.txt": b"" for number in range(2001)}), ZIP, ("infected", "archive-has-too-many-files")),
        (zipped({"inner.zip": zipped({"a": b"a"})}), ZIP, ("infected", "archive-inside-archive")),
        (overlapping(), ZIP, ("infected", "decompression-bomb-detected")),
        (lying_size(), ZIP, ("infected", "archive-damaged")),
        (zipped({"a.txt": b"a"})[:-10], ZIP, ("infected", "archive-damaged")),
        (gzip.compress(b"measured " * 100), "application/gzip", ("clean", None)),
        (gzip.compress(bytes(30_000_000)), "application/gzip", ("infected", "decompression-bomb-detected")),
        (gzip.compress(b"a") * 3 + b"rubbish", "application/gzip", ("infected", "archive-damaged")),
        (png(100_000, 100_000), "image/png", ("infected", "decompression-bomb-detected")),
        (PDF + b"<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>", "application/pdf",
         ("suspicious", "active-pdf-content-detected")),
        (PDF + b" " * 65_530 + b"/JavaScript ", "application/pdf", ("suspicious", "active-pdf-content-detected")),
        (JPEG + zipped({"a.txt": b"a"}), "image/jpeg", ("suspicious", "hidden-archive-detected")),
        (b"<html><script>1</script>", "text/html", ("suspicious", "active-script-pattern-detected")),
        (b"<html><p>plain", "text/html", ("clean", None)),
        ("MZ세대 의견 조사".encode(), "text/plain", ("clean", None)),
        ("값은 <script> 태그가 아닙니다".encode(), "text/plain", ("clean", None)),
        (b"anything at all", "application/octet-stream", ("clean", None)),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "application/x-hwp", ("clean", None)),
        (b"\x00\x00\x00\x18ftypheic" + bytes(100), "image/heic", ("clean", None)),
    ],
    ids=(
        "zip",
        "docx",
        "zip of zeros",
        "zip of many entries",
        "zip in a zip",
        "zip whose entries overlap",
        "zip that lies about its size",
        "zip cut off",
        "gzip",
        "gzip of zeros",
        "gzip with rubbish behind",
        "png of ten thousand million pixels",
        "pdf that acts",
        "pdf that acts across two blocks",
        "archive behind a jpeg",
        "html with a script",
        "html",
        "korean text that begins like a program",
        "korean text that names a tag",
        "unknown",
        "hwp",
        "heic",
    ),
)  # fmt: skip
def test_what_the_content_says(content, declared, found):
    assert verdict(content, declared) == found


@pytest.mark.parametrize(
    ("content", "declared"),
    [
        (PDF, "image/png"),
        (zipped({"a": b"a"}), "application/pdf"),
        (zipped({"a": b"a"}), "application/msword"),
        (b"plain", DOCX),
        (b"plain", ZIP),
        (b"GIF89a" + bytes(20), "image/jpeg"),
        (b"\x7fELF" + bytes(60), "image/png"),
        (b"MZ\x90\x00" + bytes(60), "application/pdf"),
        (b"<svg xmlns='x' onload='alert(1)'>", "image/webp"),
        (b"<!-- hidden -->\n<HTML>", "text/csv"),
        (bytes(100), "text/plain"),
        (b"\xff\xfe\x00\xd8", "text/plain"),
    ],
)
def test_a_lie_is_seen(content, declared):
    with pytest.raises(NotAsDeclared):
        inspect(io.BytesIO(content), declared)


@given(st.binary(max_size=300), st.sampled_from(["text/plain", "image/png", "image/jpeg", "application/pdf", ZIP]))
def test_any_content_has_a_verdict_or_is_a_lie(content, declared):
    try:
        found = inspect(io.BytesIO(content), declared)
    except NotAsDeclared:
        return
    assert found.status in {"clean", "suspicious", "infected"}


@given(st.binary(max_size=200), st.sampled_from([png(), JPEG, WEBP, b"GIF89a", zipped({"a": b"a"})]))
def test_damaged_files_are_judged_and_never_crash(tail, head):
    for cut in (len(head) // 2, len(head)):
        for declared in ("image/png", "image/jpeg", "image/webp", ZIP, "application/octet-stream"):
            try:
                inspect(io.BytesIO(head[:cut] + tail), declared)
            except NotAsDeclared:
                continue


@pytest.mark.parametrize(
    ("content", "kind", "size"),
    [
        (png(640, 480), "image/png", (640, 480)),
        (JPEG, "image/jpeg", (16, 16)),
        (WEBP, "image/webp", (1, 1)),
        (b"GIF89a" + struct.pack("<HH", 3, 5), "image/gif", (3, 5)),
        (
            b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x10\x00\x00\x00\xff\x0f\x00\xff\x07\x00",
            "image/webp",
            (4096, 2048),
        ),
        (b"\xff\xd8\xff\xe0\x00", "image/jpeg", None),
        (b"\xff\xd8\xff\xe0\x00\x01", "image/jpeg", None),
    ],
)
def test_the_size_of_a_picture_is_read_from_its_header(content, kind, size):
    assert image_size(io.BytesIO(content), kind) == size


@given(st.text(max_size=300))
def test_a_name_is_always_safe(sent):
    name = rules.safe_name(sent)

    assert 0 < len(name) <= 120
    assert not set(name) & set('/\\<>:"|?*\x00\n\r;%')
    assert name.strip("._") == name
    assert rules.safe_name(name) == name


@given(st.text(alphabet="abcXYZ019._- \t/()", max_size=140))
def test_ascii_names_are_made_safe_as_published(sent):
    last = sent.rpartition("/")[2]
    published = "".join("_" if ch in " \t" else ch for ch in last if ch.isalnum() or ch in "._- \t").strip("._")

    if len(published) <= 120:
        assert rules.safe_name(sent) == (published or "evidence.bin")


@pytest.mark.parametrize(
    ("sent", "content_type", "kept"),
    [
        (".jpg", "image/jpeg", "evidence.jpg"),
        ("사진/.PDF", "application/pdf", "evidence.PDF"),
        (".jpg", "text/plain", "jpg"),
        ("jpg.jpg", "image/jpeg", "jpg.jpg"),
    ],
)
def test_a_name_of_nothing_but_an_ending_keeps_it(sent, content_type, kept):
    assert rules.name_for(sent, content_type) == kept


def test_a_key_has_day_hash_chance_and_ending():
    at = datetime(2026, 3, 1, 8, tzinfo=timezone(timedelta(hours=9)))

    key = rules.storage_key(at, "ab" * 32, "0123456789abcdef", "점검.JPG")

    assert key == "2026/02/28/abababababababababab-0123456789abcdef.jpg"
    assert rules.storage_key(at.astimezone(UTC), "ab" * 32, "f" * 16, "noending").endswith("-ffffffffffffffff")
    assert rules.key_parts(key) == tuple(key.split("/"))


class Failing(io.BytesIO):
    """A file whose disk fails."""

    def read(self, *_size):
        raise OSError(errno.EIO, "Input/output error")


def test_a_disk_that_fails_is_no_verdict_about_the_file():
    with pytest.raises(OSError, match="Input/output error"):
        archive_fault(Failing(gzip.compress(b"a")), "application/gzip")


def test_an_encrypted_entry_and_an_impossible_offset_cannot_be_looked_into(tmp_path):
    locked, lying = (bytearray(zipped({"a.txt": b"a" * 50})) for _ in range(2))
    directory = locked.index(b"PK\x01\x02")
    locked[directory + 8] |= 1
    lying[-6:-2] = struct.pack("<L", 2**31)
    for content in (locked, lying):
        (tmp_path / "stored").write_bytes(content)
        with (tmp_path / "stored").open("rb") as stored:
            assert archive_fault(stored, ZIP)
