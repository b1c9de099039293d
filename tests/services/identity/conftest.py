"""People with a password, and contexts of theirs."""

from __future__ import annotations

import pytest

from console.services.identity import passwords
from tests.factories import make_user
from tests.support.people import PASSWORD


@pytest.fixture
def person(session, clock, config, make_ctx):
    """Return `person(username)`: somebody with a password, and a context of theirs."""

    def build(username="kim", role="manager", config=config):
        hashed = passwords.make_hash(config, PASSWORD)
        user = make_user(session, now=clock.now(), username=username, role=role, password_hash=hashed)
        session.commit()
        return user, make_ctx(role, user_id=user.id, username=username)

    return build
