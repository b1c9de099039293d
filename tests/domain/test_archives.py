import io
import zipfile

import pytest

from console.domain.archives import archive_bomb

BZIP2, LZMA, SECRET = 12, 14, 99


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_methods_of_documents_are_unpacked(method):
    assert archive_bomb(io.BytesIO(document(method)), "application/zip") is False


@pytest.mark.parametrize("claimed", [BZIP2, LZMA, SECRET])
def test_an_entry_that_claims_another_method_is_refused_unread(claimed):
    content = bytearray(document(zipfile.ZIP_STORED))
    place = content.index(b"PK\x01\x02") + 10
    content[place : place + 2] = claimed.to_bytes(2, "little")

    assert archive_bomb(io.BytesIO(bytes(content)), "application/zip") is True


def document(method: int) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    return content.getvalue()
