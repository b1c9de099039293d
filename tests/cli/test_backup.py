"""A backup of a running installation, and the way back, on both databases."""

from __future__ import annotations

import json
import os

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from benchmarks.data import fill
from console import create_app
from console.core.config import Config
from console.models.jobs import JobRun
from console.models.runbook import PreflightSnapshot
from console.models.tracker import TrackerItem
from console.services.evidence import store
from console.web.extensions import db
from tests.conftest import START
from tests.services.audit.audit_support import Trail
from tests.support.postgres import postgres_programs, postgres_url


@pytest.fixture
def app(backend, tmp_path, monkeypatch):
    """An installation with fifty items and one evidence file."""
    if backend == "postgresql":
        url = postgres_url("backup")
        monkeypatch.setenv("PATH", f"{postgres_programs()}{os.pathsep}{os.environ['PATH']}")
    else:
        url = f"sqlite:///{tmp_path}/data/facility.db"
    config = Config.for_tests(DATABASE_URL=url, DATA_DIR=str(tmp_path / "data"), EVIDENCE_STORAGE_BACKEND="fs")
    made = create_app(config)
    with made.app_context():
        upgrade()
        fill(db.engine, config, now=START, scale=0.001)
    file = store.root(config) / "ab" / "proof.pdf"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"proof")
    yield made
    with made.app_context():
        downgrade(revision="base")
        db.engine.dispose()


def run(app, *arguments):
    found = app.test_cli_runner().invoke(args=list(arguments))
    return found.exit_code, found.output


def items(app) -> int:
    with app.app_context(), Session(db.engine) as session:
        return session.scalar(select(func.count()).select_from(TrackerItem))


def test_what_was_backed_up_comes_back(app, tmp_path):
    proof = store.root(app.extensions["console_config"]) / "ab" / "proof.pdf"
    assert run(app, "backup", str(tmp_path / "copy"))[0] == 0
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE tracker_items SET item_name = 'lost'"))
        connection.execute(text("DELETE FROM tracker_events"))
    proof.write_bytes(b"forged")

    assert run(app, "restore", str(tmp_path / "copy")) == (
        1,
        "Error: The database is not empty: stop every process, and say --replace.\n",
    )
    code, said = run(app, "restore", "--replace", str(tmp_path / "copy"))

    assert (code, "1 evidence files" in said) == (0, True)
    assert proof.read_bytes() == b"proof"
    with app.app_context(), Session(db.engine) as session:
        assert session.scalar(select(func.count()).where(TrackerItem.item_name == "lost")) == 0
    assert items(app) == 50
    assert run(app, "audit", "verify")[0] == 0


def test_a_backup_comes_back_where_nothing_is(app, tmp_path):
    run(app, "backup", str(tmp_path / "copy"))
    with app.app_context():
        downgrade(revision="base")
        with db.engine.begin() as connection:
            connection.execute(text("DROP TABLE alembic_version"))

    assert run(app, "restore", str(tmp_path / "copy"))[0] == 0
    assert items(app) == 50


def test_an_older_backup_beside_newer_checkpoint_files_is_named_and_can_be_acknowledged(app, tmp_path):
    """A whole copy of the database of an hour ago comes back; the files of checkpoints are those of now."""
    config, clock = (app.extensions[name] for name in ("console_config", "console_clock"))
    with app.app_context():
        trail = Trail(db.engine, clock, config)
        trail.write(2)
        assert run(app, "audit", "checkpoint")[0] == 0
        agreed = trail.head().seq
        run(app, "backup", str(tmp_path / "copy"))
        for _number in range(2):
            trail.write(3)
            run(app, "audit", "checkpoint")
        signed = trail.head().seq
    (file,) = config.path("AUDIT_CHECKPOINT_PATH").glob("*.jsonl")
    chain, left = file.name.split("-")[2], json.loads(file.read_text().splitlines()[-1])["signature"]

    assert run(app, "restore", "--replace", str(tmp_path / "copy"))[0] == 0
    code, said = run(app, "audit", "verify")

    assert code == 1
    assert f"OLDER COPY: the checkpoint files of the log {chain} are newer than this database." in said
    assert f"signed up to entry {signed}; the database agrees with them up to entry {agreed}" in said
    assert f'flask audit acknowledge {chain} --reason "' in said
    code, said = run(app, "audit", "acknowledge", chain, "--reason", "disk failed")
    assert (code, f"a new part follows entry {agreed}" in said) == (0, True)
    with app.app_context():
        Trail(db.engine, clock, config).write(9)
    assert run(app, "audit", "checkpoint", "--full")[0] == 0
    code, said = run(app, "audit", "verify")
    assert code == 0
    warning = f"the entries {agreed + 1} to {signed} that were signed before are gone, and a new part follows"
    assert (warning in said, "disk failed" in said, left in said) == (True, True, True)
    assert "OLDER COPY" not in said


