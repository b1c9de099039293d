"""The audit chain under load: appends from eight processes, and the verification of the whole chain."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from multiprocessing.synchronize import Barrier

from sqlalchemy.orm import sessionmaker

from benchmarks.server import ROOT
from console.core.clock import SystemClock
from console.core.config import Config
from console.core.context import SYSTEM, unit_of_work
from console.core.database import make_engine
from console.services.audit import record as audit

PROCESSES = 8
APPENDS = 400


def _append(url: str, count: int, ready: Barrier) -> None:
    config = Config.load()
    engine = make_engine(url, pool_size=1)
    factory = sessionmaker(engine)
    with engine.connect():
        ready.wait()
    for number in range(count):
        with unit_of_work(factory, actor=SYSTEM, clock=SystemClock(), config=config) as ctx:
            audit.record(ctx, "benchmark_append", "benchmark", number, detail={"process": os.getpid()})
    engine.dispose()


def _seconds_of_appends(url: str) -> float:
    pool = multiprocessing.get_context("spawn")
    ready = pool.Barrier(PROCESSES + 1)
    workers = [pool.Process(target=_append, args=(url, APPENDS, ready)) for _ in range(PROCESSES)]
    for worker in workers:
        worker.start()
    ready.wait(timeout=300)
    start = time.perf_counter()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise SystemExit("an appending process failed")
    return time.perf_counter() - start


def measure(url: str, rows: int) -> list[tuple[str, str, str]]:
    """Append from eight processes, then verify everything; returns `(what, measured, goal)`.

    The appends begin when all eight interpreters stand; the verification is a command with its own start.
    """
    seconds = _seconds_of_appends(url)
    total = PROCESSES * APPENDS
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "flask", "audit", "verify"],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        check=False,
    )
    verified = time.perf_counter() - start
    state = "chain intact" if done.returncode == 0 else "CHAIN BROKEN"
    return [
        (f"audit append from {PROCESSES} processes, {total} transactions", f"{total / seconds:.0f}/s", "≥ 500/s"),
        (f"verification of {rows + total:,} rows ({state})", f"{verified:.1f} s", "≤ 30 s"),
    ]
