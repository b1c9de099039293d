"""What a job is for the rest of the console: its name, its work and the options it takes.

The registry itself lives with the workers; whoever opens a door (request, worker, command) brings the job along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from console.core.context import Context
from console.domain.errors import Invalid
from console.inputs.base import BodyModel


class NoOptions(BodyModel):
    """A job that takes no options."""


@dataclass(frozen=True)
class Job:
    """One job that can be run by schedule, request or command.

    `work(ctx, options)` does it in one transaction and gives a dataclass, a dict or an Outcome. `title` and `sentence`
    are message ids for people. `reads_first` starts reading, and the work calls `ctx.begin_write()` before its first
    write: for jobs that look at much and change little. `permission` is what a person needs to start it. `fails_on` is
    the status that ends its command with a failure even if nobody asked for that (`critical`, `warning`).
    """

    name: str
    work: Callable[[Context, Any], Any]
    options: type[BaseModel] = NoOptions
    title: str = ""
    sentence: str = ""
    lease_seconds: int | None = None
    reads_first: bool = False
    permission: str = "jobs:run"
    fails_on: str | None = None


def read_options(job: Job, given: Mapping[str, Any] | BaseModel | None = None, *, words: bool = False) -> BaseModel:
    """Return the job's options with defaults filled in; raises Invalid naming each field that does not fit.

    `words` reads values written as text, as forms and the command line send them. Unknown names are refused: a
    misspelt option would otherwise run the job with its default.
    """
    if isinstance(given, BaseModel):
        given = given.model_dump(mode="json")
    values = dict(given or {})
    unknown = sorted(set(values) - set(job.options.model_fields))
    if unknown:
        raise Invalid(
            [{"type": "extra_forbidden", "loc": ["options", name], "msg": "Unknown option"} for name in unknown]
        )
    try:
        if words:
            return job.options.model_validate_strings(values, strict=False)
        return job.options.model_validate(values)
    except ValidationError as error:
        raise Invalid(
            [
                {"type": part["type"], "loc": ["options", *part["loc"]], "msg": part["msg"]}
                for part in error.errors(include_url=False, include_context=False, include_input=False)
            ]
        ) from error


def stored_options(options: BaseModel) -> dict[str, Any]:
    """Return options in the form that is stored with a run."""
    return options.model_dump(mode="json")
