"""What the weeks of the programme are called now: as owners have written it, else as they are built in."""

from __future__ import annotations

from flask import g
from flask_babel import gettext as _

from console.domain.programme.week import Week
from console.services.programme.editions import Edition, edition
from console.ui.reader import locale
from console.web.request import web_context


def week_focus(week: Week) -> str:
    """Return what a week is about, in the reader's language."""
    return _said(week, "focus", week.focus)


def week_goal(week: Week) -> str:
    """Return by what the success of a week is measured, in the reader's language."""
    return _said(week, "success_metric", week.goal)


def week_title(week: Week) -> str:
    """Return a week with what it is about: `W07 · SLA quality`."""
    return f"{week.label} · {week_focus(week)}"


def _said(week: Week, name: str, built_in: str) -> str:
    document = _edition().packs.get(week.code)
    text: str = document[name][locale()] if document is not None else _(built_in)
    return text


def _edition() -> Edition:
    # A page names many weeks; a request that may write would ask the database for each of them.
    if "edition" not in g:
        g.edition = edition(web_context())
    found: Edition = g.edition
    return found
