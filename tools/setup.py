"""Make a checkout ready: virtual environment, pinned packages, static files, translations.

    python3 tools/setup.py          what `make run` needs
    python3 tools/setup.py dev      what `make test` needs as well

Runs under the machine's own Python with nothing installed, so it uses the standard library only. A second run finds
its stamp and does next to nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".requirements"
SUPPORTED = ((3, 11), (3, 12))
# What pip says when the index cannot be reached, in the versions that come with these two Pythons.
NO_NETWORK = (
    "NewConnectionError",
    "ConnectionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ProxyError",
    "Name or service not known",
    "Temporary failure in name resolution",
    "Network is unreachable",
)


class SetupError(Exception):
    """The set-up cannot go on; the text is one sentence for the person at the terminal."""


def requirements(kind: str) -> Path:
    """Return the lock file of a kind of installation, "run" or "dev"."""
    return ROOT / ("requirements-dev.txt" if kind == "dev" else "requirements.txt")


def fingerprint(kind: str) -> str:
    """Return what the stamp must say for the installation to be complete."""
    return f"{kind} {hashlib.sha256(requirements(kind).read_bytes()).hexdigest()}"


def installed(kind: str) -> bool:
    """Return whether the environment already holds everything of this kind."""
    if not (PYTHON.exists() and STAMP.is_file()):
        return False
    return STAMP.read_text() in {fingerprint(kind), fingerprint("dev")}


def check_python() -> None:
    """Raise SetupError under a Python for which the packages have no wheels."""
    if sys.version_info[:2] not in SUPPORTED:
        found = "{}.{}.{}".format(*sys.version_info)
        raise SetupError(f"Python 3.11 or 3.12 is needed and this is {found}: install one, or name it with PYTHON=...")


def make_environment() -> list[str]:
    """Return the command that is pip for the virtual environment, after making the environment if it is missing."""
    if VENV.exists() and not PYTHON.exists():  # its Python was removed from the machine
        shutil.rmtree(VENV)
    made = not VENV.exists()
    if made and _said("venv", str(VENV)) is not None:
        # Debian splits ensurepip off; the machine's own pip can fill a bare environment.
        shutil.rmtree(VENV, ignore_errors=True)
        problem = _said("venv", "--without-pip", str(VENV))
        if problem is not None:
            raise SetupError(f"The virtual environment .venv cannot be made: {problem}.")
    pips = ([str(PYTHON), "-m", "pip"], [sys.executable, "-m", "pip", "--python", str(PYTHON)])
    if not made and not any(map(_answers, pips)):  # other tools make environments without pip
        subprocess.run([str(PYTHON), "-m", "ensurepip"], capture_output=True, check=False)
    for command in pips:
        if _answers(command):
            return command
    if not made:
        raise SetupError("The virtual environment .venv has no pip: add it, or remove the folder, then try again.")
    shutil.rmtree(VENV)
    raise SetupError("This Python has neither ensurepip nor pip: install the package python3-venv, then try again.")


def _answers(pip: list[str]) -> bool:
    return not subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode


def _said(*arguments: str) -> str | None:
    """Run a module of this Python; returns None when it went well, else the last line that it wrote."""
    done = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return (lines or ["no message"])[-1].rstrip(".") if done.returncode else None


def install(kind: str) -> None:
    """Install the pinned packages with checked hashes; raises SetupError when that fails."""
    pip = make_environment()
    STAMP.unlink(missing_ok=True)
    print("Installing packages into .venv (once, about half a minute) ...", flush=True)
    done = subprocess.run(
        [
            *pip,
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--no-deps",
            "--require-hashes",
            "--retries=2",
            "--timeout=20",
            "--root-user-action=ignore",
            "--requirement",
            str(requirements(kind)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        if any(mark in done.stderr for mark in NO_NETWORK):
            raise SetupError("The package index does not answer: check the network or pip's settings, then try again.")
        said = next((line for line in reversed(done.stderr.splitlines()) if line.startswith("ERROR")), "no message")
        raise SetupError(f"The packages could not be installed ({said}).")
    STAMP.write_text(fingerprint(kind))


def main(arguments: list[str]) -> int:
    """Do what is missing; returns the exit code."""
    kind = "dev" if arguments == ["dev"] else "run"
    try:
        check_python()
        with Path(__file__).open("rb") as lock:  # two commands may be started at once
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not installed(kind):
                install(kind)
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return subprocess.run([str(PYTHON), "-m", "tools.build", kind], cwd=ROOT, env=environ, check=False).returncode
    except SetupError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"The checkout cannot be made ready: {error.strerror}: {error.filename}.", file=sys.stderr)
    except KeyboardInterrupt:
        print("Interrupted; run the command again to go on.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
