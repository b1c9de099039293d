"""Child processes that end with their parent, and leave nothing behind when they are stopped."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

_PR_SET_PDEATHSIG = 1
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Mask = set[int | signal.Signals]
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def spawn(
    arguments: Sequence[str | Path],
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    output: int | None = subprocess.PIPE,
    keep: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own; Ctrl-C does not reach it, the death of this process does.

    Its two outputs come together through one pipe (or go to `output`), its input is closed; `keep` are descriptors that
    it shall find open.
    """
    # An exception of a signal handler would be lost in the callbacks around the fork.
    with signals_held() as before:
        return subprocess.Popen(
            [str(argument) for argument in arguments],
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=keep,
            preexec_fn=partial(_begin, os.getpid(), before),
        )


@contextmanager
def signals_held() -> Iterator[Mask]:
    """Let signals that end this process wait; returns which ones waited before."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    try:
        yield before
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(parent: int, mask: Mask) -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    die_with(parent)


def die_with(parent: int) -> None:
    """Ask the kernel for SIGTERM when our parent dies; ends at once when it is no longer there.

    On Linux; elsewhere the orderly stop of the launcher has to do.
    """
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died between fork and here
        os._exit(1)


def stop(process: subprocess.Popen[bytes], timeout: float) -> int:
    """End a child politely, after `timeout` seconds by force, with everything it started; returns its exit code."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout)
    kill_session(process.pid)
    return process.wait(10)


def kill_session(session: int) -> None:
    """Kill every process of a session: children that moved into another process group are in it too."""
    deadline = time.monotonic() + 5
    while (members := session_members(session)) and time.monotonic() < deadline:
        for pid in members:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def session_members(session: int) -> list[int]:
    """Return the living processes of a session (from /proc; empty where there is none)."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            # The name in brackets may hold spaces: count from the last bracket.
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] not in {"Z", "X"}:
                found.append(int(path.parent.name))
    return found
