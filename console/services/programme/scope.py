"""What a metric counts: sites, window, and the conditions that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from math import ceil
from typing import Any

from sqlalchemy import ColumnElement, func, select, true

from console.core.context import Context
from console.domain.work_orders.words import STATUSES
from console.models.audit import AuditLog
from console.models.work_orders import WorkOrder
from console.services.identity import sites
from console.services.programme.policies import site_of


@dataclass(frozen=True)
class Scope:
    """One site or all that the caller sees (`site` None), and a window of `days` that ends at `end` (aware UTC)."""

    ctx: Context
    site: str | None
    days: int
    end: datetime

    @property
    def start(self) -> datetime:
        """Return where the window begins."""
        return self.end - timedelta(days=self.days)

    @property
    def everything(self) -> bool:
        """Return whether nothing is left out: all sites, by somebody who sees them all."""
        return self.site is None and self.ctx.actor.all_sites

    def on(self, column: Any) -> ColumnElement[bool]:
        """Return the condition that a record belongs to the sites."""
        if self.site is not None:
            return column == self.site
        return true() if self.ctx.actor.all_sites else column.in_(self.ctx.actor.site_scope)

    def holds(self, site: str | None) -> bool:
        """Return whether a record of that site belongs to the sites; one of no site belongs to none."""
        if self.site is not None:
            return site == self.site
        return site is not None and self.ctx.actor.sees(site)

    def within(self, column: Any) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        """Return the conditions that an instant lies in the window."""
        return column >= self.start, column <= self.end

    def orders(self) -> tuple[ColumnElement[bool], ...]:
        """Return the conditions of the work orders that were created in the window."""
        # Every status, said by name, lets the index by site and status serve the window of a site.
        every = () if self.everything else (WorkOrder.status.in_(STATUSES),)
        return (self.on(WorkOrder.site), *every, *self.within(WorkOrder.created_at))

    def entries(self) -> tuple[ColumnElement[bool], ...]:
        """Return the conditions of the audit entries of the window, by their place in the chain: inside its indexes."""
        first = select(func.min(AuditLog.seq)).where(AuditLog.created_at >= self.start).scalar_subquery()
        return AuditLog.seq >= first, *self.within(AuditLog.created_at)

    @cached_property
    def names(self) -> Sequence[str]:
        """Return the names of the sites."""
        return [self.site] if self.site is not None else sites.names(self.ctx)

    def ending(self, end: datetime, days: int | None = None) -> Scope:
        """Return the same sites over another window."""
        return replace(self, end=end, days=self.days if days is None else days)

    def covering(self, ends: Sequence[datetime]) -> Scope:
        """Return the same sites over everything that lies in a window of this length before one of `ends`."""
        first, last = min(ends), max(ends)
        return self.ending(last, self.days + ceil((last - first) / timedelta(days=1)))


def scope_of(ctx: Context, code: str, site: str | None, days: int, end: datetime | None = None) -> Scope:
    """Return what a metric of a week counts; raises PermissionDenied, SiteDenied, and Invalid for what is no site."""
    ctx.actor.require(f"adoption_{code}:read")
    named = site_of(ctx, site)
    ctx.actor.require_site(named)
    return Scope(ctx, named, days, ctx.now() if end is None else end)
