"""What every step of copying a database raises when it cannot go on."""

from __future__ import annotations

from console.domain.text import Text


class CopyError(Exception):
    """A copy cannot be made, read or put back; the text is one sentence, `code` a word for programs."""

    def __init__(self, said: Text | str, code: str = "failed") -> None:
        super().__init__(str(said))
        self.said = said if isinstance(said, Text) else Text(said)
        self.code = code
