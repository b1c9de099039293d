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
from console.services.reliability import burn_alerts, latency
from console.services.reliability.latency import Sample
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
    with factory() as session:
        _times(_writing(session, config, now), now)
    return Company(ids)


def _times(ctx: Context, now: datetime) -> None:
    """A day of response times: one route slower since a deploy of the night, one near its limit, two almost unused."""
    deployed = now - timedelta(hours=8)
    version = {"checklist_version": f"{deployed:%Y.%m}.v4"}
    at = {"requested_at": deployed, "started_at": deployed, "finished_at": deployed}
    ctx.session.add(
        JobRun(job_name="deploy_smoke", trigger="api", state="finished", status="success", detail_json=version, **at)
    )
    samples = []
    for quarter in range(24 * 4):
        ended = now - timedelta(minutes=15 * quarter + 2)
        slow = 300 + 35 * (32 - quarter) if quarter < 32 else 240
        for name, base in (("GET /api/work-orders", slow), ("GET /api/inspections", 330), ("GET /health", 4)):
            method, path = name.split()
            samples += [
                Sample(name, method, path, base * (0.5 + number / 18), 200, False, ended) for number in range(20)
            ]
    samples += [Sample("GET /meta", "GET", "/meta", 5.0, 200, False, now - timedelta(minutes=9)) for _ in range(5)]
    latency.store(ctx, samples)
    burn_alerts.check(ctx)
    ctx.commit()


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
