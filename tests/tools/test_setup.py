"""The set-up of a checkout never takes away an environment that it did not make."""

import importlib.util
import subprocess
import sys

import pytest

from tools import setup


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """An environment without pip, as other tools make them, with something of its owner in it."""
    folder = tmp_path / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (folder / "mine").write_text("")
    monkeypatch.setattr(setup, "VENV", folder)
    monkeypatch.setattr(setup, "PYTHON", folder / "bin" / "python")
    # The machine's own pip cannot help: make starts the set-up with the environment's Python.
    monkeypatch.setattr(sys, "executable", str(folder / "bin" / "python"))
    return folder


def test_an_environment_without_pip_gets_one_where_python_brings_it(bare):
    if importlib.util.find_spec("ensurepip") is None:
        with pytest.raises(setup.SetupError, match="has no pip"):
            setup.make_environment()
    else:
        pip = setup.make_environment()
        assert subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode == 0

    assert (bare / "mine").exists()


def test_an_environment_that_cannot_be_helped_is_left_alone(bare, monkeypatch):
    monkeypatch.setattr(setup, "_answers", lambda _pip: False)

    with pytest.raises(setup.SetupError, match="has no pip"):
        setup.make_environment()

    assert (bare / "mine").exists()
