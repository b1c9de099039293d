"""Types and bounds of the handover brief (API contract, handover brief)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from console.domain.handover.requests import BriefAsked
from console.inputs.base import QueryModel, SiteFilter


class BriefQuery(QueryModel):
    """Which brief: hours that it looks back and ahead, and how many rows it lists at most."""

    site: SiteFilter = None
    window_hours: int = Field(12, ge=1, le=168)
    due_soon_hours: int = Field(6, ge=1, le=72)
    max_items: int = Field(10, ge=1, le=50)

    def asked(self) -> BriefAsked:
        """Return it as the service takes it."""
        return BriefAsked(self.site, self.window_hours, self.due_soon_hours, self.max_items)


class BriefCsvQuery(BriefQuery):
    """The same for the CSV; `bom` adds the mark that Korean Excel needs."""

    bom: bool = False


class BriefPdfQuery(BriefQuery):
    """The same for the PDF, in a language."""

    lang: Literal["ko", "en"] = "ko"
