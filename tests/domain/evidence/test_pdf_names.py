"""Active content in PDF files, however its names are written."""

import io

import pytest

from console.domain.evidence.content import CHUNK, inspect
from tests.support.files import PDF


@pytest.mark.parametrize(
    "name",
    [
        b"/J#61vaScript",
        b"/#4a#53",
        b"/#4Aava#53cript",
        b"/La#75nch",
        b"/#45#6d#62#65#64#64#65#64#46#69#6c#65",
        b"/XF#41",
    ],
)
def test_names_of_active_pdf_content_are_read_as_a_reader_reads_them(name):
    plain = PDF.replace(b"/Catalog>>", b"/Catalog/OpenAction<<" + name + b" 1 0 R>>>>")
    far = b"%PDF-1.7\n" + b"%" * (CHUNK - 9 - len(name) // 2) + name + b" 1\n%%EOF\n"

    for content in (plain, far):
        assert inspect(io.BytesIO(content), "application/pdf").status == "suspicious"
