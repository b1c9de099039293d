"""`flask job`: list the jobs, run one, close what lost workers left behind."""

from __future__ import annotations

import json
import sys
import time

import click

from console.cli import run_job
from console.cli.groups import Commands, sentence
from console.core.serialize import to_json
from console.domain.errors import DomainError
from console.domain.jobs.runs import MANUAL
from console.services.jobs import registry
from console.services.jobs import upkeep as run_upkeep
from console.web.extensions import runtime

commands = Commands("job", help="Background work.")

# Long enough for two heartbeats of a living worker.
LOOK_AGAIN = 21.0


@commands.command("list")
def list_jobs() -> None:
    """List the jobs with their options and the times at which they run."""
    for job in registry.all_jobs():
        times = [f"{line.cron} {line.zone}" for line in registry.schedule() if line.job == job.name]
        click.echo(f"{job.name:<40} {', '.join(times) or '-'}")
        for name, field in job.options.model_fields.items():
            usual = None if field.is_required() else field.get_default(call_default_factory=True)
            default = "" if field.is_required() else f" (default {json.dumps(usual, ensure_ascii=False, default=list)})"
            click.echo(f"    --option {name}=…{default}")


@commands.command("run")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Decide and report, change nothing.")
@click.option("--option", "given", multiple=True, metavar="NAME=VALUE", help="An option of the job; may be repeated.")
@click.option("--fail-on", type=click.Choice(sorted(run_job.BAD_STATUS)), help="Exit with 1 on such a status.")
def run(*, name: str, dry_run: bool, given: tuple[str, ...], fail_on: str | None) -> None:
    """Run a job now, in this process, and print its run as one line of JSON."""
    words = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals:
            raise click.UsageError(f"--option wants NAME=VALUE, not {pair!r}")
        words[key] = value
    try:
        job = registry.get(name)
        options = run_job.options_from(job, words)
        with runtime().by_hand() as ctx:
            told = run_job.run_now(ctx, job, options, trigger=MANUAL, dry_run=dry_run)
    except DomainError as error:
        raise click.ClickException(sentence(error)) from error
    click.echo(to_json(told))
    sys.exit(run_job.exit_code(job, told["status"], fail_on))


@commands.command("reap")
@click.option("--wait", default=LOOK_AGAIN, show_default=True, help="Seconds between the two looks.")
def reap(*, wait: float) -> None:
    """Close runs whose worker is gone, if no scheduler does; looks twice to spare the living."""
    place = runtime()
    reaper = run_upkeep.Reaper()
    closed: list[int] = []
    for pause in (wait, 0.0):
        with place.reading() as ctx:
            closed += reaper.reap(ctx)
        time.sleep(pause)
    click.echo(f"{len(closed)} closed" + "".join(f" #{run_id}" for run_id in closed))
