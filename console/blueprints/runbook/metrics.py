"""Figures for a monitoring system, in the text form of Prometheus."""

from __future__ import annotations

import hmac
from dataclasses import replace

from flask import Blueprint, Response, current_app, request

from console.core.context import SYSTEM
from console.domain.errors import NotFound
from console.services.runbook import measures
from console.web import metrics
from console.web.request import access, app_config, current_actor, web_context

pages = Blueprint("metrics", __name__)

TEXT = "text/plain; version=0.0.4; charset=utf-8"


@pages.get("/metrics")
@access(public=True)
def page() -> Response:
    """Return the figures to METRICS_TOKEN or to whoever may read them; for anybody else there is nothing here."""
    ctx = web_context()
    if _is_collector():
        ctx = replace(ctx, actor=SYSTEM)
    elif not app_config()["METRICS_ENABLED"] or not any(map(current_actor().can, measures.READ)):
        raise NotFound
    text = metrics.exposition(current_app, measures.read(ctx))
    return Response(text, content_type=TEXT, headers={"Cache-Control": "no-store"})


def _is_collector() -> bool:
    wanted = app_config()["METRICS_TOKEN"]
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    fits = bool(wanted) and hmac.compare_digest(sent.encode("utf-8", "replace"), wanted.encode())
    return fits and bool(app_config()["METRICS_ENABLED"])
