"""Builders of people, tokens and sites."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from console.models.identity import Site, Token, User

_numbers = count(1)


def make_user(session: Session, *, now: datetime, **values: Any) -> User:
    """Add a user: an active operator for all sites unless said otherwise."""
    number = next(_numbers)
    row = User(
        **{
            "username": f"user{number}",
            "display_name": f"User {number}",
            "role": "operator",
            "site_scope": ("*",),
            "permissions": (),
            "is_active": True,
            "created_at": now,
            "updated_at": now,
            **values,
        }
    )
    session.add(row)
    session.flush()
    return row


def make_token(session: Session, user: User, *, now: datetime, plain: str | None = None, **values: Any) -> str:
    """Add a live token of `user` and return its plain text."""
    plain = plain or f"kaos_test{next(_numbers):028d}"
    session.add(
        Token(
            **{
                "user_id": user.id,
                "label": "test",
                "token_hash": hashlib.sha256(plain.encode()).hexdigest(),
                "is_active": True,
                "expires_at": now + timedelta(days=20),
                "created_at": now,
                **values,
            }
        )
    )
    session.flush()
    return plain


def make_site(session: Session, name: str, *, now: datetime, **values: Any) -> Site:
    """Add an active site in Seoul's zone."""
    row = Site(
        **{
            "name": name,
            "name_key": name.strip().casefold(),
            "zone": "Asia/Seoul",
            "created_at": now,
            "updated_at": now,
            **values,
        }
    )
    session.add(row)
    session.flush()
    return row
