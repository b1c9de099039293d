"""Which kind of file it is: the bytes decide, whatever browsers, registries and messengers call it."""

from __future__ import annotations

from typing import BinaryIO
from zipfile import ZipFile

from console.domain.evidence.archives import DamagedArchiveError, is_plain, reading
from console.domain.evidence.content import (
    HEAD,
    MEDIA,
    OLE,
    ZIP,
    NotAsDeclared,
    check_declared,
    sniff,
)
from console.domain.evidence.evidence import OCTETS, is_allowed

# Other names of the same kinds, as browsers, Windows, Hancom and mail programs declare them.
ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/tif": "image/tiff",
    "image/heic-sequence": "image/heic",
    "application/x-pdf": "application/pdf",
    "text/pdf": "application/pdf",
    "text/json": "application/json",
    "text/x-json": "application/json",
    "application/csv": "text/csv",
    "application/x-csv": "text/csv",
    "text/x-csv": "text/csv",
    "text/comma-separated-values": "text/csv",
    "application/x-zip-compressed": ZIP,
    "application/x-zip": ZIP,
    "application/x-compressed": ZIP,
    "application/hwp": "application/x-hwp",
    "application/haansofthwp": "application/x-hwp",
    "application/vnd.hancom.hwp": "application/x-hwp",
    "application/haansofthwpx": "application/hwp+zip",
    "application/x-hwpx": "application/hwp+zip",
    "application/vnd.hancom.hwpx": "application/hwp+zip",
}
HWP, HWPX = "application/x-hwp", "application/hwp+zip"
OFFICE = "application/vnd.openxmlformats-officedocument."
_OFFICE = (
    ("word/", OFFICE + "wordprocessingml.document"),
    ("xl/", OFFICE + "spreadsheetml.sheet"),
    ("ppt/", OFFICE + "presentationml.presentation"),
)
_OLE_ENDINGS = {
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "hwp": HWP,
}
_BRANDS = {
    "image/heic": (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"),
    "image/avif": (b"avif", b"avis"),
    "video/quicktime": (b"qt  ",),
}
_TEXT_ENDINGS = {"csv": "text/csv", "json": "application/json", "md": "text/markdown", "txt": "text/plain"}
# Declared for texts by desks on which another program opens the ending.
_GUESSES_OF_TEXT = frozenset({OCTETS, "application/vnd.ms-excel", "text/plain", "text/csv"})
# Endings that say the kind; one of another kind is corrected with the type.
ENDINGS = {
    "application/pdf": ("pdf",),
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "image/webp": ("webp",),
    "image/gif": ("gif",),
    "image/tiff": ("tif", "tiff"),
    "image/heic": ("heic", "heif"),
    "image/avif": ("avif",),
    "video/mp4": ("mp4", "m4v"),
    "video/quicktime": ("mov",),
    HWP: ("hwp",),
    HWPX: ("hwpx",),
    "application/msword": ("doc",),
    "application/vnd.ms-excel": ("xls",),
    "application/vnd.ms-powerpoint": ("ppt",),
    OFFICE + "wordprocessingml.document": ("docx",),
    OFFICE + "spreadsheetml.sheet": ("xlsx",),
    OFFICE + "presentationml.presentation": ("pptx",),
    ZIP: ("zip",),
}
_MARKUP = ("html", "xhtml", "svg", "xml", "javascript", "ecmascript")
_HWP_MARK = b"HWP Document File"
# A name list longer than this says nothing more about the kind.
_NAMES = 200


class NotTakenError(ValueError):
    """The kind is none that is taken."""


def settled(content: BinaryIO, declared: str, name: str, allowed: tuple[str, ...]) -> str:
    """Return the content type under which a file is kept.

    It is the declared one when the bytes agree and it is allowed, else the one that the bytes show when that is
    allowed. What can act in a browser is never taken for something else. Raises NotTakenError for a kind that is not
    allowed, NotAsDeclared for bytes that contradict an allowed type and are no allowed kind themselves.
    """
    said = declared if is_allowed(declared, allowed) and "*" not in allowed else ALIASES.get(declared, declared)
    agrees = _agrees(content, said)
    if agrees and said != OCTETS and is_allowed(said, allowed):
        return said
    if any(word in said for word in _MARKUP):
        raise NotAsDeclared(said) if is_allowed(said, allowed) else NotTakenError(said)
    found = identified(content, said, name)
    if found is not None and is_allowed(found, allowed):
        return found
    if agrees and is_allowed(said, allowed):
        return said
    raise NotAsDeclared(said) if is_allowed(said, allowed) else NotTakenError(said)


def identified(content: BinaryIO, said: str, name: str) -> str | None:
    """Return the kind that the bytes of a file show, None when they show none that is known.

    Texts have no signature: the ending of `name` tells which one it is, where `said` may be a guess about texts.
    """
    content.seek(0)
    head = content.read(HEAD)
    found, ending = sniff(head), name.rpartition(".")[2].lower()
    if found == ZIP:
        return _zipped(content)
    if found == OLE:
        return HWP if _HWP_MARK in head else _OLE_ENDINGS.get(ending, OCTETS)
    if found == MEDIA:
        return next((kind for kind, brands in _BRANDS.items() if head[8:12] in brands), MEDIA)
    if found is not None:
        return None if found in ("text/html", "application/x-executable") else found
    kind = _TEXT_ENDINGS.get(ending)
    if kind is None or said not in _GUESSES_OF_TEXT or (kind == "text/plain" and said == OCTETS):
        return None
    return kind if _agrees(content, kind) else None


def right_ending(name: str, content_type: str) -> str:
    """Return the name with an ending of its kind instead of one that says another kind."""
    stem, dot, ending = name.rpartition(".")
    own = ENDINGS.get(content_type)
    others = {one for endings in ENDINGS.values() for one in endings}
    if own is None or not dot or ending.lower() in own or ending.lower() not in others:
        return name
    return f"{stem}.{own[0]}"


def _agrees(content: BinaryIO, said: str) -> bool:
    try:
        check_declared(content, said)
    except NotAsDeclared:
        return False
    # One signature stands before videos and photographs alike.
    return identified(content, said, "") == said if said in _BRANDS else True


def _zipped(content: BinaryIO) -> str:
    """Return which document a ZIP archive is; one that cannot be read is an archive, and refused as such."""
    content.seek(0)
    try:
        with reading(), ZipFile(content) as archive:
            entries = archive.infolist()[:_NAMES]
            if entries and entries[0].filename == "mimetype" and is_plain(entries[0]):
                with archive.open(entries[0]) as mimetype:
                    told = mimetype.read(100).decode("ascii", "replace").strip()
                return ALIASES.get(told, told) if told.startswith(("application/vnd.oasis.", HWPX)) else ZIP
    except DamagedArchiveError:
        return ZIP
    names = [entry.filename for entry in entries]
    if "[Content_Types].xml" not in names:
        return ZIP
    return next((kind for begin, kind in _OFFICE if any(one.startswith(begin) for one in names)), ZIP)
