"""Keys that are made once per installation when nobody sets them."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from console.core.config import Config


def secret_key(config: Config) -> str:
    """Return the key that signs cookies: SECRET_KEY, or the one kept in DATA_DIR."""
    return config["SECRET_KEY"] or kept_key(config.path("DATA_DIR"), "secret_key")


def kept_key(folder: Path, name: str) -> str:
    """Read `folder/name`, or make it with 256 random bits, readable by the owner alone.

    Several processes may start at once: the first one's key wins.
    """
    path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{name}.{os.getpid()}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        # A link appears whole or not at all, and never replaces another process's key.
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text("ascii").strip()
