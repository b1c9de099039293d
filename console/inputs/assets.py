"""Types and bounds of assets."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field

from console.domain.assets.requests import AssetChange, NewAsset
from console.domain.ids import MAX_ID
from console.inputs.base import BodyModel, PathModel, QueryModel, RowId, SiteFilter, SiteName

CODE, NAME, KIND, PLACE, SERIAL = 40, 200, 40, 120, 120


def _day(value: object) -> object:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("must be a date such as 2026-03-01") from None
    return value


Day = Annotated[date, BeforeValidator(_day)]


class AssetPath(PathModel):
    """An asset by id."""

    asset_id: RowId


class AssetsQuery(QueryModel):
    """One slice of the assets by site and code; all filters but `q` are exact."""

    site: SiteFilter = None
    code: str | None = Field(None, max_length=CODE)
    kind: str | None = Field(None, max_length=KIND)
    place: str | None = Field(None, max_length=PLACE)
    parent_id: int | None = Field(None, ge=1, le=MAX_ID)
    is_active: bool | None = None
    q: str | None = Field(None, min_length=1, max_length=200)
    limit: int = Field(20, ge=1, le=100)
    offset: int = Field(0, ge=0, le=2**31 - 1)


class AssetHistoryQuery(QueryModel):
    """One slice of what happened, newest first."""

    limit: int = Field(50, ge=1, le=300)
    offset: int = Field(0, ge=0, le=2**31 - 1)


class AssetIn(BodyModel):
    """A new asset; `code` is what its label says, once in its site. `parent_id` is an asset of the same site."""

    site: SiteName
    code: str = Field(min_length=1, max_length=CODE)
    name: str = Field(min_length=1, max_length=NAME)
    kind: str = Field("", max_length=KIND)
    place: str = Field("", max_length=PLACE)
    serial: str = Field("", max_length=SERIAL)
    installed_on: Day | None = None
    parent_id: int | None = Field(None, ge=1, le=MAX_ID)

    def new(self) -> NewAsset:
        """Return it as the service takes it."""
        return NewAsset(**self.model_dump())


class AssetPatchIn(BodyModel):
    """Fields to change; absent or null leaves a field as it is, `parent_id` 0 takes the parent away.

    `is_active` false retires the asset, true puts it back. `version` is the one that was looked at.
    """

    code: str | None = Field(None, min_length=1, max_length=CODE)
    name: str | None = Field(None, min_length=1, max_length=NAME)
    kind: str | None = Field(None, max_length=KIND)
    place: str | None = Field(None, max_length=PLACE)
    serial: str | None = Field(None, max_length=SERIAL)
    installed_on: Day | None = None
    parent_id: int | None = Field(None, ge=0, le=MAX_ID)
    is_active: bool | None = None
    version: int | None = Field(None, ge=1, le=2**31 - 1)

    def change(self) -> AssetChange:
        """Return it as the service takes it."""
        return AssetChange(**self.model_dump(exclude={"version"}))
