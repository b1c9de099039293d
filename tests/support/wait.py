"""Wait for a state that something else brings about."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
# What a slow machine may need to start a program.
PATIENCE = 90


def until(reached: Callable[[], T]) -> T:
    """Return what `reached` gives as soon as it is true; a failed test when that takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not (found := reached()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found
