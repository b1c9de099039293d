"""Jobs from the command line: `python -m workers` for the system's cron, `flask job` for people."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from pydantic import Field

from console.cli import run_job
from console.domain.jobs.runs import Outcome
from console.inputs.base import BodyModel
from console.models.jobs import JobRun
from console.services.jobs import registry as runtime
from tests.services.jobs.run_support import job_of, open_sites
from tests.support.runs import all_runs
from workers import __main__ as entry
from workers.__main__ import make_tables


class Wishes(BodyModel):
    """Options of every kind."""

    window_days: int | None = Field(None, ge=1, le=180)
    notify: str = "auto"
    restore_check: bool = True
    force: bool = False


@pytest.fixture
def cli(app):
    return app.test_cli_runner()


def test_a_job_runs_once_and_its_run_is_one_line_of_json(place, register, session, capsys):
    register(job_of())

    assert run_job.main(place, "open_sites", ["--times", "3", "--name", "본사"], make_tables) == 0

    told = json.loads(capsys.readouterr().out)
    row = all_runs(session)[0]
    assert (told["run_id"], told["job_name"], told["trigger"], told["status"], told["opened"]) == (
        row.id,
        "open_sites",
        "cron",
        "success",
        3,
    )
    assert row.options_json == {"name": "본사", "times": 3}


def test_options_are_words_with_dashes_and_switches(place, register, session):
    register(job_of(lambda _ctx, _options: {}, options=Wishes))

    run_job.main(
        place, "open_sites", ["--window-days", "7", "--notify", "off", "--no-restore-check", "--force"], make_tables
    )
    run_job.main(place, "open_sites", ["--dry-run"], make_tables)

    first, second = all_runs(session)
    assert first.options_json == {"window_days": 7, "notify": "off", "restore_check": False, "force": True}
    assert second.options_json == {"window_days": None, "notify": "auto", "restore_check": True, "force": False}
    assert (first.dry_run, second.dry_run) == (False, True)


def options_of(word, *arguments):
    """Return the job that a command line runs, and those of its options that are not the default."""
    name, rest = run_job.meant(word, arguments)
    job = runtime.get(name)
    given = vars(run_job.parser_of(job).parse_args(rest))
    dry_run = given.pop("dry_run")
    assert given.pop("fail_on") is None
    options = run_job.options_from(job, run_job.words_of(given))
    return name, options.model_dump(exclude_defaults=True) | ({"dry_run": True} if dry_run else {})


@pytest.mark.parametrize(
    ("line", "job", "options"),
    [
        ("sla_escalation --limit 500", "sla_escalation", {}),
        ("sla_escalation --site 본관 --dry-run", "sla_escalation", {"site": "본관", "dry_run": True}),
        ("alert_retry --limit 300 --max-attempt-count 10 --min-last-attempt-age-sec 30", "alert_retry", {}),
        ("alert_retry --status failed --event-type x", "alert_retry", {"only_status": ["failed"], "event_type": "x"}),
        ("alert_retry --status warning --status failed --limit 5", "alert_retry", {"limit": 5}),
        ("alert_retention --write-archive", "alert_retention", {"write_archive": True}),
        ("alert_retention --no-archive --max-delete 9", "alert_retention", {"write_archive": False, "max_delete": 9}),
        ("alert_retention --no-archive --write-archive", "alert_retention", {"write_archive": True}),
        ("alert_retention --retention-days 30 --dry-run", "alert_retention", {"retention_days": 30, "dry_run": True}),
        (
            "alert_guard_recover --state all --max-targets 30",
            "alert_guard_recover",
            {"state": "all", "max_targets": 30},
        ),
        ("alert_mttr_slo --force-notify", "alert_mttr_slo_check", {"force_notify": True}),
        ("ops_quality_report", "ops_quality_report_weekly", {}),
        ("ops_quality_report --window monthly --month 2026-02", "ops_quality_report_monthly", {"month": "2026-02"}),
        ("adoption_w07_weekly --force-notify", "adoption_w07_sla_quality_weekly", {"force_notify": True}),
        ("dr_rehearsal --no-restore-check", "dr_rehearsal", {"restore_check": False}),
    ],
)
def test_the_published_command_lines_are_understood(line, job, options):
    assert options_of(*line.split()) == (job, options)


@pytest.mark.parametrize(
    ("status", "fail_on", "fails_on", "code"),
    [
        ("critical", None, None, 0),
        ("critical", "critical", None, 1),
        ("warning", "critical", None, 0),
        ("warning", "warning", None, 1),
        ("critical", "warning", None, 1),
        ("success", "warning", None, 0),
        ("critical", None, "critical", 1),
        ("warning", None, "critical", 0),
        ("warning", "warning", "critical", 1),
    ],
)
def test_the_exit_code_follows_the_status_when_the_caller_or_the_job_wants_it(
    place, register, status, fail_on, fails_on, code
):
    register(job_of(lambda _ctx, _options: Outcome({}, status), fails_on=fails_on))

    assert run_job.main(place, "open_sites", ["--fail-on", fail_on] if fail_on else [], make_tables) == code


def test_a_value_that_does_not_fit_is_said_and_nothing_runs(place, register, session, capsys):
    register(job_of())

    assert run_job.main(place, "open_sites", ["--times", "99"], make_tables) == 1

    assert "options.times: Input should be less than or equal to 50" in capsys.readouterr().err
    assert all_runs(session) == []


def test_an_error_of_the_work_is_not_swallowed(place, register, session):
    def fail(ctx, options):
        open_sites(ctx, options)
        raise RuntimeError("no")

    register(job_of(fail))

    with pytest.raises(RuntimeError):
        run_job.main(place, "open_sites", [], make_tables)
    assert all_runs(session)[0].status == "critical"


def test_a_job_that_runs_already_is_said_after_a_while(place, register, session, clock, capsys, monkeypatch):
    monkeypatch.setattr(run_job, "PATIENCE", timedelta(0))
    register(job_of())
    now = clock.now()
    session.add(JobRun(job_name="open_sites", trigger="cron", state="running", requested_at=now, started_at=now))
    session.commit()

    assert run_job.main(place, "open_sites", [], make_tables) == 1
    assert "The job is running already" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["nobody"], ["Worker"], []])
def test_words_that_mean_nothing_end_with_the_words_that_do(arguments, capsys, monkeypatch, place):
    monkeypatch.setattr(entry, "here", lambda: place)

    assert entry.main(arguments) == 2
    said = capsys.readouterr()
    assert "job_runs_retention" in said.out + said.err


def test_people_run_a_job_by_name_with_its_options(cli, register, session):
    register(job_of())

    done = cli.invoke(args=["job", "run", "open_sites", "--option", "times=2", "--dry-run"])

    assert done.exit_code == 0, done.output
    assert json.loads(done.output.splitlines()[-1])["opened"] == 2
    row = all_runs(session)[0]
    assert (row.trigger, row.dry_run, row.options_json["times"]) == ("manual", True, 2)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nobody"], 1, "There is no job"),
        (["open_sites", "--option", "times"], 2, "NAME=VALUE"),
        (["open_sites", "--option", "times=0"], 1, "options.times"),
        (["open_sites", "--option", "tiems=1"], 1, "Unknown option"),
    ],
)
def test_people_are_told_what_is_wrong(cli, register, session, arguments, code, said):
    register(job_of())

    done = cli.invoke(args=["job", "run", *arguments])

    assert (done.exit_code, said in done.output) == (code, True)
    assert all_runs(session) == []


def test_the_list_names_jobs_options_and_times(cli):
    listed = cli.invoke(args=["job", "list"]).output

    assert "job_runs_retention" in listed
    assert "--option limit=… (default 20000)" in listed
    assert "45 0 * * * UTC" in listed


def test_lost_runs_are_closed_by_hand(cli, session, clock):
    then = clock.now() - timedelta(hours=1)
    row = JobRun(
        job_name="gate",
        trigger="api",
        state="running",
        requested_at=then,
        started_at=then,
        heartbeat_at=then,
        claim_token="t",
        lease_seconds=1,
    )
    session.add(row)
    session.commit()

    done = cli.invoke(args=["job", "reap", "--wait", "0.5"])

    assert done.output.strip() == f"1 closed #{row.id}"


@pytest.mark.parametrize("name", [job.name for job in runtime.all_jobs()])
def test_every_job_can_be_told_its_options_on_the_command_line(name, capsys):
    with pytest.raises(SystemExit) as ended:
        run_job.parser_of(runtime.get(name)).parse_args(["--help"])

    assert ended.value.code == 0
    assert "--dry-run" in capsys.readouterr().out
