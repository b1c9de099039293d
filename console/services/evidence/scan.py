"""The scan of evidence: the built-in checks always, a ClamAV daemon when one is configured."""

from __future__ import annotations

from typing import BinaryIO

import structlog

from console.adapters.clamd import Scanner, ScannerUnavailable
from console.core.config import Config
from console.domain.errors import UnsupportedMedia
from console.domain.evidence import evidence as rules
from console.domain.evidence.content import NotAsDeclared, check_declared, inspect
from console.domain.evidence.evidence import Scan
from console.domain.evidence.kinds import NotTakenError, settled

log = structlog.get_logger(__name__)

OFF = ("off", "disabled", "none")
CLAMD = "clamd"


def scanner(config: Config) -> Scanner | None:
    """Return the configured scanner, None without one or when scanning is off."""
    if _off(config) or not config["CLAMD"].strip():
        return None
    return Scanner(config["CLAMD"], config["CLAMD_TIMEOUT_SEC"])


def kind_of(content: BinaryIO, declared: str, name: str, taken: tuple[str, ...]) -> str:
    """Return the content type of an upload as its bytes show it; raises UnsupportedMedia for none that is taken."""
    try:
        return settled(content, declared, name, taken)
    except NotTakenError as error:
        raise unsupported() from error
    except NotAsDeclared as error:
        raise _contradicted() from error


def unsupported() -> UnsupportedMedia:
    """Return the refusal of a kind that is not taken."""
    return UnsupportedMedia(rules.UNSUPPORTED, told=rules.UNSUPPORTED_TOLD)


def _contradicted() -> UnsupportedMedia:
    return UnsupportedMedia(rules.NOT_AS_DECLARED, code="content_type_mismatch", told=rules.NOT_AS_DECLARED_TOLD)


def scan(config: Config, content: BinaryIO, declared: str) -> Scan:
    """Judge a complete upload (API contract, scan); raises UnsupportedMedia for content that is not what it says.

    A scanner that gives no verdict leaves the file `pending`.
    """
    try:
        if _off(config):
            check_declared(content, declared)
            return Scan(rules.SKIPPED, "none")
        found = inspect(content, declared)
    except NotAsDeclared as error:
        raise _contradicted() from error
    asked = scanner(config)
    if asked is None or rules.blocks(found, block_suspicious=config["EVIDENCE_SCAN_BLOCK_SUSPICIOUS"]):
        return found
    told = ask(asked, content)
    return found if told.status == rules.CLEAN and found.status == rules.SUSPICIOUS else told


def ask(asked: Scanner, content: BinaryIO) -> Scan:
    """Let the scanner judge a file: `clean`, `infected` with the name of what it found, or `pending`."""
    try:
        signature = asked.scan(content).signature
    except ScannerUnavailable as error:
        log.warning("evidence_scanner_unavailable", reason=str(error))
        return Scan(rules.PENDING, CLAMD, "scanner-unavailable")
    return Scan(rules.INFECTED, CLAMD, signature) if signature else Scan(rules.CLEAN, CLAMD)


def _off(config: Config) -> bool:
    return str(config["EVIDENCE_SCAN_MODE"]).strip().lower() in OFF
