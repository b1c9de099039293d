"""Find the modules of a package, so that a new subject needs no entry in a central list."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType


def import_submodules(package: str, path: Iterable[str]) -> list[ModuleType]:
    """Import every module below `package`, at any depth, and return them in alphabetical order."""
    found = sorted(walk_packages(path, f"{package}."), key=lambda info: info.name)
    return [import_module(info.name) for info in found if not info.ispkg]
