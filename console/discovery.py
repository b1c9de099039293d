"""Find the modules of a package, so that a new subject needs no entry in a central list."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def import_submodules(package: str, path: Iterable[str]) -> list[ModuleType]:
    """Import every module of `package` in alphabetical order and give them back."""
    return [import_module(f"{package}.{info.name}") for info in sorted(iter_modules(path), key=lambda info: info.name)]