@pytest.mark.parametrize("broken", ["evidence/ab/proof.pdf", "database"])
@pytest.mark.parametrize("how", ["changed", "missing"])
def test_a_backup_that_is_not_whole_changes_nothing(app, tmp_path, broken, how):
    folder = tmp_path / "copy"
    run(app, "backup", str(folder))
    file = next(found for found in folder.rglob("*") if str(found.relative_to(folder)).startswith(broken))
    file.unlink() if how == "missing" else file.write_bytes(file.read_bytes() + b"x")
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE tracker_items SET item_name = 'kept'"))

    code, said = run(app, "restore", "--replace", str(folder))

    assert code == 1
    assert ("is missing" if how == "missing" else "is not what was backed up") in said
    with app.app_context(), Session(db.engine) as session:
        assert session.scalar(select(func.count()).where(TrackerItem.item_name == "kept")) == 50


def test_what_cannot_be_is_one_sentence(app, tmp_path, monkeypatch):
    folder = tmp_path / "copy"
    run(app, "backup", str(folder))
    assert "is not empty" in run(app, "backup", str(folder))[1]
    assert "manifest.json is missing" in run(app, "restore", str(tmp_path))[1]
    manifest = json.loads((folder / "manifest.json").read_text())
    other = {"database.sqlite": "database.dump", "database.dump": "database.sqlite"}
    manifest["database"] = other[manifest["database"]]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert "another kind of database" in run(app, "restore", "--replace", str(folder))[1]


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
@pytest.mark.parametrize("target", ["filled", "empty"])
def test_without_the_programs_of_postgresql_the_tables_are_dumped_one_by_one(app, tmp_path, monkeypatch, target):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(app, "backup", str(tmp_path / "copy"))[0] == 0
    assert json.loads((tmp_path / "copy" / "manifest.json").read_text())["method"] == "table_dump"
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE tracker_items SET item_name = 'lost'"))
        connection.execute(text("DELETE FROM tracker_events"))
    if target == "empty":
        with app.app_context():
            downgrade(revision="base")
            with db.engine.begin() as connection:
                connection.execute(text("DROP TABLE alembic_version"))

    code, said = run(app, "restore", *(["--replace"] if target == "filled" else []), str(tmp_path / "copy"))

    assert (code, "Put back schema" in said) == (0, True)
    with app.app_context(), Session(db.engine) as session:
        assert session.scalar(select(func.count()).where(TrackerItem.item_name == "lost")) == 0
    assert items(app) == 50
    assert run(app, "audit", "verify")[0] == 0


@pytest.fixture
def drilled(app, tmp_path):
    """The sealed backup of a drill of this installation, and what the run recorded of it."""
    code, said = run(app, "job", "run", "dr_rehearsal")
    assert code == 0, said
    with app.app_context(), Session(db.engine) as session:
        return session.scalars(select(JobRun).where(JobRun.job_name == "dr_rehearsal")).one().detail_json


def test_the_sealed_backup_of_a_drill_comes_back_for_real(app, drilled):
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE tracker_items SET item_name = 'lost'"))
        connection.execute(text("DELETE FROM tracker_events"))
        connection.execute(text("DELETE FROM job_runs WHERE state = 'running'"))
    file = drilled["backup_file"]

    assert "is not empty" in run(app, "restore", "--from", file)[1]
    assert (
        "is not the one that was recorded" in run(app, "restore", "--replace", "--sha256", "0" * 64, "--from", file)[1]
    )
    code, said = run(app, "restore", "--replace", "--sha256", drilled["backup_sha256"], "--from", file)

    assert (code, "Put back schema" in said) == (0, True)
    with app.app_context(), Session(db.engine) as session:
        assert session.scalar(select(func.count()).where(TrackerItem.item_name == "lost")) == 0
    assert items(app) == 50
    assert run(app, "audit", "verify")[0] == 0


def test_a_place_in_use_is_refused_unless_told(app, drilled):
    now = app.extensions["console_clock"].now()
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(
            insert(PreflightSnapshot).values(
                instance_id="abc", name="web-abc", kind="web", started_at=now, computed_at=now,
                overall_status="ok", error_count=0, warning_count=0, payload={},
            )
        )  # fmt: skip
    words = ("restore", "--replace", "--from", drilled["backup_file"])

    code, said = run(app, *words)
    assert code == 1
    assert "The console is running here (the process web-abc): stop it, or say --while-running." in said
    assert run(app, *words, "--while-running")[0] == 0


def test_what_to_restore_is_said_once(app, tmp_path):
    assert run(app, "restore")[0] == 2
    assert run(app, "restore", str(tmp_path), "--from", str(tmp_path))[0] == 2
    assert "--sha256 is for sealed backups" in run(app, "restore", "--sha256", "0", "--from", str(tmp_path))[1]
