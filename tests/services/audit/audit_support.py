"""Fill the chain, and break it the way somebody with the database would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, delete, select, text, update
from sqlalchemy.orm import sessionmaker

from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import Context, unit_of_work
from console.models.audit import AuditChainHead, AuditLog
from console.services.audit import record as audit
from tests.conftest import actor_of


class Trail:
    """The chain of one test: contexts to work in, and hands to tamper with."""

    def __init__(self, engine: Engine, clock: FixedClock, config: Config) -> None:
        self.engine, self.clock, self.config = engine, clock, config
        self.factory = sessionmaker(engine)

    @contextmanager
    def ctx(self, *, write: bool = False, **actor: Any) -> Iterator[Context]:
        """A unit of work; reading unless told otherwise."""
        with unit_of_work(
            self.factory, actor=actor_of(**actor), clock=self.clock, config=self.config, write=write
        ) as ctx:
            yield ctx

    def write(self, count: int, *, action: str = "thing_update", status: str = "success") -> None:
        """Put `count` entries on record in one transaction."""
        with self.ctx(write=True) as ctx:
            for number in range(count):
                audit.record(ctx, action, "thing", number, status=status, detail={"n": number, "site": "본관"})

    def rows(self) -> list[AuditLog]:
        with self.factory() as session:
            return list(session.scalars(select(AuditLog).order_by(AuditLog.seq)))

    def head(self) -> AuditChainHead:
        with self.factory() as session:
            return session.scalars(select(AuditChainHead)).one()

    def run(self, *statements: Any) -> None:
        """Carry out statements behind the product's back."""
        with self.factory() as session:
            for statement in statements:
                session.execute(text(statement) if isinstance(statement, str) else statement)
            session.commit()

    def change(self, place: int, /, **values: Any) -> None:
        """Change columns of one row."""
        self.run(update(AuditLog).where(AuditLog.seq == place).values(**values))

    def drop(self, *seqs: int) -> None:
        """Delete rows."""
        self.run(delete(AuditLog).where(AuditLog.seq.in_(seqs)))

    def cut(self, keep: int) -> None:
        """Delete the newest rows and set the head back, so that the rest looks whole."""
        last = next(row for row in self.rows() if row.seq == keep)
        self.drop(*range(keep + 1, 10_000))
        self.run(update(AuditChainHead).values(seq=keep, head_hash=last.entry_hash, last_created_at=last.created_at))

    def check(self, verify: Callable[[Context], Any]) -> Any:
        with self.ctx() as ctx:
            return verify(ctx)


def found(report: Any) -> list[tuple[int | None, str]]:
    """Return place and reason of each issue."""
    return [(issue.seq, issue.reason) for issue in report.issues]
