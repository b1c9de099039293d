"""Addresses of pages in messages that leave the console."""

from __future__ import annotations

from console.core.config import Config


def item_address(config: Config, item_id: int) -> dict[str, str]:
    """Return `{"url": …}` of an item of the board; nothing where the console does not know its own address."""
    base: str = config["PUBLIC_URL"].rstrip("/")
    return {"url": f"{base}/board/items/{item_id}"} if base else {}
