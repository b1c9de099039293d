"""The tokens by which readers know that a table changed (see `console/core/revisions.py`)."""

from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from console.core.revisions import TABLE
from console.models.base import Base


class Revision(Base):
    """One table; every committed change of it leaves another token."""

    __tablename__ = TABLE

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    token: Mapped[int] = mapped_column(BigInteger)
