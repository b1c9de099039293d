"""`flask db` stands although Alembic is loaded late."""

from __future__ import annotations


def test_the_migration_commands_are_there(app):
    runner = app.test_cli_runner()

    listed = runner.invoke(args=["db", "--help"])
    head = runner.invoke(args=["db", "heads"])

    assert listed.exit_code == 0
    assert "upgrade" in listed.output
    assert head.exit_code == 0, head.output
