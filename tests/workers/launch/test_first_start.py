import click
import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import sessionmaker

from console import create_app
from console.core.config import Config
from console.core.context import SYSTEM, unit_of_work
from console.models.identity import User
from console.services.identity import users
from console.web.extensions import db
from workers.launch import first_start as first_start_module
from workers.launch.first_start import FirstStart


class PulledPlugError(Exception):
    """The machine loses power in the middle of the demo company."""


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Return `make(then=..., **settings)`: first starts on one database file, with a demo company of one person."""
    apps = []
    # The log lines of later tests must not go where this one is read.
    monkeypatch.setattr(first_start_module.logs, "configure", lambda _level: None)

    def first_start(then=None, **settings):
        url = f"sqlite:///{tmp_path}/facility.db"
        app = create_app(Config.for_tests(DATA_DIR=str(tmp_path), DATABASE_URL=url, **settings))
        apps.append(app)

        @click.command("seed")
        def seed():
            clock, config = app.extensions["console_clock"], app.extensions["console_config"]
            with (
                app.app_context(),
                unit_of_work(sessionmaker(db.engine), actor=SYSTEM, clock=clock, config=config) as ctx,
            ):
                users.create(ctx, username="demo.kim", display_name="김도현", role="manager", site_scope=("*",))
            if then is not None:
                raise then

        app.cli.commands["demo"] = click.Group("demo", commands=[seed])
        return FirstStart(app)

    yield first_start
    for app in apps:
        with app.app_context():
            db.engine.dispose()


def names(start: FirstStart) -> list[str]:
    with start.app.app_context(), db.engine.connect() as connection:
        return list(connection.scalars(select(User.username).order_by(User.username)))


def test_an_empty_database_gets_the_company_and_an_owner_with_a_one_time_password(make):
    start = make()

    owner = start.run()

    assert names(start) == ["demo.kim", "owner"]
    assert owner.username == "owner"
    assert owner.created
    assert len(owner.password) >= 12
    assert not start.mark.exists()


def test_the_second_start_changes_nothing(make):
    make().run()
    start = make()

    owner = start.run()

    assert names(start) == ["demo.kim", "owner"]
    assert (owner.username, owner.created, owner.password) == ("owner", False, None)


def test_without_the_demo_there_is_the_owner_only(make):
    start = make(DEMO=False)

    start.run()

    assert names(start) == ["owner"]


def test_the_demo_is_not_made_up_for_later(make):
    make(DEMO=False).run()
    start = make(DEMO=True)

    start.run()

    assert names(start) == ["owner"]


def test_a_given_password_is_not_shown(make):
    owner = make(DEMO=False, ADMIN_PASSWORD="a long and quiet sentence").run()

    assert owner.created
    assert owner.password is None


def test_a_bootstrap_token_seeds_its_owner(make):
    start = make(DEMO=False, ADMIN_TOKEN="bootstrap-token-of-forty-characters-0123")

    start.run()

    assert len(names(start)) == 2


@pytest.mark.parametrize(("demo", "expected"), [(True, ["demo.kim", "owner"]), (False, ["owner"])])
def test_half_a_company_is_made_anew(make, demo, expected, capsys):
    broken = make(then=PulledPlugError())
    with pytest.raises(PulledPlugError):
        broken.run()
    assert names(broken) == ["demo.kim"]
    start = make(DEMO=demo)

    owner = start.run()

    assert "The first start was interrupted" in capsys.readouterr().out
    assert names(start) == expected
    assert owner.created
    assert not start.mark.exists()


def test_tables_of_a_later_release_are_used_as_they_are(make, capsys):
    first = make(DEMO=False)
    first.run()
    with first.app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    start = make(DEMO=False)

    owner = start.run()

    assert (owner.username, owner.created) == ("owner", False)
    assert "made by a later release" in capsys.readouterr().out
    assert start.app.test_client().get("/ready").json["checks"]["migrations"] == "ahead"
