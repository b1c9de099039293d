"""The file of results: each command renews its own part of it."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("RESULTS.md")
BENCH, READS, RECOVERY, REPORTS, ACCURACY, LATENCY, RUNBOOK, ROUNDS, SLA, OVERVIEW, SOAK = (
    "bench",
    "reads",
    "recovery",
    "reports",
    "accuracy",
    "latency",
    "runbook",
    "rounds",
    "facility_sla",
    "overview",
    "soak",
)
# The parts in their order, each with the words that it begins with.
_HEADS = {
    BENCH: "# Measurements\n\nWritten by `make bench`. ",
    READS: "## Reading in five ways\n\nWritten by `python -m benchmarks.reads`. ",
    RECOVERY: "## Recovery drill\n\nWritten by `python -m benchmarks.recovery`. ",
    REPORTS: "## Quality reports\n\nWritten by `python -m benchmarks.reports`. ",
    ACCURACY: "## Comparing alerts with what should have been told\n\nWritten by `python -m benchmarks.accuracy`. ",
    LATENCY: "## Response times\n\nWritten by `python -m benchmarks.latency`. ",
    RUNBOOK: "## Runbook and daily check\n\nWritten by `python -m benchmarks.runbook`. ",
    ROUNDS: "## Rounds\n\nWritten by `python -m benchmarks.rounds`. ",
    SLA: "## SLA: escalation, what-if, replay\n\nWritten by `python -m benchmarks.facility_sla`. ",
    OVERVIEW: "## Overview and handover\n\nWritten by `python -m benchmarks.overview`. ",
    SOAK: "## Broken on purpose\n\nWritten by `make soak`. ",
}


def put(part: str, text: str, path: Path | None = None) -> None:
    """Write one part of the file behind its head and leave the others as they are."""
    path = path or RESULTS
    known = path.read_text("utf-8") if path.exists() else ""
    starts = {name: at for name, head in _HEADS.items() if (at := known.find(head)) >= 0}
    ends = [*sorted(starts.values()), len(known)]
    found = {name: known[at : ends[ends.index(at) + 1]] for name, at in starts.items()}
    found[part] = _HEADS[part] + text
    path.write_text("\n\n".join(found[name].strip() for name in _HEADS if name in found) + "\n", "utf-8")


def row(*cells: Any) -> str:
    """Return a line of a table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |\n"


def rule(columns: int) -> str:
    """Return the line below the head of a table."""
    return "|" + " --- |" * columns + "\n"


def say(text: str) -> None:
    """Tell the person at the terminal how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def machine() -> str:
    """Return what the measurement ran on, and what it is worth at this moment."""
    cpu = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    return (
        f"{os.cpu_count()} cores ({cpu}), {_memory()} memory, Python {platform.python_version()}, "
        f"{platform.system()} {platform.release()}, load before {os.getloadavg()[0]:.1f}, "
        f"{_pace():.1f} s for ten million turns of a Python loop"
    )


def _pace() -> float:
    """Return what a shared machine is worth at this moment: the processor seconds of a fixed piece of work."""
    start = time.process_time()
    total = 0
    for number in range(10_000_000):
        total += number
    return time.process_time() - start


def _memory() -> str:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{total / 2**30:.0f} GiB"
