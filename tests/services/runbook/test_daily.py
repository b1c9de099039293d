"""The daily check through the engine: what is kept with the run, in the folder, and told."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from console.core.context import SYSTEM
from console.domain.errors import Gone, NotFound, PermissionDenied
from console.domain.jobs import names as job_names
from console.domain.runbook import runbook as registry
from console.models.alerts import AlertDelivery
from console.models.archives import StoredFile
from console.models.audit import AuditLog
from console.models.jobs import JobRun
from console.services.jobs import engine
from console.services.jobs.registry import get as job_of
from console.services.runbook import daily_page, daily_runs
from tests.support.statements import statements


def run(ctx, **values):
    """Run the job now and return its run."""
    return engine.execute(ctx, job_of(job_names.DAILY_CHECK), **values).run


def with_settings(ctx, **settings):
    return replace(ctx, config=ctx.config.replaced(**settings))


def folder(ctx):
    return ctx.config.path("OPS_DAILY_CHECK_ARCHIVE_PATH")


def test_a_run_keeps_checks_summary_and_files(ctx):
    made = run(ctx)

    detail = made.detail
    assert detail["check_count"] == len(registry.registered()) == len(detail["checks"])
    assert detail["summary"]["run_id"] == made.id
    assert [set(one) for one in detail["summary"]["checks"]] == [{"id", "status", "message"}] * detail["check_count"]
    archive = detail["archive"]
    assert f"-run-{made.id}.json" in archive["json_file"]
    assert sorted(path.name for path in folder(ctx).iterdir()) == sorted([archive["json_file"], archive["csv_file"]])
    document = json.loads((folder(ctx) / archive["json_file"]).read_bytes())
    assert document["summary"] == detail["summary"]
    stored = ctx.session.scalars(select(StoredFile).order_by(StoredFile.name)).all()
    assert [(one.run_id, one.filed) for one in stored] == [(made.id, True)] * 2


def test_a_dry_run_leaves_nothing_behind(ctx):
    run(
        with_settings(ctx, OPS_DAILY_CHECK_ALERT_LEVEL="always", ALERT_WEBHOOK_URLS="http://127.0.0.1:9/x"),
        dry_run=True,
    )

    assert not folder(ctx).exists() or not list(folder(ctx).iterdir())
    assert ctx.session.scalar(select(func.count()).select_from(StoredFile)) == 0
    assert ctx.session.scalar(select(func.count()).select_from(AlertDelivery)) == 0
    with pytest.raises(NotFound):
        daily_runs.latest(ctx)


def test_an_alert_that_was_due_without_any_channel_is_said_and_degrades(ctx):
    made = run(with_settings(ctx, OPS_DAILY_CHECK_ALERT_LEVEL="always"))

    assert (made.detail["alert_attempted"], made.detail["alert_dispatched"]) == (True, False)
    assert made.detail["alert_error"] == "no_targets"
    assert made.status == "warning"


def test_an_alert_that_nobody_took_is_said_with_its_channel(ctx):
    # The discard port: nothing listens there.
    settings = {"ALERT_WEBHOOK_URLS": "http://127.0.0.1:9/hook", "ALERT_ALLOW_PRIVATE_TARGETS": True}
    made = run(with_settings(ctx, OPS_DAILY_CHECK_ALERT_LEVEL="always", **settings))

    detail = made.detail
    assert (detail["alert_attempted"], detail["alert_dispatched"]) == (True, False)
    assert detail["alert_error"].startswith("http://127.0.0.1:9/…: ")
    assert [(one["target"], one["success"]) for one in detail["alert_channels"]] == [("http://127.0.0.1:9/…", False)]
    assert ctx.session.scalars(select(AlertDelivery.event_type)).all() == [job_names.DAILY_CHECK]


def test_files_that_vanish_or_change_are_said_and_still_handed_out(ctx):
    first, second = run(ctx), run(ctx)
    whole = daily_runs.content(ctx, first.id, "json").content
    (folder(ctx) / first.detail["archive"]["json_file"]).unlink()
    (folder(ctx) / second.detail["archive"]["csv_file"]).write_text("something else")

    newer, older = daily_runs.archive(ctx, limit=10).rows
    assert (older.archive_state, newer.archive_state) == ("missing", "changed")
    assert older.archive_error == f"{first.detail['archive']['json_file']}: missing"
    assert newer.archive_error == f"{second.detail['archive']['csv_file']}: changed"
    assert daily_runs.content(ctx, first.id, "json").content == whole


def test_a_file_of_which_no_copy_is_whole_is_not_handed_out(ctx):
    made = run(ctx)
    (folder(ctx) / made.detail["archive"]["csv_file"]).write_text("x")
    ctx.session.query(StoredFile).update({StoredFile.content: b"y"})

    with pytest.raises(Gone):
        daily_runs.content(ctx, made.id, "csv")


def test_files_whose_time_is_over_are_pruned_and_no_fault(ctx, clock):
    first = run(ctx)
    clock.advance(timedelta(days=61))
    second = run(ctx)

    newer, older = daily_runs.archive(ctx, limit=10).rows
    assert second.detail["archive"]["pruned_files"] >= 1
    assert (older.run_id, older.archive_state, older.archive_error) == (first.id, "pruned", None)
    assert newer.archive_state == "intact"
    with pytest.raises(NotFound):
        daily_runs.content(ctx, first.id, "json")


def test_a_folder_that_takes_no_files_is_said_and_the_content_stays_with_the_run(ctx):
    folder(ctx).parent.mkdir(parents=True, exist_ok=True)
    folder(ctx).write_text("no folder")

    made = run(ctx)

    assert made.status == "success" or made.detail["overall_status"] != "ok"
    assert made.detail["archive"]["error"]
    row = daily_runs.archive(ctx, limit=1).rows[0]
    assert row.archive_error
    assert daily_runs.content(ctx, made.id, "csv").content.startswith(b"run_id,checked_at")


def test_switched_off_archives_leave_no_file_in_the_folder(ctx):
    made = run(with_settings(ctx, OPS_DAILY_CHECK_ARCHIVE_ENABLED=False))

    assert (made.detail["archive"]["enabled"], made.detail["archive"]["json_file"]) == (False, None)
    assert daily_runs.archive(ctx, limit=1).rows[0].archive_state == "unfiled"


def test_people_leave_an_audit_entry_and_the_schedule_does_not(ctx, make_ctx):
    entries = select(func.count()).select_from(AuditLog).where(AuditLog.action == "ops_runbook_daily_check_run")
    run(replace(ctx, actor=SYSTEM))
    assert ctx.session.scalar(entries) == 0
    run(make_ctx("owner"))
    ctx.session.rollback()
    assert ctx.session.scalar(entries) == 1


def test_what_changed_since_the_run_is_told_apart(ctx):
    run(ctx)
    assert daily_page.page_data(ctx).changed == ()

    data = daily_page.page_data(with_settings(ctx, OPS_DAILY_CHECK_ARCHIVE_ENABLED=False))
    assert [(one.check.id, one.before, one.is_worse) for one in data.changed] == [
        ("ops_daily_check_archive", "ok", True)
    ]


def since(ctx, check_id="ops_daily_check_archive"):
    return daily_page.page_data(ctx).since.get(check_id)


def test_a_check_fails_since_the_first_run_of_its_streak(ctx, clock):
    off = with_settings(ctx, OPS_DAILY_CHECK_ARCHIVE_ENABLED=False)
    run(ctx)
    assert since(off) is None
    clock.advance(timedelta(days=1))
    first = run(off)
    for _ in range(2):
        clock.advance(timedelta(days=1))
        run(off)
    assert (since(off).run_id, since(off).at) == (first.id, first.finished_at)

    clock.advance(timedelta(days=1))
    run(ctx)
    assert since(ctx) is None
    clock.advance(timedelta(days=1))
    again = run(off)
    assert since(off).run_id == again.id


def test_what_an_older_release_stored_fails_since_that_run_at_least(ctx, clock, session):
    old = run(with_settings(ctx, OPS_DAILY_CHECK_ARCHIVE_ENABLED=False))
    row = session.get_one(JobRun, old.id)
    row.detail_json = {key: value for key, value in row.detail_json.items() if key != "failing_since"}
    session.commit()
    assert since(ctx).run_id == old.id
    clock.advance(timedelta(days=1))
    run(with_settings(ctx, OPS_DAILY_CHECK_ARCHIVE_ENABLED=False))
    assert since(ctx).run_id == old.id


def test_a_dry_run_begins_no_streak(ctx, clock):
    off = with_settings(ctx, OPS_DAILY_CHECK_ARCHIVE_ENABLED=False)
    run(off, dry_run=True)
    clock.advance(timedelta(days=1))
    real = run(off)
    assert since(off).run_id == real.id


def test_the_page_says_what_became_of_the_alert_by_now(ctx, session):
    settings = {"ALERT_WEBHOOK_URLS": "http://127.0.0.1:9/hook", "ALERT_ALLOW_PRIVATE_TARGETS": True}
    run(with_settings(ctx, OPS_DAILY_CHECK_ALERT_LEVEL="always", **settings))
    assert daily_page.page_data(ctx).told.dispatched is False

    session.query(AlertDelivery).update({AlertDelivery.status: "success", AlertDelivery.error: None})
    session.commit()
    told = daily_page.page_data(ctx).told
    assert (told.dispatched, told.error, told.channels[0]["success"]) == (True, None, True)


def test_the_page_knows_the_items_of_failing_checks(ctx):
    run(ctx)
    data = daily_page.page_data(ctx)
    failing = {check.id for check in data.checks if check.status != "ok"}
    assert set(data.items) == failing
    assert {check.id for check in (*data.failing, *data.passing)} == {check.id for check in data.checks}


@pytest.mark.parametrize("limit", [1, 50])
def test_the_archive_costs_two_statements_however_long_and_one_to_count_it(ctx, limit):
    for _ in range(3):
        run(ctx)
    with statements() as seen:
        daily_runs.newest_rows(ctx, limit)
    assert len(seen) == 2
    with statements() as seen:
        daily_runs.archive(ctx, limit=limit)
    assert len(seen) == 3


@pytest.mark.parametrize("role", ["owner", "manager", "operator", "auditor"])
def test_readers_of_the_gate_read_the_daily_check(make_ctx, role):
    with pytest.raises(NotFound):
        daily_runs.latest(make_ctx(role))


def test_nobody_else_does(make_ctx):
    nobody = make_ctx("operator")
    nobody.actor = replace(nobody.actor, permissions=(), grants=frozenset())
    with pytest.raises(PermissionDenied):
        daily_runs.latest(nobody)
