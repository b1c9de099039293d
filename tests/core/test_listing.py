import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from console.core.listing import Column, Filter, ListSpec, csv_columns, parse
from console.domain.errors import Invalid
from console.models.identity import Site
from console.services.common.lists import run, stream
from tests.factories import make_site
from tests.support.statements import statements

SITES = ListSpec(
    name="sites",
    base=lambda ctx: select(Site).where(Site.name != "hidden"),
    row=lambda row: row[0],
    key=Site.id,
    columns=(
        Column("name", "Name", sort=Site.name),
        Column("zone", "Zone", sort=Site.zone),
        Column("version", "Version", numeric=True, shown=False),
    ),
    filters=(
        Filter(
            "zone",
            "Zone",
            "choice",
            lambda _ctx, words, _now: Site.zone.in_(words),
            (("Asia/Seoul", "Seoul"), ("UTC", "UTC")),
        ),
        Filter("before", "Before", "date", lambda _ctx, words, now: Site.created_at <= now),
    ),
    search=lambda _ctx, text: Site.name.icontains(text, autoescape=True),
    order=(Site.name.asc(),),
)


def query(text=""):
    pairs = [part.split("=", 1) for part in text.split("&") if part]
    return parse(SITES, MultiDict(pairs))


@pytest.fixture
def sites(ctx):
    for number in range(7):
        make_site(ctx.session, f"site {number}", now=ctx.now(), zone="UTC" if number % 2 else "Asia/Seoul")
    make_site(ctx.session, "hidden", now=ctx.now())
    make_site(ctx.session, "100%", now=ctx.now())


def shown(ctx, text=""):
    return [row.name for row in run(ctx, SITES, query(text)).rows]


def test_a_page_has_its_rows_its_count_and_its_place(ctx, sites):
    result = run(ctx, SITES, query("per_page=3&page=3"))

    assert [row.name for row in result.rows] == ["site 5", "site 6"]
    assert (result.total, result.pages, result.first, result.last, result.filtered) == (8, 3, 7, 8, False)


def test_a_page_beyond_the_end_is_the_last_one(ctx, sites):
    assert shown(ctx, "per_page=3&page=99") == ["site 5", "site 6"]


def test_filters_search_and_order_narrow_and_turn_the_list(ctx, sites):
    assert shown(ctx, "zone=UTC&sort=-name") == ["site 5", "site 3", "site 1"]
    assert shown(ctx, "q=site 3") == ["site 3"]
    assert shown(ctx, "q= site   3 ") == ["site 3"]
    assert shown(ctx, "q=%") == ["100%"]


@pytest.mark.parametrize(
    "text", ["sort=secret", "page=0", "page=-1", "page=1e9", "page=9999999999", "per_page=501", "page=²"]
)
def test_what_does_not_exist_is_refused(text):
    with pytest.raises(Invalid):
        query(text)


def test_an_unknown_choice_is_refused(ctx):
    with pytest.raises(Invalid):
        run(ctx, SITES, query("zone=Mars"))


def statements_of(ctx, size):
    with statements() as seen:
        run(ctx, SITES, query(f"per_page={size}"))
    return len(seen)


def test_the_number_of_queries_does_not_depend_on_the_page_size(ctx, sites):
    assert [statements_of(ctx, 1), statements_of(ctx, 250)] == [2, 2]


def test_an_export_takes_exactly_what_the_filter_matches(ctx, sites):
    asked = query("zone=UTC&per_page=1")

    assert [row.name for row in stream(ctx, SITES, asked)] == ["site 1", "site 3", "site 5"]
    assert [column.header for column in csv_columns(SITES)] == ["name", "zone", "version"]


def test_links_keep_the_rest_of_the_query_and_go_back_to_the_first_page():
    asked = query("zone=UTC&q=a b&page=4&per_page=25")

    assert asked.without("zone", "UTC") == "?q=a+b&per_page=25"
    assert asked.sorted_by("name") == "?zone=UTC&q=a+b&sort=name&per_page=25"
    assert query("sort=name").sorted_by("name") == "?sort=-name"
    assert asked.url(page=5).endswith("page=5")


@given(
    st.dictionaries(st.sampled_from(["zone", "q", "page", "per_page", "sort", "columns", "x"]), st.text(max_size=30))
)
def test_any_url_is_read_or_refused_and_what_is_read_survives_a_round_trip(args):
    try:
        asked = parse(SITES, MultiDict(args))
    except Invalid:
        return
    assert parse(SITES, MultiDict(asked.pairs())) == asked


@pytest.mark.parametrize(("count", "fits"), [(30, True), (31, False)])
def test_a_filter_takes_a_few_dozen_words(count, fits):
    words = "&".join(f"zone=z{number}" for number in range(count))
    if fits:
        assert len(query(words).filters["zone"]) == count
        return
    with pytest.raises(Invalid, match="at most 30 words"):
        query(words)


def test_a_word_said_again_is_one_word():
    assert query("&".join(["zone=UTC"] * 200)).filters["zone"] == ("UTC",)


def test_the_words_of_all_filters_are_bounded_together():
    with pytest.raises(Invalid, match="too long together"):
        query("&".join("zone=" + "가" * 90 + str(number) for number in range(6)))
