"""Searching orders by words, and their order: what is found is what was always found, with one look at each row."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, or_, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import Context, unit_of_work
from console.core.database import make_engine
from console.core.listing import ListQuery
from console.domain.hangul import syllables_of
from console.domain.ids import number_in
from console.models.assets import Asset
from console.models.base import Base
from console.models.identity import User
from console.models.work_orders import WorkOrder
from console.services.common import lists as engine_of_lists
from console.services.home import search
from console.services.work_orders import lists
from tests.conftest import START, actor_of
from tests.factories import make_user
from tests.factories.work_orders import add_asset, add_order
from tests.support.postgres import postgres_url
from tests.support.statements import statements

LETTERS = "누수나삭ㄴㅅㄲ 7#%_/\\'*?[]^-aBkKi\u212aİIÉéßẞΣςσ"
ALL = {"state": ("all",)}


def written(seed, most):
    chance = random.Random(seed)
    return "".join(chance.choice(LETTERS) for _ in range(chance.randint(1, most)))


def fill(session, now, number):
    people = [make_user(session, now=now, username=f"p{one}", display_name=written(one, 6)) for one in range(3)]
    things = [add_asset(session, now, f"{written(100 + one, 4)}-{one}", name=written(200 + one, 6)) for one in range(3)]
    for one in range(number):
        person = (None, *people)[one % 4]
        add_order(
            session,
            now,
            title=written(1000 + one, 8),
            description=written(2000 + one, 9) + "\n" + written(3000 + one, 5) if one % 3 else "",
            location=written(4000 + one, 4),
            site=("본관", "별관 B2", "k-İ")[one % 3],
            assignee=person.username if person else (None, "İkia")[one % 2],
            assignee_user_id=person.id if person else None,
            asset_id=things[one % 3].id if one % 5 == 0 else None,
            reporter=(None, "박", "김")[one % 3],
            due_at=now + timedelta(hours=one % 7),
            status=("open", "acked", "completed")[one % 3],
            completed_at=now + timedelta(minutes=one % 4) if one % 3 == 2 else None,
            evidence_after=one % 2,
        )


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request, tmp_path_factory):
    """A context of an owner in a database with sixty orders of difficult texts."""
    folder = tmp_path_factory.mktemp("words")
    url = postgres_url("words") if request.param == "postgresql" else f"sqlite:///{folder}/words.db"
    engine = make_engine(url)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        fill(session, START, 60)
        session.commit()
        yield Context(session, FixedClock(START), actor_of(), Config.for_tests(DATABASE_URL=url, DATA_DIR=str(folder)))
    engine.dispose()


def had(column, words, sqlite):
    """What it meant that a text has words, said as plainly as the databases can say it."""
    if not syllables_of(words) and words.lower() != words.upper():
        return column.contains(words, autoescape=True) if sqlite else column.icontains(words, autoescape=True)
    plain = column.contains(words, autoescape=True)
    if not (syllables := syllables_of(words)):
        return plain
    ranges = "".join(f"[{first}-{last}]" for first, last in syllables)
    bare = func.replace(column, " ", "")
    return or_(plain, bare.op("GLOB")(f"*{ranges}*") if sqlite else bare.collate("C").op("~")(ranges))


def plainly(ctx, words):
    sqlite = ctx.session.get_bind().dialect.name == "sqlite"
    texts = (WorkOrder.title, WorkOrder.description, WorkOrder.location, WorkOrder.site, WorkOrder.assignee)
    if not sqlite:
        texts = [text.expression for text in texts]
    people = select(User.username).where(had(User.display_name, words, sqlite))
    things = select(Asset.id).where(or_(had(Asset.code, words, sqlite), had(Asset.name, words, sqlite)))
    found = [had(column, words, sqlite) for column in texts]
    number = number_in(words.strip().removeprefix("#"))
    if number is not None:
        found.append(WorkOrder.id == number)
    asked = or_(*found, WorkOrder.assignee.in_(people), WorkOrder.asset_id.in_(things))
    return sorted(ctx.session.scalars(select(WorkOrder.id).where(asked)))


@given(st.text(st.sampled_from(LETTERS), min_size=1, max_size=4).filter(str.strip))
def test_words_find_exactly_the_orders_that_they_found_when_each_text_was_compared(filled, words):
    words = " ".join(words.split())

    found = filled.session.scalars(select(WorkOrder.id).where(lists.matches(filled, words)))

    assert sorted(found) == plainly(filled, words)


def ids(ctx, **asked):
    result = engine_of_lists.run(ctx, lists.spec(ctx.now()), ListQuery(**asked))
    return [row.id for row in result.rows], result.total


@pytest.mark.parametrize("few", [1, 5, 1000])
def test_pages_of_a_search_do_not_depend_on_how_many_are_put_in_order_by_themselves(filled, monkeypatch, few):
    monkeypatch.setattr(engine_of_lists, "FEW", few)
    for words in ("누", "7", "a", "없는말", "ㄴ"):
        wanted = set(plainly(filled, words))
        for sort, descending in (("", False), ("title", False), ("title", True), ("completed_at", True)):
            asked = {"filters": ALL, "sort": sort, "descending": descending}
            everything, _total = ids(filled, **asked, per_page=500)
            found = [one for one in everything if one in wanted]
            for page in (1, 2):
                shown = found[(page - 1) * 4 : page * 4]
                if shown or page == 1:
                    assert ids(filled, search=words, page=page, per_page=4, **asked) == (shown, len(wanted))


SORTS = [column.key for column in lists.spec(START).columns if column.sort is not None]


@pytest.mark.parametrize("sort", SORTS)
def test_each_order_goes_both_ways_without_a_value_last_and_the_newest_of_equal_ones_first(filled, sort):
    spec = lists.spec(START)
    column = getattr(spec.column(sort).sort, "expression", spec.column(sort).sort)
    rows = filled.session.execute(select(WorkOrder.id, column)).all()
    for descending in (False, True):
        newest = sorted(rows, key=lambda row: -row[0])
        valued = sorted((row for row in newest if row[1] is not None), key=lambda row: row[1], reverse=descending)
        # Python keeps equal ones as they are, also when it turns the order round.
        wanted = [row[0] for row in (*valued, *(row for row in newest if row[1] is None))]

        pages = [
            ids(filled, filters=ALL, sort=sort, descending=descending, page=page, per_page=20)[0] for page in (1, 2, 3)
        ]

        assert [one for page in pages for one in page] == wanted


@pytest.mark.parametrize("descending", [False, True])
def test_orders_by_title_are_walked_along_an_index_both_ways(filled, descending):
    session = filled.session
    sqlite = session.get_bind().dialect.name == "sqlite"
    with statements(session.get_bind()) as seen:
        ids(filled, filters=ALL, sort="title", descending=descending)
    asked = next(one for one in seen if "ORDER BY" in one and "LIMIT" in one)
    if not sqlite:
        session.execute(text("SET LOCAL enable_seqscan = off"))
    direction = "DESC" if descending else "ASC"
    assert f"work_orders.title {direction}, work_orders.id DESC" in asked
    plain = f"SELECT id FROM work_orders ORDER BY title {direction}, id DESC LIMIT 5"
    plan = session.execute(text(f"EXPLAIN {'QUERY PLAN ' if sqlite else ''}{plain}")).all()
    assert "ix_work_orders_title" in str(plan)


def test_a_search_looks_at_the_orders_once(filled):
    for words in ("누수나", "7"):
        with statements(filled.session.get_bind()) as seen:
            ids(filled, search=words, filters=ALL)
        # Whose names have the words, the orders, and those that are shown.
        assert len([one for one in seen if "FROM work_orders" in one and "title, " in one]) == 2
        assert len([one for one in seen if "EXISTS" in one]) == 1


def test_a_remembered_search_sees_a_name_that_changed(filled):
    filled.session.rollback()
    factory = sessionmaker(filled.session.get_bind())

    def look():
        reading = {"actor": filled.actor, "clock": filled.clock, "config": filled.config}
        with unit_of_work(factory, write=False, **reading) as ctx:
            return ids(ctx, search="새이름", filters=ALL)[1]

    def call(name):
        with factory.begin() as session:
            session.execute(update(User).where(User.username == "p1").values(display_name=name))

    assert look() == 0
    call("새이름")
    assert look() == 15
    call("옛이름")
    assert look() == 0


@pytest.mark.parametrize("near", [1, 3, 1000])
def test_the_hits_of_the_palette_do_not_depend_on_how_many_are_looked_through_first(filled, monkeypatch, near):
    monkeypatch.setattr(engine_of_lists, "NEAR", near)
    for words in ("누", "7", "본관"):
        wanted = plainly(filled, words)
        due = {
            one.id: (one.status == "completed", one.due_at, one.priority_rank, one.id)
            for one in filled.session.scalars(select(WorkOrder))
        }

        hits = [hit.id for hit in search.find(filled, words) if hit.kind == "work_order"]

        assert hits == sorted(wanted, key=due.__getitem__)[: search.MOST]
