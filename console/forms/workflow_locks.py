"""The form of a workflow lock: what its way of working is, one step a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict
from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from console.forms.shared import BaseForm
from console.inputs.workflow_locks import COMMENT_LIMIT, NAME_LIMIT, TICKET_LIMIT

STEPS = "steps"
# Well below what a draft may hold, so that its other content stays.
MOST = 20_000
# Steps are numbered where they are shown; many write the numbers themselves.
_NUMBER = re.compile(r"^\d{1,2}[.)]\s+(?=\S)")


class LockForm(BaseForm):
    """A draft. Site and name are asked for once."""

    site = SelectField(lazy_gettext("Site"), validate_choice=False)
    workflow_key = StringField(
        lazy_gettext("Workflow"), [InputRequired(), Length(max=NAME_LIMIT)], render_kw={"maxlength": NAME_LIMIT}
    )
    steps = TextAreaField(
        lazy_gettext("Steps, one a line"), [Optional(), Length(max=MOST)], render_kw={"rows": 8, "maxlength": MOST}
    )
    requested_ticket = StringField(
        lazy_gettext("Ticket"), [Optional(), Length(max=TICKET_LIMIT)], render_kw={"maxlength": TICKET_LIMIT}
    )
    comment = TextAreaField(
        lazy_gettext("Comment"),
        [Optional(), Length(max=COMMENT_LIMIT)],
        render_kw={"rows": 2, "maxlength": COMMENT_LIMIT},
    )
    version = HiddenField()

    def content(self, kept: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the content with these steps; what else stands in it stays."""
        lines = [_NUMBER.sub("", line.strip()) for line in (self.steps.data or "").splitlines() if line.strip()]
        others = {name: value for name, value in (kept or {}).items() if name != STEPS}
        return {STEPS: lines, **others} if lines else others


def changing(sent: MultiDict[str, str] | None = None, **stored: Any) -> LockForm:
    """Return the form of a draft that there is: site and name stay."""
    form = LockForm(sent, **stored)
    del form.site, form.workflow_key
    return form


def sites_of(form: LockForm, names: Iterable[str]) -> LockForm:
    """Offer the sites in which a draft may be made."""
    form.site.choices = [(name, name) for name in names]
    return form


def steps_of(content: Mapping[str, Any]) -> list[str]:
    """Return the steps of a content as lines; other shapes than a list of texts have none."""
    found = content.get(STEPS)
    return [str(line) for line in found] if isinstance(found, list) else []
