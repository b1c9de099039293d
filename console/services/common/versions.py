"""Versions of rows: a change that names the version it was made upon is refused when another one is stored."""

from __future__ import annotations

from typing import Protocol

from console.domain.errors import Conflict, PreconditionFailed
from console.domain.text import Text


class Versioned(Protocol):
    """A row as it was read, with its version and who wrote that."""

    @property
    def version(self) -> int:
        """The version that is stored."""

    @property
    def updated_by(self) -> str:
        """Who wrote it."""


def check_version(row: Versioned, version: int | None, if_match: int | None, meanwhile: Text) -> None:
    """Raise unless the caller looked at the stored version; `meanwhile` says so to people.

    PreconditionFailed for another version of the header (`if_match`), Conflict for another one of the body.
    """
    detail = {"message": meanwhile, "current_version": row.version, "updated_by": row.updated_by}
    if if_match is not None and if_match != row.version:
        raise PreconditionFailed(detail, code="version_mismatch")
    if version is not None and version != row.version:
        raise Conflict(detail, code="version_conflict")
