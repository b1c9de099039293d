"""Photos among evidence: the time is kept, the place is not, on pages; the API keeps every byte."""

import hashlib
import io
from functools import partial

import pytest
from sqlalchemy import select

from console.domain.tracker.tracker import REMEDIATION
from console.models.evidence import EvidenceFile
from console.models.tracker import TrackerEvent
from console.services.evidence import evidence
from console.services.evidence.files import Upload
from tests.factories.tracker import add_item
from tests.services.tracker.tracker_support import audited
from tests.support.files import PDF, exif, heic_with, jpeg_with, png_with, webp_with

GIVEN = jpeg_with(exif())
LATITUDE = exif()[-48:-24]


@pytest.fixture(params=["fs", "db"])
def writing(request, make_ctx, session, clock):
    """A reading context as a request has it, for one backend, and an open item."""
    row = add_item(session, clock.now(), 1, site="본관")
    session.commit()
    ctx = make_ctx(username="lee")
    ctx.config = ctx.config.replaced(EVIDENCE_STORAGE_BACKEND=request.param)
    ctx.item = row.id
    return ctx


def attach(ctx, content, kind="image/jpeg", *, on_page=True, **told):
    made = evidence.attach(
        ctx, REMEDIATION, ctx.item, Upload(io.BytesIO(content), "a.jpg", kind, **told), on_page=on_page
    )
    ctx.commit()
    return ctx.session.get_one(EvidenceFile, made.id)


def kept(ctx, row):
    with evidence.fetch(ctx, REMEDIATION, row.id).stream as stream:
        content = stream.read()
    ctx.commit()
    assert (row.file_size, row.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    return content


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (GIVEN, "image/jpeg"),
        (png_with(exif()), "image/png"),
        (webp_with(exif()), "image/webp"),
        (heic_with(exif()), "image/heic"),
        (exif(), "image/tiff"),
    ],
)
def test_a_photo_of_a_page_is_kept_with_its_time_and_without_its_place(writing, content, kind):
    assert LATITUDE in content
    row = attach(writing, content, kind)

    assert (row.captured_at, row.shrunk) == ("2026-03-01T10:12:33+09:00", False)
    stored = kept(writing, row)
    assert stored != content
    assert LATITUDE not in stored
    assert b"2026:03:01 10:12:33" in stored
    told = {"captured_at": "2026-03-01T10:12:33+09:00", "place_dropped": True}
    event = writing.session.scalars(select(TrackerEvent).where(TrackerEvent.kind == "evidence")).one()
    assert event.new == {"text": row.file_name, "evidence_id": row.id, **told}
    [(_resource, _id, _status, detail)] = audited(writing.session, "evidence_upload")
    assert {name: detail[name] for name in told} == told
    assert detail["sha256"] == row.sha256
    assert "shrunk" not in detail


def test_what_the_api_takes_is_kept_byte_for_byte_with_its_time_beside_it(writing):
    row = attach(writing, GIVEN, on_page=False)

    assert kept(writing, row) == GIVEN
    assert row.captured_at == "2026-03-01T10:12:33+09:00"


def test_a_site_that_wants_the_place_keeps_it(writing):
    writing.config = writing.config.replaced(EVIDENCE_KEEP_PLACE=True)
    row = attach(writing, GIVEN)

    assert kept(writing, row) == GIVEN


def test_of_a_photo_that_was_made_smaller_the_time_is_the_one_that_was_told(writing):
    row = attach(writing, jpeg_with(exif(place=False)), shrunk=True, captured_at="2026-02-28T09:00:00")
    assert (row.captured_at, row.shrunk) == ("2026-02-28T09:00:00", True)

    unknown = attach(writing, jpeg_with(b""), shrunk=True)
    assert (unknown.captured_at, unknown.shrunk) == (None, True)
    # What is no picture was not made smaller, and what was not made smaller speaks for itself.
    paper = attach(writing, PDF, "application/pdf", shrunk=True, captured_at="2026-02-28T09:00:00")
    whole = attach(writing, GIVEN, captured_at="2026-02-28T09:00:00")
    assert [(row.captured_at, row.shrunk) for row in (paper, whole)] == [
        (None, False),
        ("2026-03-01T10:12:33+09:00", False),
    ]


@pytest.mark.parametrize("keeps", [False, True])
def test_a_photo_that_is_there_is_known_although_its_place_went(writing, keeps):
    writing.config = writing.config.replaced(EVIDENCE_KEEP_PLACE=keeps)
    known = partial(evidence.is_there, writing, REMEDIATION, writing.item)
    assert not known(Upload(io.BytesIO(GIVEN), "a.jpg", "image/jpeg"))
    attach(writing, GIVEN)

    again = Upload(io.BytesIO(GIVEN), "a.jpg", "image/jpeg")
    assert known(again)
    assert again.stream.tell() == 0
