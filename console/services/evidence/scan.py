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

log = structlog.get_logger(__name__)

OFF = ("off", "disabled", "none")
CLAMD = "clamd"


def scanner(config: Config) -> Scanner | None:
    """Return the configured scanner, None without one or when scanning is off."""
    if _off(config) or not config["CLAMD"].strip():
        return None
    return Scanner(config["CLAMD"], config["CLAMD_TIMEOUT_SEC"])


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
        raise UnsupportedMedia(rules.NOT_AS_DECLARED, code="content_type_mismatch") from error
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
