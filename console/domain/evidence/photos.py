"""What a photo tells besides its pixels: when it was taken, and where. Coordinates go without touching a pixel.

JPEG, WebP, HEIC and TIFF carry the same block (EXIF: a TIFF header and tables of tags) somewhere inside, PNG in a chunk
with a checksum; so the block is looked for by its header, whatever is around it. XMP says places as text. Everything
that the file claims is bounded: how many blocks and tables are read, how many tags of each, how long a value is.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from console.domain.evidence.content import MEDIA

# By their first bytes; HEIC begins like a video.
PHOTOS = frozenset({"image/jpeg", "image/png", "image/webp", "image/tiff", MEDIA})

_HEADER = re.compile(rb"II\*\x00|MM\x00\*")
_BLOCKS, _TABLES, _TAGS, _LONGEST = 64, 64, 512, 4096
_EXIF, _GPS, _TAKEN, _OFFSET = 0x8769, 0x8825, 0x9003, 0x9011
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_XMP = re.compile(
    rb":(?:GPS|Gps)[A-Za-z]{0,40}"
    rb"(?:\s{0,9}=\s{0,9}(?:\"([^\"<>]{0,200})\"|'([^'<>]{0,200})')|>([^<>]{0,200})<)"
)
_PNG, _CHUNKS = b"\x89PNG\r\n\x1a\n", 20_000
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_WALL = re.compile(r"([0-9]{4})[:-]([0-9]{2})[:-]([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})")
_ZONE = re.compile(r"[+-](?:0[0-9]|1[0-4]):[0-5][0-9]")


def captured(taken: str, offset: str = "") -> str | None:
    """Return a capture time as it is kept: ISO wall time of the camera, with its offset where the camera tells one.

    `taken` and `offset` are EXIF's DateTimeOriginal and OffsetTimeOriginal. None for what is no time.
    """
    found = _WALL.fullmatch(taken)
    if found is None or int(found[1]) < 1900:
        return None
    wall = "{}-{}-{}T{}:{}:{}".format(*found.groups())
    try:
        datetime.fromisoformat(wall)
    except ValueError:
        return None
    return wall + offset if _ZONE.fullmatch(offset) else wall


def captured_at(data: bytes | bytearray) -> str | None:
    """Return when a photo was taken, as `captured` writes it; None where it does not say."""
    seen: set[int] = set()
    for start in _blocks(data):
        said: dict[int, str] = {}
        for table in _tables(data, start, seen):
            for entry in table.entries:
                if entry.tag in (_TAKEN, _OFFSET) and entry.tag not in said:
                    said[entry.tag] = data[entry.begin : entry.end].decode("ascii", "replace").strip("\0 ")
        if found := captured(said.get(_TAKEN, ""), said.get(_OFFSET, "")):
            return found
    return None


def without_place(data: bytes) -> bytes:
    """Return a photo without its coordinates (EXIF and XMP), else as it was: the very bytes where it has none."""
    if data.startswith(_PNG):
        return _png_without_place(data)
    return _blanked(data)


@dataclass(frozen=True)
class _Entry:
    """A tag of a table, and where its value stands; a value that the file does not hold is empty."""

    tag: int
    stored: bytes
    begin: int
    end: int
    pointer: int


@dataclass(frozen=True)
class _Table:
    """A table of tags (IFD): where it begins and ends, and what it holds."""

    begin: int
    end: int
    claimed: int
    entries: tuple[_Entry, ...]
    following: int


def _blocks(data: bytes | bytearray) -> Iterator[int]:
    return (found.start() for found in islice(_HEADER.finditer(data), _BLOCKS))


def _order(data: bytes | bytearray, start: int) -> str:
    return "<" if data[start] == ord("I") else ">"


def _table(data: bytes | bytearray, start: int, offset: int, seen: set[int]) -> _Table | None:
    """Return the table at an offset of a block; None for one that lies outside, was read before, or is too many."""
    order, begin = _order(data, start), start + offset
    if offset < 8 or begin + 2 > len(data) or begin in seen or len(seen) >= _TABLES:
        return None
    seen.add(begin)
    [claimed] = struct.unpack_from(order + "H", data, begin)
    number = min(claimed, _TAGS, (len(data) - begin - 2) // 12)
    tags = bytes(data[begin + 2 : begin + 2 + 12 * number])
    entries = []
    for place, (tag, kind, count, pointer) in enumerate(struct.iter_unpack(order + "HHII", tags)):
        size = _SIZES.get(kind, 1) * count
        at = start + pointer if size > 4 else begin + 2 + 12 * place + 8
        held = size if size <= _LONGEST and at + size <= len(data) else 0
        entries.append(_Entry(tag, tags[12 * place : 12 * place + 12], at, at + held, pointer))
    after = begin + 2 + 12 * number
    whole = number == claimed and after + 4 <= len(data)
    following = struct.unpack_from(order + "I", data, after)[0] if whole else 0
    return _Table(begin, after + 4 if whole else after, claimed, tuple(entries), following)


def _tables(data: bytes | bytearray, start: int, seen: set[int]) -> Iterator[_Table]:
    """Return the tables of a block: those that follow each other, each with the EXIF table that it points to."""
    if start + 8 > len(data):
        return
    [offset] = struct.unpack_from(_order(data, start) + "I", data, start + 4)
    while table := _table(data, start, offset, seen):
        below = [_table(data, start, entry.pointer, seen) for entry in table.entries if entry.tag == _EXIF]
        yield table
        yield from filter(None, below)
        offset = table.following


def _blanked(data: bytes) -> bytes:
    made, seen = bytearray(data), set[int]()
    for start in _blocks(data):
        for table in _tables(data, start, seen):
            places = [entry for entry in table.entries if entry.tag == _GPS]
            for entry in places:
                _blank_table(made, _table(data, start, entry.pointer, seen))
            if places:
                _leave_out(made, _order(data, start), table)
    for found in _XMP.finditer(data):
        begin, end = found.span(found.lastindex or 0)
        made[begin:end] = b" " * (end - begin)
    return bytes(made)


def _blank_table(made: bytearray, table: _Table | None) -> None:
    if table is None:
        return
    for entry in table.entries:
        made[entry.begin : entry.end] = bytes(entry.end - entry.begin)
    made[table.begin : table.end] = bytes(table.end - table.begin)


def _leave_out(made: bytearray, order: str, table: _Table) -> None:
    """Write a table again without the pointer to a place; nothing behind it moves."""
    kept = [entry.stored for entry in table.entries if entry.tag != _GPS]
    rest = bytes(made[table.begin + 2 + 12 * len(table.entries) : table.end])
    count = struct.pack(order + "H", table.claimed - len(table.entries) + len(kept))
    made[table.begin : table.end] = (count + b"".join(kept) + rest).ljust(table.end - table.begin, b"\0")


def _png_without_place(data: bytes) -> bytes:
    """Do the same for chunks, and make their checksums again; packed profiles of some programs go whole."""
    parts, at = [_PNG], len(_PNG)
    for _number in range(_CHUNKS):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if at + 12 > len(data) or end > len(data):
            break
        kind, body = data[at + 4 : at + 8], data[at + 8 : end - 4]
        if not _packed_profile(kind, body):
            kept = _blanked(body) if kind == b"eXIf" or kind in _TEXTS else body
            parts.append(data[at:end] if kept == body else _chunk(kind, kept))
        at = end
    return b"".join((*parts, data[at:]))


def _packed_profile(kind: bytes, body: bytes) -> bool:
    if kind not in _TEXTS:
        return False
    keyword, _nul, rest = body[:200].partition(b"\0")
    return keyword.startswith(b"Raw profile type ") or (
        keyword == b"XML:com.adobe.xmp" and (kind == b"zTXt" or (kind == b"iTXt" and rest[:1] == b"\1"))
    )


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack("!L", len(body)) + kind + body + struct.pack("!L", zlib.crc32(kind + body))
