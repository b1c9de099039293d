"""Static files for the browser: packages, our own style sheets and scripts, hashed names, compressed twins.

    python -m tools.assets          build what has changed
    python -m tools.assets dev      the same, with the packages that only tests need
    python -m tools.assets sizes    what a first visit costs, compressed

Sources are console/static/{css,js,img} and console/static/vendor; the result is console/static/dist with a
manifest.json from logical to hashed names, which console/web/assets.py reads. A reference of one file to another
(url(...), @import, import ... from "./x.js") is written to the hashed name, so every file may be cached for ever.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import posixpath
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools import node, stylesheet, vendor
from tools.node import ROOT, SetupError

CONSOLE = ROOT / "console"
STATIC = CONSOLE / "static"
DIST = STATIC / "dist"
MANIFEST = DIST / "manifest.json"
EXTRA_CLASSES = ROOT / "tools" / "classes.txt"
OWN = ("css", "js", "img")
TEXT = (".css", ".js", ".svg")
SKIP = ("vendor/tabler-classes.json",)

_CSS_REFERENCE = re.compile(r"url\(\s*[\"']?(?P<name>[^\"')]+)[\"']?\s*\)|@import\s+[\"'](?P<sheet>[^\"']+)[\"']")
_JS_REFERENCE = re.compile(r"(?:\bfrom\s*|\bimport\s*\(?\s*)[\"'](?P<name>\.{1,2}/[^\"']+)[\"']")
_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)


def sources() -> dict[str, Path]:
    """Return logical name -> file of everything that is served."""
    found: dict[str, Path] = {}
    for folder in (*OWN, "vendor"):
        for path in sorted((STATIC / folder).rglob("*")):
            name = path.relative_to(STATIC).as_posix()
            if path.is_file() and not path.name.startswith(".") and name not in SKIP:
                found[name] = path
    return found


def used_words() -> set[str]:
    """Return the words of every place that can name a class."""
    files = [
        *CONSOLE.joinpath("templates").rglob("*.html"),
        *CONSOLE.joinpath("partials").rglob("*.html"),
        *STATIC.joinpath("js").rglob("*.js"),
        *CONSOLE.rglob("*.py"),
        EXTRA_CLASSES,
    ]
    return stylesheet.words(path.read_text(encoding="utf-8") for path in files)


class Build:
    """One run over all sources; `names` fills up with logical -> hashed name."""

    def __init__(self, files: dict[str, Path], used: set[str]) -> None:
        self.files = files
        self.used = used
        self.names: dict[str, str] = {}
        self.contents: dict[str, bytes] = {}
        self._open: list[str] = []

    def add(self, name: str) -> str:
        """Return the hashed name of a source after building it and what it refers to."""
        if name in self.names:
            return self.names[name]
        if name in self._open:
            raise SetupError(f"Static files refer to each other in a circle: {' -> '.join([*self._open, name])}.")
        self._open.append(name)
        content = self._content(name)
        self._open.pop()
        stem, dot, suffix = name.rpartition(".")
        hashed = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{dot}{suffix}"
        self.names[name] = hashed
        self.contents[hashed] = content
        return hashed

    def _content(self, name: str) -> bytes:
        content = self.files[name].read_bytes()
        if name.endswith(".css"):
            text = content.decode("utf-8")
            if name == "vendor/tabler.css":
                text = stylesheet.prune(text, self.used, self._readers())
            elif not name.startswith("vendor/"):
                text = stylesheet.squeeze(text)
            return self._linked(name, text, _CSS_REFERENCE).encode()
        if name.endswith(".js"):
            text = _SOURCE_MAP.sub("", content.decode("utf-8"))
            return self._linked(name, text, _JS_REFERENCE).encode()
        return content

    def _readers(self) -> list[str]:
        own = (n for n in self.files if not n.startswith("vendor/") and n.endswith((".css", ".js")))
        return [self.files[name].read_text(encoding="utf-8") for name in own]

    def _linked(self, name: str, text: str, pattern: re.Pattern[str]) -> str:
        here = posixpath.dirname(name)

        def hashed(match: re.Match[str]) -> str:
            target = next(value for value in match.groups() if value)
            if target.startswith(("data:", "#", "http:", "https:", "/")):
                return match.group()
            logical = posixpath.normpath(posixpath.join(here, target))
            if logical not in self.files:
                raise SetupError(f"console/static/{name} refers to {target}, which does not exist.")
            relative = posixpath.relpath(self.add(logical), here)
            return match.group().replace(target, relative if relative.startswith(".") else f"./{relative}")

        return pattern.sub(hashed, text)


def _key(fingerprint: str, files: dict[str, Path], used: set[str]) -> str:
    digest = hashlib.sha256(fingerprint.encode())
    digest.update(Path(__file__).read_bytes())
    for name, path in files.items():
        digest.update(name.encode() + b"\0")
        if not name.startswith("vendor/"):
            digest.update(path.read_bytes())
    digest.update("\n".join(sorted(used)).encode())
    return digest.hexdigest()


def build() -> bool:
    """Bring console/static/dist up to date; tells whether anything had to be done."""
    with _alone():
        fingerprint = vendor.refresh()
        files = sources()
        # Only words that are classes of the base style sheet matter: an edit elsewhere must not cost a build.
        used = used_words() & set(json.loads(vendor.CLASSES.read_text(encoding="utf-8")))
        key = _key(fingerprint, files, used)
        old = _read_manifest()
        if old.get("key") == key and all((DIST / name).is_file() for name in old["files"].values()):
            return False
        work = Build(files, used)
        for name in files:
            work.add(name)
        _write(work.contents)
        _forget(keep={*work.names.values(), *old.get("files", {}).values()})
        manifest = {"key": key, "files": dict(sorted(work.names.items()))}
        fresh = MANIFEST.with_suffix(".new")
        fresh.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        fresh.replace(MANIFEST)
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


def _write(contents: dict[str, bytes]) -> None:
    import brotli

    for name, content in contents.items():
        path = DIST / name
        if path.is_file():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in TEXT:
            path.with_name(path.name + ".br").write_bytes(brotli.compress(content, quality=11))
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(content, 9, mtime=0))
        # The plain file comes last and at once: where it stands, its twins stand too.
        fresh = path.with_name(path.name + ".new")
        fresh.write_bytes(content)
        fresh.replace(path)


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
