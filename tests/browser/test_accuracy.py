"""The accuracy of alerts in a real browser: figures lead to their rows, marks are set and taken back."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import sessionmaker

from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import SYSTEM, Context, start_writing
from console.core.database import make_engine
from console.core.serialize import plain
from console.domain.jobs import names as job_names
from console.models.alerts import AlertDelivery
from console.models.jobs import JobRun
from console.models.tracker import TrackerEvent
from console.services.alerts import accuracy, marks
from console.services.alerts import channels as alert_channels
from console.services.jobs.runs import view
from tests.factories.alert_history import KPI, LINES, History, Thing

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def compared(site):
    """A fortnight in which one escalation, one run and one delivery were lost; compared on each of ten nights."""
    now = datetime.now(UTC).replace(minute=45, second=0, microsecond=0)
    config = Config.for_tests(ALERT_WEBHOOK_URLS="https://a.example/x; https://b.example/x")
    engine = make_engine(site.database)
    with sessionmaker(engine)() as session:
        ctx = Context(session, FixedClock(now), SYSTEM, config)
        history = History(
            session, now - 20 * DAY, now, [one.key for one in alert_channels.built_in(config)], number=900
        )
        history.write([Thing(now - 6 * DAY, now - 5 * DAY), Thing(now - 3 * DAY, now - DAY, required=True)])
        lost = max(history.items)
        session.execute(delete(TrackerEvent).where(TrackerEvent.item_id == lost, TrackerEvent.kind == "escalated"))
        session.delete(
            session.scalars(select(JobRun).where(JobRun.job_name == KPI.job, JobRun.requested_by == "scheduler")).all()[
                -3
            ]
        )
        at = session.scalar(select(AlertDelivery.created_at).order_by(AlertDelivery.created_at.desc()).offset(20))
        session.execute(
            delete(AlertDelivery).where(AlertDelivery.created_at == at, AlertDelivery.channel == history.channels[0])
        )
        session.commit()
        start_writing(session)
        delivery = session.scalars(select(AlertDelivery).order_by(AlertDelivery.id.desc())).first()
        delivery_id = delivery.id
        marks.mark_false(ctx, delivery_id, "점검 훈련 중에 울렸습니다")
        session.commit()
        for night in range(9, -1, -1):
            ended = now - night * DAY
            found = accuracy.measure(Context(session, FixedClock(ended), SYSTEM, config), LINES)
            run = JobRun(
                job_name=job_names.ALERT_ACCURACY,
                trigger="cron",
                state="finished",
                status="warning",
                executed=True,
                requested_by="scheduler",
                requested_at=ended,
                started_at=ended,
                finished_at=ended + timedelta(seconds=2),
                detail_json=plain(asdict(found.accuracy)),
            )
            session.add(run)
            session.flush()
            accuracy.keep(ctx, view(run), found.findings)
        session.commit()
    engine.dispose()
    return delivery_id


def test_a_figure_opens_its_rows_and_a_row_what_it_is_about(page_as, compared):
    page = page_as("manager")
    page.goto("/ops/accuracy")

    page.get_by_role("link", name="빠진 에스컬레이션").first.click()

    page.wait_for_url("**/ops/accuracy?figure=escalations*")
    page.locator("#findings tbody tr a.cell-title").first.click()
    page.wait_for_url("**/board/items/*")


def test_an_alert_is_marked_as_false_by_keyboard_and_the_mark_taken_back(page_as, compared):
    page = page_as("manager", lang="en")
    page.goto(f"/alerts/{compared - 4}")

    page.get_by_role("button", name="Mark as false").first.press("Enter")
    page.locator("dialog[open] textarea").fill("A drill")
    page.locator("dialog[open]").get_by_role("button", name="Mark as false").press("Enter")

    page.get_by_text("A drill").first.wait_for()
    page.goto("/ops/accuracy")
    page.get_by_role("button", name="Take back").first.click()
    page.locator("dialog[open] textarea").fill("It was real")
    page.locator("dialog[open]").get_by_role("button", name="Take back").click()
    page.get_by_text("Taken back").first.wait_for()


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_the_tab_fits_and_is_accessible(page_as, axe, compared, width, theme, lang):
    page = page_as("owner", width=width, theme=theme, lang=lang)
    for address in ("/ops/accuracy", "/ops/accuracy/missed"):
        page.goto(address)

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert axe(page) == []
