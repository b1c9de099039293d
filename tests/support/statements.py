"""Count the statements of a use case."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event


@contextmanager
def statements(engine: type[Engine] | Engine = Engine) -> Iterator[list[str]]:
    """Return the list that fills with the SQL statements this thread sends meanwhile, transaction words left out.

    Other threads do not count: the heartbeat of a run speaks when the run takes long, which says nothing of the work.
    """
    seen: list[str] = []
    mine = threading.get_ident()

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        transaction = statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT"))
        if threading.get_ident() == mine and not transaction:
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
