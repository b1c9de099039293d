"""Guards over styles, scripts and icons: sizes, names that collide, themes that drift apart."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from console.web.assets import DIST, manifest

CONSOLE = Path(__file__).parent.parent / "console"
SHEETS = sorted(CONSOLE.glob("static/css/*.css"))
SCRIPTS = sorted(CONSOLE.glob("static/js/*.js"))
TEMPLATES = sorted([*CONSOLE.glob("partials/**/*.html"), *CONSOLE.glob("templates/**/*.html")])
# Everything that a first visit of any page loads, fonts apart.
FIRST_VISIT_BYTES = 100 * 1024
# Tabler's parts that we build on; any other class of ours must have a name that Tabler does not use.
FROM_TABLER = {
    *("btn", "btn-primary", "btn-danger", "btn-ghost", "btn-icon", "btn-sm"),
    *("form-control", "form-control-sm", "form-select", "form-check", "form-check-input", "form-label", "form-hint"),
    *("icon", "icon-sm", "invalid-feedback", "is-invalid", "required", "small", "strong"),
    *("visually-hidden", "visually-hidden-focusable"),
}
# What would run texts as code, or put texts of people into the page as markup.
FORBIDDEN = r"\beval\(|new Function|\.innerHTML\s*=\s*[`'\"]|insertAdjacentHTML|document\.write|\.style\.cssText"


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def class_names(css: str) -> set[str]:
    """Return the classes that stand before the braces of a style sheet."""
    bare = re.sub(r"""/\*.*?\*/|"[^"]*"|'[^']*'|url\([^)]*\)""", "", css, flags=re.DOTALL)
    return set(re.findall(r"\.(-?[A-Za-z_][\w-]*)", " ".join(re.findall(r"[^{};]+(?=\{)", bare))))


def test_classes_are_read_from_selectors_only():
    css = ".a .b-c:hover,.w_1>p{margin:.5rem;background:url(x.svg)}@media print{.d{top:1.5em}/* .e{} */}"

    assert class_names(css) == {"a", "b-c", "w_1", "d"}


def test_a_first_visit_stays_small():
    served = [DIST / name for logical, name in manifest().items() if logical.endswith((".css", ".js", ".svg"))]
    total = sum(path.with_name(path.name + ".br").stat().st_size for path in served)

    assert total <= FIRST_VISIT_BYTES


def test_no_class_of_ours_is_one_of_tablers_by_accident():
    tabler = class_names(text(CONSOLE / "static" / "vendor" / "tabler.css"))
    ours = set().union(*(class_names(text(sheet)) for sheet in SHEETS))

    assert (ours & tabler) - FROM_TABLER == set()


def test_every_class_of_ours_is_used():
    ours = set().union(*(class_names(text(sheet)) for sheet in SHEETS))
    pages = "".join(text(path) for path in (*TEMPLATES, *SCRIPTS, *CONSOLE.rglob("*.py")))
    named = set(re.findall(r"[\w-]+", pages))
    # Names that end in a word of the data: `series-{{ tone }}`.
    begun = set(re.findall(r"([a-z][\w-]*-)(?:\{\{|\$\{|' ?~)", pages))

    # htmx sets its own.
    unused = {name for name in ours - named if not name.startswith(("htmx-", *begun))}
    assert unused == set()


def test_both_dark_themes_say_the_same():
    tokens = re.sub(r"/\*.*?\*/", "", text(CONSOLE / "static" / "css" / "tokens.css"), flags=re.DOTALL)
    by_system = re.search(r':root:not\(\[data-theme="light"\]\) \{(.*?)\}', tokens, re.DOTALL).group(1)
    by_choice = re.search(r':root\[data-theme="dark"\] \{(.*?)\}', tokens, re.DOTALL).group(1)

    def declared(block):
        return dict(re.findall(r"([\w-]+):\s*([^;]+);", block))

    assert declared(by_system) == declared(by_choice)


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [":root {", ':root[data-theme="dark"] {'])
@pytest.mark.parametrize("ink", ["ink", "ink-2", "ink-3", "accent", "late", "soon", "ok", "wait"])
@pytest.mark.parametrize("ground", ["surface", "bg", "hover"])
def test_words_can_be_read_on_every_ground(theme, ink, ground):
    block = text(CONSOLE / "static" / "css" / "tokens.css").split(theme, 1)[1].split("}", 1)[0]
    colours = dict(re.findall(r"--([\w-]+):\s*(#[0-9a-fA-F]{3,6})", block))

    assert contrast(colours[ink], colours[ground]) >= 4.5


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(CONSOLE)))
def test_every_icon_exists(path):
    named = re.findall(r'\bicon\("([\w/-]+)"', text(path))
    known = set(re.findall(r'id="([\w/-]+)"', text(CONSOLE / "static" / "vendor" / "icons.svg")))

    assert set(named) - known == set()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_evaluates_and_inlines_nothing(path):
    source = text(path)

    assert re.findall(FORBIDDEN, source) == []
    assert re.findall(r"https?://", source) == []


def test_the_words_of_scripts_are_there():
    from console.ui.frame import SCRIPT_TEXTS

    asked = set()
    for path in SCRIPTS:
        asked |= set(re.findall(r"\btext\('(\w+)'", text(path)))

    assert asked
    assert asked - set(SCRIPT_TEXTS) == set()
