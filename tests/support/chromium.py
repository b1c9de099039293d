"""A headless Chromium for browser tests: always the one of the npm package, with the fonts of our packages alone.

What a machine has of browsers and fonts is not looked at, so that a page is drawn alike everywhere.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import brotli

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "node_modules" / "@sparticuz" / "chromium"
PRETENDARD = ROOT / "node_modules" / "pretendard" / "dist" / "public" / "variable"
CACHE = ROOT / ".cache"
# The file that the package brings names folders of a cloud service, which exist nowhere else.
FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  {folders}
  <cachedir>{cache}</cachedir>
  <match target="pattern">
    <edit name="family" mode="append_last"><string>Pretendard Variable</string></edit>
  </match>
</fontconfig>
"""
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
    """Return the arguments for `playwright.chromium.launch(**options)`; RuntimeError without the packages."""
    folder = _unpacked()
    plain = {name: value for name, value in os.environ.items() if not name.startswith("FONTCONFIG_")}
    environment = {
        **plain,
        "LD_LIBRARY_PATH": str(folder / "lib"),
        "FONTCONFIG_PATH": str(folder),
        "FONTCONFIG_FILE": str(folder / "fonts.conf"),
    }
    return {
        "executable_path": str(folder / "chromium"),
        "args": [*ARGUMENTS, "--headless=shell"],
        "env": environment,
        "headless": True,
    }


# The first releases of Python 3.11 know no filter; what is unpacked here is what the lock file names by its hash.
SAFELY: Mapping[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


def font_folders() -> tuple[Path, ...]:
    """Return the folders that hold every font the browser may use."""
    return _folder() / "fonts", PRETENDARD


def _folder() -> Path:
    description = PACKAGE / "package.json"
    if not description.is_file() or not PRETENDARD.is_dir():
        raise RuntimeError("the packages of the browser and its fonts are missing: run `make setup-dev`")
    return CACHE / f"chromium-{json.loads(description.read_text())['version']}"


def _unpacked() -> Path:
    folder = _folder()
    with _alone():
        if not folder.is_dir():
            fresh = folder.with_name(folder.name + ".new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            (fresh / "chromium").write_bytes(_content("chromium.br"))
            (fresh / "chromium").chmod(0o755)
            for archive in ("al2023.tar.br", "fonts.tar.br"):
                with tarfile.open(fileobj=io.BytesIO(_content(archive))) as tar:
                    tar.extractall(fresh, **SAFELY)
            fresh.rename(folder)
        # Written each time: the folders are absolute, and a checkout may have been moved.
        folders = "\n  ".join(f"<dir>{escape(str(one))}</dir>" for one in font_folders())
        fresh_fonts = folder / "fonts.conf.new"
        fresh_fonts.write_text(FONTS.format(folders=folders, cache=escape(str(CACHE / "fontconfig"))), "utf-8")
        fresh_fonts.replace(folder / "fonts.conf")
    return folder


@contextmanager
def _alone() -> Iterator[None]:
    """Wait for other test processes that unpack or write."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _content(name: str) -> bytes:
    return brotli.decompress((PACKAGE / "bin" / name).read_bytes())
