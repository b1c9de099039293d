"""What this product writes is for its own account alone: database, evidence, keys, archives."""

from __future__ import annotations

import os
from pathlib import Path

OTHERS = 0o077


def keep_private() -> None:
    """Let nobody but the own account read files and folders that this process makes; every process calls it first."""
    os.umask(OTHERS)


def open_to_others(folder: Path) -> bool:
    """Return whether other accounts of the machine may look into an existing folder."""
    try:
        return bool(folder.stat().st_mode & OTHERS)
    except OSError:
        return False
