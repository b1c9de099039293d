"""Addresses of pages in messages that leave the console."""

from __future__ import annotations

from console.core.config import Config
from console.domain.tracker.tracker import REMEDIATION


def item_address(config: Config, item_id: int, tracker: str = REMEDIATION.key) -> dict[str, str]:
    """Return `{"url": …}` of an item of a tracker; nothing where the console does not know its own address."""
    place = "/board" if tracker == REMEDIATION.key else f"/programme/{tracker}"
    return _address(config, f"{place}/items/{item_id}")


def order_address(config: Config, order_id: int) -> dict[str, str]:
    """Return `{"url": …}` of a work order; nothing where the console does not know its own address."""
    return _address(config, f"/work-orders/{order_id}")


def handover_address(config: Config, handover_id: int) -> dict[str, str]:
    """Return `{"url": …}` of a handover; nothing where the console does not know its own address."""
    return _address(config, f"/handover/{handover_id}")


def _address(config: Config, path: str) -> dict[str, str]:
    base: str = config["PUBLIC_URL"].rstrip("/")
    return {"url": base + path} if base else {}
