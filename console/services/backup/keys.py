"""The key that seals backups: a setting, a file, or one that is made once in DATA_DIR."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from console.adapters.copy_error import CopyError
from console.adapters.sealed_file import SealKey
from console.core.config import Config
from console.core.secret_key import kept_key
from console.domain.text import T, Text

KEY_FILE = "backup_key"
SETTING, FILE, DATA_DIR = "setting", "file", "data_dir"
SHORTEST = 32


@dataclass(frozen=True)
class KeyState:
    """Where the key comes from (`setting`, `file`, `data_dir`), and what is wrong with it, if anything."""

    source: str
    problem: Text | None = None


def backup_key(config: Config) -> SealKey:
    """Return the key that seals and opens backups; raises CopyError when it cannot be used."""
    found = state(config)
    if found.problem is not None:
        raise CopyError(found.problem, "no_key")
    return SealKey(_text(config).encode())


def state(config: Config) -> KeyState:
    """Return where the key comes from and whether it may be used: never when it lies beside the backups."""
    source = SETTING if config["DR_REHEARSAL_KEY"] else FILE if config["DR_REHEARSAL_KEY_FILE"] else DATA_DIR
    path = _path(config)
    if path is not None and _beside(config, path):
        return KeyState(
            source, T("The key of the backups lies in the folder of the backups: %(path)s.", path=str(path))
        )
    try:
        text = _text(config)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        return KeyState(source, T("The key of the backups cannot be read: %(reason)s.", reason=reason))
    if len(text) < SHORTEST:
        return KeyState(source, T("The key of the backups is shorter than %(least)s characters.", least=SHORTEST))
    return KeyState(source)


def _path(config: Config) -> Path | None:
    if config["DR_REHEARSAL_KEY"]:
        return None
    if config["DR_REHEARSAL_KEY_FILE"]:
        return config.path("DR_REHEARSAL_KEY_FILE")
    return config.path("DATA_DIR") / KEY_FILE


def _beside(config: Config, path: Path) -> bool:
    return path.resolve().is_relative_to(config.path("DR_REHEARSAL_BACKUP_PATH").resolve())


def _text(config: Config) -> str:
    if config["DR_REHEARSAL_KEY"]:
        return str(config["DR_REHEARSAL_KEY"]).strip()
    if config["DR_REHEARSAL_KEY_FILE"]:
        return config.path("DR_REHEARSAL_KEY_FILE").read_text("utf-8").strip()
    return kept_key(config.path("DATA_DIR"), KEY_FILE)
