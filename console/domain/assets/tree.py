"""Which asset may belong to which."""

from __future__ import annotations

from collections.abc import Collection

from console.domain.text import T, Text


def refused(asset_id: int | None, site: str, parent_site: str, above: Collection[int]) -> Text | None:
    """Return why an asset of `site` cannot belong to another one, None if it can.

    `asset_id` is None for a new asset. `above` are the ids of the parent and of everything that it belongs to itself.
    """
    if site != parent_site:
        return T("It belongs to an asset of another site")
    if asset_id is not None and asset_id in above:
        return T("It would belong to itself")
    return None
