"""What a machine or shell says about programs and settings is hidden from the tests and from what they start."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping

from console.core.settings import SETTINGS

OURS = frozenset(setting.name for setting in SETTINGS)
# Read by the client library of PostgreSQL and by its package, by the font library, by Flask and by Playwright.
FOREIGN = ("PG", "FONTCONFIG_", "FLASK_", "PLAYWRIGHT_")


def foreign(names: Iterable[str]) -> list[str]:
    """Return those names of variables that would change what the tests start or how the console behaves."""
    return [name for name in names if name in OURS or name.startswith(FOREIGN)]


def hide(environ: MutableMapping[str, str]) -> None:
    """Remove these variables."""
    for name in foreign(list(environ)):
        del environ[name]
