"""Rules of evidence: names, media types, storage keys, states of the scan (API contract, evidence upload)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

from console.domain.text import N_, T, Text

MAX_BYTES = 5 * 1024 * 1024
MAX_NAME = 120
MAX_NOTE = 4000
MAX_REASON = 1000
FALLBACK_NAME = "evidence.bin"
FS, DB = "fs", "db"
OCTETS = "application/octet-stream"

# Words of `malware_scan_status`. `infected` is never stored: such an upload is refused. A file that waits for the
# scanner is `pending`; one that the scanner condemned afterwards is `quarantined`. Neither can be downloaded.
CLEAN, SKIPPED, SUSPICIOUS, INFECTED = "clean", "skipped", "suspicious", "infected"
PENDING, QUARANTINED, UNKNOWN = "pending", "quarantined", "unknown"
# Photos of which a small copy can be made.
PICTURES = ("image/jpeg", "image/png", "image/webp")

# The order in which the integrity batch names them: the published ones first.
WORK_ORDERS, INSPECTIONS = "work_orders", "inspections"
MODULES = (
    *(INSPECTIONS, "w02", "w03", "w04", "w07", "w09", "w10", "w11", "w12", "w13", "w14", "w15"),
    *("remediation", WORK_ORDERS),
)


def published_module(module: str) -> str:
    """Return the name under which answers tell of a module (API contract, evidence and archive integrity)."""
    return "inspection" if module == INSPECTIONS else module


UPLOADED, REMOVED = "evidence_uploaded", "evidence_removed"

TOO_LARGE = f"Evidence file too large (max {MAX_BYTES} bytes)"
EMPTY = "Empty evidence file is not allowed"
UNSUPPORTED = "Unsupported evidence content type"
NOT_AS_DECLARED = "Evidence content does not match its content type"
UNSUPPORTED_TOLD = T(
    "This kind of file is not taken. Save it as PDF, JPEG or PNG, or ask an administrator to allow its kind."
)
NOT_AS_DECLARED_TOLD = T("The content of the file is not what its name says. Save it again with its own program.")
TOO_LARGE_TOLD = T(
    "The file is larger than %(limit)s MB. Send a smaller picture, or split the document.",
    limit=MAX_BYTES // 1024 // 1024,
)
EMPTY_TOLD = T("The file is empty. Save it again, or choose another one.")
UNAVAILABLE_TOLD = T("The file cannot be read any more. Ask for it to be sent again, and tell an administrator.")
QUARANTINED_TOLD = T("The scanner found something in the file, so it is locked. Ask for a clean copy.")
MISMATCH_TOLD = T("The file is not the one that was sent any more, so it is locked. Tell an administrator.")
SCAN_PENDING_TOLD = T("The file still waits for the scanner. Try again in a few minutes.")
# What people read of a refusal by the built-in scan.
REASONS = {
    "scanner-unavailable": N_("The scanner does not answer. The file is scanned as soon as it does."),
    "eicar-signature-detected": N_("The file holds the test pattern of virus scanners. Send another file."),
    "decompression-bomb-detected": N_("The file grows beyond all measure when opened. Send its parts one by one."),
    "archive-damaged": N_("The archive is damaged. Pack it again."),
    "archive-inside-archive": N_("There is an archive inside the archive. Unpack it first, and send the files in it."),
    "archive-has-too-many-files": N_("The archive holds more than 2,000 files. Split it."),
    "archive-encrypted": N_("The archive is locked with a password. Send it without one."),
    "archive-of-unknown-method": N_("The archive is packed in a rare way. Pack it again as an ordinary ZIP."),
    "active-pdf-content-detected": N_("The PDF holds scripts or files. Print it into a new PDF and send that."),
    "active-script-pattern-detected": N_("The file holds a script. Send a picture or a PDF of it."),
    "hidden-archive-detected": N_("There is an archive hidden behind the file. Save it again with its own program."),
}
UNAVAILABLE = "Evidence file is unavailable"
MISMATCH = "Evidence integrity check failed"
SCAN_PENDING = "Evidence scan is pending"

# What a desk would run or open as a page of its own when somebody clicks on the saved file.
_RISKY = frozenset(
    (
        *("app", "bat", "cmd", "com", "cpl", "dll", "exe", "hta", "htm", "html", "jar", "js", "jse", "lnk", "mht"),
        *("mhtml", "mjs", "msi", "pif", "ps1", "scr", "sh", "shtml", "svg", "svgz", "url", "vb", "vbe", "vbs"),
        *("wsf", "wsh", "xht", "xhtml", "xml", "xsl"),
    )
)
_ENDING = {
    "application/pdf": ".pdf",
    "text/plain": ".txt",
    "text/csv": ".csv",
    "application/json": ".json",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
}
_KEY = re.compile(r"[0-9A-Za-z._-]+(/[0-9A-Za-z._-]+)*")


@dataclass(frozen=True)
class Scan:
    """What a scan found: status, which engine said so, and why."""

    status: str
    engine: str
    reason: str | None = None


def safe_name(sent: str | None) -> str:
    """Return the name under which a file is kept (API contract, file name; letters of every script stay readable).

    Only what stands behind the last slash counts, blanks become `_`, letters, digits and `._-` stay, everything else
    is dropped. At most 120 characters; the ending survives the cut.
    """
    text = unicodedata.normalize("NFC", sent or "").replace("\\", "/").rpartition("/")[2]
    kept = "".join("_" if ch in " \t" else ch for ch in text if ch in " \t._-" or _is_letter(ch)).strip("._")
    if len(kept) > MAX_NAME:
        stem, dot, ending = kept.rpartition(".")
        short = dot + ending if dot and len(ending) <= 15 else ""
        kept = ((stem if short else kept)[: MAX_NAME - len(short)].strip("._") + short).strip("._")
    return kept or FALLBACK_NAME


def _is_letter(ch: str) -> bool:
    # Marks belong to letters: vowels of Indic scripts, and Hangul that came apart.
    return unicodedata.category(ch)[0] in "LNM"


def name_for(sent: str | None, content_type: str) -> str:
    """Return the safe name; an ending that a desk would run gets the ending of the real type behind it.

    A name that is nothing but an ending (`.jpg`) keeps it behind the name of files without one.
    """
    name = safe_name(sent)
    ending = name.rpartition(".")[2].lower()
    if f".{name.lower()}" == _ENDING.get(content_type):
        return f"{FALLBACK_NAME.partition('.')[0]}.{name}"
    if ending not in _RISKY or content_type not in _ENDING:
        return name
    return name[: MAX_NAME - 5].rstrip("._") + _ENDING[content_type]


def media_type(sent: str | None) -> str:
    """Return a declared content type without its parameters, in lower case; a missing one is `octet-stream`."""
    essence = (sent or "").partition(";")[0].strip().lower()[:120]
    return essence or OCTETS


def is_allowed(content_type: str, allowed: tuple[str, ...]) -> bool:
    """Return whether the settings allow a content type; `*` allows all."""
    return "*" in allowed or content_type in (word.strip().lower() for word in allowed)


def storage_key(at: datetime, sha256: str, random_hex: str, name: str) -> str:
    """Return the key of a new file: day of upload in UTC, part of its hash, chance, and its ending."""
    stem, dot, ending = name.rpartition(".")
    ending = "".join(ch for ch in ending if ch.isascii() and ch.isalnum())[:15]
    suffix = f".{ending.lower()}" if stem and dot and ending else ""
    return f"{at.astimezone(UTC):%Y/%m/%d}/{sha256[:20]}-{random_hex}{suffix}"


def key_parts(key: str | None) -> tuple[str, ...] | None:
    """Return the parts of a storage key, or None for one that could lead out of the storage (path guard)."""
    text = (key or "").replace("\\", "/")
    parts = tuple(text.split("/"))
    if not text or text.startswith("/") or "\x00" in text or ".." in parts or not _KEY.fullmatch(text):
        return None
    return parts


def blocks(scan: Scan, *, block_suspicious: bool) -> bool:
    """Return whether an upload with this finding is refused."""
    return scan.status == INFECTED or (scan.status == SUSPICIOUS and block_suspicious)


def refusal(scan: Scan) -> str:
    """Return the published text of an upload that the scan refused."""
    return f"Evidence scan blocked upload: {scan.reason}"


def refusal_told(scan: Scan) -> Text:
    """Return what people read of an upload that the scan refused; a scanner names what it found."""
    return reason_told(scan.reason or "")


def reason_told(reason: str) -> Text:
    """Return what people read of the reason of a scan."""
    known = REASONS.get(reason)
    if known:
        return T(known)
    return T("The scanner found “%(name)s” in the file. Check the device that it comes from.", name=reason)
