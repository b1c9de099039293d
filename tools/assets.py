"""Static files for the browser: packages, our own style sheets and scripts, hashed names, compressed twins.

    python -m tools.assets          build what has changed
    python -m tools.assets dev      the same, with the packages that only tests need
    python -m tools.assets sizes    what a first visit costs, compressed

Sources are console/static/{css,js,img} and console/static/vendor; the result is console/static/dist with a
manifest.json from logical to hashed names, which console/web/assets.py reads. tools/bundle.mjs cuts the base style
sheet down to what we use (purgecss), then bundles and minifies (esbuild). Every reference leads to a hashed name, so
every file may be cached for ever.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tools import node, vendor
from tools.node import ROOT, SetupError

CONSOLE = ROOT / "console"
STATIC = CONSOLE / "static"
DIST = STATIC / "dist"
MANIFEST = DIST / "manifest.json"
EXTRA_CLASSES = ROOT / "tools" / "classes.txt"
BUNDLER = ROOT / "tools" / "bundle.mjs"
OWN = ("css", "js", "img")
# The scripts that pages ask for; what these import travels with them.
SCRIPTS = ("js/app.js", "js/board.js", "js/drawer.js", "js/evidence.js", "js/round.js", "js/roundworker.js")
TEXT = (".css", ".js", ".svg")

_WORD = re.compile(r"[\w-]+")


def sources() -> dict[str, Path]:
    """Return logical name -> file of everything that is served or becomes part of it."""
    found: dict[str, Path] = {}
    for folder in (*OWN, "vendor"):
        for path in sorted((STATIC / folder).rglob("*")):
            if path.is_file() and not path.name.startswith("."):
                found[path.relative_to(STATIC).as_posix()] = path
    return found


def entries(names: Iterable[str]) -> list[str]:
    """Return which of the sources pages ask for by name; the others are reached through these."""
    return [name for name in names if not name.startswith(("js/", "vendor/fonts/")) or name in SCRIPTS]


def words(files: Iterable[Path]) -> set[str]:
    """Return every word of the files that could be the name of a class, a tag, an attribute or a custom property."""
    return {word for path in files for word in _WORD.findall(path.read_text(encoding="utf-8"))}


def used_words() -> set[str]:
    """Return the words of every place that can name a class and that the base style sheet has too.

    An edit that brings no such word must not cost a build.
    """
    files = [
        *CONSOLE.joinpath("templates").rglob("*.html"),
        *CONSOLE.joinpath("partials").rglob("*.html"),
        *STATIC.joinpath("js").rglob("*.js"),
        *CONSOLE.rglob("*.py"),
        EXTRA_CLASSES,
    ]
    return words(files) & words([vendor.VENDOR / "tabler.css"])


def bundle(folder: Path, out: Path, names: list[str], used: set[str]) -> dict[str, str]:
    """Write the finished form of the files `names` of a folder, and of what they refer to, into `out`.

    Return logical name -> hashed name. Raise SetupError where a file is broken or refers to one that does not exist.
    """
    own = [*folder.joinpath("css").rglob("*.css"), *folder.joinpath("js").rglob("*.js")]
    request = {
        "folder": str(folder.resolve()),
        "out": str(out.resolve()),
        "entries": names,
        "words": sorted(used),
        "readers": sorted(words(own)),
    }
    done = subprocess.run(
        [node.node(), BUNDLER], input=json.dumps(request), capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise SetupError(f"The static files could not be built ({said}).")
    files: dict[str, str] = json.loads(done.stdout)
    return files


def _key(fingerprint: str, files: dict[str, Path], used: set[str]) -> str:
    digest = hashlib.sha256(fingerprint.encode())
    for program in (Path(__file__), BUNDLER):
        digest.update(program.read_bytes())
    for name, path in files.items():
        digest.update(name.encode() + b"\0")
        if not name.startswith("vendor/"):
            digest.update(path.read_bytes())
    digest.update("\n".join(sorted(used)).encode())
    return digest.hexdigest()


def build() -> bool:
    """Bring console/static/dist up to date; return whether anything had to be done."""
    with _alone():
        fingerprint = vendor.refresh()
        files, used = sources(), used_words()
        key = _key(fingerprint, files, used)
        old = _read_manifest()
        if old.get("key") == key and all((DIST / name).is_file() for name in old["files"].values()):
            return False
        node.install()
        DIST.mkdir(exist_ok=True)
        with TemporaryDirectory(dir=DIST) as fresh:
            names = bundle(STATIC, Path(fresh), entries(files), used)
            _publish(Path(fresh), names.values())
        _forget(keep={*names.values(), *old.get("files", {}).values()})
        manifest = {"key": key, "files": dict(sorted(names.items()))}
        fresh_manifest = MANIFEST.with_suffix(".new")
        fresh_manifest.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        fresh_manifest.replace(MANIFEST)
        return True


@contextmanager
def _alone() -> Iterator[None]:
    """Let one build run at a time in this checkout."""
    STATIC.mkdir(parents=True, exist_ok=True)
    with (ROOT / "tools" / "assets.py").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read_manifest() -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(MANIFEST.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest


def _publish(fresh: Path, names: Iterable[str]) -> None:
    """Move the files that are new into console/static/dist, with compressed twins."""
    import brotli

    for name in names:
        path = DIST / name
        if path.is_file():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in TEXT:
            content = (fresh / name).read_bytes()
            path.with_name(path.name + ".br").write_bytes(brotli.compress(content, quality=11))
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(content, 9, mtime=0))
        # The plain file comes last and at once: where it stands, its twins stand too.
        (fresh / name).replace(path)


def _forget(keep: set[str]) -> None:
    """Remove what neither this build nor the one before names: pages opened before a restart still find their files."""
    for path in DIST.rglob("*"):
        name = path.relative_to(DIST).as_posix()
        if path.is_file() and path != MANIFEST and name.removesuffix(".br").removesuffix(".gz") not in keep:
            path.unlink()


def sizes() -> str:
    """Return a table of the compressed sizes of scripts and styles."""
    lines, total = [], [0, 0]
    for name, hashed in _read_manifest()["files"].items():
        if name.endswith((".css", ".js", ".svg")):
            pair = [(DIST / f"{hashed}.{kind}").stat().st_size for kind in ("br", "gz")]
            lines.append(f"{name:<28}{(DIST / hashed).stat().st_size:>9,}{pair[0]:>9,}{pair[1]:>9,}")
            total = [a + b for a, b in zip(total, pair, strict=True)]
    head = f"{'file':<28}{'bytes':>9}{'brotli':>9}{'gzip':>9}"
    return "\n".join([head, *lines, f"{'all':<28}{'':>9}{total[0]:>9,}{total[1]:>9,}"])


def main(arguments: list[str]) -> int:
    """Build, or print the sizes; returns the exit code."""
    try:
        if arguments == ["dev"]:
            node.install(dev=True)
        changed = build()
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    if arguments == ["sizes"]:
        print(sizes())
    elif changed:
        print("static files: built")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
