"""Inputs and answers of evidence (API contract, evidence upload)."""

from __future__ import annotations

from typing import Annotated, Any

from flask_openapi3.models.file import FileStorage
from pydantic import AfterValidator, BeforeValidator, Field
from werkzeug.datastructures import FileStorage as Received

from console.domain.evidence.evidence import MAX_NOTE, MAX_REASON
from console.inputs.base import BodyModel, PathModel, RowId


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
