"""What this web process knows of workers, schedulers and the queue: looked up beside the requests, told on pages."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app

from console.core.background import Background
from console.core.process import ProcessRuntime
from console.domain.runbook.process_checks import troubles
from console.domain.runbook.runbook import Finding
from console.services.runbook import process_facts
from console.web.extensions import runtime

LOOK_EVERY = 15.0
EXTENSION = "console_watch"
# Who may start a run or mends the installation can do something about it.
MAY_ACT = ("jobs:run", "admins:manage")


@dataclass
class Watch:
    """The troubles as they were seen last; pages read them without a query."""

    place: ProcessRuntime
    troubles: tuple[Finding, ...] = ()

    def look(self) -> None:
        """Judge anew."""
        with self.place.reading() as ctx:
            self.troubles = troubles(process_facts.facts(ctx))


def join(app: Flask, background: Background) -> None:
    """Look regularly while the process lives."""
    app.extensions[EXTENSION] = watch = Watch(runtime(app))
    background.every(LOOK_EVERY, watch.look)


def seen_troubles() -> tuple[Finding, ...]:
    """Return what was wrong with workers, schedulers or queue at the last look."""
    watch: Watch = current_app.extensions[EXTENSION]
    return watch.troubles
