import pytest
from sqlalchemy import select
from sqlalchemy.orm import sessionmaker

from console.core.context import ALL_SITES, ANONYMOUS, SYSTEM, Actor, unit_of_work
from console.domain.errors import GlobalScopeRequired, PermissionDenied, SiteDenied
from console.models.identity import Site
from tests.factories import make_site


def names(engine):
    with sessionmaker(engine)() as session:
        return list(session.scalars(select(Site.name).order_by(Site.name)))


def test_a_unit_of_work_commits_once_and_then_runs_what_waited(engine, clock, config):
    seen = []
    with unit_of_work(sessionmaker(engine), actor=SYSTEM, clock=clock, config=config) as ctx:
        make_site(ctx.session, "본관", now=ctx.now())
        ctx.after_commit(lambda: seen.append(names(engine)))
        assert seen == []

    assert seen == [["본관"]]


def test_an_error_leaves_nothing_behind(engine, clock, config):
    seen = []

    def fail():
        with unit_of_work(sessionmaker(engine), actor=SYSTEM, clock=clock, config=config) as ctx:
            make_site(ctx.session, "본관", now=ctx.now())
            ctx.after_commit(lambda: seen.append("ran"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert seen == []
    assert names(engine) == []


def test_a_reader_may_turn_into_a_writer_while_others_have_written(engine, clock, config):
    factory = sessionmaker(engine)
    with unit_of_work(factory, actor=SYSTEM, clock=clock, config=config, write=False) as reader:
        reader.session.scalars(select(Site)).all()
        with unit_of_work(factory, actor=SYSTEM, clock=clock, config=config) as other:
            make_site(other.session, "A", now=other.now())
        reader.begin_write()
        make_site(reader.session, "B", now=reader.now())

    assert names(engine) == ["A", "B"]


@pytest.mark.parametrize(
    ("held", "asked", "allowed"),
    [
        (("*",), "admins:manage", True),
        (("work_orders:*",), "work_orders:read", True),
        (("work_orders:read",), "work_orders:read", True),
        (("work_orders:read",), "work_orders:write", False),
        (("work_orders",), "work_orders:read", False),
        ((), "work_orders:read", False),
    ],
)
def test_a_permission_is_held_as_star_literally_or_by_its_namespace(held, asked, allowed):
    assert Actor("token", "a", permissions=held).can(asked) is allowed


def test_a_refusal_names_the_published_permission():
    with pytest.raises(PermissionDenied, match="Missing permission: admins:manage"):
        ANONYMOUS.require("admins:manage", "jobs:read")


def test_sites_outside_the_scope_are_refused_and_no_scope_sees_none():
    scoped = Actor("token", "a", site_scope=("A",))
    scoped.require_site("A")
    scoped.require_site(None)
    with pytest.raises(SiteDenied):
        scoped.require_site("B")
    with pytest.raises(GlobalScopeRequired):
        scoped.require_all_sites()
    assert not ANONYMOUS.sees("A")
    assert Actor("token", "o", site_scope=ALL_SITES).sees("B")
