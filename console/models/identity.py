"""Users, API tokens, browser sessions and sites (API contract, identity section 18)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, false, text, true
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from console.models.base import Base


class NameList(TypeDecorator[tuple[str, ...]]):
    """A tuple of names, stored as a JSON array in text.

    One text per value, so `column == ("*",)` works in SQL on both databases; joining with commas would let a name
    smuggle in a second one.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | list[str] | None, _dialect: Dialect) -> str | None:
        """Write the array without spaces, non-ASCII as it is."""
        return None if value is None else json.dumps(list(value), ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value: Any, _dialect: Dialect) -> tuple[str, ...] | None:
        """Read the array back as a tuple."""
        return None if value is None else tuple(json.loads(value))


class User(Base):
    """A person or an automation account. Rows are never deleted: the audit trail refers to them."""

    __tablename__ = "admin_users"
    __table_args__ = (
        # identity.grants: is there still an active owner?
        Index("ix_admin_users_role_is_active", "role", "is_active"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(80), unique=True)
    display_name: Mapped[str] = mapped_column(String(120), default="", server_default="")
    role: Mapped[str] = mapped_column(String(20), default="operator", server_default="operator")
    permissions: Mapped[tuple[str, ...]] = mapped_column(NameList, default=(), server_default="[]")
    site_scope: Mapped[tuple[str, ...]] = mapped_column(NameList, default=("*",), server_default='["*"]')
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    is_bootstrap: Mapped[bool] = mapped_column(default=False, server_default=false())
    password_hash: Mapped[str | None] = mapped_column(String(255))
    password_updated_at: Mapped[datetime | None]
    must_change_password: Mapped[bool] = mapped_column(default=False, server_default=false())
    # The secret of the second factor follows from this and a key outside the database; it counts from `since` on.
    second_factor_seed: Mapped[str | None] = mapped_column(String(64))
    second_factor_since: Mapped[datetime | None]
    second_factor_last_step: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    # How authenticators know the account (no name); the other says since when there has been a passkey.
    passkey_handle: Mapped[str | None] = mapped_column(String(64))
    passkeys_since: Mapped[datetime | None]
    language: Mapped[str | None] = mapped_column(String(8))
    theme: Mapped[str | None] = mapped_column(String(8))
    last_sign_in_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))

    @property
    def has_second_factor(self) -> bool:
        """Return whether the password alone is not enough: there is an app, a passkey, or both."""
        return self.second_factor_since is not None or self.passkeys_since is not None


class RecoveryCode(Base):
    """A code that stands in once for the second factor; only its hash is stored."""

    __tablename__ = "recovery_codes"
    __table_args__ = (
        # services.second_factor: codes of a person.
        Index("ix_recovery_codes_user_id", "user_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("admin_users.id", ondelete="RESTRICT"))
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None]


class Passkey(Base):
    """A passkey of a person: the public key of a pair whose private one stays with their device."""

    __tablename__ = "passkeys"
    __table_args__ = (
        # services.passkeys: passkeys of a person.
        Index("ix_passkeys_user_id", "user_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("admin_users.id", ondelete="RESTRICT"))
    name: Mapped[str] = mapped_column(String(60))
    # The host name under which it was made: it answers under no other.
    host: Mapped[str] = mapped_column(String(253))
    # Base64url, as browsers write it.
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    transports: Mapped[tuple[str, ...]] = mapped_column(NameList, server_default="[]")
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class PasskeyChallenge(Base):
    """What a passkey is asked to sign; deleted by whoever uses it, and worth nothing after a few minutes."""

    __tablename__ = "passkey_challenges"
    __table_args__ = (
        # services.passkeys: those that nobody used are deleted.
        Index("ix_passkey_challenges_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    challenge: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("admin_users.id", ondelete="RESTRICT"))
    purpose: Mapped[str] = mapped_column(String(20))
    # The name of the passkey that is being made.
    name: Mapped[str] = mapped_column(String(60), default="", server_default="")
    expires_at: Mapped[datetime]


class Token(Base):
    """An API token; only its hash is stored. A NULL `site_scope` means "as the user"."""

    __tablename__ = "admin_tokens"
    __table_args__ = (
        # identity.tokens: quota of a user, list of a user's live tokens.
        Index("ix_admin_tokens_user_id_is_active", "user_id", "is_active"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("admin_users.id", ondelete="RESTRICT"))
    label: Mapped[str] = mapped_column(String(120), default="", server_default="")
    token_hash: Mapped[str] = mapped_column(String(128), unique=True)
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    site_scope: Mapped[tuple[str, ...] | None] = mapped_column(NameList)
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    # Got by signing in with a password: it ends when the password does.
    by_password: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Kept apart from last_used_at, so that the true last use is never overwritten.
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str | None] = mapped_column(String(40))
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None] = mapped_column(String(40))

    user: Mapped[User] = relationship(lazy="raise")


class WebSession(Base):
    """A browser session; the cookie carries a random text of which only the hash is stored."""

    __tablename__ = "web_sessions"
    __table_args__ = (
        # identity.sessions: sessions of a person, sign-out everywhere.
        Index("ix_web_sessions_user_id_revoked_at", "user_id", "revoked_at"),
        # identity.clean_up: clean-up of ended sessions.
        Index("ix_web_sessions_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("admin_users.id", ondelete="RESTRICT"))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ip: Mapped[str] = mapped_column(String(64), default="", server_default="")
    user_agent: Mapped[str] = mapped_column(String(300), default="", server_default="")
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str | None] = mapped_column(String(40))

    user: Mapped[User] = relationship(lazy="raise")


class Site(Base):
    """A place that is run. Other records and scopes carry its name, which therefore never changes."""

    __tablename__ = "sites"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    # Case-folded name without spaces at the ends: keeps "HQ" and "hq" from standing side by side.
    name_key: Mapped[str] = mapped_column(String(240), unique=True)
    zone: Mapped[str] = mapped_column(String(64), default="Asia/Seoul", server_default="Asia/Seoul")
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))
