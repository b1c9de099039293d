"""A form that is sent twice is taken once: the key of the form is looked at before the view, and kept with its write.

Forms carry `once` (see `csrf` in partials/kit/form.html). Doors that open their transaction themselves look after a
second sending themselves.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, g, make_response, redirect, request
from flask_babel import gettext as _

from console.services.common import sent_forms
from console.ui.frame import leave_toast
from console.ui.responses import toast, trigger
from console.web.negotiation import wants_fragment
from console.web.request import abandon, current_actor, demanded, nearest_page, web_context

FIELD = "once"
# What belongs to the page, not to what was written.
BESIDE = frozenset({FIELD, "csrf_token"})


def init_app(app: Flask) -> None:
    """Look at the key before each view; must come after the check of the credential."""
    app.before_request(_before)
    app.jinja_env.globals["once_key"] = sent_forms.new_key


def _before() -> Response | None:
    if request.method != "POST" or current_actor().kind not in ("session", "local"):
        return None
    if request.endpoint is None or demanded().writes is False or not sent_forms.is_key(request.form.get(FIELD, "")):
        return None
    ctx = web_context()
    written = [pair for pair in request.form.items(multi=True) if pair[0] not in BESIDE]
    key_hash = sent_forms.fingerprint(ctx, request.form[FIELD], request.path, written)
    earlier = sent_forms.claim(ctx, key_hash, request.path)
    if earlier is None:
        g.sent_form = key_hash
        return None
    abandon()
    return _taken_before(earlier)


def _taken_before(address: str) -> Response:
    message = _("It is saved already; nothing was done twice.")
    if not wants_fragment():
        leave_toast(message)
        return make_response(redirect(address or nearest_page(request.path) or "/", 303))
    response = make_response("")
    response.headers["HX-Reswap"] = "none"
    return trigger(toast(response, message), **{"stored-before": {}, "tracker-changed": {}})


def keep(response: Response) -> None:
    """Keep, with the write of this request, the address that its answer leads to."""
    key_hash = g.get("sent_form")
    if key_hash is None or "ctx" not in g or not 300 <= response.status_code < 400 or not response.location:
        return
    parts = urlsplit(response.location)
    sent_forms.led_to(web_context(), key_hash, parts.path + (f"?{parts.query}" if parts.query else ""))
