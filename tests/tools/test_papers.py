"""Papers that lead nowhere are worse than none: what they name of files, commands, settings and addresses exists."""

import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

import console
from console.core.config import Config
from console.core.settings import SETTINGS
from console.services.jobs import registry
from tools.structure import ROOT
from workers.__main__ import PROCESSES

PAPERS = sorted(
    path for place in ("*.md", "docs/**/*.md", "deploy/**/*.md", "benchmarks/*.md") for path in ROOT.glob(place)
)
# Recipes speak of a change that was made to try them, in a copy.
OF_TODAY = [path for path in PAPERS if path.parent.name != "recipes"]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
CODE = re.compile(r"^```\w*\n(.*?)^```$|`((?:[^`\n]|\n(?!\n))+)`", re.MULTILINE | re.DOTALL)
PATH = re.compile(r"(?<![\w./:-])(?:[\w.-]+/)+[\w.-]*(?!…)")
ADDRESS = re.compile(r"(?:(GET|POST|PUT|PATCH|DELETE) )?(/[a-z][\w/.-]*)(?:\?\S*)?")
# Folders under which papers find what they name in short, as in `core/context.py`.
FOLDERS = (ROOT, ROOT / "console", ROOT / "console" / "services")
# Names in capitals that are no settings.
CONSTANTS = {
    "ITEM_COLUMNS": "the columns of the package of a week, a constant of the module that is named beside it",
    "KA_DEPLOY_TOKEN": "the token of the command that is named beside it, which reads no setting of the console",
    **dict.fromkeys(
        ("DEPLOY_AND_SMOKE_OK", "RELEASE_GATE_OK", "RELEASE_GATE_FAILED", "RELEASE_GATE_INCOMPLETE"),
        "a word that pipelines look for",
    ),
}
# What begins like these is a file of a machine, no address of the console.
FILES_OF_A_MACHINE = ("/etc/", "/var/", "/opt/")


def names(papers, pattern):
    return [(paper, found) for paper in papers for found in pattern.findall(paper.read_text("utf-8"))]


def code(papers) -> Iterator[tuple[str, str]]:
    """Return each piece of a paper that is set as code, with the name of the paper."""
    return ((paper.name, block or span) for paper, (block, span) in names(papers, CODE))


@cache
def application():
    return console.create_app(Config.for_tests())


def test_links_between_papers_lead_somewhere():
    links = [(paper, link) for paper, link in names(PAPERS, LINK) if "://" not in link]

    assert links
    assert [f"{paper.name}: {link}" for paper, link in links if not (paper.parent / link).exists()] == []


def test_the_tests_that_papers_promise_exist():
    promised = names(PAPERS, TEST)

    assert promised
    assert [
        f"{paper.name}: {file}::{test}"
        for paper, (file, test) in promised
        if not (ROOT / file).exists() or f"def {test}(" not in (ROOT / file).read_text("utf-8")
    ] == []


def test_the_files_that_papers_name_exist():
    first = {path.name for folder in FOLDERS for path in folder.iterdir()}
    named = [
        (paper, path)
        for paper, text in code(PAPERS)
        for path in PATH.findall(text)
        if path.partition("/")[0] in first and not path.startswith(".") and "…" not in text
    ]

    assert len(named) > 100
    assert [
        f"{paper}: {path}" for paper, path in named if not any((folder / path).exists() for folder in FOLDERS)
    ] == []


def test_the_targets_of_make_that_papers_name_exist():
    offered = set(re.findall(r"(?m)^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8")))
    named = {(paper, found) for paper, text in code(PAPERS) for found in re.findall(r"\bmake ([a-z-]+)", text)}

    assert named
    assert {(paper, found) for paper, found in named if found not in offered} == set()


def wrong_in_flask(words: list[str]) -> list[str]:
    """Return what of a command line after `flask` no command knows."""
    command: click.Command = application().cli
    for place, word in enumerate(words):
        if not isinstance(command, click.Group):
            options = {option for parameter in command.params for option in parameter.opts}
            return [word for word in words[place:] if word.startswith("-") and word not in options]
        found = command.get_command(click.Context(command), word)
        if found is None:
            return [word]
        # a group may hand over to another one when it is asked for
        command = found.make_context(word, [], resilient_parsing=True).command
    return []


