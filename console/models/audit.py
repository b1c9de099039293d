"""The audit trail: the chained log, its head, signed checkpoints and the evidence of rebaselines (contract 18)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Base, only

BigId = BigInteger().with_variant(Integer(), "sqlite")


class AuditLog(Base):
    """One entry of the chain. Rows are only ever added; `seq` has no gaps.

    `created_text` is the hashed form of `created_at`, kept because drivers and zones may write an instant
    differently. `keyed_hash` was made with the key named by `key_id`.
    """

    __tablename__ = "admin_audit_logs"
    __table_args__ = (
        # Order of the list and of verification; one row per place in the chain.
        Index("uq_admin_audit_logs_seq", "seq", unique=True),
        # Window of a month or of the list's date filter: first and last place in it.
        Index("ix_admin_audit_logs_created_at", "created_at", "seq"),
        # List by action; counts of an action since an instant (security dashboard, report exports).
        Index("ix_admin_audit_logs_action", "action", "seq"),
        # List by actor.
        Index("ix_admin_audit_logs_actor_username", "actor_username", "seq"),
        # History of one record, and of all records of a type.
        Index("ix_admin_audit_logs_resource", "resource_type", "resource_id", "seq"),
        # List of what did not succeed; the many successes are left out of the index.
        Index(
            "ix_admin_audit_logs_status",
            "status",
            "seq",
            **only("status <> 'success'"),
        ),
        # Everything that one request did.
        Index("ix_admin_audit_logs_request_id", "request_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    actor_user_id: Mapped[int | None] = mapped_column(ForeignKey("admin_users.id", ondelete="RESTRICT"))
    actor_username: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(80))
    resource_type: Mapped[str] = mapped_column(String(80))
    resource_id: Mapped[str] = mapped_column(String(120))
    status: Mapped[str] = mapped_column(String(20), default="success", server_default="success")
    prev_hash: Mapped[str | None] = mapped_column(String(64))
    entry_hash: Mapped[str | None] = mapped_column(String(64))
    detail_json: Mapped[str] = mapped_column(Text, default="{}", server_default="{}")
    created_at: Mapped[datetime]

    seq: Mapped[int] = mapped_column(BigInteger)
    created_text: Mapped[str] = mapped_column(String(40))
    keyed_hash: Mapped[str | None] = mapped_column(String(64))
    key_id: Mapped[str | None] = mapped_column(String(16))
    request_id: Mapped[str | None] = mapped_column(String(64))


class AuditChainHead(Base):
    """The one row that every appender locks: how long the chain is and what the next row continues."""

    __tablename__ = "audit_chain_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    head_hash: Mapped[str] = mapped_column(String(64))
    last_created_at: Mapped[datetime | None]


class AuditCheckpoint(Base):
    """A signed statement about the chain at an instant; the same line is kept in a file outside the database.

    `verified_from` is the first row that was verified before signing; 1 means the whole chain.
    """

    __tablename__ = "audit_checkpoints"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Newest checkpoint at or before a place in the chain.
    seq: Mapped[int] = mapped_column(BigInteger, index=True)
    head_hash: Mapped[str] = mapped_column(String(64))
    count: Mapped[int] = mapped_column(BigInteger)
    verified_from: Mapped[int] = mapped_column(BigInteger)
    signed_at: Mapped[datetime]
    signature: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[str] = mapped_column(String(16))
    # Signature of the checkpoint before it, empty for the first one; NULL before checkpoints named each other.
    previous: Mapped[str | None] = mapped_column(String(64))
    # Machine in whose folder the line was kept; NULL when it could not be written.
    kept_by: Mapped[str | None] = mapped_column(String(64))


class AuditAcknowledgement(Base):
    """Somebody knows that the checkpoints of a chain, up to a place in it, have lost their log or their file.

    It is signed with the chain key, so that hands on the database cannot acknowledge what they did. With `after_seq`
    it says that an older backup was restored: the entries after that one, up to `seq`, are gone, and the checkpoint
    with `left_signature` is the newest statement about them.
    """

    __tablename__ = "audit_acknowledgements"

    id: Mapped[int] = mapped_column(primary_key=True)
    chain: Mapped[str] = mapped_column(String(12))
    seq: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    actor_username: Mapped[str] = mapped_column(String(80))
    acknowledged_at: Mapped[datetime]
    signature: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[str] = mapped_column(String(16))
    after_seq: Mapped[int | None] = mapped_column(BigInteger)
    left_signature: Mapped[str | None] = mapped_column(String(64))


class AuditRebaseline(Base):
    """Evidence that hashes were written anew: by whom, why, and over which rows. Never changed, never deleted."""

    __tablename__ = "audit_rebaselines"

    id: Mapped[int] = mapped_column(primary_key=True)
    from_month: Mapped[str | None] = mapped_column(String(7))
    actor_user_id: Mapped[int | None] = mapped_column(ForeignKey("admin_users.id", ondelete="RESTRICT"))
    actor_username: Mapped[str] = mapped_column(String(80))
    reason: Mapped[str] = mapped_column(Text)
    confirmed: Mapped[bool] = mapped_column(default=False, server_default=false())
    request_id: Mapped[str | None] = mapped_column(String(64))
    rebaselined_at: Mapped[datetime]
    first_seq: Mapped[int] = mapped_column(BigInteger)
    last_seq: Mapped[int] = mapped_column(BigInteger)
    changed_count: Mapped[int] = mapped_column(Integer)
    snapshot_sha256: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str] = mapped_column(String(64))
    key_id: Mapped[str] = mapped_column(String(16))


class AuditRebaselineRow(Base):
    """The hashes of one row before and after a rebaseline; `mac` shows that the product kept this copy.

    `missing_before` counts the rows that were already gone in front of it; a `row_id` of 0 stands for the row that was
    going to follow when the newest ones were gone.
    """

    __tablename__ = "audit_rebaseline_rows"
    __table_args__ = (
        # What a row under a checkpoint was changed to.
        Index("ix_audit_rebaseline_rows_seq", "seq", "rebaseline_id"),
    )

    rebaseline_id: Mapped[int] = mapped_column(
        ForeignKey("audit_rebaselines.id", ondelete="RESTRICT"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    row_id: Mapped[int] = mapped_column(BigInteger)
    old_prev_hash: Mapped[str | None] = mapped_column(String(64))
    old_entry_hash: Mapped[str | None] = mapped_column(String(64))
    old_keyed_hash: Mapped[str | None] = mapped_column(String(64))
    old_key_id: Mapped[str | None] = mapped_column(String(16))
    old_created_text: Mapped[str | None] = mapped_column(String(40))
    missing_before: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    new_prev_hash: Mapped[str | None] = mapped_column(String(64))
    new_entry_hash: Mapped[str] = mapped_column(String(64))
    mac: Mapped[str] = mapped_column(String(64))
