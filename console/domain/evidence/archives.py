"""Archives that grow beyond all measure when somebody unpacks them."""

from __future__ import annotations

import errno
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

# Reasons of a refusal, as answers name them.
BOMB, DAMAGED = "decompression-bomb-detected", "archive-damaged"
NESTED, TOO_MANY = "archive-inside-archive", "archive-has-too-many-files"
ENCRYPTED, UNKNOWN_METHOD = "archive-encrypted", "archive-of-unknown-method"
MAX_ENTRIES = 2000
MAX_UNPACKED = 100 * 1024 * 1024
# Text compresses to a tenth, empty drawings to a hundredth.
MAX_RATIO = 200
_PIECE = 64 * 1024
# Documents know no other methods, and the readers of the rare ones have errors of their own.
_METHODS = (ZIP_STORED, ZIP_DEFLATED)
_ENCRYPTED = 0x1
_ARCHIVES = (".zip", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".jar", ".iso", ".cab")


class DamagedArchiveError(Exception):
    """The contents of an archive contradict themselves."""


@contextmanager
def reading() -> Iterator[None]:
    """Raise DamagedArchiveError for whatever the readers of ZIP and gzip say of contents that lie.

    A disk that fails says nothing about the archive: its OSError passes.
    """
    try:
        yield
    # Wrong sums; broken streams; ends too early; versions and flags nobody knows; names that are no text; and offsets
    # before the beginning or beyond what memory can have, both of which a file refuses with EINVAL.
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OverflowError) as error:
        raise DamagedArchiveError from error
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise DamagedArchiveError from error


def is_plain(entry: ZipInfo) -> bool:
    """Return whether an entry can be unpacked without a password, by a method that documents use."""
    return entry.compress_type in _METHODS and not entry.flag_bits & _ENCRYPTED


def archive_fault(content: BinaryIO, kind: str) -> str | None:
    """Return why a ZIP or gzip file is not taken: it grows too far, is damaged, locked, or holds another archive.

    What the directory claims is not believed: the entries are unpacked in pieces and thrown away, up to the limit.
    Raises OSError when the content cannot be read.
    """
    content.seek(0)
    packed = content.seek(0, 2)
    limit = min(MAX_UNPACKED, max(packed, 1024) * MAX_RATIO)
    content.seek(0)
    try:
        with reading():
            return _gzip(content, limit) if kind == "application/gzip" else _zip(content, limit)
    except DamagedArchiveError:
        return DAMAGED


def _zip(content: BinaryIO, limit: int) -> str | None:
    left = limit
    with ZipFile(content) as archive:
        entries = archive.infolist()
        offsets = {entry.header_offset for entry in entries}
        if len(entries) > MAX_ENTRIES:
            return TOO_MANY
        if len(offsets) < len(entries):
            return BOMB
        if any(entry.compress_type not in _METHODS for entry in entries):
            return UNKNOWN_METHOD
        if any(entry.flag_bits & _ENCRYPTED for entry in entries):
            return ENCRYPTED
        if any(entry.filename.lower().endswith(_ARCHIVES) for entry in entries):
            return NESTED
        if sum(entry.file_size for entry in entries) > limit:
            return BOMB
        for entry in entries:
            left = _unpack(archive, entry, left)
            if left < 0:
                return BOMB
    return None


def _unpack(archive: ZipFile, entry: ZipInfo, left: int) -> int:
    """Return what remains of the budget after unpacking one entry; below zero when it is used up."""
    with archive.open(entry) as packed:
        while left >= 0 and (piece := packed.read(_PIECE)):
            left -= len(piece)
    return left


def _gzip(content: BinaryIO, limit: int) -> str | None:
    left, inflate, whole = limit, zlib.decompressobj(wbits=31), False
    while piece := content.read(_PIECE):
        made = b""
        # All input may be taken in while there is still something to give out.
        while piece or len(made) == _PIECE:
            made = inflate.decompress(piece, _PIECE)
            left -= len(made)
            if left < 0:
                return BOMB
            whole, piece = inflate.eof, inflate.unconsumed_tail
            if whole:
                piece, inflate, made = inflate.unused_data, zlib.decompressobj(wbits=31), b""
    # zlib does not complain about an end that never comes.
    return None if whole else DAMAGED
