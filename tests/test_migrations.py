"""The migrations lead from nothing to the models and back, on both databases, with data in the tables."""

from alembic.script import ScriptDirectory
from flask_migrate import check, downgrade, upgrade
from sqlalchemy import inspect, select

from benchmarks.data import fill
from console import create_app
from console.core.config import Config
from console.models.base import Base
from console.models.tracker import TrackerItem
from console.web.extensions import db
from tests.conftest import START
from tests.support.postgres import postgres_url


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
