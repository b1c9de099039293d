"""The environment of the templates."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from flask import Flask
from flask.templating import Environment
from flask_wtf.csrf import generate_csrf

from console.ui import formats, navigation
from console.ui.addresses import url_if
from console.ui.frame import frame, here


class Templates(Environment):
    """Flask's environment with globals that are fixed once a template is loaded.

    A page is made of thirty templates and imports; looking through a chain of dictionaries for each of them was a
    tenth of the time of a page.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return the globals of one template."""
        return {**self.globals, **(d or {})}


def init_app(app: Flask) -> None:
    """Give every template the frame, the addresses and the filters of `console/ui/formats.py`."""
    app.context_processor(lambda: {"frame": frame()})
    app.jinja_env.globals.update(
        here=here, csrf_token=generate_csrf, nav_group_labels=navigation.GROUP_LABELS, url_if=url_if
    )
    formats.init_app(app)
