"""A channel that people made and that takes nothing since yesterday: left alone, tried every hour, messages waiting.

Its name exists nowhere, so that nothing ever leaves the machine, in the story and afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from console.demo.automation import RECEIVERS, Stage, Step
from console.demo.company import OWNER
from console.domain.alerts.alerts import ESCALATED, WEBHOOK
from console.domain.alerts.routing import WARNING
from console.domain.jobs import names as job_names
from console.services.alerts import channels, delivery
from console.services.alerts.channels import Wish

DUTY_DESK = "https://duty.hanbit.example/hooks/night-desk"
NAME = "야간 당직실 단말"
MADE_DAYS_AGO = 20
OUT_SINCE, TRIED_BEFORE = timedelta(hours=20), timedelta(minutes=12)
TRIED_ONCE_MORE = timedelta(minutes=23)
# One attempt each: the story waits for nobody.
TRIALS = {"ALERT_WEBHOOK_RETRIES": 1}


class Channels:
    """The chapter of the channel."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def steps(self) -> Iterator[Step]:
        """Return what happens, in no order."""
        yield Step(self._stage.day(MADE_DAYS_AGO, 10), self._make)
        last = self._stage.now - TRIED_BEFORE
        # Somebody tried it by hand before the gate was asked.
        times = [last - TRIED_ONCE_MORE]
        while last > self._stage.now - OUT_SINCE:
            times.append(last)
            last -= timedelta(hours=1)
        for at in times:
            yield Step(at - timedelta(minutes=1), self._deliver)
            yield Step(at, partial(self._stage.run, job_names.ALERT_GUARD_RECOVER, settings=TRIALS, state="all"))

    def _deliver(self) -> None:
        with self._stage.acting_as(None, self._stage.config.replaced(**RECEIVERS)) as ctx:
            delivery.deliver_due(ctx, limit=100)

    def _make(self) -> None:
        wish = Wish(NAME, WEBHOOK, DUTY_DESK, event_types=(ESCALATED,), least_level=WARNING)
        with self._stage.acting_as(OWNER) as ctx:
            # What the name stood for when it was added; nobody looks it up again.
            channels.create(ctx, wish, look_up=lambda _host, _port: ["93.184.216.34"])
