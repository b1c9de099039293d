"""`flask gate check`: the verdict for a pipeline, as an exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

import click
import structlog
from sqlalchemy.exc import DBAPIError

from console.cli.groups import Commands
from console.core.database import problem_of
from console.core.serialize import plain, to_json
from console.domain.gate.gate import GO, PASS, as_detail
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import MANUAL
from console.domain.remediation.way import BadSnapshot, cheapest, read
from console.services.gate import gate
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.web.extensions import runtime

log = structlog.get_logger(__name__)

commands = Commands("gate", help="The governance gate.")

LARGEST_EXPORT = 16 * 1024 * 1024
EXIT_GO, EXIT_NO_GO, EXIT_WARNINGS, EXIT_UNDECIDED = 0, 1, 2, 3


class _Misused(click.UsageError):
    exit_code = EXIT_UNDECIDED


class _Check(click.Command):
    """A command whose own usage errors do not look like a verdict."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the arguments; a wrong one ends with "undecided"."""
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            raise _Misused(error.message, error.ctx) from error


@commands.command("check", cls=_Check)
@click.option("--strict", is_flag=True, help="GO with warnings ends with 2 instead of 0.")
@click.option("--run", "store", is_flag=True, help="Keep the verdict as a run, as the schedule does.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole verdict as one line of JSON.")
@click.option(
    "--offline",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Decide upon an exported verdict instead, and print the three cheapest actions to GO; needs no database.",
)
def check(*, strict: bool, store: bool, as_json: bool, offline: Path | None) -> None:
    """Judge the gate: exit code 0 GO, 1 NO-GO, 2 GO with warnings under --strict, 3 undecided."""
    if offline is not None:
        if store:
            raise _Misused("--offline decides upon a file and keeps nothing: leave --run out")
        _decide_offline(offline, strict=strict, as_json=as_json)
    try:
        verdict = _verdict(store=store)
    except DBAPIError as error:
        click.echo(f"UNDECIDED: {problem_of(error)}", err=True)
        sys.exit(EXIT_UNDECIDED)
    except Exception as error:
        log.exception("gate_undecided")
        click.echo(f"UNDECIDED: the gate could not be judged ({type(error).__name__}: {error})", err=True)
        sys.exit(EXIT_UNDECIDED)
    click.echo(to_json(verdict) if as_json else _told(verdict))
    sys.exit(_exit_code(verdict, strict=strict))


def _decide_offline(file: Path, *, strict: bool, as_json: bool) -> NoReturn:
    try:
        if file.stat().st_size > LARGEST_EXPORT:
            raise BadSnapshot("it is larger than any verdict")
        taken = read(json.loads(file.read_bytes()))
    except (OSError, ValueError, RecursionError) as error:
        said = str(error) if isinstance(error, BadSnapshot) else "it is no JSON that can be read"
        click.echo(f"UNDECIDED: {file.name}: {said}", err=True)
        sys.exit(EXIT_UNDECIDED)
    verdict, actions = plain(as_detail(taken)), cheapest(taken)
    if as_json:
        click.echo(to_json({**verdict, "cheapest_actions": actions}))
    else:
        click.echo(_told(verdict))
        if actions:
            click.echo("Cheapest actions to GO:")
        for number, one in enumerate(actions, start=1):
            cost = f"+{one.points:g} points, {one.hours:g} h, {one.owner_role}"
            click.echo(f"  {number}. {one.rule_id} ({cost}): {one.action}")
    sys.exit(_exit_code(verdict, strict=strict))


def _verdict(*, store: bool) -> dict[str, Any]:
    if not store:
        with runtime().reading() as ctx:
            return as_detail(gate.snapshot(ctx))
    with runtime().by_hand() as ctx:
        found = run_engine.execute(ctx, registry.get(job_names.GATE), trigger=MANUAL)
        return {**found.header(), **found.detail}


def _exit_code(verdict: dict[str, Any], *, strict: bool) -> int:
    if verdict["decision"] != GO:
        return EXIT_NO_GO
    return EXIT_WARNINGS if strict and verdict["warning_count"] else EXIT_GO


def _told(verdict: dict[str, Any]) -> str:
    word = "GO" if verdict["decision"] == GO else "NO-GO"
    summary = verdict["summary"]
    lines = [f"{word}: {summary['passed_rules']} of {summary['total_rules']} rules pass"]
    lines += [f"  {reason['message']}" for reason in verdict["reasons"]]
    lines += [
        f"  {rule['status']:<7} {rule['id']}: {rule['message']}" for rule in verdict["rules"] if rule["status"] != PASS
    ]
    return "\n".join(lines)
