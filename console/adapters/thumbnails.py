"""Small copies of photos for papers: upright, of one size, without anything that the camera wrote beside them."""

from __future__ import annotations

import io
from typing import BinaryIO

SIZE = (480, 320)
QUALITY = 72
# A picture that claims to be larger than any camera makes one is not opened.
MOST_PIXELS = 120_000_000


def small(content: BinaryIO) -> bytes | None:
    """Return a photo as a small JPEG cut to three by two, None for what is no picture."""
    # Only papers need it; loading it takes longer than most requests.
    from PIL import Image, ImageOps

    try:
        with Image.open(content, formats=("JPEG", "PNG", "WEBP")) as photo:
            if photo.width * photo.height > MOST_PIXELS:
                return None
            photo.draft("RGB", (SIZE[0] * 2, SIZE[1] * 2))
            made = ImageOps.fit(ImageOps.exif_transpose(photo).convert("RGB"), SIZE)
            kept = io.BytesIO()
            made.save(kept, "JPEG", quality=QUALITY, optimize=True)
            return kept.getvalue()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None
