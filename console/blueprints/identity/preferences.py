"""Language and theme of the person at the screen: kept in cookies, so that they hold before the sign-in too."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from console.core.i18n import LOCALES
from console.domain.identity.addresses import local_address
from console.ui.frame import THEME_COOKIE, THEMES
from console.ui.reader import LANGUAGE_COOKIE
from console.web.request import access, app_config

pages = Blueprint("preferences", __name__)
YEAR = 365 * 24 * 3600


@pages.post("/preferences")
@access(public=True)
def save() -> ResponseReturnValue:
    """Keep the chosen language or theme and go back to where the choice was made."""
    response = redirect(local_address(request.form.get("next")) or "/")
    for cookie, allowed in ((LANGUAGE_COOKIE, LOCALES), (THEME_COOKIE, THEMES)):
        chosen = request.form.get(cookie, "")
        if chosen in allowed:
            response.set_cookie(cookie, chosen, max_age=YEAR, samesite="Lax", secure=app_config().production)
    return response
