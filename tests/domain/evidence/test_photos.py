"""What photos tell: when they were taken is read, where they were taken goes; hostile ones cost nothing."""

import struct
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.evidence import photos
from tests.support.files import JPEG, PDF, exif, heic_with, jpeg_with, png, png_with, webp_with

KINDS = pytest.mark.parametrize("made", [jpeg_with, png_with, webp_with, heic_with, bytes])
ORDERS = pytest.mark.parametrize("order", ["<", ">"])
LAT = {order: struct.pack(order + "LLLLLL", 37, 1, 30, 1, 59, 1) for order in "<>"}


@KINDS
@ORDERS
def test_the_time_is_read_and_stays_and_the_place_goes(made, order):
    photo = made(exif(order=order))
    assert LAT[order] in photo

    bare = photos.without_place(photo)

    assert photos.captured_at(photo) == photos.captured_at(bare) == "2026-03-01T10:12:33+09:00"
    assert LAT[order] not in bare
    assert struct.pack(order + "H", 0x8825) not in bare
    assert not any(word in bare for word in (b"37,30.98N", b"126.97", b"126,58.68E", b"Raw profile"))
    # Everything else is where it was; a PNG loses a packed profile besides.
    assert len(bare) == len(photo) or made is png_with
    assert (b"KA\0" in bare, photos.without_place(bare)) == (True, bare)


@KINDS
def test_a_photo_without_place_stays_the_very_same(made):
    photo = made(exif(place=False)) if made not in (jpeg_with, png_with) else made(b"")
    photo = photos.without_place(photo)
    assert photos.without_place(photo) == photo
    for plain in (JPEG, png(), PDF, b"", b"MM\0*", b"II*\0\x08\0\0\0"):
        assert (photos.without_place(plain), photos.captured_at(plain)) == (plain, None)


def test_the_checksums_of_a_png_hold_afterwards():
    bare, at, kinds = photos.without_place(png_with(exif())), 8, []
    while at < len(bare):
        [length] = struct.unpack_from("!L", bare, at)
        kind = bare[at + 4 : at + 8]
        assert struct.unpack_from("!L", bare, at + 8 + length)[0] == zlib.crc32(bare[at + 4 : at + 8 + length])
        kinds.append(kind)
        at += 12 + length
    assert kinds == [b"IHDR", b"iTXt", b"eXIf", b"IDAT", b"IEND"]


def test_the_tables_before_the_place_are_read_by_every_reader_afterwards():
    bare = photos.without_place(exif())
    [count] = struct.unpack_from(">H", bare, 8)
    tags = [struct.unpack_from(">H", bare, 10 + 12 * number)[0] for number in range(count)]
    assert (tags, struct.unpack_from(">L", bare, 10 + 12 * count)) == ([0x010F, 0x8769], (0,))


@pytest.mark.parametrize(
    ("taken", "offset", "kept"),
    [
        ("2026:03:01 10:12:33", "+09:00", "2026-03-01T10:12:33+09:00"),
        ("2026:03:01 10:12:33", "", "2026-03-01T10:12:33"),
        ("2026:03:01 10:12:33", "+99:00", "2026-03-01T10:12:33"),
        ("2026:03:01 10:12:33", "KST", "2026-03-01T10:12:33"),
        ("2026-03-01 10:12:33", "-03:30", "2026-03-01T10:12:33-03:30"),
        ("0000:00:00 00:00:00", "+09:00", None),
        ("2026:02:30 10:12:33", "", None),
        ("2026:03:01 24:00:00", "", None),
        ("    :  :     :  :  ", "", None),
        ("２０２６:03:01 10:12:33", "", None),
        ("2026:03:01 10:12:33<script>", "", None),
        ("", "", None),
    ],
)
def test_a_clock_that_tells_no_time_says_nothing(taken, offset, kept):
    assert photos.captured(taken, offset) == kept
    if taken.isascii():
        assert photos.captured_at(jpeg_with(exif(taken, offset))) == kept


def table(*tags, following=0, count=None):
    made = b"".join(struct.pack(">HHLL", *tag) for tag in tags)
    return struct.pack(">H", len(tags) if count is None else count) + made + struct.pack(">L", following)


def block(*tables):
    return b"MM\0*\0\0\0\x08" + b"".join(tables)


@pytest.mark.parametrize(
    "hostile",
    [
        block(table(following=8)),
        block(table((0x8769, 4, 1, 8), (0x8825, 4, 1, 8), following=8)),
        block(table((0x8825, 4, 1, 0xFFFFFFFF))),
        block(table((0x8825, 4, 1, 0))),
        block(table((0x9003, 2, 0xFFFFFFFF, 8))),
        block(table((0x9003, 9999, 0xFFFFFFFF, 0xFFFFFFFF), count=65535)),
        block(table(count=65535)),
        block(table((0x8825, 4, 1, 26)), table(*((2, 1, 4096, 8),) * 512)),
        block(table(*((0x8825, 4, 1, 8 + 2 * number) for number in range(5000)))),
        block(table(*((0x8769, 4, 1, 8 + 12 * number) for number in range(5000)))),
        block(table(following=14), *(table(following=14 + 6 * number) for number in range(1, 200_000))),
        block() * 600_000,
        b"II*\0" * 1_300_000,
        b":GPS" * 1_300_000,
        (b":GPS" + b"a" * 40 + b" " * 9) * 90_000,
        (b":GPSa='" + b"x" * 199) * 25_000,
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0eXIf\0\0\0\0" * 430_000,
        b"\x89PNG\r\n\x1a\n" + b"\xff\xff\xff\xffeXIf",
    ],
    ids=range(18),
)
def test_hostile_photos_are_done_with_at_once(hostile):
    began = time.process_time()
    bare = photos.without_place(hostile)
    photos.captured_at(hostile)

    assert time.process_time() - began < 2
    assert len(bare) == len(hostile)


@given(st.binary(max_size=400), st.integers(0, 60), st.sampled_from([jpeg_with, png_with, webp_with, heic_with, bytes]))
def test_whatever_stands_in_the_tables_nothing_breaks(noise, at, made):
    damaged = bytearray(exif())
    damaged[at : at + len(noise)] = noise
    for photo in (made(bytes(damaged)), made(bytes(damaged[: at + len(noise)])), made(b"MM\0*" + noise)):
        bare = photos.without_place(photo)
        found = photos.captured_at(photo)
        assert found is None or len(found) in (19, 25)
        assert len(bare) <= len(photo)


@given(st.data())
def test_a_single_damaged_byte_breaks_nothing(data):
    photo = bytearray(data.draw(st.sampled_from([jpeg_with, png_with, webp_with, heic_with]))(exif()))
    photo[data.draw(st.integers(0, len(photo) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(photo[: data.draw(st.integers(0, len(photo)))])
    assert len(photos.without_place(cut)) <= len(cut)
    photos.captured_at(cut)
