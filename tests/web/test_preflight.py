"""The start of a process: refused by a preflight error, except for the commands with which people mend it."""

import click
import pytest
from flask.cli import ScriptInfo

from console import create_app
from console.core.config import Config
from console.core.process import ProcessRuntime
from workers import __main__ as workers_main

PRODUCTION = {
    "ENV": "production",
    "DATABASE_URL": "sqlite://",
    "AUDIT_ARCHIVE_SIGNING_KEY": "",
    "AUDIT_ARCHIVE_SIGNING_REQUIRED": True,
    "PREFLIGHT_FAIL_ON_ERROR": True,
}


@pytest.fixture
def bad(tmp_path):
    return Config.for_tests(DATA_DIR=str(tmp_path / "data"), **PRODUCTION)


def test_the_application_does_not_start_with_an_error(bad):
    with pytest.raises(RuntimeError, match="audit_archive_signing_key"):
        create_app(bad)


def test_without_the_flag_it_starts_and_shows_the_error(tmp_path):
    settings = {**PRODUCTION, "PREFLIGHT_FAIL_ON_ERROR": False}

    assert create_app(Config.for_tests(DATA_DIR=str(tmp_path / "data"), **settings))


@pytest.mark.parametrize(("command", "starts"), [("db", True), ("gate", True), ("run", False)])
def test_commands_that_mend_are_not_refused(bad, command, starts):
    outer = click.Context(click.Command("flask"), obj=ScriptInfo())
    with click.Context(click.Command(command), parent=outer, info_name=command):
        if starts:
            assert create_app(bad)
        else:
            with pytest.raises(RuntimeError):
                create_app(bad)


@pytest.mark.parametrize("process", ["worker", "scheduler"])
def test_worker_and_scheduler_do_not_start_either(bad, process, monkeypatch, capsys):
    monkeypatch.setattr(workers_main, "here", lambda: ProcessRuntime.of(bad))

    assert workers_main.main([process]) == 1
    assert "audit_archive_signing_key" in capsys.readouterr().err
