"""The pages of the alert channels: how they are, what they get, trials, pauses and incidents."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.domain.alerts.alerts import SUCCESS
from console.domain.alerts.guard import STEPS
from console.domain.days import last_days, midnight
from console.domain.errors import Conflict, Invalid
from console.domain.jobs import names as job_names
from console.domain.text import N_
from console.forms.alerts import ChannelForm, channel_form
from console.forms.shared import blame
from console.services.alerts import board, channels, guard, outbox
from console.services.alerts.board import Board
from console.services.alerts.channels import ChannelView, Wish
from console.services.alerts.incident_lists import INCIDENTS
from console.services.identity import sites as known_sites
from console.services.jobs import registry
from console.ui import runs
from console.ui.frame import leave_toast
from console.ui.lists import list_download, list_page
from console.ui.navigation import tab
from console.ui.reader import now, zone
from console.ui.times import localdate
from console.web.request import access, current_actor, web_context

ADMIN = "admins:manage"
pages = Blueprint("channels", __name__)
NAV = tab("alerts", 51, "channels.page", N_("Channels"), ("alerts:read",))


@pages.app_template_filter()
def channel_kind(kind: str) -> str:
    """Return what a kind of channel is called."""
    return {"slack": "Slack", "teams": "Microsoft Teams", "mail": _("Mail")}.get(kind, _("Webhook"))


@pages.get("/alerts/channels")
@access(*outbox.READ)
def page() -> str:
    """Show how the channels are, worst first."""
    seen = board.read(web_context(), starts=_starts())
    return render_template("alerts/channels.html", board=seen, steps=STEPS, charts=_charts(seen), **_may())


def _starts() -> tuple[Any, ...]:
    return tuple(midnight(day, zone()) for day in last_days(now(), zone(), board.DAYS))


def _charts(seen: Board) -> dict[str, Any]:
    """Return both charts: the deliveries of each day, and the mean recovery of each week."""
    days = [
        {"label": _("Delivered"), "values": [one.success_count for one in seen.days], "tone": "ok"},
        {"label": _("Held back"), "values": [one.warning_count for one in seen.days], "tone": "soon"},
        {"label": _("Failed"), "values": [one.failed_count for one in seen.days], "tone": "late"},
    ]
    weeks = [{"label": _("Mean time to recovery"), "values": [one.mttr_minutes for one in seen.weeks], "tone": "1"}]
    return {
        "day_labels": [localdate(one.start) for one in seen.days],
        "days": days,
        "week_labels": [localdate(one.end) for one in seen.weeks],
        "weeks": weeks,
    }


def _may() -> dict[str, bool]:
    actor = current_actor()
    tries = actor.all_sites and any(actor.can(name) for name in outbox.WRITE)
    return {"may_try": tries, "may_change": actor.all_sites and actor.can(ADMIN)}


@pages.post("/alerts/channels/recover")
@access(*outbox.WRITE)
def recover() -> ResponseReturnValue:
    """Ask a worker to try every channel in trouble."""
    run = runs.ask(registry.get(job_names.ALERT_GUARD_RECOVER), {"state": "all"})
    return redirect(url_for("jobs.run", run_id=run.id), 303)


@pages.post("/alerts/channels/<key>/try")
@access(*outbox.WRITE)
def try_one(key: str) -> ResponseReturnValue:
    """Send a trial to one channel."""
    done = guard.recover(web_context(), key, note=_("By hand"))
    if done.probe_status == SUCCESS:
        leave_toast(_("The trial arrived"))
    else:
        leave_toast(_("The trial did not arrive"), kind="error")
    return redirect(url_for("channels.page"), 303)


@pages.get("/alerts/channels/incidents")
@access(*outbox.READ)
def incidents() -> Response:
    """Show when channels took nothing."""
    return list_page(INCIDENTS, fragment="alert_channels.incident_list", page="alerts/incidents.html")


@pages.get("/alerts/channels/incidents/csv")
@access(*outbox.READ, rate="auth-heavy")
def incidents_csv() -> Response:
    """Return exactly the incidents of the list as CSV."""
    return list_download(INCIDENTS, "alert-incidents.csv")


@pages.get("/alerts/channels/new")
@access(ADMIN)
def new() -> Response:
    """Ask for a new channel."""
    return _shown(_form(new=True))


@pages.post("/alerts/channels/new")
@access(ADMIN)
def create() -> ResponseReturnValue:
    """Make a channel."""
    form = _form(new=True)
    if form.validate():
        try:
            made = channels.create(web_context(), _wish(form))
        except (Conflict, Invalid) as error:
            blame(form, error, "name")
            return _shown(form, status=error.status)
        leave_toast(_("“%(name)s” was added", name=made.name))
        return redirect(url_for("channels.page"), 303)
    return _shown(form, status=422)


@pages.get("/alerts/channels/<key>")
@access(*outbox.READ)
def detail(key: str) -> Response:
    """Show one channel that people made."""
    found = channels.get(web_context(), key)
    return _shown(_form(found), found)


@pages.post("/alerts/channels/<key>")
@access(ADMIN)
def save(key: str) -> ResponseReturnValue:
    """Keep changes of a channel; without a new address the stored one stays."""
    ctx = web_context()
    found, form = channels.get(ctx, key), _form()
    if not form.validate():
        return _shown(form, found, status=422)
    try:
        done = channels.change(ctx, key, _wish(form), version=request.form.get("version", 0, type=int))
    except (Conflict, Invalid) as error:
        blame(form, error, "name")
        return _shown(form, found, status=error.status)
    leave_toast(_("“%(name)s” was saved", name=done.name))
    return redirect(url_for("channels.detail", key=key), 303)


@pages.post("/alerts/channels/<key>/pause")
@access(ADMIN)
def pause(key: str) -> ResponseReturnValue:
    """Pause a channel, with a reason, or take it up again."""
    paused = request.form.get("paused") == "1"
    version = request.form.get("version", 0, type=int)
    done = channels.pause(web_context(), key, paused=paused, reason=request.form.get("reason", ""), version=version)
    text = _("“%(name)s” is paused") if paused else _("“%(name)s” takes alerts again")
    leave_toast(text % {"name": done.name})
    return redirect(url_for("channels.detail", key=key), 303)


def _form(found: ChannelView | None = None, *, new: bool = False) -> ChannelForm:
    sent = request.form if request.method == "POST" else None
    values = {} if found is None else {name: getattr(found, name) for name in ("name", "kind", "least_level")}
    lists = {} if found is None else {"event_types": list(found.event_types), "sites": list(found.sites)}
    return channel_form(known_sites.names(web_context()), sent, new=new, **values, **lists)


def _wish(form: ChannelForm) -> Wish:
    return Wish(**{name: form[name].data for name in Wish.__dataclass_fields__})


def _shown(form: ChannelForm, found: ChannelView | None = None, *, status: int = 200) -> Response:
    return make_response(render_template("alerts/channel.html", form=form, channel=found, **_may()), status)
