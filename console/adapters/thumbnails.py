"""Small copies of photos for papers: upright, of one size, without anything that the camera wrote beside them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import BinaryIO

SIZE = (480, 320)
QUALITY = 72
# A picture that claims to be larger than any camera makes one is not opened.
MOST_PIXELS = 120_000_000
# Other kinds than JPEG cannot be unpacked in a smaller size: all their pixels stand in memory at once.
MOST_UNPACKED = 40_000_000
# What decoders of broken and hostile files stumble over.
_STUMBLES = (
    *(OSError, ValueError, SyntaxError, TypeError, EOFError, ArithmeticError, LookupError, MemoryError),
    *(struct.error, zlib.error),
)


def small(content: BinaryIO) -> bytes | None:
    """Return a photo as a small JPEG cut to three by two, None for what is no picture."""
    # Only papers need it; loading it takes longer than most requests.
    from PIL import Image, ImageOps

    try:
        with Image.open(content, formats=("JPEG", "PNG", "WEBP")) as photo:
            if photo.width * photo.height > (MOST_PIXELS if photo.format == "JPEG" else MOST_UNPACKED):
                return None
            photo.draft("RGB", (SIZE[0] * 2, SIZE[1] * 2))
            made = ImageOps.fit(ImageOps.exif_transpose(photo).convert("RGB"), SIZE)
            kept = io.BytesIO()
            made.save(kept, "JPEG", quality=QUALITY, optimize=True)
            return kept.getvalue()
    except (*_STUMBLES, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None
