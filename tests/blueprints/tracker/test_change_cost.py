"""What a change of an item asks of the database."""

from console.web.extensions import db
from tests.support.statements import statements


def test_a_change_of_an_item_is_few_statements(app, api, items, engine):
    """One for the caller, one to read and lock the item, one each for command, item, event and revisions; the chain."""
    caller = api("owner")
    path = "/api/ops/governance/gate/remediation/tracker/items/1"
    assert caller.patch(path, json={"completion_note": "first"}).status_code == 200
    with app.app_context():
        own = db.engine

    with statements(own) as seen:
        assert caller.patch(path, json={"completion_note": "second"}).status_code == 200

    # The chain's statements go straight to the driver on PostgreSQL and are three on SQLite.
    assert len(seen) == (6 if own.dialect.name == "postgresql" else 9)
