"""One-time keys of forms: the same form sent twice is taken once.

A form carries a random key from its drawing on. The key is claimed in the transaction of the write, so it is stored
exactly when the write is; whoever sends the same once more, because the answer was lost on the way, is told so.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256
from secrets import token_hex
from typing import cast

from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from console.core.context import Context
from console.models.forms import SentForm

KEPT = timedelta(days=2)
MAX_ADDRESS = 2000


def new_key() -> str:
    """Return the key of a form that is being drawn: 32 hexadecimal characters."""
    return token_hex(16)


def is_key(text: str) -> bool:
    """Return whether a text has the form of a key."""
    return len(text) == 32 and all(letter in "0123456789abcdef" for letter in text)


def fingerprint(ctx: Context, key: str, form: str, content: Iterable[tuple[str, str]]) -> str:
    """Return the hash of one sending: the key, who sends, the form's address and everything that was written.

    The content belongs to it: a page that the browser brought back carries a used key, and what is then written into
    it is something new.
    """
    return sha256(repr((key, ctx.actor.username, form, sorted(content))).encode("utf-8", "surrogatepass")).hexdigest()


def claim(ctx: Context, key_hash: str, form: str) -> str | None:
    """Claim a sending and return None; return the address that an earlier one led to ('' for none).

    A sending that is being taken at this moment is waited for.
    """
    now = ctx.now()
    dialect = postgresql if ctx.session.get_bind().dialect.name == "postgresql" else sqlite
    values = {
        "key_hash": key_hash,
        "actor": ctx.actor.username,
        "form": form[:200],
        "created_at": now,
        "expires_at": now + KEPT,
    }
    statement = dialect.insert(cast("Table", SentForm.__table__)).values(**values).on_conflict_do_nothing()
    if ctx.session.execute(statement.returning(SentForm.key_hash)).scalar_one_or_none() is not None:
        return None
    return ctx.session.scalar(select(SentForm.result).where(SentForm.key_hash == key_hash)) or ""


def led_to(ctx: Context, key_hash: str, address: str) -> None:
    """Remember the address that the sender of a claimed form was led to."""
    if len(address) <= MAX_ADDRESS:
        ctx.session.execute(update(SentForm).where(SentForm.key_hash == key_hash).values(result=address))


def clean_up(ctx: Context, *, dry_run: bool = False) -> int:
    """Delete the keys that expired and return how many; a dry run counts them."""
    expired = SentForm.expires_at < ctx.now()
    if dry_run:
        return ctx.session.scalar(select(func.count()).select_from(SentForm).where(expired)) or 0
    return len(ctx.session.scalars(delete(SentForm).where(expired).returning(SentForm.key_hash)).all())
