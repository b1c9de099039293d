"""Papers that lead nowhere are worse than none: links, tests and paths that they name exist."""

import re
from pathlib import Path

import pytest

from tools.structure import ROOT

PAPERS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
FILE = re.compile(r"`((?:console|workers|tests|tools|migrations|benchmarks)/[\w./-]+)`")


def names(papers, pattern):
    return [(paper, found) for paper in papers for found in pattern.findall(paper.read_text("utf-8"))]


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
    missing = [f"{paper.name}: {file}" for paper, file in names(PAPERS, FILE) if not (ROOT / file.rstrip("/")).exists()]

    assert missing == []


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(ROOT)))
def test_a_paper_has_one_title(paper: Path):
    outside_code = re.sub(r"(?ms)^```.*?^```", "", paper.read_text("utf-8"))

    assert len(re.findall(r"(?m)^# ", outside_code)) == 1
