"""`python -m workers worker`, `python -m workers scheduler`, `python -m workers <job name> [options]`."""

from __future__ import annotations

import sys

from sqlalchemy import inspect

from console.cli import run_job
from console.core import logs
from console.core.config import ConfigError
from console.core.process import ProcessRuntime, here
from console.services.jobs import registry
from console.services.runbook import preflight
from workers import scheduler, worker

PROCESSES = {"worker": worker.main, "scheduler": scheduler.main}


def usage() -> str:
    """Return the words that are understood."""
    names = "\n".join(f"  {job.name}" for job in registry.all_jobs())
    return f"python -m workers worker|scheduler\npython -m workers <job> [--dry-run] [options]\n\njobs:\n{names}"


def make_tables(place: ProcessRuntime) -> None:
    """Bring a database without tables to the newest schema."""
    if inspect(place.engine).has_table("job_runs"):
        return
    from flask_migrate import upgrade

    from console import create_app

    with create_app(place.config).app_context():
        upgrade()


def main(arguments: list[str]) -> int:
    """Start what the first word names; returns the exit code."""
    if not arguments or arguments[0] in {"-h", "--help"}:
        print(usage())
        return 0 if arguments else 2
    name, *rest = arguments
    try:
        place = here()
    except ConfigError as error:
        print(f"{error}.", file=sys.stderr)
        return 2
    if name in PROCESSES:
        try:
            preflight.refuse_bad_start(place.config, place.clock.now())
        except preflight.BadStart as error:
            print(error, file=sys.stderr)
            return 1
        return PROCESSES[name]()
    name, rest = run_job.meant(name, rest)
    if registry.find(name) is None:
        print(f"There is no job {name!r}.\n\n{usage()}", file=sys.stderr)
        return 2
    logs.configure(place.config["LOG_LEVEL"])
    return run_job.main(place, name, rest, make_tables)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
