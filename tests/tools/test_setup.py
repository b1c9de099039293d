import subprocess
import sys
from pathlib import Path

import pytest

from tools import node, setup

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout of its own with lock files and nothing else."""
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(setup, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(setup, "STAMP", tmp_path / ".venv" / ".requirements")
    (tmp_path / "requirements.txt").write_text("one==1\n")
    (tmp_path / "requirements-dev.txt").write_text("one==1\ntwo==2\n")
    setup.PYTHON.parent.mkdir(parents=True)
    setup.PYTHON.write_text("")
    return tmp_path


class Pip:
    """Stands in for pip: remembers its command lines and answers with a result."""

    def __init__(self, monkeypatch, code=0, stderr=""):
        self.calls = []
        self.result = subprocess.CompletedProcess([], code, "", stderr)
        monkeypatch.setattr(setup.subprocess, "run", self)

    def __call__(self, command, **kwargs):
        if command[-1] == "--version":
            return subprocess.CompletedProcess(command, 0)
        self.calls.append(command)
        return self.result


@pytest.mark.parametrize("version", [(3, 10, 14), (3, 13, 0), (3, 14, 1)])
def test_another_python_is_refused_in_one_sentence(monkeypatch, capsys, version):
    monkeypatch.setattr(setup.sys, "version_info", version)

    assert setup.main([]) == 1

    assert capsys.readouterr().err == (
        "Python 3.11 or 3.12 is needed and this is {}.{}.{}: install one, or name it with PYTHON=...\n".format(*version)
    )


def test_packages_are_installed_once_with_checked_hashes(checkout, monkeypatch):
    pip = Pip(monkeypatch)

    setup.install("run")

    (command,) = pip.calls
    assert "--require-hashes" in command
    assert command[-1] == str(checkout / "requirements.txt")
    assert setup.installed("run")
    assert not setup.installed("dev")


def test_the_packages_of_the_tests_include_those_of_the_run(checkout, monkeypatch):
    Pip(monkeypatch)

    setup.install("dev")

    assert setup.installed("dev")
    assert setup.installed("run")


def test_a_changed_lock_file_is_installed_again(checkout, monkeypatch):
    Pip(monkeypatch)
    setup.install("run")

    (checkout / "requirements.txt").write_text("one==2\n")

    assert not setup.installed("run")


@pytest.mark.parametrize(
    ("stderr", "sentence"),
    [
        ("WARNING: Retrying after NewConnectionError('...')\nERROR: none", "The package index does not answer"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "could not be installed (ERROR: THESE PACKAGES DO NOT MATCH"),
        ("", "could not be installed (no message)"),
    ],
)
def test_a_failing_installation_leaves_one_sentence_and_no_stamp(checkout, monkeypatch, stderr, sentence):
    Pip(monkeypatch, code=1, stderr=stderr)

    with pytest.raises(setup.SetupError) as caught:
        setup.install("run")

    assert sentence in str(caught.value)
    assert not setup.installed("run")


def test_it_runs_with_nothing_installed():
    imported = subprocess.run(
        [
            sys.executable,
            "-ISc",
            "import sys; sys.path.insert(0, 'tools'); import setup; print(setup.installed('dev'))",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert imported.stdout in {"True\n", "False\n"}


def test_the_lock_of_the_front_end_packages_names_no_registry():
    lock = (ROOT / "package-lock.json").read_text(encoding="utf-8")

    assert '"resolved"' not in lock
    assert lock.count('"integrity"') > 10


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_the_locks_name_no_index_and_pin_every_package_by_hash(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    pins = [number for number, line in enumerate(lines) if "==" in line and not line.startswith((" ", "#"))]

    assert not [line for line in lines if "://" in line or line.startswith("--")]
    assert pins
    assert all("--hash=sha256:" in lines[number + 1] for number in pins)


def test_node_comes_from_the_virtual_environment():
    assert node.node().is_relative_to(Path(sys.prefix))
    done = subprocess.run([node.node(), "--version"], capture_output=True, text=True, check=True)
    assert int(done.stdout.removeprefix("v").partition(".")[0]) >= 22
