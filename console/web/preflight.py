"""The preflight of one running process: refuses a bad start, reports now and then, takes its report back at the end."""

from __future__ import annotations

import time
from uuid import uuid4

import click
from flask import Flask
from flask.cli import ScriptInfo

from console.core.background import Background
from console.core.process import ProcessRuntime
from console.domain.runbook.preflight import Preflight
from console.services.runbook import health, preflight
from console.web.extensions import runtime


class Reporter:
    """Stores what this process finds around it under an id of its own."""

    def __init__(self, place: ProcessRuntime, kind: str) -> None:
        self._place = place
        self.kind = kind
        self.instance_id = str(uuid4())
        self._due = 0.0
        self.started_at = place.clock.now()

    def report(self) -> Preflight:
        """Examine this process anew and store the result in a transaction of its own."""
        now = self._place.clock.now()
        with self._place.reading() as ctx:
            schema = health.schema(ctx)
        found = preflight.examine_process(self._place.config, now, schema=schema)
        with self._place.writing() as ctx:
            preflight.store(
                ctx, found, instance_id=self.instance_id, kind=self.kind, started_at=self.started_at, now=now
            )
        return found

    def report_if_due(self) -> bool:
        """Report every minute, which also shows that this process lives; for processes with a loop of their own.

        Return whether there was something to do; after a failure there is until it succeeds.
        """
        if time.monotonic() < self._due:
            return False
        self.report()
        self._due = time.monotonic() + preflight.SIGN_OF_LIFE.total_seconds()
        return True

    def forget(self) -> None:
        """Remove the stored result, because the process ends."""
        with self._place.writing() as ctx:
            preflight.forget(ctx, self.instance_id)

    def join(self, background: Background) -> None:
        """Report at once, then regularly, and take the report back at the end."""
        background.every(preflight.REFRESH_EVERY.total_seconds(), self.report)
        background.at_end(self.forget)


def init_app(app: Flask) -> None:
    """Refuse a bad start and let this web process report; commands are not refused, they are how people mend it."""
    place = runtime(app)
    if not _is_command():
        preflight.refuse_bad_start(place.config, place.clock.now())
    app.extensions["preflight_reporter"] = Reporter(place, preflight.WEB)


def _is_command() -> bool:
    """Return whether a `flask` command other than `run` made this application."""
    here = click.get_current_context(silent=True)
    return here is not None and here.find_object(ScriptInfo) is not None and here.info_name != "run"
