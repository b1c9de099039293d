"""The alert channels for clients: figures, guard, objective for recoveries, retention (API contract, alerts)."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel

from console.domain.errors import NotFound
from console.domain.jobs import names as job_names
from console.inputs.alert_channels import (
    ChannelChangeIn,
    ChannelIn,
    ChannelPath,
    ChannelPauseIn,
    EventTypeQuery,
    GuardQuery,
    RecoverBatchOut,
    RecoverBatchQuery,
    RecoverLatestOut,
    RecoverQuery,
    RetentionLatestOut,
    RetentionOut,
    RetentionQuery,
    SloCheckQuery,
    SloLatestOut,
    SloPolicyIn,
    SloRunOut,
)
from console.inputs.policies import PolicyOut
from console.inputs.response_models import array, shape
from console.services.alerts import channels, figures, guard, outbox, retention, slo
from console.services.alerts.channels import ChannelView, Wish
from console.services.audit import record as audit
from console.services.jobs import runs as stored
from console.services.jobs.runs import Run
from console.services.policies import policies
from console.services.policies.kinds import PolicyView, envelope
from console.ui import runs
from console.ui.responses import answer
from console.web.api_blueprint import ApiBlueprint
from console.web.etags import if_match
from console.web.request import access, web_context

A = "/api/ops/alerts"
ADMIN = "admins:manage"
TYPE = "alert_delivery"

api = ApiBlueprint(
    "alert_channels_api", __name__, abp_tags=[Tag(name="alert channels", description="How the alert channels are")]
)
KpiOut, MttrOut = shape(figures.Kpi, "ChannelKpiOut"), shape(figures.Mttr, "ChannelMttrOut")
SnapshotOut, ProbedOut = shape(guard.Snapshot, "ChannelGuardOut"), shape(guard.Probed, "ChannelProbeOut")
ChannelOut = shape(ChannelView, "AlertChannelOut")
ChannelList = array(ChannelOut, "AlertChannelList")
RetentionPolicyOut = shape(retention.Policy, "AlertRetentionPolicyOut")


@api.get(f"{A}/kpi/channels", responses={200: KpiOut})
@access(*outbox.READ)
def channel_kpi(query: EventTypeQuery) -> Response:
    """Return how many deliveries of each channel arrived in the last week and in the last thirty days."""
    return answer(figures.kpi(web_context(), event_type=query.event_type), KpiOut)


@api.get(f"{A}/kpi/mttr", responses={200: MttrOut})
@access(*outbox.READ)
def channel_mttr(query: EventTypeQuery) -> Response:
    """Return how long the channels took to recover in the last week and in the last thirty days."""
    return answer(figures.mttr(web_context(), event_type=query.event_type), MttrOut)


def _policy(view: PolicyView) -> Response:
    return answer(envelope(view), PolicyOut, headers={"ETag": view.etag})


@api.get(f"{A}/mttr-slo/policy", responses={200: PolicyOut})
@access(*slo.READ)
def get_policy() -> Response:
    """Return the objective that counts now; `source` tells whether anybody set it."""
    return _policy(policies.view(web_context(), slo.KIND))


@api.put(f"{A}/mttr-slo/policy", responses={200: PolicyOut})
@access(ADMIN)
def put_policy(body: SloPolicyIn) -> Response:
    """Change any part of the objective; with `If-Match` only the revision that it names (412)."""
    return _policy(slo.change(web_context(), body.root, if_match=if_match()))


@api.post(f"{A}/mttr-slo/check/run", responses={200: SloRunOut})
@access(*outbox.WRITE)
def run_check(query: SloCheckQuery) -> Response:
    """Judge the objective now; a breach tries the channels and tells people."""
    options = {"event_type": query.event_type, "force_notify": query.force_notify}
    return runs.run_endpoint(job_names.ALERT_MTTR_SLO, options, SloRunOut)


@api.get(f"{A}/mttr-slo/check/latest", responses={200: SloLatestOut})
@access(*outbox.READ)
def latest_check() -> Response:
    """Return the newest check; 404 before the first."""
    return _latest(slo.latest(web_context()), "ops_alert_mttr_slo_check_latest_view", SloLatestOut)


@api.get(f"{A}/channels/guard", responses={200: SnapshotOut})
@access(*outbox.READ)
def channel_guard(query: GuardQuery) -> Response:
    """Return how the configured channels are, worst first."""
    return answer(guard.snapshot(web_context(), **query.model_dump()), SnapshotOut)


@api.post(f"{A}/channels/guard/recover", responses={200: ProbedOut})
@access(*outbox.WRITE)
def recover(query: RecoverQuery) -> Response:
    """Send a trial to one configured channel; 404 for anything else."""
    done = guard.recover(web_context(), query.target, event_type=query.event_type, note=query.note)
    return answer(done, ProbedOut)


@api.post(f"{A}/channels/guard/recover-batch", responses={200: RecoverBatchOut})
@access(*outbox.WRITE)
def recover_batch(query: RecoverBatchQuery) -> Response:
    """Send a trial to every channel in this state; a dry run names them only."""
    options = query.model_dump(include={"event_type", "state", "max_targets"})
    return runs.run_endpoint(job_names.ALERT_GUARD_RECOVER, options, RecoverBatchOut, dry_run=query.dry_run)


@api.get(f"{A}/channels/guard/recover/latest", responses={200: RecoverLatestOut})
@access(*outbox.READ)
def latest_recovery() -> Response:
    """Return the newest recovery; 404 before the first."""
    ctx = web_context()
    found = stored.last_executed(ctx, job_names.ALERT_GUARD_RECOVER, dry_run=None)
    if found is None:
        raise NotFound(f"No {job_names.ALERT_GUARD_RECOVER} run found")
    return _latest(found, "ops_alert_channel_guard_recover_latest_view", RecoverLatestOut)


@api.get(f"{A}/channels", responses={200: ChannelList})
@access(*outbox.READ)
def list_channels() -> Response:
    """Return the channels that people made, by name; those of the settings stand in the guard."""
    return answer(list(channels.all_made(web_context())), ChannelOut)


@api.post(f"{A}/channels", responses={201: ChannelOut})
@access(ADMIN)
def create_channel(body: ChannelIn) -> Response:
    """Make a channel; its address is stored sealed and never answered."""
    return answer(channels.create(web_context(), Wish(**body.model_dump())), ChannelOut, status=201)


@api.put(f"{A}/channels/<key>", responses={200: ChannelOut})
@access(ADMIN)
def change_channel(path: ChannelPath, body: ChannelChangeIn) -> Response:
    """Change a channel; without an address the stored one stays."""
    wish = Wish(**body.model_dump(exclude={"version"}))
    return answer(channels.change(web_context(), path.key, wish, version=body.version), ChannelOut)


@api.post(f"{A}/channels/<key>/pause", responses={200: ChannelOut})
@access(ADMIN)
def pause_channel(path: ChannelPath, body: ChannelPauseIn) -> Response:
    """Pause a channel, with a reason, or take it up again; what is due meanwhile waits."""
    return answer(channels.pause(web_context(), path.key, **body.model_dump()), ChannelOut)


@api.get(f"{A}/retention/policy", responses={200: RetentionPolicyOut})
@access(*outbox.READ)
def retention_policy() -> Response:
    """Return what the settings say of old deliveries."""
    return answer(retention.policy(web_context()), RetentionPolicyOut)


@api.post(f"{A}/retention/run", responses={200: RetentionOut})
@access(ADMIN)
def run_retention(query: RetentionQuery) -> Response:
    """Take old deliveries away once they stand in an archive that was read again."""
    options = query.model_dump(include={"retention_days", "max_delete", "write_archive"})
    return runs.run_endpoint(job_names.ALERT_RETENTION, options, RetentionOut, dry_run=query.dry_run)


@api.get(f"{A}/retention/latest", responses={200: RetentionLatestOut})
@access(*outbox.READ)
def latest_retention() -> Response:
    """Return the newest run of the retention; 404 before the first."""
    return _latest(retention.latest(web_context()), "ops_alert_retention_latest_view", RetentionLatestOut)


def _latest(run: Run, action: str, model: type[BaseModel]) -> Response:
    audit.viewed(web_context(), action, TYPE, run.id)
    return answer({**run.detail, **run.header()}, model)
