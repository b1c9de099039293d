"""A template with a year of rounds behind it, and what the database has of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from console.core.database import make_engine
from console.domain.inspections.points import Answer
from console.domain.inspections.requests import NewInspection, NewTemplate, PointAnswer
from console.models.identity import User
from console.models.inspections import Inspection
from console.services.identity.passwords import make_hash
from console.services.inspections import create, templates
from tests.browser.rounds.steps import PASSWORD, POINTS, SITE
from tests.browser.seed import _writing


@pytest.fixture(scope="module")
def base(site):
    engine = make_engine(site.database)
    yield sessionmaker(engine)
    engine.dispose()


@pytest.fixture
def template(site, base) -> int:
    """A template with a year of rounds behind it; return its id."""
    now = datetime.now(UTC)
    config = site.app.extensions["console_config"]
    with base() as session:
        ctx = _writing(session, config, now, role="manager", user_id=site.company.ids["manager"], username="kim")
        made = templates.publish(ctx, NewTemplate("power", "변전실 월간 점검", "변전실", "monthly", POINTS))
        for month in range(12, 0, -1):
            given = (Answer("temp", 70.0 + month), Answer("ins", 11.8 + month / 10), Answer("leak", text="없음"))
            create.create(
                ctx,
                NewInspection(
                    SITE,
                    "변전실",
                    "monthly",
                    "이정비",
                    now - timedelta(days=30 * month),
                    template_id=made.id,
                    answers=tuple(map(PointAnswer, given)),
                ),
            )
        ctx.commit()
        return made.id


@pytest.fixture
def counted(base):
    """Return how many rounds were sent from phones."""

    def count() -> int:
        with base() as session:
            asked = select(func.count()).select_from(Inspection).where(Inspection.round_key.is_not(None))
            return session.scalar(asked) or 0

    return count


@pytest.fixture
def password(base, site):
    with base() as session:
        for user in session.scalars(select(User)):
            user.password_hash = make_hash(site.app.extensions["console_config"], PASSWORD)
        session.commit()
    return PASSWORD
