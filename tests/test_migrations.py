"""The migrations lead from nothing to the models and back, on both databases, with data in the tables."""

import re

import pytest
from alembic.script import ScriptDirectory
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.data import fill
from console import create_app
from console.core.clock import SystemClock
from console.core.config import Config
from console.core.database import make_engine
from console.core.process import ProcessRuntime
from console.models.base import Base
from console.models.evidence import EvidenceFile
from console.models.home import StartView
from console.models.tracker import TrackerItem
from console.web.extensions import db
from console.web.preflight import Reporter
from tests.conftest import START
from tests.factories import make_user
from tests.services.tracker.tally_support import counted, kept
from tests.support.postgres import postgres_url

WORDS = re.compile(r"(?:, )?('\w+')(?:::character varying)?")


def address(backend, tmp_path):
    return postgres_url("migrations") if backend == "postgresql" else f"sqlite:///{tmp_path}/migrated.db"


def test_there_is_one_head():
    assert len(ScriptDirectory("migrations").get_heads()) == 1


def test_the_way_up_ends_at_the_models_and_the_way_down_at_nothing(backend, tmp_path):
    config = Config.for_tests(DATABASE_URL=address(backend, tmp_path), DATA_DIR=str(tmp_path))
    app = create_app(config)
    with app.app_context():
        upgrade()
        check()
        fill(db.engine, config, now=START, scale=0.001)
        assert set(inspect(db.engine).get_table_names()) == {*Base.metadata.tables, "alembic_version"}
        with db.engine.connect() as connection:
            assert len(connection.execute(select(TrackerItem.id)).all()) == 50

        downgrade(revision="base")
        assert inspect(db.engine).get_table_names() == ["alembic_version"]

        upgrade()
        check()
        db.engine.dispose()


def test_tables_of_the_release_before_are_named_with_the_way_out_until_they_are_upgraded(backend, tmp_path):
    app = create_app(Config.for_tests(DATABASE_URL=address(backend, tmp_path), DATA_DIR=str(tmp_path)))

    def seen():
        with app.app_context():
            config = app.extensions["console_config"]
            place = ProcessRuntime(config, SystemClock(), db.engine, sessionmaker(db.engine))
            found = Reporter(place, "web").report()
        said = [str(check.message) for check in found.checks if check.id == "schema_version"]
        answer = app.test_client().get("/ready")
        assert app.test_client().get("/health").status_code == 200
        return answer.status_code, answer.json["checks"]["migrations"], said

    with app.app_context():
        upgrade()
    assert seen() == (200, "ok", [])

    with app.app_context():
        downgrade(revision="-1")
    assert seen() == (503, "behind", ["The tables are older than this code: run flask db upgrade."])

    with app.app_context():
        upgrade()
    assert seen() == (200, "ok", [])
    with app.app_context():
        db.engine.dispose()


# What keeps the numbers of items, as the database tells it.
KEEPERS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    "postgresql": "SELECT tgname AS name, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal "
    "UNION ALL SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY name",
}
# Autovacuum settings of tables, where PostgreSQL has any.
SETTINGS = "SELECT relname, reloptions FROM pg_class WHERE reloptions IS NOT NULL AND relkind = 'r' ORDER BY relname"


def keepers(engine):
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(KEEPERS[engine.dialect.name]))]


def test_the_way_up_makes_the_triggers_of_the_models_and_the_way_down_takes_them_away(backend, tmp_path):
    # A step that rebuilds the items on SQLite takes their triggers along: it has to make them again.
    made = make_engine(postgres_url("models") if backend == "postgresql" else f"sqlite:///{tmp_path}/models.db")
    Base.metadata.create_all(made)
    wanted = keepers(made)
    Base.metadata.drop_all(made)
    assert len(wanted) == (5 if backend == "postgresql" else 3)
    assert keepers(made) == []
    made.dispose()

    config = Config.for_tests(DATABASE_URL=address(backend, tmp_path), DATA_DIR=str(tmp_path))
    with create_app(config).app_context():
        upgrade()
        assert keepers(db.engine) == wanted
        downgrade(revision="0006")
        assert keepers(db.engine) == []
        upgrade()
        assert keepers(db.engine) == wanted
        db.engine.dispose()


def test_items_that_are_there_are_counted_and_the_release_before_may_go_on_writing(backend, tmp_path):
    config = Config.for_tests(DATABASE_URL=address(backend, tmp_path), DATA_DIR=str(tmp_path))
    with create_app(config).app_context():
        upgrade(revision="0006")
        fill(db.engine, config, now=START, scale=0.002)
        upgrade()
        with Session(db.engine) as session:
            assert kept(session) == counted(session) != {}

            # The statements of that release name neither the table nor the triggers.
            session.execute(text("UPDATE tracker_items SET status = 'blocked' WHERE status = 'pending'"))
            session.execute(text("UPDATE tracker_items SET assignee = NULL WHERE id % 2 = 0"))
            session.execute(text("UPDATE tracker_items SET is_active = false WHERE id % 3 = 0"))
            session.commit()
            assert kept(session) == counted(session)

        downgrade(revision="0006")
        with db.engine.connect() as connection:
            assert len(connection.execute(select(TrackerItem.id)).all()) == 100
        upgrade()
        with Session(db.engine) as session:
            assert kept(session) == counted(session)
        db.engine.dispose()


