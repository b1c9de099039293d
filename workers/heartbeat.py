"""The sign of life for somebody outside: one call a minute, which ceases when nobody works any more.

Whoever waits for it there notices what no process in here can tell: that all of them are gone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

import structlog

from console.adapters.webhooks import Sender
from console.core.config import Config
from console.domain.alerts.alerts import WEBHOOK, Channel
from console.domain.runbook.process_checks import ProcessFacts, troubles
from console.domain.runbook.runbook import CRITICAL

log = structlog.get_logger("jobs")

EVERY_SECONDS = 60.0


class Heartbeat:
    """Calls HEARTBEAT_URL, in a thread of its own: a slow receiver must not hold the schedule up."""

    def __init__(self, config: Config, *, ticks: Callable[[], float] = time.monotonic) -> None:
        self._address: str = config["HEARTBEAT_URL"]
        self._sender = Sender(config)
        self._ticks = ticks
        self._due = 0.0
        self._failing = False
        self._call: threading.Thread | None = None

    @property
    def due(self) -> bool:
        """Return whether a minute has passed since the last call."""
        busy = self._call is not None and self._call.is_alive()
        return bool(self._address) and not busy and self._ticks() >= self._due

    def beat(self, seen: ProcessFacts) -> None:
        """Call, unless worker, scheduler or queue are critical: then silence is the message."""
        self._due = self._ticks() + EVERY_SECONDS
        wrong = [str(finding.message) for finding in troubles(seen) if finding.status == CRITICAL]
        if wrong:
            log.warning("heartbeat_withheld", reasons=wrong)
            return
        self._call = threading.Thread(target=self._send, args=(seen.now,), name="heartbeat", daemon=True)
        self._call.start()

    def wait(self, seconds: float) -> None:
        """Wait for a call that is under way."""
        if self._call is not None:
            self._call.join(seconds)

    def _send(self, now: datetime) -> None:
        channel = Channel("heartbeat", WEBHOOK, self._address)
        sent = self._sender.send(channel, str(uuid4()), {"event": "heartbeat", "status": "ok", "at": now}, now)
        # Said once: an address that does not answer would fill the log.
        if sent.error and not self._failing:
            log.warning("heartbeat_not_delivered", error=sent.error)
        self._failing = bool(sent.error)
