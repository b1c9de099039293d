import gzip
import io
import random
import struct
import tempfile
import zipfile

import pytest

from console.domain.evidence.archives import archive_fault

BZIP2, LZMA, SECRET = 12, 14, 99


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_methods_of_documents_are_unpacked(method):
    assert archive_fault(io.BytesIO(document(method)), "application/zip") is None


@pytest.mark.parametrize("claimed", [BZIP2, LZMA, SECRET])
def test_an_entry_that_claims_another_method_is_refused_unread(claimed):
    content = bytearray(document(zipfile.ZIP_STORED))
    place = content.index(b"PK\x01\x02") + 10
    content[place : place + 2] = claimed.to_bytes(2, "little")

    assert archive_fault(io.BytesIO(bytes(content)), "application/zip") is not None


@pytest.mark.parametrize("place", [io.BytesIO, tempfile.TemporaryFile])
@pytest.mark.parametrize("offset", [2**62, 2**63 - 1, 2**63, 2**64 - 1])
def test_an_offset_that_no_file_has_is_damage(offset, place):
    """The wide fields of ZIP64 hold more than memory and files can be asked for."""
    local, mark, directory = document(zipfile.ZIP_STORED).partition(b"PK\x01\x02")
    entry = bytearray(mark + directory[: directory.index(b"PK\x05\x06")])
    extra = struct.pack("<HHQ", 1, 8, offset)
    entry[30:32], entry[42:46] = len(extra).to_bytes(2, "little"), b"\xff" * 4
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(entry) + len(extra), len(local), 0)
    with place() as content:
        content.write(local + entry + extra + end)

        assert archive_fault(content, "application/zip") == "archive-damaged"


@pytest.mark.parametrize("more", [1, 50, 10_000])
def test_an_entry_that_claims_more_than_the_file_holds_is_damage(more):
    content = bytearray(document(zipfile.ZIP_STORED))
    place = content.index(b"PK\x01\x02") + 20
    sizes = struct.unpack_from("<LL", content, place)
    struct.pack_into("<LL", content, place, *(size + more for size in sizes))

    assert archive_fault(io.BytesIO(content), "application/zip") == "archive-damaged"


def gzipped(size: int, members: int = 1) -> bytes:
    words = [bytes([65 + number % 26]) * 9 for number in range(26)]
    chance = random.Random(size)
    return b"".join(gzip.compress(b"".join(chance.choices(words, k=size))) for _member in range(members))


@pytest.mark.parametrize("size", [0, 1, 7281, 7282, 14563, 14564, 200_000])
@pytest.mark.parametrize("members", [1, 3])
def test_a_whole_stream_is_no_bomb_wherever_its_pieces_end(size, members):
    assert archive_fault(io.BytesIO(gzipped(size, members)), "application/gzip") is None


@pytest.mark.parametrize("missing", [1, 8, 9, 100])
@pytest.mark.parametrize("members", [1, 3])
def test_a_stream_that_ends_too_early_is_refused(missing, members):
    assert archive_fault(io.BytesIO(gzipped(20_000, members)[:-missing]), "application/gzip") is not None


def document(method: int) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    return content.getvalue()
