"""Quality reports over stored rows: worked figures at the edges of a period, papers, pruning, and folders that fail."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from console.core.context import SYSTEM
from console.domain.reports import periods
from console.models.archives import StoredFile
from console.services.reports import figures, page, quality
from tests.factories import make_user
from tests.support.reports import alert_row, run_row
from tests.support.statements import statements

FEBRUARY = "2026-02"
# The first and the last moment of February in Seoul.
FIRST, LAST = datetime(2026, 1, 31, 15, tzinfo=UTC), datetime(2026, 2, 28, 14, 59, 59, tzinfo=UTC)


@pytest.fixture
def february(ctx):
    return quality.finished(ctx, "monthly", FEBRUARY)


@pytest.fixture
def writing(make_ctx):
    return replace(make_ctx(), actor=SYSTEM)


def test_the_period_begins_and_ends_in_the_business_zone(ctx, february):
    for at in (FIRST - timedelta(seconds=1), FIRST, LAST, LAST + timedelta(seconds=1)):
        ctx.session.add_all([run_row("a", at), alert_row(at), run_row("ops_daily_check", at, critical_count=2)])
    ctx.session.add_all([alert_row(LAST, "dead"), run_row("b", FIRST, "critical")])
    ctx.session.flush()

    made = figures.summary(ctx, february)

    assert [(job.job_name, job.total, job.success_rate_percent) for job in made.jobs] == [
        ("a", 2, 100.0), ("b", 1, 0.0), ("ops_daily_check", 2, 100.0),
    ]  # fmt: skip
    assert (made.critical_findings_total, made.daily_check_runs_total) == (4, 2)
    assert (made.alert_delivery_total, made.alert_delivery_success_rate_percent) == (3, 66.67)
    assert [day.total for day in made.days] == [3, *[0] * 26, 2]


def test_dry_runs_count_nowhere(ctx, february):
    dry = run_row("a", FIRST)
    dry.dry_run = True
    ctx.session.add_all([dry, run_row("a", FIRST)])
    ctx.session.flush()

    assert figures.summary(ctx, february).job_runs_total == 1


def test_the_statements_do_not_grow_with_the_rows(ctx, february):
    quality.report(ctx, february)
    with statements() as few:
        quality.report(ctx, february)
    for number in range(40):
        ctx.session.add_all([run_row(f"job-{number}", FIRST + timedelta(hours=number)), alert_row(FIRST)])
    ctx.session.flush()
    with statements() as many:
        quality.report(ctx, february)
    with statements() as shown:
        page.page_data(ctx, "monthly")

    assert len(few) <= len(many) <= 20
    assert len([one for one in many if "alert_deliveries" in one or "job_runs" in one]) <= 8
    assert len(shown) <= 8


def test_a_month_without_data_has_papers_that_say_so(writing, february):
    made = quality.produce(writing, february)
    writing.commit()

    assert made.status == "success"
    assert made.detail["summary"]["job_runs_total"] == 0
    contents = {row.name[-6:]: row.content for row in writing.session.scalars(select(StoredFile))}
    assert len(contents) == 4
    assert contents["ko.pdf"].startswith(b"%PDF-")


def test_papers_that_nobody_wants_are_not_drawn(writing, february):
    made = quality.produce(writing, february, papers=False)
    writing.commit()

    assert {row.name.rpartition(".")[2] for row in writing.session.scalars(select(StoredFile))} == {"json", "csv"}
    assert made.detail["archive"]["pdf_file"] is None


def test_people_with_korean_names_stand_on_the_paper(writing, february, clock):
    from console.services.reports import paper

    make_user(writing.session, now=clock.now(), username="kim", display_name="김관리")
    document = quality.plain(quality.as_document(quality.report(writing, february)))
    document["admin_security"]["top_actors"] = [{"actor": "kim", "action_count": 3}]

    named = paper.draw(document, "ko", {"kim": "김관리"})

    assert named.startswith(b"%PDF-")
    assert named != paper.draw(document, "ko", {})


def test_what_is_too_old_goes_with_the_next_report(writing, february, clock):
    quality.produce(writing, february)
    writing.commit()
    folder = writing.config.path("OPS_QUALITY_REPORT_ARCHIVE_PATH")
    before = {path.name for path in folder.iterdir()}
    (folder / "someone-elses.json").write_text("{}")
    clock.advance(timedelta(days=181))

    made = quality.produce(writing, february)
    writing.commit()

    assert made.detail["archive"]["pruned_files"] == 4
    left = {path.name for path in folder.iterdir()}
    assert not before & left
    assert "someone-elses.json" in left
    assert len(left) == 5
    assert writing.session.query(StoredFile).count() == 4


def test_a_folder_that_fails_is_said_and_the_report_is_kept(writing, february):
    folder = writing.config.path("OPS_QUALITY_REPORT_ARCHIVE_PATH")
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("no folder")

    made = quality.produce(writing, february)
    writing.commit()

    assert made.detail["archive"]["error"]
    assert (made.detail["archive"]["json_file"], made.detail["archive"]["pruned_files"]) == (None, 0)
    rows = list(writing.session.scalars(select(StoredFile)))
    assert [(row.filed, bool(row.content)) for row in rows] == [(False, True)] * 4


def test_nothing_is_left_in_the_folder_of_a_report_that_was_not_stored(writing, february):
    quality.produce(writing, february)
    writing.rollback()

    assert list(writing.config.path("OPS_QUALITY_REPORT_ARCHIVE_PATH").iterdir()) == []


def test_the_schedule_reports_what_is_over_and_the_api_what_is_recent(ctx, clock):
    assert quality.finished(ctx, "weekly").finished(clock.now())
    assert quality.finished(ctx, "monthly").finished(clock.now())
    assert quality.recent(ctx, "monthly").time_zone == "UTC"
    assert quality.recent(ctx, "weekly").end - quality.recent(ctx, "weekly").start == periods.WEEK
