"""`python -m benchmarks`: measure on SQLite and PostgreSQL and write `benchmarks/RESULTS.md`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import sessionmaker

from benchmarks import audit, automation, data, launch, server, upload, weight
from benchmarks.queries import QueryCounter
from benchmarks.results import BENCH, RESULTS, machine, put, row, rule, say
from console import create_app
from console.core.config import Config
from console.core.database import make_engine
from console.models.base import Base
from console.models.identity import User
from tests.factories import make_token
from tests.support.postgres import postgres_url
from tests.support.redis import redis_url

TRACKER = "/api/ops/governance/gate/remediation/tracker"
AUTOPILOT = "/api/ops/governance/gate/remediation/tracker/autopilot"
Request = tuple[str, str, str, str]


def _requests(items: int) -> list[Request]:
    """Return `(name, address, caller, goal)` of every request that is measured."""
    site, person = data.site_name(3), data.person(7)
    last_page = items // 50
    return [
        ("board, kanban", "/board?view=board", "page", "P95 ≤ 60 ms, ≥ 100/s, ≤ 10 queries"),
        ("board, table, first page", "/board?view=table", "page", "P95 ≤ 60 ms, ≥ 100/s, ≤ 10 queries"),
        ("board, table, middle page", f"/board?view=table&page={last_page // 3}", "page", "the same"),
        ("board, table, last page", f"/board?view=table&page={last_page}", "page", "the same"),
        ("board, table, one site", f"/board?view=table&site={quote(site)}", "page", "the same"),
        ("board, table, one assignee", f"/board?view=table&assignee={person}", "page", "the same"),
        ("board, table, late", "/board?view=table&due=overdue", "page", "the same"),
        ("items API, first", f"{TRACKER}/items?limit=50", "token", "P95 ≤ 25 ms, ≥ 200/s, ≤ 5 queries"),
        ("items API, middle", f"{TRACKER}/items?limit=50&offset={items // 2}", "token", "the same"),
        ("items API, last", f"{TRACKER}/items?limit=50&offset={int(items * 0.95) - 60}", "token", "the same"),
        ("items API, one site", f"{TRACKER}/items?limit=50&site={quote(site)}", "token", "the same"),
        ("items API, one assignee", f"{TRACKER}/items?limit=50&assignee={person}", "token", "the same"),
        ("items API, late", f"{TRACKER}/items?limit=50&overdue=true", "token", "the same"),
        ("overview API", f"{TRACKER}/overview", "token", "≤ 50 ms"),
        ("readiness API", f"{TRACKER}/readiness", "token", "≤ 50 ms"),
        ("gate snapshot", "/api/ops/governance/gate", "token", "≤ 150 ms"),
        ("overview page", "/overview", "page", "P95 ≤ 60 ms"),
        ("audit log, first page", "/audit", "page", "–"),
        ("job runs API", "/api/ops/job-runs?limit=50", "token", "–"),
    ]


def _automation_requests() -> list[Request]:
    """Return the requests that are measured with all items, events and weeks."""
    week = f"/programme/w02?site={quote(data.site_name(3))}"
    return [
        ("board, kanban", "/board?view=board", "page", "P95 ≤ 60 ms"),
        ("board, table", "/board?view=table", "page", "P95 ≤ 60 ms"),
        ("week, kanban", f"{week}&view=board", "page", "P95 ≤ 60 ms"),
        ("week, table", f"{week}&view=table", "page", "P95 ≤ 60 ms"),
        ("programme, all weeks and sites", "/programme", "page", "–"),
        ("SLA snapshot", f"{TRACKER}/sla", "token", "≤ 100 ms"),
        ("KPI", f"{TRACKER}/kpi", "token", "≤ 150 ms"),
        ("autopilot preview", f"POST {AUTOPILOT}/preview", "token", "≤ 300 ms"),
        ("autopilot summary over 90 days", f"{AUTOPILOT}/summary?days=90", "token", "≤ 100 ms"),
    ]


def _load(
    port: int, path: str, headers: dict[str, str], *, count: int, seconds: float = 0, written: str | None = None
) -> dict[str, Any]:
    task = {
        "host": server.HOST,
        "port": port,
        "path": path,
        "headers": headers,
        "count": count,
        "connections": 8,
        "seconds": seconds,
        "written": written,
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=True,
        cwd=server.ROOT,
    )
    return json.loads(done.stdout)


def _measure(name: str, url: str, redis: str, options: argparse.Namespace) -> list[str]:
    folder = Path(tempfile.mkdtemp(prefix="kaos-bench-"))
    environ = server.environment(folder, url, redis)
    config = Config.load(environ)
    engine = make_engine(url)
    Base.metadata.drop_all(engine)
    now = datetime.now(UTC)
    subprocess.run([sys.executable, "-m", "flask", "db", "upgrade"], cwd=server.ROOT, env=environ, check=True)
    say(f"{name}: filling")
    data.fill(engine, config, now=now, scale=options.scale)
    subprocess.run([sys.executable, "-m", "flask", "owner", "ensure"], cwd=server.ROOT, env=environ, check=True)
    with sessionmaker(engine)() as session:
        token = make_token(session, _owner(session), now=now, plain="kaos_benchmark_token_of_this_run_only")
        session.commit()
    os.environ.update(environ)
    counter = QueryCounter(create_app(config))
    lines = [f"\n## {name}\n\n", _HEAD, rule(9)]
    with server.web_server(environ) as (port, pid):
        callers = _callers(port, token)
        lines += _table(port, pid, url, _requests(int(data.ITEMS * options.scale)), callers, counter, options)
        lines += _more(port, pid, callers, options)
    lines += _rows(audit.measure(url, int(data.AUDIT_ROWS * options.scale)))
    say(f"{name}: filling for the automation")
    data.grow(engine, config, now=now, scale=options.scale)
    items, events = int(data.MANY_ITEMS * options.scale), int(data.MANY_EVENTS * options.scale)
    lines += [f"\nWith {items:,} items, {events:,} events and every week begun at every site:\n\n", _HEAD, rule(9)]
    with server.web_server(environ) as (port, pid):
        callers = _callers(port, token)
        lines += _table(port, pid, url, _automation_requests(), callers, counter, options)
        lines += ["\n| what | measured | goal |\n", rule(3), *_rows(upload.measure(port, pid, callers["token"]))]
    lines += _rows(automation.measure(engine, environ, scale=options.scale))
    engine.dispose()
    return lines


_HEAD = (
    "| what | P50 | P95 | P95, each after a write | requests/s, 8 connections | server CPU "
    "| queries, first / again | KiB | goal |\n"
)


def _callers(port: int, token: str) -> dict[str, dict[str, str]]:
    cookie = server.sign_in(port)
    return {"page": {"Cookie": cookie, "Accept": "text/html"}, "token": {"X-Admin-Token": token}}


def _table(
    port: int,
    pid: int,
    url: str,
    requests: list[Request],
    callers: dict[str, dict[str, str]],
    counter: QueryCounter,
    options: argparse.Namespace,
) -> list[str]:
    lines = []
    for what, path, caller, goal in requests:
        # The crowd comes first, so that what is measured afterwards is warm.
        throughput = _load(port, path, callers[caller], count=1, seconds=options.seconds)
        before = server.processor_seconds(pid)
        found = _load(port, path, callers[caller], count=options.count)
        cpu = (server.processor_seconds(pid) - before) / (options.count + 3) * 1000
        found |= {
            "p95_written_ms": _load(port, path, callers[caller], count=options.count, written=url)["p95_written_ms"]
        }
        first, again = counter.count(path, callers[caller])
        wrong = f" ({found['errors']} × {found['first_error']})" if found["errors"] else ""
        times = [f"{found[name]} ms" for name in ("p50_ms", "p95_ms", "p95_written_ms")]
        size = round(found["bytes"] / 1024, 1)
        queries = f"{first} / {again}"
        lines.append(row(f"{what}{wrong}", *times, throughput["per_second"], f"{cpu:.1f} ms", queries, size, goal))
        say(lines[-1].strip())
    return lines


def _rows(found: list[tuple[str, str, str]]) -> list[str]:
    lines = [row(*cells) for cells in found]
    for line in lines:
        say(line.strip())
    return lines


def _owner(session: Any) -> Any:
    return session.scalars(select(User).where(User.role == "owner")).first()


def _more(port: int, pid: int, callers: dict[str, dict[str, str]], options: argparse.Namespace) -> list[str]:
    before = server.memory_kib(pid)
    first, total, size = weight.stream(port, f"{TRACKER}/items.csv?include_inactive=true", callers["token"])
    grown = max(0, server.memory_kib(pid) - before)
    assets, html = weight.first_visit(port, callers["page"], "/board?view=table")
    rows = int(data.ITEMS * options.scale)
    return [
        "\n| what | measured | goal |\n",
        rule(3),
        row(f"CSV of {rows:,} rows: first byte", f"{first * 1000:.0f} ms", "≤ 500 ms"),
        row(f"CSV of {rows:,} rows: all {size / 1e6:.1f} MB", f"{total:.1f} s", "–"),
        row("memory growth of the web process while it streams", f"{grown / 1024:.0f} MB", "≤ 40 MB"),
        row(
            "memory of the web process: resident, and without what it shares with its parent",
            f"{server.memory_kib(pid) / 1024:.0f} MB, {server.memory_kib(pid, 'Pss') / 1024:.0f} MB",
            "≤ 150 MB",
        ),
        row("first visit: scripts and styles, compressed, fonts apart", f"{assets / 1024:.1f} KiB", "≤ 100 KB"),
        row("HTML of 50 rows, compressed", f"{html / 1024:.1f} KiB", "≤ 15 KB"),
    ]


def main() -> None:
    """Measure what was asked for and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="make the data smaller by this factor")
    parser.add_argument("--count", type=int, default=120, help="requests one after another")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of the load with 8 connections")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    redis = redis_url("bench")
    folder = tempfile.mkdtemp(prefix="kaos-bench-db-")
    databases: list[tuple[str, str, Callable[[], str]]] = [
        ("sqlite", "SQLite", lambda: f"sqlite:///{folder}/facility.db"),
        ("postgresql", "PostgreSQL", lambda: postgres_url("bench")),
    ]
    made = [
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}; the load runs on the same cores. ",
        f"{data.SITES} sites, {int(data.ITEMS * options.scale):,} tracker items, ",
        f"{int(data.AUDIT_ROWS * options.scale):,} audit rows, {int(data.JOB_RUNS * options.scale):,} job runs; ",
        f"one web process with {server.THREADS} threads. What was read is kept until something is written; ",
        "“each after a write” and “first” tell what it costs then. ",
        "The crowd of 8 connections is counted after a second.\n",
        "\n| what | measured | goal |\n",
        rule(3),
        *_rows(launch.measure()),
    ]
    for key, name, address in databases:
        if options.database in (key, "both"):
            made += _measure(name, address(), redis, options)
            put(BENCH, "".join(made), options.output)


if __name__ == "__main__":
    main()
