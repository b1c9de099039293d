"""Guards over all templates: they compile, they keep the content security policy, their names exist."""

import re
from functools import cache
from pathlib import Path

import pytest
from jinja2 import nodes

from console import create_app
from console.core.config import Config
from console.web.assets import manifest
from tools import vendor

CONSOLE = Path(__file__).parent.parent / "console"
PAGES = sorted(path.relative_to(CONSOLE / "templates").as_posix() for path in CONSOLE.glob("templates/**/*.html"))
PARTIALS = sorted(f"partials/{path.relative_to(CONSOLE / 'partials')}" for path in CONSOLE.glob("partials/**/*.html"))
# Pages that stand in a layout; the others are pieces that a page includes.
WHOLE_PAGES = [
    name
    for name in PAGES
    if not name.startswith("layouts/") and "{% extends" in (CONSOLE / "templates" / name).read_text(encoding="utf-8")
]

# What the content security policy would block, and what would load something from elsewhere.
NEVER = {
    "style attribute": r"<[^>]*\sstyle\s*=",
    "style element": r"<style\b",
    "inline script": r"<script\b(?![^>]*\ssrc=)(?![^>]*\stype=\"application/(?:ld\+)?json\")",
    "event attribute": r"<[^>]*\son[a-z]+\s*=",
    "hx-on": r"\shx-on\b",
    "script address": r"javascript:",
    "evaluated value": r"hx-[a-z]+(?::[a-z]+)?\s*=\s*[\"']\s*js(?:on)?:",
    "evaluated trigger": r"hx-trigger\s*=\s*\"[^\"]*\[[^\"]*\]",
    "foreign file": r"\b(?:src|href)\s*=\s*[\"'](?:https?:)?//",
}
WIDEST = 120
# A language is named in itself: whoever looks for it reads nothing else.
OWN_NAME = "한국어"
# The gallery names people and places of its own to have something to show.
GALLERY = "public/components.html"


@cache
def environment():
    return create_app(Config.for_tests()).jinja_env


def source(name: str) -> str:
    text = environment().loader.get_source(environment(), name)[0]
    return re.sub(r"\{#.*?#\}", lambda comment: "\n" * comment.group().count("\n"), text, flags=re.DOTALL)


def test_there_are_templates():
    assert len(PAGES) > 10
    assert len(PARTIALS) > 10


@pytest.mark.parametrize("name", [*PAGES, *PARTIALS])
def test_every_template_compiles(name):
    assert environment().get_template(name)


@pytest.mark.parametrize("name", [*PAGES, *PARTIALS])
@pytest.mark.parametrize("what", NEVER)
def test_a_template_keeps_the_content_security_policy(name, what):
    text = source(name)

    assert [text[: match.start()].count("\n") + 1 for match in re.finditer(NEVER[what], text)] == []


@pytest.mark.parametrize("name", [name for name in (*PAGES, *PARTIALS) if name != GALLERY])
def test_a_template_speaks_through_translations_only(name):
    assert re.findall(r"[가-힣ㄱ-ㅎㅏ-ㅣ]+", source(name).replace(OWN_NAME, "")) == []


@pytest.mark.parametrize("name", WHOLE_PAGES)
def test_every_page_says_its_title(name):
    tree = environment().parse(source(name))
    named = [node.target.name for node in tree.find_all(nodes.Assign) if isinstance(node.target, nodes.Name)]

    assert "title" in named or any(block.name == "title" for block in tree.find_all(nodes.Block))


@pytest.mark.parametrize("name", [*PAGES, *PARTIALS])
def test_no_line_is_too_wide(name):
    text = environment().loader.get_source(environment(), name)[0]

    assert [number for number, line in enumerate(text.splitlines(), start=1) if len(line) > WIDEST] == []


@pytest.mark.parametrize("name", PARTIALS)
def test_every_component_says_on_top_what_it_is_and_what_it_takes(name):
    text = environment().loader.get_source(environment(), name)[0]
    documented = re.match(r"\s*\{#(.*?)#\}", text, flags=re.DOTALL)
    assert documented is not None
    words = set(re.findall(r"\w+", documented[1]))
    offered = [macro for macro in environment().parse(text).find_all(nodes.Macro) if not macro.name.startswith("_")]

    assert {macro.name for macro in offered} - words == set()
    assert {argument.name for macro in offered for argument in macro.args} - words == set()


@pytest.mark.parametrize("name", PARTIALS)
def test_a_component_takes_nothing_that_it_does_not_draw(name):
    """What only the page around a component shows is the page's: a fragment is asked for without it."""
    macros = environment().parse(source(name)).find_all(nodes.Macro)
    unread = [
        f"{macro.name}: {argument.name}"
        for macro in macros
        for argument in macro.args
        if argument.name not in {read.name for read in macro.find_all(nodes.Name) if read.ctx == "load"}
    ]

    assert unread == []


def test_every_icon_that_is_asked_for_is_in_the_sprite():
    known = {name.replace("/", "-") for name in vendor.icon_names()}
    asked: dict[str, str] = {}
    for path in [*CONSOLE.rglob("*.html"), *CONSOLE.rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        for name in re.findall(r"\bicon(?:\(|=)\s*[\"']([a-z0-9-]+)[\"']", text):
            asked[name] = str(path.relative_to(CONSOLE))

    assert {name: where for name, where in asked.items() if name not in known} == {}


def test_every_static_file_that_is_asked_for_exists():
    asked = {
        name: str(path.relative_to(CONSOLE))
        for path in CONSOLE.rglob("*.html")
        for name in re.findall(r"asset_url\(\s*[\"']([^\"']+)[\"']\s*\)", path.read_text(encoding="utf-8"))
    }

    assert asked
    assert {name: where for name, where in asked.items() if name not in manifest()} == {}
