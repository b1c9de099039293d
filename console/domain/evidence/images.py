"""Sizes of images from their headers; nothing is decoded."""

from __future__ import annotations

from typing import BinaryIO

# A phone makes 50 to 200 million pixels at most; a crafted file of a few kilobytes claims billions.
MAX_PIXELS = 250_000_000
_SEGMENTS = 2000
# Start-of-frame markers; C4, C8 and CC mean other things.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def image_bomb(content: BinaryIO, kind: str) -> bool:
    """Return whether an image claims more pixels than any camera makes."""
    size = image_size(content, kind)
    return size is not None and size[0] * size[1] > MAX_PIXELS


def image_size(content: BinaryIO, kind: str) -> tuple[int, int] | None:
    """Return width and height in pixels as the header claims them, None where it does not say."""
    content.seek(0)
    head = content.read(40)
    if kind == "image/png" and len(head) >= 24:
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if kind == "image/gif" and len(head) >= 10:
        return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    if kind == "image/webp":
        return _webp(head)
    return _jpeg(content) if kind == "image/jpeg" else None


def _webp(head: bytes) -> tuple[int, int] | None:
    form = head[12:16]
    if form == b"VP8X" and len(head) >= 30:
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if form == b"VP8L" and len(head) >= 25:
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if form == b"VP8 " and len(head) >= 30:
        return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF
    return None


def _jpeg(content: BinaryIO) -> tuple[int, int] | None:
    content.seek(2)
    for _number in range(_SEGMENTS):
        marker = content.read(2)
        if len(marker) < 2 or marker[0] != 0xFF:
            return None
        if marker[1] in _FRAMES:
            frame = content.read(7)
            if len(frame) < 7:
                return None
            return int.from_bytes(frame[5:7], "big"), int.from_bytes(frame[3:5], "big")
        length = int.from_bytes(content.read(2), "big")
        if length < 2:
            return None
        content.seek(length - 2, 1)
    return None
