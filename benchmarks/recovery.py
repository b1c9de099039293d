"""Measure a recovery drill from end to end on both databases: time of each half, memory, size.

`python -m benchmarks.recovery` measures that alone and writes its part of `benchmarks/RESULTS.md`; `--megabytes 50`
does it small. Each drill runs in a process of its own, so that what it needs of memory can be told.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask_migrate import upgrade
from sqlalchemy import Engine, text

from benchmarks import data
from benchmarks.results import RECOVERY, RESULTS, machine, put, row, rule, say
from console import create_app
from console.core.config import Config
from console.core.process import ProcessRuntime
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.web.extensions import db
from tests.support.postgres import postgres_programs, postgres_url

GOALS = {"sqlite": 60.0, "postgresql": 90.0}
MEMORY_GOAL = 100
# What `data.fill` makes of a scale of 1, roughly; the real size stands in the table.
MEGABYTES_OF_ONE = {"sqlite": 840, "postgresql": 1_000}
MB = 1024 * 1024


def main() -> None:
    """Fill, drill, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--drill", nargs=2, metavar=("URL", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.drill:
        print(json.dumps(_drill(*given.drill)))
        return
    os.environ["PATH"] = f"{postgres_programs()}{os.pathsep}{os.environ['PATH']}"
    lines = [_measure(kind, given.megabytes) for kind in GOALS]
    head = ("database", "size", "method", "backup, s", "recovery, s", "together, s", "goal for 1 GB, s", "memory, MB")
    table = row(*head) + rule(len(head)) + "".join(lines)
    put(
        RECOVERY,
        f"A drill over {given.megabytes} MB: copied while others may write, sealed, opened, restored, every table "
        f"compared by rows and hash. Memory is what it added to the process; the goal is {MEMORY_GOAL} MB.\n\n"
        f"{machine()}\n\n{table}",
    )
    say(f"wrote {RESULTS}")


def _measure(kind: str, megabytes: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        url = postgres_url("recovery_bench") if kind == "postgresql" else f"sqlite:///{folder}/facility.db"
        app = create_app(Config.for_tests(DATABASE_URL=url, DATA_DIR=folder))
        with app.app_context():
            upgrade()
            say(f"{kind}: filling")
            data.fill(
                db.engine,
                app.extensions["console_config"],
                now=datetime.now(UTC),
                scale=megabytes / MEGABYTES_OF_ONE[kind],
            )
            size = _size(db.engine, Path(folder))
            db.engine.dispose()
        say(f"{kind}: {size:.0f} MB, drilling")
        command = [sys.executable, "-m", "benchmarks.recovery", "--drill", url, folder]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if not found["valid"]:
        raise SystemExit(f"the drill on {kind} proved nothing: {found['notes']}")
    together = found["backup"] + found["recovery"]
    say(f"{kind}: {together:.1f} s, {found['memory']:.0f} MB of memory")
    return row(
        kind,
        f"{size:.0f} MB",
        found["method"],
        f"{found['backup']:.1f}",
        f"{found['recovery']:.1f}",
        f"{together:.1f}",
        f"{GOALS[kind]:.0f}",
        f"{found['memory']:.0f}",
    )


def _size(engine: Engine, folder: Path) -> float:
    if engine.dialect.name == "sqlite":
        return (folder / "facility.db").stat().st_size / MB
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0) / MB


def _drill(url: str, folder: str) -> dict[str, Any]:
    config = Config.for_tests(DATABASE_URL=url, DATA_DIR=folder, EVIDENCE_STORAGE_BACKEND="fs")
    place, job = ProcessRuntime.of(config), registry.get("dr_rehearsal")
    before = _resident()
    with place.by_hand() as ctx:
        detail = run_engine.execute(ctx, job, {}).detail
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "valid": detail["restore_valid"],
        "notes": detail["notes"],
        "method": detail["method"],
        "backup": detail["backup_seconds"] or 0,
        "recovery": detail["recovery_seconds"] or 0,
        "memory": peak - before,
    }


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / MB


if __name__ == "__main__":
    main()
