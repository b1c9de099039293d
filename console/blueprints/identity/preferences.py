"""Language and theme of the person at the screen: kept in cookies, so that they hold before the sign-in too."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, request
from flask.typing import ResponseReturnValue

from console.blueprints.identity.sign_in import keep_preferences
from console.core.i18n import LOCALES
from console.domain.identity.addresses import local_address
from console.ui.frame import THEME_COOKIE, THEMES
from console.ui.reader import LANGUAGE_COOKIE
from console.web.request import access

pages = Blueprint("preferences", __name__)


@pages.post("/preferences")
@access(public=True)
def save() -> ResponseReturnValue:
    """Keep the chosen language or theme and go back to where the choice was made."""
    response = make_response(redirect(local_address(request.form.get("next")) or "/"))
    language, theme = request.form.get(LANGUAGE_COOKIE), request.form.get(THEME_COOKIE)
    keep_preferences(
        response,
        language=language if language in LOCALES else None,
        theme=theme if theme in THEMES else None,
    )
    return response
