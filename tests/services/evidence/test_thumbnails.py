"""Small copies of photos: made once, of what is clean and a picture, and gone with the file."""

import io
import struct
import zlib

import pytest
from PIL import Image
from sqlalchemy import select, update

from console.domain.errors import NotFound, SiteDenied
from console.models.evidence import EvidenceFile, EvidenceThumbnail
from console.services.evidence import subjects, thumbnails
from console.services.evidence.files import Upload
from console.services.evidence.thumbnails import Made
from console.services.work_orders.evidence import FILES
from tests.factories.work_orders import add_order


def picture(kind="JPEG", size=(900, 600)):
    kept = io.BytesIO()
    Image.new("RGB", size, "teal").save(kept, kind)
    return kept.getvalue()


def claiming(width, height):
    """Return a PNG of a few bytes that claims to be huge."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.fixture
def writing(make_ctx, session, clock):
    """A technician of 본관 with an order there."""
    order = add_order(session, clock.now())
    session.commit()
    ctx = make_ctx("operator", ("본관",), username="lee")
    ctx.order = order.id
    return ctx


def attach(ctx, content, kind="image/jpeg", name="a.jpg"):
    made = subjects.attach(ctx, FILES, ctx.order, Upload(io.BytesIO(content), name, kind), part="after", on_page=True)
    ctx.commit()
    return made.id


def make(ctx, **more):
    made = thumbnails.make(ctx, **more)
    ctx.commit()
    return made


def size_of(ctx, evidence_id):
    return ctx.session.scalar(select(EvidenceFile.thumbnail_size).where(EvidenceFile.id == evidence_id))


def test_a_photo_gets_one_small_copy(writing):
    photo, note = attach(writing, picture()), attach(writing, b"measured", "text/plain", "a.txt")

    assert thumbnails.make(writing, dry_run=True) == Made(1, 0, 0)
    assert (make(writing), make(writing)) == (Made(1, 1, 0), Made(0, 0, 0))

    found = subjects.thumbnail(writing, FILES, photo)
    with Image.open(io.BytesIO(found.content)) as small:
        assert (small.format, small.size, small.getexif()) == ("JPEG", (480, 320), {})
    assert subjects.listed(writing, FILES, writing.order)[1].thumbnail_size == len(found.content)
    with pytest.raises(NotFound):
        subjects.thumbnail(writing, FILES, note)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (claiming(15_000, 15_000), "image/png"),
        (claiming(7_000, 7_000), "image/png"),
        (picture()[:700], "image/jpeg"),
        (picture("PNG")[:200], "image/png"),
        (picture("WEBP")[:60], "image/webp"),
        (b"\xff\xd8\xff\xe0" + bytes(200), "image/jpeg"),
    ],
)
def test_hostile_and_broken_pictures_have_none_and_hold_up_nobody(writing, content, kind):
    hostile = attach(writing, content, kind, f"a.{kind[6:]}")
    good = attach(writing, picture(size=(30, 20)))

    assert make(writing) == Made(2, 1, 1)
    assert size_of(writing, hostile) == 0
    assert size_of(writing, good)
    assert make(writing) == Made(0, 0, 0)


def test_only_what_the_scan_found_clean_is_opened_and_shown(writing):
    photo = attach(writing, picture())
    for status in ("pending", "quarantined", "suspicious", "skipped", "unknown"):
        writing.session.execute(update(EvidenceFile).values(malware_scan_status=status))
        assert make(writing) == Made(0, 0, 0)
    writing.session.execute(update(EvidenceFile).values(malware_scan_status="clean"))
    make(writing)
    writing.session.execute(update(EvidenceFile).values(malware_scan_status="quarantined"))

    with pytest.raises(NotFound):
        subjects.thumbnail(writing, FILES, photo)


def test_it_goes_with_the_file(writing):
    photo = attach(writing, picture())
    make(writing)
    subjects.remove(writing, FILES, photo, "wrong room")
    writing.commit()

    assert writing.session.scalar(select(EvidenceThumbnail)) is None
    with pytest.raises(NotFound):
        subjects.thumbnail(writing, FILES, photo)


def test_a_file_that_was_removed_meanwhile_gets_none(writing, monkeypatch):
    photo = attach(writing, picture())

    def removed(ctx, row):
        ctx.session.execute(update(EvidenceFile).values(removed_at=ctx.now()))
        ctx.session.commit()
        return b"small"

    monkeypatch.setattr(thumbnails, "_copy_of", removed)

    assert make(writing) == Made(1, 0, 0)
    assert (size_of(writing, photo), writing.session.scalar(select(EvidenceThumbnail))) == (None, None)


def test_it_is_shown_within_the_sites_of_the_reader(writing, make_ctx):
    photo = attach(writing, picture())
    make(writing)

    with pytest.raises(SiteDenied):
        subjects.thumbnail(make_ctx("operator", ("별관",)), FILES, photo)
