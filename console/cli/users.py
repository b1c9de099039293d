"""`flask owner`, `flask user`, `flask token`: the way in for whoever runs the machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import click

from console.cli.groups import Commands, sentence
from console.core.context import Context
from console.domain.errors import DomainError, NotFound
from console.services.identity import first_owner, second_factor, tokens, users
from console.services.identity.first_owner import FirstOwner
from console.web.extensions import runtime

owner = Commands("owner", help="Owners: people who may do everything.")
user = Commands("user", help="Accounts of people and automation.")
token = Commands("token", help="API tokens.")
commands = [owner, user, token]


@contextmanager
def _transaction() -> Iterator[Context]:
    """Open one transaction as the system; a refusal becomes one sentence and exit code 1."""
    try:
        with runtime().writing() as ctx:
            yield ctx
    except DomainError as error:
        raise click.ClickException(sentence(error)) from error


def _tell(found: FirstOwner) -> None:
    if not found.created:
        click.echo(f"An owner can sign in already: {found.username}")
        return
    click.echo(f"Owner created: {found.username}")
    if found.password is not None:
        click.echo(f"One-time password: {found.password}")
        click.echo("It is shown only now and must be changed at the first sign-in.")


@owner.command("ensure")
def ensure_owner() -> None:
    """Create the first owner unless one can sign in; takes ADMIN_PASSWORD or prints a one-time password."""
    with _transaction() as ctx:
        first_owner.ensure_admin_token(ctx)
        found = first_owner.ensure_owner(ctx)
    _tell(found)


@owner.command("create")
@click.argument("username")
@click.option("--name", default="", help="Name that people see.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, not make one.")
def create_owner(username: str, name: str, password_stdin: bool) -> None:
    """Create another owner for all sites."""
    password = _from_stdin() if password_stdin else None
    with _transaction() as ctx:
        found = first_owner.create_owner(ctx, username, display_name=name, password=password)
    _tell(found)


@user.command("reset-password")
@click.argument("username")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, not make one.")
def reset_password(username: str, password_stdin: bool) -> None:
    """Give a user a new password, which must be changed at the next sign-in; ends their sessions and tokens."""
    password = _from_stdin() if password_stdin else None
    with _transaction() as ctx:
        done = users.reset_password(ctx, _id_of(ctx, username), password=password)
    click.echo(f"Password of {username} set; {done.sessions_ended} sessions and {done.tokens_ended} tokens ended.")
    if done.one_time_password is not None:
        click.echo(f"One-time password: {done.one_time_password}")


@user.command("reset-second-factor")
@click.argument("username")
def reset_second_factor(username: str) -> None:
    """Take app and passkeys of a user away: device and recovery codes are lost, the password is enough again."""
    with _transaction() as ctx:
        had = second_factor.reset(ctx, _id_of(ctx, username))
    click.echo(f"Second factor of {username} taken away." if had else f"{username} had no second factor switched on.")


@token.command("issue")
@click.argument("username")
@click.option("--label", default="default", show_default=True, help="What the token is for.")
@click.option("--days", type=click.IntRange(min=1, max=36500), help="Life in days; the longest allowed without it.")
@click.option("--site", "sites", multiple=True, help="Limit to a site; may be given several times.")
def issue_token(username: str, label: str, days: int | None, sites: tuple[str, ...]) -> None:
    """Issue an API token for a user and print it; it is shown only now."""
    with _transaction() as ctx:
        expires_at = ctx.now() + timedelta(days=days) if days is not None else None
        made = tokens.issue(ctx, _id_of(ctx, username), label=label, expires_at=expires_at, site_scope=sites or None)
    # The token alone goes to standard output, so that a script can take it as it is.
    click.echo(made.token)
    until = made.expires_at.isoformat(timespec="minutes") if made.expires_at else "no end"
    click.echo(f"Token {made.token_id} of {username} ({made.label}), valid until {until}", err=True)


def _id_of(ctx: Context, username: str) -> int:
    found = users.by_name(ctx, username)
    if found is None:
        raise NotFound(f"There is no user {username!r}")
    return found.id


def _from_stdin() -> str:
    return sys.stdin.readline().rstrip("\r\n")
