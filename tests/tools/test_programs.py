"""Tests start the browser, PostgreSQL and Redis of the repository's packages, whatever a machine has of these."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from console.core.settings import SETTINGS
from tests.support import chromium, environment, programs

ROOT = Path(__file__).parent.parent.parent
HIDDEN = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    *("postgres", "psql", "initdb", "pg_ctl", "redis-server", "redis-cli", "fc-list", "fc-match"),
)


def run(*command: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def folder():
    """A folder with a short path: sockets lie in it."""
    made = Path(tempfile.mkdtemp())
    yield made
    shutil.rmtree(made)


@pytest.fixture
def hostile(folder):
    """The environment of a machine on which every such program of its own is broken, and every setting wrong."""
    programs_of_the_machine = folder / "bin"
    programs_of_the_machine.mkdir()
    for name in HIDDEN:
        (programs_of_the_machine / name).write_text(f"#!/bin/sh\necho {name} >>{folder}/used\nexit 1\n")
        (programs_of_the_machine / name).chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{programs_of_the_machine}{os.pathsep}{os.environ['PATH']}",
        "TMPDIR": str(folder),
        "PGHOST": "192.0.2.1",
        "PGPORT": "1",
        "PGSERVER_POSTGRES_VERSION": "9",
        "REDIS_URL": "redis://192.0.2.1",
        "DATABASE_URL": "postgresql://192.0.2.1/nowhere",
        "FONTCONFIG_FILE": "/nowhere/fonts.conf",
        "FONTCONFIG_SYSROOT": "/nowhere",
        "PLAYWRIGHT_BROWSERS_PATH": "/nowhere",
    }


def test_the_three_are_those_of_the_packages_on_a_machine_whose_own_are_broken(hostile, folder):
    script = (
        "import json, os; from tests.support.environment import hide; hide(os.environ)\n"
        "from tests.support.programs import PROGRAMS\n"
        "print(json.dumps({name: str(start()) for name, start in PROGRAMS.items()}))"
    )
    done = run(sys.executable, "-c", script, env=hostile)

    assert done.returncode == 0, done.stderr
    ran = {name: Path(path).relative_to(ROOT) for name, path in json.loads(done.stdout).items()}
    assert {name: (path.parts[0], path.name) for name, path in ran.items()} == {
        "the browser": (".cache", "chromium"),
        "PostgreSQL": (".venv", "postgres"),
        "Redis": (".venv", "redis-server"),
    }
    assert not (folder / "used").exists()


def test_no_variable_of_the_shell_reaches_the_tests():
    assert environment.foreign(os.environ) == []
    shell = {"ADMIN_TOKEN": "x", "DATABASE_URL": "x", "PGUSER": "x", "PATH": "/bin", "PIP_INDEX_URL": "x", "SOAK": "1"}

    environment.hide(shell)

    assert shell == {"PATH": "/bin", "PIP_INDEX_URL": "x", "SOAK": "1"}
    assert environment.foreign(setting.name for setting in SETTINGS) == [setting.name for setting in SETTINGS]


def test_a_program_that_cannot_start_ends_the_run_at_once_with_one_sentence(folder):
    long = folder / ("x" * 100)  # no socket fits in there
    long.mkdir()
    environ = {**os.environ, "TMPDIR": str(long), "MAKEFLAGS": ""}
    done = run("make", "--no-print-directory", "test", "T=tests/no_such_folder", env=environ)

    assert done.returncode == 2
    sentence, *rest = done.stderr.splitlines()
    assert sentence.startswith("The tests cannot run here: PostgreSQL does not start (")
    assert f" and Redis does not start (TMPDIR: {long} is too long a path for a socket)." in sentence
    assert len(rest) == 1  # what make says of it
    assert "no tests ran" not in done.stdout


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("ended with code 1", "ended with code 1"),
        (
            "ended\nlogs:\n[pid=7][err] chromium: error while loading a library.",
            "chromium: error while loading a library",
        ),
        ("failed\ninitdb: error: cannot be run as root", "initdb: error: cannot be run as root"),
        ("", "RuntimeError"),
    ],
)
def test_the_reason_is_what_the_program_said_of_itself(monkeypatch, said, reason):
    def fail():
        raise RuntimeError(said)

    monkeypatch.setattr(programs, "PROGRAMS", {"the browser": fail})

    assert programs.complaint() == f"The tests cannot run here: the browser does not start ({reason})."


def test_a_missing_package_of_the_browser_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(chromium, "PACKAGE", tmp_path)

    with pytest.raises(RuntimeError, match="run `make setup-dev`"):
        chromium._unpacked()
