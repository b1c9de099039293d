"""The demo company is true: made through the services, with a chain that verifies and something on every page."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from console.context import SYSTEM, unit_of_work
from console.demo.company import PEOPLE, SITES
from console.demo.story import Story
from console.domain.tracker import REMEDIATION
from console.listing import ListQuery
from console.models.audit import AuditLog
from console.models.runs import JobRun
from console.services import audit, gate, sites, tracker_board, users


@pytest.fixture
def company(engine, config, clock):
    Story(sessionmaker(engine), config, clock.now()).play()
    with unit_of_work(sessionmaker(engine), actor=SYSTEM, clock=clock, config=config, write=False) as ctx:
        yield ctx


def test_the_demo_company_has_something_true_on_every_page(company):
    ctx = company
    assert {site.name for site in sites.list_all(ctx)} == set(SITES)
    assert {user.username for user in users.list_users(ctx)} == {person.username for person in PEOPLE}
    assert all(user.username.startswith("demo.") for user in users.list_users(ctx))

    strip = gate.overview(ctx)
    assert strip.decision == "no_go"
    decisions = set(ctx.session.scalars(select(JobRun.detail_json["decision"].as_string())))
    assert {"go", "no_go"} <= decisions

    board = tracker_board.board(ctx, REMEDIATION, ListQuery())
    assert all(column.count for column in board.columns)

    assert ctx.session.scalar(select(func.count()).select_from(AuditLog)) > 100
    assert audit.chain_status(ctx).chain_ok
    future = select(func.count()).select_from(AuditLog).where(AuditLog.created_at > ctx.now())
    assert ctx.session.scalar(future) == 0


def test_nobody_of_the_demo_company_can_sign_in_until_an_owner_says_so(company):
    assert not any(user.has_password for user in users.list_users(company))
