"""What a file really is, whatever it says it is; and the checks that need no scanner."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

from console.domain.evidence.archives import BOMB, archive_fault
from console.domain.evidence.evidence import CLEAN, INFECTED, OCTETS, SUSPICIOUS, Scan
from console.domain.evidence.images import image_bomb

CHUNK = 64 * 1024
HEAD = 4096
SIGNATURES, PATTERNS = BUILT_IN_SCANS = "basic-signature", "basic-pattern"
# In two parts, so that no scanner takes this file for the test file.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + rb"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

ZIP, OLE, MEDIA = "application/zip", "application/x-ole-storage", "video/mp4"
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (b"\x7fELF", "application/x-executable"),
    (b"\xca\xfe\xba\xbe", "application/x-executable"),
    (b"\xcf\xfa\xed\xfe", "application/x-executable"),
)
# Families: what is packed in another format says so by its own type.
_PACKED = (
    (ZIP, ("application/x-zip-compressed", "application/hwp+zip", "application/vnd.hancom.hwpx")),
    (OLE, ("application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/x-hwp")),
    (MEDIA, ("image/heic", "image/heif", "image/avif", "video/quicktime")),
    ("application/gzip", ("application/x-gzip",)),
)
_ZIPPED = ("application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument.")
TEXTS = frozenset({"text/plain", "text/csv", "application/json", "text/markdown"})
_SIGNED = frozenset(
    {kind for _magic, kind in _MAGIC} | {"application/pdf", "image/webp", MEDIA} | {k for _o, ks in _PACKED for k in ks}
)
_PAGE = re.compile(
    rb"\s*(<!--.{0,2000}?-->\s*)?<(!doctype\s+html|html|head|body|script|svg|iframe|\?xml[^>]*>\s*<svg)",
    re.IGNORECASE | re.DOTALL,
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))
# Actions that a reader of PDF carries out by itself; those hidden in compressed parts need a real scanner.
_PDF_ACTIVE = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFile|RichMedia|XFA)\b")
# Any character of a name may be written as its number (PDF 32000-1, 7.3.5): three bytes for one.
_PDF_NUMBERED = re.compile(rb"#([0-9A-Fa-f]{2})")
_PDF_LONGEST = 3 * len(b"/EmbeddedFile ")
_JSON_STARTS = frozenset(b'{["-0123456789tfn')


class NotAsDeclared(ValueError):
    """The content is of another type than it was sent as."""


def inspect(content: BinaryIO, declared: str) -> Scan:
    """Judge a file by its bytes; raises NotAsDeclared for content of another type than `declared`.

    Reads the seekable file in pieces, whatever its size.
    """
    if any(EICAR in window for window in windows(content, len(EICAR))):
        return Scan(INFECTED, SIGNATURES, "eicar-signature-detected")
    head = check_declared(content, declared)
    if fault := _fault(content, sniff(head)):
        return Scan(INFECTED, "basic-archive", fault)
    active = ("html" in declared or "javascript" in declared or "svg" in declared) and b"<script" in head.lower()
    if active:
        return Scan(SUSPICIOUS, PATTERNS, "active-script-pattern-detected")
    if declared == "application/pdf" and any(map(_pdf_acts, windows(content, _PDF_LONGEST))):
        return Scan(SUSPICIOUS, PATTERNS, "active-pdf-content-detected")
    if sniff(head) != ZIP and _zip_behind(content):
        return Scan(SUSPICIOUS, PATTERNS, "hidden-archive-detected")
    return Scan(CLEAN, SIGNATURES)


def _pdf_acts(window: bytes) -> bool:
    plain = _PDF_NUMBERED.sub(lambda number: bytes([int(number[1], 16)]), window)
    return any(map(_PDF_ACTIVE.search, (window, plain)))


def sniff(head: bytes) -> str | None:
    """Return the type that the first bytes show, or None for what has no signature."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return MEDIA
    if b"%PDF-" in head[:1024]:
        return "application/pdf"
    if head[:2] == b"MZ" and b"\x00" in head[:64]:
        return "application/x-executable"
    return "text/html" if _PAGE.match(head.removeprefix(codecs.BOM_UTF8)) else None


def check_declared(content: BinaryIO, declared: str) -> bytes:
    """Return the first bytes of a file; raises NotAsDeclared when its bytes contradict the declared type."""
    content.seek(0)
    head = content.read(HEAD)
    found = sniff(head)
    if declared in TEXTS:
        right = found is None and is_text(content) and (declared != "application/json" or _like_json(head))
    elif found is None:
        right = declared not in _SIGNED and not declared.startswith(_ZIPPED)
    else:
        right = _is_kind(found, declared)
    if not right:
        raise NotAsDeclared(declared)
    return head


def _is_kind(found: str, declared: str) -> bool:
    if declared in (found, OCTETS):
        return True
    if found == ZIP and declared.startswith(_ZIPPED):
        return True
    if found == "text/html" and declared in ("application/xhtml+xml", "image/svg+xml", "text/javascript"):
        return True
    return any(declared in kinds for outer, kinds in _PACKED if outer == found)


def is_text(content: BinaryIO) -> bool:
    """Return whether a file is text: UTF-16 with its mark, or anything without the control characters of binary files.

    UTF-8 and the Korean CP949 stand side by side in old logs, so no single encoding is asked for.
    """
    content.seek(0)
    mark = content.read(2)
    if mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return _decodes(content, "utf-16")
    return all(len(piece) == len(piece.translate(None, _CONTROLS)) for piece in pieces(content))


def _decodes(content: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for piece in pieces(content):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _like_json(head: bytes) -> bool:
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    return bool(text) and (text[0] in _JSON_STARTS or head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def _fault(content: BinaryIO, kind: str | None) -> str | None:
    if kind in (ZIP, "application/gzip"):
        return archive_fault(content, kind)
    return BOMB if kind is not None and kind.startswith("image/") and image_bomb(content, kind) else None


def _zip_behind(content: BinaryIO) -> bool:
    """Whether the file ends in the directory of a ZIP archive, as files that are two things at once do."""
    size = content.seek(0, 2)
    content.seek(max(0, size - 66_000))
    tail = content.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        return False
    entries, comment = (
        int.from_bytes(tail[at + 10 : at + 12], "little"),
        int.from_bytes(tail[at + 20 : at + 22], "little"),
    )
    return entries > 0 and len(tail) - at == 22 + comment


def pieces(content: BinaryIO) -> Iterator[bytes]:
    """Read a file from its start in pieces."""
    content.seek(0)
    while piece := content.read(CHUNK):
        yield piece


def windows(content: BinaryIO, overlap: int) -> Iterator[bytes]:
    """Read a file in pieces that begin with the end of the one before, so that nothing hides on the border."""
    before = b""
    for piece in pieces(content):
        yield before + piece
        before = piece[-overlap:]
