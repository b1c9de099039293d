"""What callers ask of assets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

# As the parent of a change: it belongs to nothing any more.
NO_PARENT = 0


@dataclass(frozen=True)
class NewAsset:
    """A new asset; `code` is what its label says, once in its site."""

    site: str
    code: str
    name: str
    kind: str = ""
    place: str = ""
    serial: str = ""
    installed_on: date | None = None
    parent_id: int | None = None


@dataclass(frozen=True)
class AssetChange:
    """A change of an asset; None leaves a field as it is, `NO_PARENT` takes the parent away. The site stays."""

    code: str | None = None
    name: str | None = None
    kind: str | None = None
    place: str | None = None
    serial: str | None = None
    installed_on: date | None = None
    parent_id: int | None = None
    is_active: bool | None = None
