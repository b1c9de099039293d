"""The list component: every control is a link that works without script, and nothing that people write is markup."""

from __future__ import annotations

import re

import pytest
from flask import render_template_string
from werkzeug.datastructures import MultiDict

from console.blueprints.public import gallery
from console.core import listing

CALL = """{% import "partials/kit/list.html" as lists %}
{% call(row, column) lists.listing(data, url="/x", title="Rows", **options) %}{{ row[column.key] }}{% endcall %}"""


@pytest.fixture
def render(app, clock):
    """Return `render(query string as a dict, rows=True, **options)`: the markup of the sample list."""

    def draw(query=(), *, empty="", **options):
        with app.test_request_context("/x"):
            parsed = listing.parse(gallery.SPEC, MultiDict(query))
            data = gallery.sample_list(clock.now(), parsed, empty=empty)
            return render_template_string(CALL, data=data, options=options)

    return draw


@pytest.fixture
def menu(app, clock):
    """Return `menu(key, query)`: the markup of what a menu holds when it is opened."""
    call = '{% import "partials/kit/list.html" as lists %}{{ lists.menu(data, "/x", key) }}'

    def draw(key, query=()):
        with app.test_request_context("/x"):
            data = gallery.sample_list(clock.now(), listing.parse(gallery.SPEC, MultiDict(query)))
            return render_template_string(call, data=data, key=key)

    return draw


def links(markup):
    return [link.replace("&amp;", "&") for link in re.findall(r'href="([^"#]+)"', markup)]


def test_every_control_that_asks_again_is_a_link_too(render):
    markup = render([("status", "pending")])

    asking = re.findall(r"<a [^>]*hx-get=\"([^\"]+)\"[^>]*>", markup)
    assert asking
    assert all(f'href="{address}" hx-get="{address}"' in markup for address in asking)


def test_a_menu_is_loaded_when_it_is_opened_and_is_a_link_without_script(render):
    markup = render([("status", "pending")])

    assert "/x?status=pending&menu=status" in links(markup)
    assert 'hx-get="/x?status=pending&amp;menu=status"' in markup
    assert "보류" not in markup.split("<table")[0]


def test_a_choice_is_added_to_those_that_stand(menu):
    assert "/x?status=pending&status=blocked" in links(menu("status", [("status", "pending")]))


def test_a_choice_that_stands_is_marked_and_taken_away(menu):
    markup = menu("status", [("status", "pending"), ("status", "blocked")])

    assert {"/x?status=pending", "/x?status=blocked"} <= set(links(markup))
    assert markup.count('aria-current="true"') == 2


def test_a_chip_removes_its_whole_filter_and_keeps_the_rest(render):
    markup = render([("status", "pending"), ("q", "펌프")])

    removed = re.search(r'class="chip-x" href="([^"]+)"', markup).group(1)
    assert removed == "/x?q=%ED%8E%8C%ED%94%84"


def test_a_header_sorts_and_turns_round(render):
    assert "/x?sort=site" in links(render())
    turned = render([("sort", "site")])

    assert "/x?sort=-site" in links(turned)
    assert 'aria-sort="ascending"' in turned


def test_columns_are_chosen_by_links_and_the_last_one_stays(render, menu):
    only_title = menu("columns", [("columns", "title")])

    assert "/x?columns=title%2Csite" in links(only_title)
    assert re.search(r'<th scope="col"[^>]*>\s*(제목|Title)', render([("columns", "title")]))
    assert "columns=&" not in only_title


@pytest.mark.parametrize("path", ["/board", "/jobs", "/audit", "/admin/users", "/alerts"])
def test_a_menu_of_a_page_is_a_fragment_and_a_page(browser_client, path):
    client = browser_client("owner")
    partial = {"HX-Request": "true", "HX-Request-Type": "partial"}

    piece, page = client.get(f"{path}?menu=columns", headers=partial), client.get(f"{path}?menu=columns")

    assert (piece.status_code, "<html" in piece.text) == (200, False)
    assert (page.status_code, "<html" in page.text) == (200, True)
    assert client.get(f"{path}?menu=nothing", headers=partial).status_code == 422


def test_the_csv_is_of_exactly_these_rows(render):
    markup = render([("status", "pending"), ("sort", "-due"), ("page", "2")], csv_url="/x.csv")

    assert "/x.csv?status=pending&sort=-due&bom=1" in links(markup)


@pytest.mark.parametrize("size", [25, 100, 250])
def test_page_sizes_are_links(render, size):
    assert f"/x?per_page={size}" in links(render())


def test_the_count_is_said_and_announced(render):
    markup = render()

    assert re.search(r'data-announce="[^"]*128[^"]*"', markup)


@pytest.mark.parametrize(
    ("query", "empty", "words"), [((), "none", "아직 없습니다"), ((("q", "x"),), "none", "필터에 맞는 것이 없습니다")]
)
def test_an_empty_list_says_why(render, query, empty, words):
    assert words in render(query, empty=empty)


def test_an_empty_list_shows_no_table(render):
    assert "<table" not in render(empty="none")


def test_the_search_keeps_the_filters_in_hidden_fields(render):
    markup = render([("status", "pending"), ("q", "펌프")], search="찾기")
    form = re.search(r'<form class="filter-search".*?</form>', markup, re.DOTALL).group()

    assert '<input type="hidden" name="status" value="pending">' in form
    assert 'value="펌프"' in form
    assert form.count('name="q"') == 1


def test_what_people_type_is_escaped_everywhere(render):
    evil = '"><script>alert(1)</script>'
    markup = render([("q", evil), ("assignee", evil)], search="x", csv_url="/x.csv")

    assert "&lt;script&gt;" in markup
    assert "<script>" not in markup


def test_rows_can_be_marked_only_where_they_have_a_name(render):
    assert "data-select" not in render()
    marked = render(select="id", bulk="<button>x</button>")

    assert 'name="ids" value="1042"' in marked
    assert "data-bulk-all" in marked
