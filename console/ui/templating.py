"""The environment of the templates."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from flask import Flask
from flask.sansio.app import App
from flask.templating import Environment
from flask_wtf.csrf import generate_csrf
from jinja2 import nodes
from jinja2.compiler import CodeGenerator

from console.ui import formats, navigation
from console.ui.addresses import url_if
from console.ui.frame import frame, here


class Program(CodeGenerator):
    """The compiler of templates, without the values that a filter has at the moment of compiling.

    Half of the filters speak the language of the reader. Jinja would ask a filter of a constant once, when the
    template is loaded, and show its word in the language of the first reader to everybody.
    """

    def _output_child_to_const(self, node: nodes.Expr, frame: Any, finalize: Any) -> str:
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible
        return super()._output_child_to_const(node, frame, finalize)


class Templates(Environment):
    """Flask's environment with globals that are fixed once a template is loaded, and nothing computed before.

    A page is made of thirty templates and imports; looking through a chain of dictionaries for each of them was a
    tenth of the time of a page.
    """

    code_generator_class = Program

    def __init__(self, app: App, **options: Any) -> None:
        super().__init__(app, **{**options, "optimized": False})

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
