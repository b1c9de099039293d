"""What was acknowledged while things broke, and whether it is there exactly once when all is over."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from sqlalchemy import Engine, func, select

from benchmarks.fuzz import Caller, Connection, Sent
from console.models.jobs import JobRun
from console.models.tracker import TrackerEvent, TrackerItem

PAUSE = 1.0
TRACKER = "/api/ops/governance/gate/remediation/tracker"


@dataclass
class Kept:
    """What somebody was promised: marks of items and comments, and runs with the two items that each changes."""

    items: dict[str, bool] = field(default_factory=dict)
    comments: dict[str, bool] = field(default_factory=dict)
    runs: dict[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Account:
    """How the promises were kept."""

    acknowledged: int
    unanswered: int
    lost: int
    doubled: int
    runs: int
    runs_open: int
    runs_told_lost: int
    runs_half: int


class Keeper:
    """Somebody who writes without pause and remembers what was acknowledged: items, comments, and work of workers."""

    def __init__(self, caller: Caller, ports: Callable[[], list[int]]) -> None:
        self.name = caller.name
        self._caller = caller
        self._ports = ports
        self.kept = Kept()
        self.answers: Counter[int] = Counter()

    def work(self, stop: threading.Event) -> None:
        """Write until told to stop, over one web server after the other."""
        turn = 0
        while not stop.is_set():
            ports = self._ports()
            connection = Connection(ports[turn % len(ports)])
            turn += 1
            try:
                self._round(connection)
            except (OSError, http.client.HTTPException):
                time.sleep(0.2)
            finally:
                connection.close()
            # One worker at a time carries their work out.
            stop.wait(PAUSE)

    def _round(self, connection: Connection) -> None:
        ids = []
        for _ in range(2):
            mark = f"promise {uuid4().hex}"
            self.kept.items[mark] = False
            made = self._post(connection, f"{TRACKER}/items", {"title": mark, "priority": 5})
            if made is None:
                return
            self.kept.items[mark] = True
            ids.append(int(str(made["id"])))
        mark = f"promise {uuid4().hex}"
        self.kept.comments[mark] = False
        if self._post(connection, f"{TRACKER}/items/{ids[0]}/comments", {"text": mark}) is not None:
            self.kept.comments[mark] = True
        wanted: dict[str, object] = {"action": "status", "status": "in_progress", "ids": ids}
        run = self._post(connection, f"{TRACKER}/items/bulk", wanted)
        if run is not None and "scheduled_for" in run:
            self.kept.runs[int(str(run["id"]))] = (ids[0], ids[1])

    def _post(self, connection: Connection, path: str, body: dict[str, object]) -> dict[str, object] | None:
        headers = {"X-Admin-Token": self._caller.token, "Content-Type": "application/json"}
        sent = Sent("promise", self.name, "POST", path, headers, json.dumps(body).encode())
        status, _headers, text = connection.send(sent)
        self.answers[status] += 1
        return json.loads(text) if 200 <= status < 300 else None


def settle(engine: Engine, runs: list[int], seconds: float) -> None:
    """Wait until the runs are closed, at most that long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with engine.connect() as connection:
            states = connection.execute(select(JobRun.id, JobRun.state).where(JobRun.state != "finished")).all()
        if not {row.id for row in states} & set(runs):
            return
        time.sleep(1)


def account(engine: Engine, keepers: list[Keeper]) -> Account:
    """Count what became of the promises."""
    items = {mark: told for keeper in keepers for mark, told in keeper.kept.items.items()}
    comments = {mark: told for keeper in keepers for mark, told in keeper.kept.comments.items()}
    runs = {run_id: pair for keeper in keepers for run_id, pair in keeper.kept.runs.items()}
    with engine.connect() as connection:
        titles = select(TrackerItem.item_name, func.count()).where(TrackerItem.item_name.startswith("promise "))
        found = {row[0]: row[1] for row in connection.execute(titles.group_by(TrackerItem.item_name))}
        said = connection.scalars(select(TrackerEvent.new).where(TrackerEvent.kind == "comment"))
        found.update(Counter(str(new.get("text", "")) for new in said))
        closed = {
            row.id: (row.state, row.status, row.error_code)
            for row in connection.execute(select(JobRun.id, JobRun.state, JobRun.status, JobRun.error_code))
            if row.id in runs
        }
        # Whoever else changed them meanwhile has another name.
        mine = TrackerEvent.actor.in_({keeper.name for keeper in keepers})
        begun = select(TrackerEvent.item_id).where(mine, TrackerEvent.to_status == "in_progress")
        changed = Counter(connection.scalars(begun))
        others = set(connection.scalars(select(TrackerEvent.item_id).where(~mine).distinct()))
    marks = {**items, **comments}
    done = {run_id: [changed[item] for item in pair] for run_id, pair in runs.items()}
    return Account(
        acknowledged=sum(marks.values()),
        unanswered=sum(not told for told in marks.values()),
        lost=sum(told and not found.get(mark) for mark, told in marks.items()),
        doubled=sum(found.get(mark, 0) > 1 for mark in marks) + sum(max(counts) > 1 for counts in done.values()),
        runs=len(runs),
        runs_open=sum(closed.get(run_id, ("gone", "", ""))[0] != "finished" for run_id in runs),
        runs_told_lost=sum(closed.get(run_id, ("", "", ""))[2] == "worker_lost" for run_id in runs),
        # What somebody else moved on before is rightly left alone.
        runs_half=sum(
            counts in ([0, 1], [1, 0]) and not others.intersection(runs[run_id]) for run_id, counts in done.items()
        ),
    )
