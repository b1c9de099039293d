"""A small company for the browser tests and the screenshots: made through the services, dated relative to now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import SYSTEM, Context, start_writing
from console.core.serialize import plain
from console.domain.gate.gate import as_detail
from console.domain.jobs import names as job_names
from console.domain.tracker.requests import ItemChange
from console.models.identity import User
from console.models.jobs import JobRun
from console.services.gate import gate
from console.services.home import saved_views as views
from console.services.remediation import sync as tracker_sync
from console.services.tracker import items as tracker_items
from tests.conftest import actor_of
from tests.factories import make_site, make_user

SITES = ("한빛마을 3단지", "강남 센터원", "푸른숲 타워", "송도 스카이")
PEOPLE = (
    ("daepyo", "김대표", "owner"),
    ("kim", "김관리", "manager"),
    ("lee", "이정비", "operator"),
    ("park", "박감사", "auditor"),
)
ROLE_NAMES = {role: username for username, _display, role in PEOPLE}


@dataclass(frozen=True)
class Company:
    """What was made: the ids of the people by role."""

    ids: dict[str, int]


def fill(factory: sessionmaker[Session], config: Config, now: datetime) -> Company:
    """Fill an empty database: sites, people, a month of verdicts, a plan with work in all states."""
    ids = _people(factory, now)
    for days in range(27, -1, -1):
        _verdict(factory, config, now - timedelta(days=days, hours=2), good=days % 6 != 0)
    with factory() as session:
        tracker_sync.sync(_writing(session, config, now - timedelta(hours=22)))
        session.commit()
    with factory() as session:
        ctx = _writing(
            session, config, now - timedelta(hours=1), role="manager", user_id=ids["manager"], username="kim"
        )
        for number, change in enumerate(_changes(), start=1):
            tracker_items.change(ctx, number, change)
        views.save(ctx, list_name="board", name="아침 회의", address="/board?due=overdue", shared=True)
        ctx.commit()
    return Company(ids)


def _changes() -> tuple[ItemChange, ...]:
    return (
        ItemChange(assignee="kim", status="in_progress"),
        ItemChange(assignee="lee"),
        ItemChange(assignee="lee", status="blocked"),
    )


def _people(factory: sessionmaker[Session], now: datetime) -> dict[str, int]:
    with factory() as session:
        for name in SITES:
            make_site(session, name, now=now)
        made: dict[str, User] = {}
        for username, display, role in PEOPLE:
            made[role] = make_user(session, now=now, username=username, display_name=display, role=role)
        session.commit()
        return {role: user.id for role, user in made.items()}


def _writing(session: Session, config: Config, at: datetime, role: str = "", **values: Any) -> Context:
    actor = actor_of(role, **values) if role else SYSTEM
    start_writing(session)
    return Context(session, FixedClock(at), actor, config)


def _verdict(factory: sessionmaker[Session], config: Config, at: datetime, *, good: bool) -> None:
    with factory() as session:
        ctx = _writing(session, config, at)
        detail = plain(as_detail(gate.snapshot(ctx)))
        if good:
            detail["decision"] = "go"
        session.add(
            JobRun(
                job_name=job_names.GATE,
                trigger="cron",
                state="finished",
                status="success" if good else "critical",
                executed=True,
                requested_at=at,
                started_at=at,
                finished_at=at,
                detail_json=detail,
            )
        )
        ctx.commit()
