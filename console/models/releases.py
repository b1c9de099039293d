"""What the checklist of a release was called (API contract, deploy checklist)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Base


class DeployChecklist(Base):
    """A version and the signature that it is the name of; both are given away once and never changed."""

    __tablename__ = "deploy_checklists"

    signature: Mapped[str] = mapped_column(String(12), primary_key=True)
    version: Mapped[str] = mapped_column(String(20), unique=True)
    created_at: Mapped[datetime]
