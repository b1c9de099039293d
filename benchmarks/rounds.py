"""Measure rounds: a send of 40 points with its work orders, the sheet of the next one, the page of the API.

`python -m benchmarks.rounds` measures that alone and writes its part of `benchmarks/RESULTS.md`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.orm import sessionmaker

from benchmarks.databases import CHOICES, databases
from benchmarks.results import RESULTS, ROUNDS, machine, put, row, rule, say
from console import ConsoleApp, create_app
from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import SYSTEM, Context, start_writing
from console.domain.inspections.points import Limits, Point
from console.domain.inspections.requests import NewTemplate
from console.models.base import Base
from console.models.inspections import Inspection, InspectionResult
from console.services.inspections import rounds, templates
from console.web.extensions import db
from tests.factories import make_site, make_token, make_user
from tests.support.statements import statements

POINTS, SITES, BATCH, SENDS = 40, 20, 5000, 40
KEPT_POINTS = 14
LOCATION = "변전실"
SITE = "사업장 {}"
SEND_GOAL, SHEET_GOAL, LIST_GOAL = "≤ 150 ms", "–", "P95 ≤ 25 ms"


def _template() -> NewTemplate:
    limits = Limits(danger_low=1, warn_low=5)
    points = tuple(Point(f"p{number}", f"항목 {number}", unit="MΩ", limits=limits) for number in range(POINTS))
    return NewTemplate("bench", "변전실 점검", LOCATION, "daily", points)


def _rows(count: int, now: datetime, template_id: int) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield inspections of three years at all sites, each with its results."""
    for number in range(1, count + 1):
        at = now - timedelta(days=1096) * (count - number + 1) / (count + 1)
        place = {"site": SITE.format(number % SITES), "location": LOCATION}
        inspection = {
            **place,
            "id": number,
            "cycle": "daily",
            "inspector": "강야간",
            "inspected_at": at,
            "risk_level": "normal",
            "risk_flags": [],
            "finding_names": [],
            "rule_version": "1",
            "template_id": template_id,
            "created_by": "system",
            "created_at": at,
        }
        result = {**place, "inspection_id": number, "series": "bench", "unit": "MΩ", "verdict": "normal"}
        results = [
            {**result, "place": point, "code": f"p{point}", "name": f"항목 {point}", "value": 12.0, "measured_at": at}
            for point in range(KEPT_POINTS)
        ]
        yield inspection, results


def fill(app: ConsoleApp, now: datetime, count: int) -> tuple[str, int]:
    """Write sites, a template and so many inspections; return a token and the id of the template."""
    Base.metadata.drop_all(db.engine)
    Base.metadata.create_all(db.engine)
    config = app.extensions["console_config"]
    with sessionmaker(db.engine)() as session:
        for number in range(SITES):
            make_site(session, SITE.format(number), now=now)
        token = make_token(session, make_user(session, now=now, role="manager", username="bench"), now=now)
        session.commit()
        start_writing(session)
        ctx = Context(session, FixedClock(now), SYSTEM, config)
        template_id = templates.publish(ctx, _template()).id
        ctx.commit()
    made = _rows(count, now, template_id)
    while batch := list(islice(made, BATCH // KEPT_POINTS)):
        with db.engine.begin() as connection:
            connection.execute(insert(Inspection), [inspection for inspection, _results in batch])
            connection.execute(insert(InspectionResult), [one for _inspection, results in batch for one in results])
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "postgresql":
            # Rows that were written with their numbers have not moved the counter.
            connection.execute(text("SELECT setval('inspections_id_seq', (SELECT max(id) FROM inspections))"))
        connection.execute(text("ANALYZE"))
    return token, template_id


def _times(act: Callable[[int], Any], count: int = SENDS) -> tuple[float, float]:
    """Return the median and the 95th percentile of so many calls in ms."""
    act(-1)
    taken = []
    for number in range(count):
        start = time.perf_counter()
        act(number)
        taken.append(1000 * (time.perf_counter() - start))
    return median(taken), sorted(taken)[int(0.95 * count) - 1]


def _body(template_id: int, now: datetime, number: int) -> dict[str, Any]:
    answers = [{"code": f"p{point}", "value": 0.4 if point < 2 else 12.5} for point in range(POINTS)]
    head = {"site": SITE.format(3), "location": LOCATION, "cycle": "daily", "inspector": "강야간"}
    at = (now + timedelta(days=number + 2)).isoformat()
    orders = [{"code": "p0"}, {"code": "p1"}]
    more = {"template_id": template_id, "results": answers, "orders": orders, "round_key": f"bench-{number:06d}"}
    return {**head, "inspected_at": at, **more}


def measure(url: str, count: int) -> list[tuple[str, str, float, float, int]]:
    """Return name, goal, median and 95th percentile in ms, and statements of everything that is measured."""
    now = datetime.now(UTC)
    app = create_app(Config.for_tests(DATABASE_URL=url, DATA_DIR=tempfile.mkdtemp(prefix="kaos-bench-")))
    with app.app_context():
        say(f"writing {count:,} inspections")
        token, template_id = fill(app, now, count)
        headers = {"X-Admin-Token": token}
        client = app.test_client(use_cookies=False)

        def send(number: int) -> None:
            answer = client.post("/api/inspections", json=_body(template_id, now, number), headers=headers)
            if answer.status_code != 201:
                raise RuntimeError(answer.text)

        def sheet(_number: int) -> None:
            with sessionmaker(db.engine)() as session:
                ctx = Context(session, FixedClock(now), SYSTEM, app.extensions["console_config"])
                rounds.sheet(ctx, template_id, SITE.format(5))

        def listed(_number: int) -> None:
            client.get(f"/api/inspections?site={SITE.format(5)}&limit=50", headers=headers)

        found = []
        for name, goal, act in (
            (f"send of {POINTS} points with two work orders", SEND_GOAL, send),
            ("sheet of the next round, with what was found before", SHEET_GOAL, sheet),
            ("inspections API, one site", LIST_GOAL, listed),
        ):
            say(name)
            middle, late = _times(act)
            with statements(db.engine) as sent:
                act(SENDS + 1)
            found.append((name, goal, middle, late, len(sent)))
        db.engine.dispose()
    return found


def main() -> None:
    """Measure both databases and write the part of the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rounds", description=__doc__)
    parser.add_argument("--inspections", type=int, default=50_000)
    parser.add_argument("--database", choices=CHOICES, default="both")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    made = [f"{options.inspections:,} inspections with {options.inspections * KEPT_POINTS:,} points before it. "]
    made += [f"{datetime.now(UTC):%Y-%m-%d}, {machine()}.\n\n"]
    made += [row("database", "what", "goal", "median", "P95", "statements"), rule(6)]
    for name, url in databases(options.database, "bench"):
        for what, goal, middle, late, count in measure(url, options.inspections):
            made.append(row(name, what, goal, f"{middle:.0f} ms", f"{late:.0f} ms", count))
    put(ROUNDS, "".join(made), options.output)


if __name__ == "__main__":
    main()