def wrong_in_workers(words: list[str]) -> list[str]:
    """Return what of a command line after `python -m workers` is neither a process nor a job with its options."""
    if words[0] in PROCESSES:
        return []
    job = registry.find(words[0])
    if job is None:
        return words[:1]
    options = {"--dry-run", *(f"--{name.replace('_', '-')}" for name in job.options.model_fields)}
    return [word for word in words[1:] if word.startswith("-") and word not in options]


@pytest.mark.parametrize(
    ("program", "wrong"), [("flask", wrong_in_flask), ("python -m workers", wrong_in_workers)], ids=["flask", "workers"]
)
def test_the_commands_that_papers_name_exist(program, wrong):
    named = [
        (paper, found[0], found[1].split())
        for paper, text in code(PAPERS)
        for found in re.finditer(rf"\b{program}((?: +--?[a-z][\w-]*| +[a-z_][\w-]*)+)", text)
    ]

    assert len(named) > 3
    assert [(paper, line, wrong(words)) for paper, line, words in named if wrong(words)] == []


def test_the_modules_that_papers_start_exist():
    named = [(paper, name) for paper, text in code(PAPERS) for name in re.findall(r"python -m ([\w.]+)", text)]

    assert named
    assert [(paper, name) for paper, name in named if find_spec(name) is None] == []


def test_the_settings_that_papers_name_exist():
    known = {setting.name for setting in SETTINGS} | set(CONSTANTS)
    named = [
        (paper, name)
        for paper, text in code(PAPERS)
        for name in re.findall(r"(?<![\w-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?![\w-])", text)
    ]
    sample = ROOT / "deploy" / "ka-facility-os.env"
    named += [(sample.name, name) for name in re.findall(r"(?m)^(\w+)=", sample.read_text("utf-8"))]

    assert len(named) > 100
    assert [(paper, name) for paper, name in named if name not in known] == []


def test_the_addresses_that_papers_name_answer():
    routes = application().url_map.bind("localhost")

    def answers(method: str, path: str) -> bool:
        try:
            routes.match(path, method=method)
        except (NotFound, MethodNotAllowed):
            return False
        except RequestRedirect:
            return True
        return True

    named = [
        (paper, found[1] or "GET", found[2])
        for paper, text in code(OF_TODAY)
        if (found := ADDRESS.fullmatch(text)) and not found[2].startswith(FILES_OF_A_MACHINE)
    ]

    assert len(named) > 10
    assert [(paper, method, path) for paper, method, path in named if not answers(method, path)] == []


def test_the_list_of_decisions_says_what_the_decisions_say():
    folder = ROOT / "docs" / "adr"
    listed = re.findall(
        r"(?m)^\| \[(\d+)\]\(([\w.-]+)\) \| (.+?) \| (.+?) \|$", (folder / "README.md").read_text("utf-8")
    )
    said = []
    for path in sorted(folder.glob("0*.md")):
        title, status = re.search(r"# \d+\. (.+)\n\nStatus: (.+)\n", path.read_text("utf-8")).groups()
        said.append((path.name[:4], path.name, title, status))

    assert listed == said


def test_every_package_that_is_asked_for_has_a_row_with_its_reason():
    readme = (ROOT / "README.md").read_text("utf-8")
    cells = [
        row.split("|")[1] for row in readme.partition("\n## Dependencies\n")[2].splitlines() if row.startswith("| ")
    ]
    asked = {
        name
        for file in ("requirements.in", "requirements-dev.in")
        for name in re.findall(r"(?m)^([\w.-]+)", (ROOT / file).read_text("utf-8"))
        if not name.startswith("-")
    } | {
        name
        for kind in ("dependencies", "devDependencies")
        for name in json.loads((ROOT / "package.json").read_text("utf-8"))[kind]
    }

    assert asked - set(re.findall(r"[\w@/.-]+", " ".join(cells))) == set()


def test_there_is_one_version():
    described = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]

    assert described == console.__version__
    assert f"\n## [{described}] - " in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(ROOT)))
def test_a_paper_has_one_title(paper: Path):
    outside_code = re.sub(r"(?ms)^```.*?^```", "", paper.read_text("utf-8"))

    assert len(re.findall(r"(?m)^# ", outside_code)) == 1