def settings(engine):
    with engine.connect() as connection:
        return {name: set(values) for name, values in connection.execute(text(SETTINGS))}


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_tables_that_change_all_day_are_vacuumed_early(backend, tmp_path):
    config = Config.for_tests(DATABASE_URL=address(backend, tmp_path), DATA_DIR=str(tmp_path))
    with create_app(config).app_context():
        upgrade()
        found = settings(db.engine)
        assert found["tracker_items"] == {
            "autovacuum_vacuum_scale_factor=0.01",
            "autovacuum_analyze_scale_factor=0.01",
        }
        assert found["tracker_events"] == {"autovacuum_vacuum_insert_scale_factor=0.01"}

        downgrade(revision="0006")
        assert settings(db.engine) == {}
        db.engine.dispose()


def shape(engine) -> dict[str, dict]:
    """Return the columns, and what else an insert must satisfy, of every table."""
    found = inspect(engine)
    return {
        name: {
            "columns": {column["name"]: column for column in found.get_columns(name)},
            "rules": {
                *(tuple(sorted(part["column_names"])) for part in found.get_unique_constraints(name)),
                *(
                    tuple(sorted(filter(None, part["column_names"])))
                    for part in found.get_indexes(name)
                    if part["unique"]
                ),
                *(part["sqltext"] for part in found.get_check_constraints(name)),
                *(tuple(part["constrained_columns"]) for part in found.get_foreign_keys(name)),
            },
        }
        for name in found.get_table_names()
    }


def harmless(rule, added) -> bool:
    """Return whether a new rule is only about what is new."""
    return set(rule) <= added if isinstance(rule, tuple) else any(column in rule for column in added)


def looser(rule, before) -> bool:
    """Return whether whatever obeyed an old rule obeys the new one: unique in fewer columns, one of fewer words."""
    if isinstance(rule, tuple):
        return any(set(old) <= set(rule) for old in before if isinstance(old, tuple))
    words, frame = set(WORDS.findall(rule)), WORDS.sub("", rule)
    known = [old for old in before if isinstance(old, str) and WORDS.sub("", old) == frame]
    return any(set(WORDS.findall(old)) <= words for old in known)


def test_every_migration_leaves_the_release_before_at_work(backend, tmp_path):
    """Expand, then contract: old code finds its columns, and what it inserts is still enough."""
    config = Config.for_tests(DATABASE_URL=address(backend, tmp_path), DATA_DIR=str(tmp_path))
    revisions = [found.revision for found in reversed(list(ScriptDirectory("migrations").walk_revisions()))]
    with create_app(config).app_context():
        upgrade(revision=revisions[0])
        before = shape(db.engine)
        for revision in revisions[1:]:
            upgrade(revision=revision)
            after = shape(db.engine)
            for name, table in before.items():
                kept = after[name]["columns"]
                for column, old in table["columns"].items():
                    new = kept[column]
                    assert str(new["type"]) == str(old["type"]), f"{revision}: {name}.{column}"
                    assert new["nullable"] or not old["nullable"], f"{revision}: {name}.{column}"
                added = kept.keys() - table["columns"].keys()
                for column in added:
                    assert kept[column]["nullable"] or kept[column]["default"] is not None, (
                        f"{revision}: {name}.{column}"
                    )
                new_rules = after[name]["rules"] - table["rules"]
                bad = [rule for rule in new_rules if not (harmless(rule, added) or looser(rule, table["rules"]))]
                assert not bad, f"{revision}: {name}"
            before = after
        downgrade(revision="base")
        db.engine.dispose()


def test_start_pages_stay_those_of_their_people(backend, tmp_path):
    config = Config.for_tests(DATABASE_URL=address(backend, tmp_path), DATA_DIR=str(tmp_path))
    with create_app(config).app_context():
        upgrade(revision="0012")
        with Session(db.engine) as session:
            first, second = (make_user(session, now=START).id for _number in range(2))
            for number, (user, start) in enumerate(((first, True), (first, False), (second, False)), start=1):
                session.execute(
                    text(
                        "INSERT INTO saved_views (id, user_id, list_name, name, address, is_shared, is_start,"
                        " created_at, updated_at) VALUES (:id, :user, 'board', :id, '/board', true, :start, :now, :now)"
                    ),
                    {"id": number, "user": user, "start": start, "now": START},
                )
            session.commit()
        upgrade()
        with Session(db.engine) as session:
            assert session.execute(select(StartView.user_id, StartView.view_id)).all() == [(first, 1)]
            session.execute(text("UPDATE start_views SET view_id = 2"))
            session.add(StartView(user_id=second, view_id=1))
            session.commit()

        # The release before knows no start page among the views of others.
        downgrade(revision="0012")
        with db.engine.connect() as connection:
            assert connection.execute(text("SELECT id FROM saved_views WHERE is_start")).scalars().all() == [2]
        db.engine.dispose()


def test_files_of_before_know_no_time_and_the_release_before_may_go_on_writing(backend, tmp_path):
    config = Config.for_tests(DATABASE_URL=address(backend, tmp_path), DATA_DIR=str(tmp_path))
    write = text(
        "INSERT INTO evidence_files (id, module, file_name, content_type, file_size, uploaded_by, uploaded_at)"
        " VALUES (:id, 'w02', 'a.jpg', 'image/jpeg', 1, 'lee', :now)"
    )
    with create_app(config).app_context():
        upgrade(revision="0014")
        with db.engine.begin() as connection:
            connection.execute(write, {"id": 1, "now": START})
        upgrade()
        with db.engine.begin() as connection:
            connection.execute(write, {"id": 2, "now": START})
        with Session(db.engine) as session:
            found = session.execute(select(EvidenceFile.captured_at, EvidenceFile.shrunk)).all()
            assert found == [(None, False), (None, False)]

        downgrade(revision="0014")
        with db.engine.connect() as connection:
            assert connection.execute(text("SELECT id FROM evidence_files ORDER BY id")).scalars().all() == [1, 2]
        upgrade()
        check()
        db.engine.dispose()
