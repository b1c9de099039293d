"""An installation with migrated tables, rows and evidence, in which drills can be run."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from benchmarks.data import fill
from console import create_app
from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import SYSTEM, Context
from console.core.database import make_engine
from console.models.evidence import EvidenceChunk, EvidenceFile
from console.services.evidence import store
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.services.jobs.engine import RunResult
from tests.conftest import START
from tests.support.postgres import postgres_programs, postgres_url

PROOF = b"proof" * 100_000


class Installation:
    """A database of its own with some rows, one evidence file on the disk and one in the database."""

    def __init__(self, url: str, folder: Any, clock: FixedClock) -> None:
        self.clock = clock
        self.config = Config.for_tests(
            DATABASE_URL=url, DATA_DIR=str(folder / "data"), EVIDENCE_STORAGE_BACKEND="fs", DR_REHEARSAL_KEY="k" * 32
        )
        self.engine: Engine = make_engine(url)

    @property
    def backups(self) -> Any:
        return self.config.path("DR_REHEARSAL_BACKUP_PATH")

    def files(self) -> list[str]:
        return sorted(path.name for path in self.backups.glob("*")) if self.backups.is_dir() else []

    def set(self, **values: Any) -> None:
        self.config = self.config.replaced(**values)

    def drill(self, **options: Any) -> RunResult:
        dry_run = options.pop("dry_run", False)
        with Session(self.engine) as session:
            ctx = Context(session, self.clock, SYSTEM, self.config)
            return run_engine.execute(ctx, registry.get("dr_rehearsal"), options, dry_run=dry_run)


@pytest.fixture(scope="package")
def made(backend, tmp_path_factory):
    """Return the address of a filled database; every test gets a copy of nothing but its files."""
    folder = tmp_path_factory.mktemp("installation")
    url = postgres_url("recovery") if backend == "postgresql" else f"sqlite:///{folder}/facility.db"
    app = create_app(Config.for_tests(DATABASE_URL=url, DATA_DIR=str(folder)))
    from console.web.extensions import db

    with app.app_context():
        upgrade()
        fill(db.engine, app.extensions["console_config"], now=START, scale=0.001)
    yield url
    with app.app_context():
        downgrade(revision="base")
        db.engine.dispose()


@pytest.fixture
def place(made, tmp_path, clock, monkeypatch):
    if made.startswith("postgresql"):
        monkeypatch.setenv("PATH", f"{postgres_programs()}{os.pathsep}{os.environ['PATH']}")
    found = Installation(made, tmp_path, clock)
    _evidence(found, START)
    yield found
    with Session(found.engine) as session:
        session.query(EvidenceChunk).delete()
        session.query(EvidenceFile).delete()
        from console.models.jobs import JobRun

        ours = ("dr_rehearsal", "ops_evidence_archive_integrity")
        session.query(JobRun).filter(JobRun.job_name.in_(ours)).delete()
        session.commit()
    found.engine.dispose()


def _evidence(place: Installation, now: datetime) -> None:
    import hashlib

    digest = hashlib.sha256(PROOF).hexdigest()
    file = store.root(place.config) / "ab" / "proof.pdf"
    file.parent.mkdir(parents=True)
    file.write_bytes(PROOF)
    common = {
        "module": "governance",
        "file_name": "proof.pdf",
        "content_type": "application/pdf",
        "file_size": len(PROOF),
        "sha256": digest,
        "uploaded_by": "kim",
        "uploaded_at": now,
    }
    with Session(place.engine) as session:
        session.add(EvidenceFile(storage_backend="fs", storage_key="ab/proof.pdf", **common))
        inside = EvidenceFile(storage_backend="db", **common)
        session.add(inside)
        session.flush()
        for number in range(0, len(PROOF), 100_000):
            piece = PROOF[number : number + 100_000]
            session.add(EvidenceChunk(evidence_id=inside.id, place=number // 100_000, content=piece))
        session.commit()


@pytest.fixture
def forge(place):
    """Return `forge(digest)`: say of all evidence that it should have another hash."""

    def change(digest: str) -> None:
        with place.engine.begin() as connection:
            connection.execute(update(EvidenceFile).values(sha256=digest))

    return change
