"""Other machines, for a run that shows that no test depends on the pace of this one: `PACE=still` or `PACE=slow`.

still: the clock of the day stands, as on a machine that does everything at once; waiting times still pass.
slow: the processes of the tests are held up for two thirds of the time, each at moments of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import psutil
import time_machine

HELD_SECONDS, FREE_SECONDS = 0.2, 0.1


@contextmanager
def pace(name: str) -> Iterator[None]:
    """Pretend until the end of the block; "" leaves the machine as it is, other words raise KeyError."""
    with {"": _as_it_is, "still": _still, "slow": _slow}[name]():
        yield


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


@contextmanager
def _still() -> Iterator[None]:
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield


@contextmanager
def _slow() -> Iterator[None]:
    brake = subprocess.Popen([sys.executable, "-m", "tests.support.pace", str(os.getpid())], start_new_session=True)
    try:
        yield
    finally:
        brake.terminate()  # it lets everybody go first
        brake.wait()


def hold_up(pid: int) -> None:
    """Stop a process and all below it again and again until it ends or this process is asked to."""
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        while not asked and process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            family = [one for one in (process, *process.children(recursive=True)) if one.pid != os.getpid()]
            _send(family, signal.SIGSTOP)
            time.sleep(HELD_SECONDS)
            _send(family, signal.SIGCONT)
            time.sleep(FREE_SECONDS)


def _send(family: list[psutil.Process], number: int) -> None:
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


if __name__ == "__main__":
    hold_up(int(sys.argv[1]))
