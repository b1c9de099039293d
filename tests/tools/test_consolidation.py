"""All tracker pages are one family of templates, nothing stands twice, and a week more adds no line."""

from dataclasses import replace

import pytest

from console.domain.programme import catalogue
from tools import consolidation
from tools.consolidation import FAMILY, faults, files_of, line_count, tracker_pages


@pytest.fixture
def pages():
    return [files_of(name, template) for name, template in tracker_pages()]


def test_the_promise_is_kept(pages, capsys):
    assert faults(pages) == []
    assert consolidation.main() == 0
    assert "One family, nothing twice." in capsys.readouterr().out


def test_every_tracker_has_a_page_and_all_use_the_whole_family(pages):
    assert [page.name for page in pages] == ["board", *catalogue.WEEKS]
    assert all(set(FAMILY) <= page.partials for page in pages)
    assert all("static/js/board.js" in page.scripts for page in pages)


def test_a_week_more_adds_no_template_line(pages, monkeypatch):
    monkeypatch.setitem(catalogue.WEEKS, "w16", replace(catalogue.WEEKS["w15"], code="w16"))
    more = [files_of(name, template) for name, template in tracker_pages()]
    before, after = (frozenset().union(*(page.files for page in found)) for found in (pages, more))

    assert [page.name for page in more][-1] == "w16"
    assert (line_count(after), after) == (line_count(before), before)
    assert faults(more) == []


def test_what_stands_twice_is_found(tmp_path, monkeypatch):
    lines = [f"<p>line {number}</p>" for number in range(8)]
    for name, own in (("one.html", "a"), ("two.html", "b")):
        (tmp_path / name).write_text("\n".join([own, *lines, own]), encoding="utf-8")
    monkeypatch.setattr(consolidation, "path_of", lambda name: tmp_path / name)

    (found,) = consolidation.twice(["one.html", "two.html"])

    assert (found.first, found.second, found.lines) == ("one.html:2", "two.html:2", 8)
    assert consolidation.twice(["one.html", "two.html"], least=9) == []


def test_a_page_of_its_own_is_a_fault(pages):
    stray = replace(pages[-1], partials=pages[-1].partials - {FAMILY[0]})

    assert f"{stray.name} does not use {FAMILY[0]}" in faults([*pages[:-1], stray])
    assert "the weeks are not made of the same files" in faults([*pages[:-1], stray])
