"""Measure the list, the API, the views and the page of work orders, their CSV, and audited changes of them.

`python -m benchmarks.orders` measures that alone and writes its part of `benchmarks/RESULTS.md`.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, text

from benchmarks import data, reads, server, weight, writes
from benchmarks.databases import CHOICES, databases
from benchmarks.queries import QueryCounter
from benchmarks.reads import Write
from benchmarks.results import ORDERS, RESULTS, machine, put, row, rule, say
from console import create_app
from console.core.config import Config
from console.domain.facility_sla.policy import BUILT_IN, HOURS, due_after
from console.domain.work_orders.words import SOURCES, TRADES, rank
from console.models.assets import Asset
from console.models.work_orders import WorkOrder, WorkOrderEvent

ORDERS_PATH, API = "/work-orders", "/api/work-orders"
PERIOD = timedelta(days=1096)
# One in so many is open; the others were done, a few of them canceled.
OPEN_ONE_IN = 12
ASSETS = 400
TITLES = ("절연저항 저하", "펌프 누수", "배터리 교체", "문닫힘 지연", "조명 교체", "수위계 교정")
Row = dict[str, Any]


def orders(count: int, now: datetime) -> Iterator[tuple[Row, list[Row]]]:
    """Yield orders of three years at all sites, each with three events."""
    chance = random.Random(20260304)
    for number in range(1, count + 1):
        at = now - PERIOD * (count - number + 1) / (count + 1)
        priority = chance.choice(tuple(HOURS))
        is_open = chance.randrange(OPEN_ONE_IN) == 0
        if is_open:
            at = now - timedelta(minutes=chance.randrange(60 * 24 * 30))
        done = min(now, at + timedelta(hours=chance.choice((1, 3, 7, 20, 60))))
        status = ("acked", "open")[number % 3 == 0] if is_open else ("completed", "canceled")[number % 20 == 0]
        yield _order(number, at, done, priority, status, chance), _events(number, at, done, priority, status)


def _order(number: int, at: datetime, done: datetime, priority: str, status: str, chance: random.Random) -> Row:
    person = chance.randrange(data.PEOPLE + 8)
    waits = status == "acked" and number % 7 == 0
    return {
        "id": number,
        "title": f"{TITLES[number % len(TITLES)]} {number}",
        "description": "현장 확인 후 조치",
        "site": data.site_name(chance.randrange(data.SITES)),
        "location": f"B{number % 4}",
        "priority": priority,
        "priority_rank": rank(priority),
        "status": status,
        "assignee": data.person(person) if person < data.PEOPLE else None,
        "assignee_user_id": person + 1 if person < data.PEOPLE else None,
        "trade": TRADES[number % len(TRADES)],
        "source": SOURCES[number % len(SOURCES)],
        "asset_id": number % ASSETS + 1 if number % 2 else None,
        "due_at": due_after(BUILT_IN, priority, at),
        "acknowledged_at": None if status == "open" else at + timedelta(minutes=15),
        "completed_at": done if status == "completed" else None,
        "canceled_at": done if status == "canceled" else None,
        "waiting_reason": "parts" if waits else None,
        "waiting_since": at if waits else None,
        "evidence_after": number % 3,
        "created_by": "kim",
        "updated_by": "kim",
        "created_at": at,
        "updated_at": done,
    }


def _events(number: int, at: datetime, done: datetime, priority: str, status: str) -> list[Row]:
    told = (("created", at, None, "open"), ("status_changed", at, "open", "acked"), ("comment", done, status, status))
    return [
        {
            "work_order_id": number,
            "event_type": kind,
            "from_status": before,
            "to_status": after,
            "created_at": when,
            "priority": priority,
            "due_at": due_after(BUILT_IN, priority, at),
            "detail_json": {},
        }
        for kind, when, before, after in told
    ]


def _assets(now: datetime) -> Iterator[Row]:
    for number in range(1, ASSETS + 1):
        yield {
            "id": number,
            "site": data.site_name(number % data.SITES),
            "code": f"TR-{number:03}",
            "name": f"변압기 {number}",
            "kind": "transformer",
            "place": "전기실",
            "created_by": "kim",
            "updated_by": "kim",
            "created_at": now,
            "updated_at": now,
        }


def fill(engine: Engine, count: int, now: datetime) -> None:
    """Write sites, people, assets, so many orders and three times as many events."""
    data.company(engine, now)
    data.insert_rows(engine, Asset, _assets(now))
    data.insert_rows(engine, WorkOrder, (order for order, _told in orders(count, now)))
    data.insert_rows(engine, WorkOrderEvent, (one for _order, told in orders(count, now) for one in told))
    data.analyze(engine)


def writers(engine: Engine, count: int) -> tuple[Write, Write]:
    """Return what changes an order, and what changes something that no list of orders shows."""

    def order() -> None:
        number = random.randint(1, count)
        with engine.begin() as connection:
            changed = "UPDATE work_orders SET version = version + 1, location = :place WHERE id = :id"
            connection.execute(text(changed), {"id": number, "place": f"B{random.randint(1, 9)}"})

    def other() -> None:
        with engine.begin() as connection:
            connection.execute(text("UPDATE saved_views SET name = name"))

    return order, other


def _addresses(count: int, detail: int) -> list[tuple[str, str, bool, str]]:
    """Return `(name, address, page or API, goal of P95 and queries)` of everything that is measured once each."""
    site, person = quote(data.site_name(3)), data.person(7)
    month = f"{datetime.now(UTC) - timedelta(days=30):%Y-%m-%dT00:00:00Z}"
    page, api = "≤ 30 ms, ≤ 10 queries", "≤ 15 ms, ≤ 5 queries"
    views = (
        ("open", ""),
        ("late", "?due=late"),
        ("due today", "?due=today"),
        ("unassigned", "?assignee=none"),
        ("waiting", "?held=1"),
        ("found by inspections", "?source=inspection"),
        ("completed this week", "?state=closed&week=1&sort=-completed_at"),
        ("one site", f"?site={site}"),
        ("one person", f"?assignee={person}"),
        ("all, last page", f"?state=all&page={count // 50}"),
        ("all, by title", "?state=all&sort=title"),
        ("board", "?view=board"),
        ("calendar, a month", "?view=calendar"),
        ("calendar, a week of all", "?view=calendar&span=week&state=all"),
        ("all, words", "?state=all&q=%EB%88%84%EC%88%98"),
    )
    listed = [(f"list, {name}", f"{ORDERS_PATH}{query}", True, page) for name, query in views]
    asked = (
        ("newest", "limit=50"),
        ("middle", f"limit=50&offset={count // 2}"),
        ("one site", f"limit=50&site={site}"),
        ("one person", f"limit=50&assignee={person}"),
        ("late", "limit=50&due=late"),
        ("escalated", "limit=50&is_escalated=true"),
        ("of a month", f"limit=50&created_from={quote(month)}"),
    )
    listed += [(f"API, {name}", f"{API}?{query}", False, api) for name, query in asked]
    return [*listed, ("one order", f"{ORDERS_PATH}/{detail}", True, "≤ 60 ms")]


def measure(url: str, count: int, *, seconds: float, each: int) -> list[str]:
    """Return the lines of the tables of one database."""
    environ = server.environment(Path(tempfile.mkdtemp(prefix="kaos-bench-")), url, "")
    config = Config.load(environ)
    now = datetime.now(UTC)
    engine = reads.prepared(url, environ)
    say(f"writing {count:,} orders")
    fill(engine, count, now)
    subprocess.run([sys.executable, "-m", "flask", "owner", "ensure"], cwd=server.ROOT, env=environ, check=True)
    names, tokens = reads.readers(engine, config, now)
    order, other = writers(engine, count)
    made = [row(*reads.HEAD), rule(len(reads.HEAD)), row(*reads.GOALS)]
    for what, path, people in (("list, 50 rows", ORDERS_PATH, names), ("API, 50 rows", f"{API}?limit=50", tokens)):
        made.append(row(*reads.ways(environ, what, path, people, order, other, people is names, seconds, each)))
        say(made[-1].strip())
    made += ["\n", row("what", "after a write to an order, P50 / P95", "queries", "goal"), rule(4)]
    os.environ.update(environ)
    counter = QueryCounter(create_app(config))
    with server.web_server(environ) as (port, _pid):
        page = {"Cookie": server.sign_in(port, names[0]), "Accept": "text/html"}
        program = {"X-Admin-Token": tokens[0]}
        for what, path, is_page, goal in _addresses(count, count // 2):
            caller = page if is_page else program
            middle, late = reads.one_by_one(port, path, caller, each, order)
            made.append(row(what, f"{middle:.1f} / {late:.1f} ms", counter.count(path, caller, order)[0], goal))
            say(made[-1].strip())
        for how, encoding in (("", "identity"), (", compressed", "br, gzip")):
            asked = {**page, "Accept-Encoding": encoding}
            first, total, size = weight.stream(port, f"{ORDERS_PATH}/csv?state=all", asked)
            told = f"{first * 1000:.0f} ms; all {size / 1e6:.1f} MB in {total:.1f} s"
            made.append(row(f"CSV of {count:,} orders{how}, first byte", told, "–", "≤ 500 ms"))
        with engine.connect() as connection:
            open_ones = "SELECT id FROM work_orders WHERE status IN ('open', 'acked') LIMIT 160"
            ids = connection.scalars(text(open_ones)).all()
        rate, half, worst = writes.changes(port, program, seconds=seconds, path=f"{API}/", field="description", ids=ids)
        told = f"{rate:.0f}/s; P50 {half:.0f} ms, slowest of a hundred {worst:.0f} ms"
        made.append(row(f"audited change of an order, {writes.CONNECTIONS} connections", told, "–", "≥ 250/s"))
        say(made[-1].strip())
    engine.dispose()
    return made


def main() -> None:
    """Measure both databases and write the part of the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.orders", description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--database", choices=CHOICES, default="both")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    size = f"{options.orders:,} orders of three years at {data.SITES} sites, {options.orders * 3:,} events"
    made = [f"{datetime.now(UTC):%Y-%m-%d}, {machine()}; the load runs on the same cores. "]
    made += [f"{size}, one in {OPEN_ONE_IN} open. (d), (e) and five writes a second: {reads.PEOPLE} people at once.\n"]
    for name, url in databases(options.database, "bench"):
        made.append(f"\n{name}:\n\n")
        made += measure(url, options.orders, seconds=options.seconds, each=options.count)
        put(ORDERS, "".join(made), options.output)


if __name__ == "__main__":
    main()
