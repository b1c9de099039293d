"""A headless Chromium for browser tests: the machine's own, else the one inside an npm package."""

from __future__ import annotations

import fcntl
import io
import json
import os
import shutil
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

import brotli

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "node_modules" / "@sparticuz" / "chromium"
CACHE = ROOT / ".cache"
ON_PATH = ("chromium", "chromium-browser", "google-chrome-stable")
# The sandbox needs rights that root in a container does not have; the rest keeps the browser from calling out.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@cache
def chromium_launch_options() -> dict[str, Any]:
    """Return the arguments for `playwright.chromium.launch(**options)`; raises when there is no browser to be had."""
    for name in ON_PATH:
        if path := shutil.which(name):
            return {"executable_path": path, "args": list(ARGUMENTS), "headless": True}
    folder = _unpacked()
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": str(folder / "lib"),
        "FONTCONFIG_PATH": str(folder),
    }
    return {
        "executable_path": str(folder / "chromium"),
        "args": [*ARGUMENTS, "--headless=shell"],
        "env": environment,
        "headless": True,
    }


def _unpacked() -> Path:
    description = PACKAGE / "package.json"
    if not description.is_file():
        raise RuntimeError("No Chromium on PATH and none among the packages: run `make setup-dev`.")
    folder = CACHE / f"chromium-{json.loads(description.read_text())['version']}"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "chromium.lock").open("w") as lock:  # several test processes may come at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            fresh = folder.with_name(folder.name + ".new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            (fresh / "chromium").write_bytes(_content("chromium.br"))
            (fresh / "chromium").chmod(0o755)
            for archive in ("al2023.tar.br", "fonts.tar.br"):
                with tarfile.open(fileobj=io.BytesIO(_content(archive))) as tar:
                    tar.extractall(fresh, filter="data")
            fresh.rename(folder)
    return folder


def _content(name: str) -> bytes:
    return brotli.decompress((PACKAGE / "bin" / name).read_bytes())
