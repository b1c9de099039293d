"""Inputs and answers of evidence (API contract, evidence upload)."""

from __future__ import annotations

from typing import Annotated, Any

from flask_openapi3.models.file import FileStorage
from pydantic import AfterValidator, BeforeValidator, Field, RootModel
from werkzeug.datastructures import FileStorage as Received

from console.domain.evidence.evidence import MAX_NOTE, MAX_REASON
from console.inputs.base import BodyModel, Instant, OutModel, PathModel, RowId


def _received(value: Any) -> Any:
    # A field that is no file comes as text.
    if not isinstance(value, Received):
        raise ValueError("must be a file")
    return value


class EvidencePath(PathModel):
    """A file by its id."""

    evidence_id: RowId


class EvidenceForm(BodyModel):
    """Multipart form of an upload."""

    file: Annotated[FileStorage, AfterValidator(_received)]
    # The form reader turns digits into numbers: what was really sent is read from the form itself.
    note: Annotated[str, Field(max_length=MAX_NOTE), BeforeValidator(str)] = ""


class RemovalIn(BodyModel):
    """Why a file is removed."""

    reason: str = Field(min_length=1, max_length=MAX_REASON)


class EvidenceOut(OutModel):
    """A file: the 14 published fields, then what was added."""

    id: int
    tracker_item_id: int
    site: str | None
    file_name: str
    content_type: str
    file_size: int
    storage_backend: str
    sha256: str | None
    malware_scan_status: str
    malware_scan_engine: str | None
    malware_scanned_at: Instant | None
    note: str
    uploaded_by: str
    uploaded_at: Instant
    malware_scan_reason: str | None


class AttachedOut(EvidenceOut):
    """A file just attached; `reopened_completion`: the closed tracker is open again because of it."""

    reopened_completion: bool


class EvidenceList(RootModel[list[EvidenceOut]]):
    """A bare array of files, newest first."""
