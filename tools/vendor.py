"""Copy what the console serves from node_modules into console/static/vendor (not in git)."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

from tools import node
from tools.node import LOCK, MODULES, ROOT, SetupError

VENDOR = ROOT / "console" / "static" / "vendor"
ICONS = ROOT / "tools" / "icons.txt"
STAMP = VENDOR / ".stamp"

FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "tabler.css": "@tabler/core/dist/css/tabler.min.css",
}
FONT = MODULES / "pretendard" / "dist" / "web" / "variable"
# The faces of papers: whole files, of which a paper embeds what it writes. Browsers never ask for them.
PAPER = MODULES / "pretendard" / "dist" / "public" / "static" / "alternative"
PAPER_FACES = ("Pretendard-Regular.ttf", "Pretendard-Bold.ttf")
FONT_SHEET = "pretendardvariable-dynamic-subset.css"
FONT_FOLDER = "woff2-dynamic-subset"
ICON_FOLDER = MODULES / "@tabler" / "icons" / "icons"


def fingerprint() -> str:
    """Return the hash of everything the vendor folder is made from."""
    parts = (LOCK, ICONS, Path(__file__))
    return hashlib.sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()


def refresh() -> str:
    """Bring the vendor folder up to date, installing packages only when it is not; returns its fingerprint."""
    wanted = fingerprint()
    if STAMP.is_file() and STAMP.read_text() == wanted and all((VENDOR / name).is_file() for name in FILES):
        return wanted
    node.install()
    fresh = VENDOR.with_name("vendor.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name, source in FILES.items():
        shutil.copyfile(_existing(MODULES / source), fresh / name)
    _font(fresh)
    (fresh / "icons.svg").write_text(sprite(icon_names()), encoding="utf-8")
    (fresh / STAMP.name).write_text(wanted)
    shutil.rmtree(VENDOR, ignore_errors=True)
    fresh.rename(VENDOR)
    return wanted


def icon_names() -> list[str]:
    """Return the names in the icon list, sorted and each once."""
    lines = (line.strip() for line in ICONS.read_text(encoding="utf-8").splitlines())
    return sorted({line for line in lines if line and not line.startswith("#")})


def sprite(names: list[str]) -> str:
    """Return one SVG file with a symbol per icon.

    Width of the stroke is left to the page, colour follows the text. Raises SetupError for a name that does not exist.
    """
    symbols = []
    for name in names:
        style, _, file = name.rpartition("/")
        path = _existing(ICON_FOLDER / (style or "outline") / f"{file}.svg")
        drawing = re.sub(r"<!--.*?-->", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        inside = drawing.partition("<svg")[2].partition(">")[2].rpartition("</svg>")[0]
        inside = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>', "", inside)
        inside = re.sub(r"\s*\n\s*", "", inside).replace(" />", "/>")
        paint = (
            'fill="currentColor"'
            if style
            else 'fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"'
        )
        symbols.append(f'<symbol id="{name.replace("/", "-")}" viewBox="0 0 24 24" {paint}>{inside}</symbol>')
    note = "<!-- Tabler Icons, MIT license, Copyright Paweł Kuna -->"
    return '<svg xmlns="http://www.w3.org/2000/svg">' + note + "\n" + "\n".join(symbols) + "\n</svg>\n"


def _font(folder: Path) -> None:
    sheet = _existing(FONT / FONT_SHEET).read_text(encoding="utf-8")
    licence = sheet.partition("*/")[0].replace("/*", "/*!", 1) + "*/\n"
    faces = re.findall(r"@font-face\s*\{.*?\}", sheet, re.DOTALL)
    if not faces:
        raise SetupError(f"No font faces in {FONT_SHEET}: the font package has changed.")
    (folder / "fonts").mkdir()
    for file in sorted((FONT / FONT_FOLDER).glob("*.woff2")):
        shutil.copyfile(file, folder / "fonts" / file.name)
    for name in PAPER_FACES:
        shutil.copyfile(_existing(PAPER / name), folder / "fonts" / name)
    text = licence + "\n".join(faces).replace(f"./{FONT_FOLDER}/", "./fonts/")
    (folder / "pretendard.css").write_text(text, encoding="utf-8")


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise SetupError(f"{path.relative_to(ROOT)} is missing: mend tools/icons.txt or tools/vendor.py.")
    return path
