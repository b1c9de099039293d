"""Requests of programs that carry an `Idempotency-Key`: the same one sent twice is carried out once.

The key is claimed in the transaction of the write and kept with its answer, beside the keys of forms; whoever sends the
same once more, because the answer was lost on the way, is given that answer again.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, cast

from sqlalchemy import Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from console.core.context import Context
from console.domain.errors import Invalid
from console.domain.text import T
from console.models.forms import SentForm
from console.services.common.sent_forms import KEPT

HEADER = "Idempotency-Key"
LONGEST = 200


def key_of(ctx: Context, sent: str, address: str) -> str:
    """Return the hash under which a sending is kept: of its key, its sender and where it goes.

    Raises Invalid for a key that is none: 1 to 200 visible ASCII characters.
    """
    if not 0 < len(sent) <= LONGEST or not sent.isascii() or not sent.isprintable():
        raise Invalid.field(HEADER, T("A key has 1 to %(most)s visible ASCII characters", most=LONGEST), where="header")
    return _hash("idempotency", sent, ctx.actor.username, address)


def claim(ctx: Context, key_hash: str, address: str, content: bytes) -> Mapping[str, Any] | None:
    """Claim a sending and return None; return the answer that an earlier one was given.

    A sending that is being taken at this moment is waited for. Raises Invalid when the key was used for other content.
    """
    now = ctx.now()
    dialect = postgresql if ctx.session.get_bind().dialect.name == "postgresql" else sqlite
    said = sha256(content).hexdigest()
    values = {
        "key_hash": key_hash,
        "actor": ctx.actor.username,
        "form": address[:200],
        "content_hash": said,
        "created_at": now,
        "expires_at": now + KEPT,
    }
    statement = dialect.insert(cast("Table", SentForm.__table__)).values(**values).on_conflict_do_nothing()
    if ctx.session.execute(statement.returning(SentForm.key_hash)).scalar_one_or_none() is not None:
        return None
    earlier = ctx.session.execute(
        select(SentForm.content_hash, SentForm.answer).where(SentForm.key_hash == key_hash)
    ).one()
    if earlier.content_hash != said or earlier.answer is None:
        raise Invalid.field(HEADER, T("This key was used for another request"), where="header")
    return cast("Mapping[str, Any]", earlier.answer)


def answered(ctx: Context, key_hash: str, answer: Mapping[str, Any]) -> None:
    """Keep the answer of a claimed sending with its write."""
    ctx.session.execute(update(SentForm).where(SentForm.key_hash == key_hash).values(answer=dict(answer)))


def _hash(*parts: str) -> str:
    return sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()
