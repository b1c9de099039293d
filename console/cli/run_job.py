"""One job now, from the command line or from the system's own cron: `python -m workers <job name> [options]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError

from console.cli.groups import sentence
from console.core.context import Context
from console.core.database import problem_of
from console.core.process import ProcessRuntime, worker_name
from console.core.serialize import to_json
from console.domain.errors import DomainError
from console.domain.jobs.names import COMMANDS, QUALITY, WINDOWS
from console.domain.jobs.runs import CRON
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.services.jobs.job import Job, read_options

# A run that is under way may end first; then it is better to say so than to wait in a cron job.
PATIENCE = timedelta(seconds=30)
# Before the name of an option that was switched off.
OFF = "no "
BAD_STATUS = {"critical": ("critical",), "warning": ("critical", "warning")}


def meant(word: str, arguments: Sequence[str]) -> tuple[str, list[str]]:
    """Return the job that a word of the command line means, and its arguments (API contract, jobs).

    Some published commands have other names than the jobs that they run.
    """
    if word != QUALITY:
        return COMMANDS.get(word, word), list(arguments)
    parser = argparse.ArgumentParser(prog=f"python -m workers {word}", allow_abbrev=False, add_help=False)
    parser.add_argument("--window", choices=sorted(WINDOWS), default="weekly")
    given, rest = parser.parse_known_args(arguments)
    return WINDOWS[given.window], rest


def parser_of(job: Job) -> argparse.ArgumentParser:
    """Return the parser of a job's own options: one per field of its options, words with dashes.

    A field may say its published words itself: `flag` for the option, `off` for the one that switches it off.
    """
    parser = argparse.ArgumentParser(prog=f"python -m workers {job.name}", allow_abbrev=False)
    for name, field in job.options.model_fields.items():
        said = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        flag = name.replace("_", "-")
        flags = [f"--{word}" for word in dict.fromkeys((flag, str(said.get("flag", flag))))]
        if field.annotation is bool:
            # `--no-restore-check` switches off what is on by default.
            word = f"--no-{flag}" if field.default is True else f"--{flag}"
            parser.add_argument(word, dest=name, action="store_const", const=str(field.default is not True).lower())
        elif bool in get_args(field.annotation):
            # Without a word the settings decide.
            parser.add_argument(*flags, dest=name, metavar="true|false", nargs="?", const="true")
            parser.add_argument(f"--{said.get('off', f'no-{flag}')}", dest=f"{OFF}{name}", action="store_true")
        elif get_origin(field.annotation) is list:
            parser.add_argument(*flags, dest=name, metavar=name.upper(), action="append", help="may be repeated")
        else:
            parser.add_argument(*flags, dest=name, metavar=name.upper())
    parser.add_argument("--dry-run", dest="dry_run", action="store_true", help="decide and report, change nothing")
    parser.add_argument("--fail-on", dest="fail_on", choices=sorted(BAD_STATUS), help="exit with 1 on such a status")
    return parser


def words_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was said of the options; what was switched on and off is on (API contract, jobs)."""
    off = {name.removeprefix(OFF): "false" for name, value in given.items() if name.startswith(OFF) and value}
    said = {name: value for name, value in given.items() if not name.startswith(OFF) and value is not None}
    return {**off, **said}


def options_from(job: Job, words: Mapping[str, Any]) -> BaseModel:
    """Return a job's options from texts, as commands and forms have them; raises Invalid."""
    return read_options(job, words, words=True)


def run_now(ctx: Context, job: Job, options: BaseModel, *, trigger: str, dry_run: bool) -> dict[str, Any]:
    """Run a job in this process and return what is printed of it: the run's fields, then those of its detail."""
    found = run_engine.execute(
        ctx, job, options, trigger=trigger, dry_run=dry_run, worker=worker_name(), patience=PATIENCE
    )
    return {**found.header(), "dry_run": found.run.dry_run, **found.run.detail}


def exit_code(job: Job, status: str, fail_on: str | None) -> int:
    """Return 1 for a status that the caller or the job fails on, else 0 (API contract: 0 whatever the status)."""
    worst = fail_on or job.fails_on
    return 1 if worst and status in BAD_STATUS[worst] else 0


def main(
    place: ProcessRuntime, name: str, arguments: Sequence[str], make_tables: Callable[[ProcessRuntime], None]
) -> int:
    """Run one job with trigger `cron`, print its run as one JSON line and return the exit code.

    `make_tables` makes them first when the database has none (API contract, jobs).
    """
    job = registry.get(name)
    given = vars(parser_of(job).parse_args(arguments))
    dry_run, fail_on = given.pop("dry_run"), given.pop("fail_on")
    try:
        make_tables(place)
        with place.by_hand() as ctx:
            told = run_now(ctx, job, options_from(job, words_of(given)), trigger=CRON, dry_run=dry_run)
    except DomainError as error:
        print(f"{name}: {sentence(error)}", file=sys.stderr)
        return 1
    except DBAPIError as error:
        print(f"{name}: {problem_of(error)}", file=sys.stderr)
        return 1
    print(to_json(told))
    return exit_code(job, told["status"], fail_on)
