"""One of several processes that append to the audit chain at once: `python -m tests.support.appender URL COUNT NAME`.

Prints "ready", waits for a line, appends COUNT entries one by one, each with a change of its own; every fourth
transaction is rolled back at the end.
"""

from __future__ import annotations

import sys

from sqlalchemy.orm import sessionmaker

from console.core.clock import SystemClock
from console.core.config import Config
from console.core.context import unit_of_work
from console.core.database import make_engine
from console.services.audit import record as audit
from tests.conftest import actor_of
from tests.factories import make_site


class Undone(Exception):
    """The caller changed its mind."""


def append(url: str, count: int, name: str) -> None:
    """Append `count` entries, each beside a site that is opened in the same transaction."""
    factory, clock, config = sessionmaker(make_engine(url)), SystemClock(), Config.for_tests()
    actor = actor_of(username=f"appender_{name}")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for number in range(count + count // 3):
        try:
            with unit_of_work(factory, actor=actor, clock=clock, config=config) as ctx:
                make_site(ctx.session, f"{name}-{number}", now=ctx.now())
                audit.record(ctx, "site_create", "site", f"{name}-{number}", detail={"site": "본관"})
                if number % 4 == 3:
                    raise Undone
        except Undone:
            continue


if __name__ == "__main__":
    append(sys.argv[1], int(sys.argv[2]), sys.argv[3])
