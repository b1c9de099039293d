"""`flask gate check`: the verdict for a pipeline, as an exit code."""

from __future__ import annotations

import sys
from typing import Any

import click
import structlog
from sqlalchemy.exc import DBAPIError

from console.cli.groups import Commands
from console.core.database import problem_of
from console.core.serialize import to_json
from console.domain.gate.gate import GO, PASS, as_detail
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import MANUAL
from console.services.gate import gate
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.web.extensions import runtime

log = structlog.get_logger(__name__)

commands = Commands("gate", help="The governance gate.")

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
def check(*, strict: bool, store: bool, as_json: bool) -> None:
    """Judge the gate: exit code 0 GO, 1 NO-GO, 2 GO with warnings under --strict, 3 undecided."""
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
