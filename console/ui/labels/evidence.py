"""Words for what is known of a photo among the evidence."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _

from console.ui.reader import zone
from console.ui.times import localtime


def photo_words(captured_at: str | None, *, shrunk: bool) -> str:
    """Return when a photo was taken and whether it was made smaller, empty where neither is known."""
    taken = _("taken %(time)s", time=taken_at(captured_at)) if captured_at else ""
    return " · ".join(part for part in (taken, _("made smaller") if shrunk else "") if part)


def taken_at(captured_at: str) -> str:
    """Return when a photo was taken: in the reader's zone, or by the camera's clock where that tells no zone."""
    then = datetime.fromisoformat(captured_at)
    if then.tzinfo is not None:
        return localtime(then)
    # Nobody knows its zone: it is shown as it was written.
    return _("%(time)s by the camera's clock", time=localtime(then.replace(tzinfo=zone()), "datetime"))
