"""Measure the published programme: files and pages for everybody, in full and for those who hold them already.

`python -m benchmarks.portal` measures that alone and writes its part of `benchmarks/RESULTS.md`.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from flask.testing import FlaskClient

from benchmarks.databases import CHOICES, databases
from benchmarks.results import PORTAL, RESULTS, machine, put, row, rule, say
from console import create_app
from console.core.config import Config
from console.core.database import make_engine
from console.models.base import Base

PUBLIC = "/api/public/adoption-plan"
ADDRESSES = (
    PUBLIC,
    f"{PUBLIC}/w09",
    f"{PUBLIC}/w09/checklist.csv",
    f"{PUBLIC}/w09/schedule.ics",
    f"{PUBLIC}/schedule.ics?lang=ko",
    f"{PUBLIC}/w02/sample-files/sx-ins-01",
    "/api/public/post-mvp",
    "/web/adoption",
    "/web/adoption/w02",
)


def _ask(client: FlaskClient, address: str, headers: Mapping[str, str], status: int, count: int) -> tuple[float, float]:
    """Return P50 and P95 in milliseconds of requests one after another; raises when one has another status."""
    taken = []
    for _turn in range(count):
        start = time.perf_counter()
        found = client.get(address, headers=headers).status_code
        taken.append((time.perf_counter() - start) * 1000)
        if found != status:
            raise RuntimeError(f"{address}: {found} instead of {status}")
    taken.sort()
    return statistics.median(taken), taken[int(len(taken) * 0.95)]


def measure(url: str, count: int) -> list[str]:
    """Return the lines of the table for one database."""
    engine = make_engine(url)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    config = Config.for_tests(DATABASE_URL=url, DATA_DIR=tempfile.mkdtemp(prefix="kaos-bench-portal-"))
    client = create_app(config).test_client()
    lines = []
    for address in ADDRESSES:
        start = time.perf_counter()
        first = client.get(address)
        cold = (time.perf_counter() - start) * 1000
        full = _ask(client, address, {}, 200, count)
        held = _ask(client, address, {"If-None-Match": first.headers["ETag"]}, 304, count)
        figures = (f"{cold:.1f} ms", *(f"{middle:.1f} / {most:.1f} ms" for middle, most in (full, held)))
        lines.append(row(f"`{address}`", f"{len(first.data) / 1024:.0f} KiB", *figures, "P95 ≤ 15 ms"))
        say(lines[-1].strip())
    engine.dispose()
    return lines


def main() -> None:
    """Measure both databases and write the part of the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.portal", description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--database", choices=CHOICES, default="both")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    made = [f"{datetime.now(UTC):%Y-%m-%d}, {machine()}. P50 / P95 of {options.count} requests, one after another.\n"]
    for name, url in databases(options.database, "bench_portal"):
        head = "| address | size | first | in full | 304 | goal |\n"
        made += [f"\n{name}:\n\n", head, rule(6), *measure(url, options.count)]
    put(PORTAL, "".join(made), options.output)


if __name__ == "__main__":
    main()
