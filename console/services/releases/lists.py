"""The recorded smoke tests as a list: what each release was, what it changed against the one before, what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import ColumnElement, Label, Select, Subquery, func, or_, select

from console.core.context import Context
from console.core.filters import day_filters, one_of
from console.core.listing import Filter, ListSpec
from console.core.records import INTERNAL, Fact, columns_of
from console.domain.errors import NotFound
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import FINISHED
from console.domain.releases.history import Seen, changes
from console.domain.text import N_, T, Text
from console.models.jobs import JobRun
from console.services.common.sql import contains
from console.services.jobs import runs
from console.services.jobs.runs import Run
from console.services.releases import archive
from console.services.releases.checklist import READ


@dataclass(frozen=True)
class DeployRow:
    """A recorded smoke test in the list; `finding_ids` are its findings, worst first."""

    deploy_id: Annotated[str, Fact(N_("Release"))]
    status: Annotated[str, Fact(N_("Result"))]
    finished_at: Annotated[datetime, Fact(N_("Recorded"), sort=True)]
    environment: Annotated[str, Fact(N_("Environment"))]
    finding_count: Annotated[int, Fact(N_("Findings"), numeric=True)]
    worst: Annotated[Text | None, Fact(N_("Worst finding"))]
    changes: Annotated[
        tuple[Text, ...], Fact(N_("Against the one before"), value=lambda row: "; ".join(map(str, row.changes)))
    ]
    checklist_version: Annotated[str, Fact(N_("Checklist"))]
    checklist_signature: Annotated[str, Fact(N_("Signature"), shown=False)]
    base_url: Annotated[str, Fact(N_("Address"), shown=False)]
    run_id: Annotated[int, Fact(N_("Run"), shown=False)]
    finding_ids: Annotated[tuple[str, ...], INTERNAL] = ()


def _smokes() -> Subquery:
    """Return every recorded smoke test with what the one before it in the same environment had."""
    detail = JobRun.detail_json
    words = {
        name: func.coalesce(detail[name].as_string(), "").label(name)
        for name in ("deploy_id", "environment", "base_url", "checklist_version", "checklist_signature")
    }
    environment, in_time = words["environment"].element, (JobRun.finished_at, JobRun.id)

    def earlier(value: Any, name: str) -> Label[Any]:
        lagged = func.lag(value, type_=value.type)
        return lagged.over(partition_by=environment, order_by=in_time).label(f"earlier_{name}")

    before = (
        earlier(JobRun.id, "id"),
        earlier(words["checklist_version"].element, "version"),
        earlier(words["checklist_signature"].element, "signature"),
        earlier(detail["findings"], "findings"),
    )
    query = select(
        JobRun.id, JobRun.status, JobRun.finished_at, *words.values(), detail["findings"].label("findings"), *before
    )
    return query.where(*recorded()).subquery("smokes")


def recorded() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of runs that are recorded smoke tests."""
    return (JobRun.job_name == job_names.DEPLOY_SMOKE, JobRun.state == FINISHED, JobRun.dry_run.is_(False))


_S = _smokes().c


def _base(_ctx: Context) -> Select[Any]:
    return select(*_S)


def _row(row: Any) -> DeployRow:
    found = tuple(row.findings or ())
    now = Seen(row.checklist_version, row.checklist_signature, _ids(found))
    earlier = None
    if row.earlier_id is not None:
        earlier = Seen(row.earlier_version, row.earlier_signature, _ids(row.earlier_findings or ()))
    return DeployRow(
        deploy_id=row.deploy_id,
        status=row.status,
        finished_at=row.finished_at,
        environment=row.environment,
        finding_count=len(found),
        worst=_worst(found),
        changes=changes(now, earlier),
        checklist_version=row.checklist_version,
        checklist_signature=row.checklist_signature,
        base_url=row.base_url,
        run_id=row.id,
        finding_ids=now.findings,
    )


def _ids(found: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one["id"] for one in found))


def _worst(found: Sequence[Mapping[str, Any]]) -> Text | None:
    # The first of the worst: findings stand in the published order, and max keeps the first of equals.
    if not found:
        return None
    said = max(found, key=lambda one: one["status"] == "critical")["message_text"]
    return Text(said["msgid"], said["params"])


def _search(_ctx: Context, text: str) -> ColumnElement[bool]:
    return or_(*(contains(column, text) for column in (_S.deploy_id, _S.base_url, _S.checklist_version)))


DEPLOYS = ListSpec(
    name="deploys",
    read=READ,
    base=_base,
    row=_row,
    key=_S.id,
    columns=columns_of(
        DeployRow,
        _S,
        *("deploy_id", "status", "finished_at", "environment", "finding_count", "worst", "changes"),
        *("checklist_version", "checklist_signature", "base_url", "run_id"),
    ),
    filters=(
        Filter(
            "status",
            N_("Result"),
            "choice",
            one_of(_S.status),
            (("success", N_("Success")), ("warning", N_("Warning")), ("critical", N_("Critical"))),
        ),
        Filter("environment", N_("Environment"), "text", one_of(_S.environment), multiple=False),
        *day_filters(_S.finished_at),
    ),
    search=_search,
    order=(_S.finished_at.desc(),),
)


@dataclass(frozen=True)
class Deploy:
    """One recorded smoke test: its run, what it changed against the one before, and how its file is now."""

    run: Run
    row: DeployRow
    file_state: str


def one(ctx: Context, run_id: int) -> Deploy:
    """Return one recorded smoke test and look at its file; raises PermissionDenied and NotFound."""
    ctx.actor.require(*READ)
    found = ctx.session.execute(select(*_S).where(_S.id == run_id)).one_or_none()
    if found is None:
        raise NotFound(T("There is no such record"))
    run = runs.of_job(ctx, run_id, job_names.DEPLOY_SMOKE)
    kept = run.detail.get("artifact_archive") or {}
    return Deploy(run, _row(found), archive.state_of(ctx.config, kept, at=found.finished_at, now=ctx.now()))
