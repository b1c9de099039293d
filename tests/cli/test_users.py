from __future__ import annotations

import pytest
from sqlalchemy import select

from console.models.identity import Passkey, Token, User


@pytest.fixture
def run(app):
    """Run a command; returns exit code and output."""

    def build(*args, text=""):
        result = app.test_cli_runner().invoke(args=list(args), input=text)
        return result.exit_code, result.output

    return build


def test_the_first_owner_is_made_once_and_the_password_printed_once(run, session):
    code, text = run("owner", "ensure")
    again = run("owner", "ensure")

    assert code == 0
    assert "Owner created: owner" in text
    assert "One-time password: " in text
    assert again == (0, "An owner can sign in already: owner\n")
    made = session.scalar(select(User))
    assert (made.role, made.site_scope, made.must_change_password) == ("owner", ("*",), True)


def test_a_given_first_password_is_not_printed_and_need_not_be_changed(make_app, session):
    runner = make_app(ADMIN_PASSWORD="a long enough one").test_cli_runner()
    result = runner.invoke(args=["owner", "ensure"])

    assert result.output == "Owner created: owner\n"
    assert session.scalar(select(User.must_change_password)) is False


def test_a_weak_first_password_stops_with_one_sentence(make_app, session):
    result = make_app(ADMIN_PASSWORD="short").test_cli_runner().invoke(args=["owner", "ensure"])

    assert (result.exit_code, result.output) == (1, "Error: The password needs at least 10 characters\n")
    assert session.scalar(select(User)) is None


def test_another_owner_and_a_taken_name(run):
    assert run("owner", "create", "head", "--name", "김대표", "--password-stdin", text="a long enough one\n")[0] == 0
    assert run("owner", "create", "head") == (1, "Error: username already exists\n")
    assert run("owner", "create", "x")[1].startswith("Error: username: ")


def test_a_password_is_reset_by_name(run, session):
    run("owner", "create", "head")
    before = session.scalar(select(User.password_hash))
    session.rollback()
    code, text = run("user", "reset-password", "head")

    assert code == 0
    assert "One-time password: " in text
    assert session.scalar(select(User.password_hash)) != before
    assert run("user", "reset-password", "nobody") == (1, "Error: There is no user 'nobody'\n")


def test_a_lost_second_factor_is_taken_away_by_name(run, session):
    run("owner", "create", "head")
    head = session.scalar(select(User))
    head.second_factor_seed, head.second_factor_since = "ab" * 32, head.created_at
    session.commit()

    assert run("user", "reset-second-factor", "head") == (0, "Second factor of head taken away.\n")
    session.rollback()
    assert session.scalar(select(User.second_factor_since)) is None
    session.rollback()
    assert run("user", "reset-second-factor", "head") == (0, "head had no second factor switched on.\n")
    assert run("user", "reset-second-factor", "nobody") == (1, "Error: There is no user 'nobody'\n")


def test_lost_passkeys_are_taken_away_with_it(run, session):
    run("owner", "create", "head")
    head = session.scalar(select(User))
    head.passkeys_since = head.created_at
    key = {"credential_id": "a" * 43, "public_key": b"key", "sign_count": 0, "host": "localhost", "transports": ()}
    session.add(Passkey(user_id=head.id, name="lost phone", created_at=head.created_at, last_used_at=None, **key))
    session.commit()

    assert run("user", "reset-second-factor", "head") == (0, "Second factor of head taken away.\n")
    session.rollback()
    assert session.scalar(select(User.passkeys_since)) is None
    assert session.scalar(select(Passkey.id)) is None


def test_a_token_is_printed_alone_on_standard_output(run, session, app):
    run("owner", "create", "head")
    result = app.test_cli_runner().invoke(
        args=["token", "issue", "head", "--label", "ci", "--days", "3", "--site", "HQ"]
    )

    plain = result.stdout.strip()
    assert (plain[:5], len(plain), result.exit_code) == ("kaos_", 37, 0)
    stored = session.scalar(select(Token))
    assert (stored.label, stored.site_scope) == ("ci", ("HQ",))
    client = app.test_client()
    assert client.get("/api/auth/me", headers={"X-Admin-Token": plain}).json["site_scope"] == ["HQ"]


def test_a_token_beyond_the_longest_life_is_refused(run):
    run("owner", "create", "head")

    assert run("token", "issue", "head", "--days", "31") == (1, "Error: Token expiry exceeds max TTL (30 days)\n")
    assert run("token", "issue", "head", "--days", "999999999")[0] == 2
