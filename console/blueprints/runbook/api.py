"""Latency, runbook, posture and security dashboard, for automation and for people."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_openapi3.models.tag import Tag

from console.core.i18n import DEFAULT_LOCALE, text_in
from console.core.serialize import plain
from console.domain.identity.risk import FAILED_STATUSES, SENSITIVE_ACTIONS
from console.domain.text import N_
from console.inputs.runbook import DashboardOut, DashboardQuery, LatencyOut, NoisePolicyOut, PostureOut, RunbookOut
from console.services.audit import record as audit
from console.services.gate import posture
from console.services.identity import names
from console.services.identity import risk as security
from console.services.identity.risk import Dashboard
from console.services.reliability import latency
from console.services.runbook import runbook
from console.ui.addresses import url_if
from console.ui.labels import runbook as ops_words
from console.ui.navigation import tab
from console.ui.responses import answer, show
from console.web.api_blueprint import ApiBlueprint
from console.web.negotiation import wants_fragment
from console.web.request import access, web_context
from console.web.timing import remembered

READ = security.READ
PERIODS = (7, 30, 90)
pages = Blueprint("ops_security", __name__)
NAV = tab("evidence", 28, "ops_security.page", N_("Security"), READ)
api = ApiBlueprint("ops_security_api", __name__, abp_tags=[Tag(name="operations", description="How the platform is")])


@api.get("/api/ops/performance/api-latency", responses={200: LatencyOut})
@access(*latency.READ)
def api_latency() -> Response:
    """Return response times and burn rates of the watched endpoints."""
    memory = remembered(current_app)
    ctx = web_context()
    found = latency.view(ctx, memory)
    audit.viewed(ctx, "ops_api_latency_view", "ops_performance", "api_latency", status=found.status)
    return answer(found, LatencyOut)


@api.get("/api/ops/runbook/checks", responses={200: RunbookOut})
@access(*runbook.READ)
def runbook_checks() -> Response:
    """Judge all runbook checks now."""
    memory = remembered(current_app)
    ctx = web_context()
    book = runbook.view(ctx, memory)
    audit.viewed(ctx, "ops_runbook_checks_view", "ops_runbook", "checks", overall_status=book.overall_status)
    return answer(plain(runbook.as_answer(book)), RunbookOut)


@api.get("/api/ops/alerts/noise-policy", responses={200: NoisePolicyOut})
@access(*posture.READ)
def alert_noise_policy() -> Response:
    """Return how much alert noise is borne."""
    ctx = web_context()
    found = posture.noise_policy(ctx)
    audit.viewed(ctx, "ops_alert_noise_policy_view", "ops_alerting", "noise_policy")
    return answer(found, NoisePolicyOut)


@api.get("/api/ops/security/posture", responses={200: PostureOut})
@access(*posture.READ)
def security_posture() -> Response:
    """Return settings and stored facts side by side; null is unknown."""
    memory = remembered(current_app)
    ctx = web_context()
    found = posture.view(ctx, memory)
    audit.viewed(ctx, "ops_security_posture_view", "ops_security", "posture")
    return answer(plain(found), PostureOut)


@api.get("/api/ops/admin/security-dashboard", responses={200: DashboardOut})
@access(*security.READ)
def security_dashboard(query: DashboardQuery) -> Response:
    """Return the risk score, what stands out, and who did what."""
    ctx = web_context()
    found = security.dashboard(ctx, days=query.days)
    audit.viewed(
        ctx, "ops_admin_security_dashboard_view", "ops_admin_security", "dashboard", risk_score=found.risk.score
    )
    return answer(plain(_with_recommendations(found)), DashboardOut)


def _with_recommendations(found: Dashboard) -> dict[str, Any]:
    # Published: one Korean sentence per anomaly, in the same order.
    advice = dict.fromkeys(text_in(DEFAULT_LOCALE, anomaly.recommendation) for anomaly in found.anomalies)
    return {**vars(found), "recommendations": list(advice)}


@pages.app_template_filter()
def risk_name(term: str) -> str:
    """Return what a part of the risk score is called."""
    return _(ops_words.label(ops_words.RISK_TERMS, term))


@pages.app_template_filter()
def risk_rows(data: Dashboard) -> list[tuple[str, int, int]]:
    """Return name, number and points of every part of the risk score."""
    numbers = {**vars(data.actions), **vars(data.tokens), **vars(data.coverage)}
    return [(name, numbers[name], points) for name, points in data.risk_points.items()]


@pages.get("/ops/security")
@access(*READ)
def page() -> Response:
    """Show risk, anomalies, who did what, and posture."""
    days = request.args.get("days", 30, type=int)
    days = days if days in PERIODS else 30
    ctx = web_context()
    data = security.dashboard(ctx, days=days)
    actors = [*(one.actor for one in data.top_actors), *(one.actor for one in data.recent_sensitive_events)]
    extra: dict[str, Any] = {
        "links": _links(data),
        "names": {"system": _("System"), **names.names_of(ctx, actors)},
        "url": url_for("ops_security.page", days=days),
    }
    if not wants_fragment():
        extra |= {
            "posture": posture.view(ctx),
            "signing_status": runbook.signing_facts(ctx.config).shown,
            "periods": [
                (
                    ngettext("%(num)s day", "%(num)s days", count),
                    url_for("ops_security.page", days=count),
                    count == days,
                )
                for count in PERIODS
            ],
        }
    return show(data, fragment="runbook/security.security", page="runbook/security.html", **extra)


def _links(data: Dashboard) -> dict[str, Any]:
    """Return the addresses of the rows behind the numbers; a page that the reader may not open is None."""
    since = {"from": data.window_start.astimezone(ZoneInfo(data.business_time_zone)).date().isoformat()}
    return {
        "total": url_if("audit.page", **since),
        "sensitive_total": url_if("audit.page", **since, action=list(SENSITIVE_ACTIONS)),
        "failed_or_warning": url_if("audit.page", **since, status=list(FAILED_STATUSES)),
        "off_hours_total": url_if("audit.page", **since),
        "tokens": url_if("tokens.page"),
        "users": url_if("users.page"),
        "expiring_7d": url_if("tokens.page", state="expiring", sort="expires_at"),
        "rotate_overdue": url_if("tokens.page", all=1, sort="created_at", columns="label,username,rotate_due_at"),
        "dormant_30d": url_if("tokens.page", all=1, sort="last_used_at"),
        "non_owner_wildcard_tokens": url_if("tokens.page"),
        "active_users_without_token": url_if("users.page", state="active"),
        "actor": lambda name: url_if("audit.page", **since, actor_username=name),
    }
