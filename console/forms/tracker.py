"""Forms of the board; limits come from the input models of the API, to which the data is handed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict
from wtforms import DateTimeLocalField, Field, HiddenField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from console.core.records import edited_of
from console.domain.ids import number_in
from console.domain.local_time import LocalTimeError, instant_of
from console.domain.tracker.requests import ItemChange, NewItem
from console.forms.shared import BaseForm, input_of, limits, span
from console.inputs.tracker import ItemIn, ItemPatchIn
from console.services.tracker.assignees import Candidate
from console.services.tracker.columns import STATUS_LABELS
from console.services.tracker.rows import ItemView
from console.ui.formats import number, tr
from console.ui.labels.common import OWNER_ROLES, choices, owner_role
from console.ui.labels.tracker import FIELDS
from console.ui.reader import now

MINUTE = "%Y-%m-%dT%H:%M"
PLAIN = tuple(edited_of(ItemView))
REASON_MAX, ASSIGNEE_MAX = limits(ItemPatchIn, "reason")[1], limits(ItemPatchIn, "assignee")[1]
# The script lets people be found by name and initials where there are many.
PEOPLE = {"data-people": True}


class EditForm(BaseForm):
    """What a person may change of an item. The due date is written in the zone that the reader sees."""

    zone: ZoneInfo
    # The new due date, known when the form was found right.
    due: datetime | None = None

    version = HiddenField()
    due_was = HiddenField()
    assignee = SelectField(lazy_gettext("Assignee"), [Optional()], validate_choice=False)
    status = SelectField(lazy_gettext("Status"), [Optional()], validate_choice=False)
    due_at = DateTimeLocalField(lazy_gettext("Due"), [Optional()], format=MINUTE)
    reason = StringField(
        lazy_gettext("Reason for a new due date"), [Length(max=REASON_MAX)], render_kw={"maxlength": REASON_MAX}
    )

    def validate_status(self, field: SelectField) -> None:
        """Refuse a word that is no status."""
        if field.data and field.data not in STATUS_LABELS:
            raise ValidationError(_("Please choose one of the list"))

    def validate_due_at(self, _field: DateTimeLocalField) -> None:
        """Refuse a new due date that means no instant in the zone, or two."""
        if self.new_due is not None:
            try:
                self.due = instant_of(self.new_due, self.zone, now())
            except LocalTimeError as error:
                raise ValidationError(tr(error.text)) from error

    def validate_reason(self, field: StringField) -> None:
        """Ask for a reason when the due date is a new one."""
        if self.new_due is not None and not (field.data or "").strip():
            raise ValidationError(_("A new due date needs a reason"))

    @property
    def plain(self) -> list[Field]:
        """Return the fields that are written as they are."""
        return [self[name] for name in PLAIN]

    @property
    def new_due(self) -> datetime | None:
        """Return the due date if it was changed, as it was typed."""
        typed: datetime | None = self.due_at.data
        return None if typed is None or typed.strftime(MINUTE) == (self.due_was.data or "") else typed

    def change(self, sent: Mapping[str, Any]) -> ItemChange:
        """Return what was sent as the service takes it; fields that were not sent stay as they are."""
        return ItemChange(
            assignee=(self.assignee.data or "")[:ASSIGNEE_MAX] if "assignee" in sent else None,
            status=self.status.data or None,
            due_at=self.due,
            reason=self.reason.data or "",
            **{field.name: _written(field) for field in self.plain if field.name in sent},
        )

    @property
    def seen_version(self) -> int | None:
        """Return the version that the person looked at."""
        return number_in(self.version.data or "")


for _name in PLAIN:
    setattr(EditForm, _name, input_of(ItemPatchIn, _name, FIELDS[_name]))


def _written(field: Field) -> Any:
    # A text that is emptied is cleared; a number that is emptied stays as it is.
    return field.data or "" if isinstance(field, StringField) else field.data


def edit_form(
    item: ItemView,
    people: Iterable[Candidate],
    zone: ZoneInfo,
    sent: MultiDict[str, str] | None = None,
    *,
    version: int | None = None,
) -> EditForm:
    """Return the form of an item, with what was sent or with its present values."""
    due = item.due_at.astimezone(zone).replace(tzinfo=None) if item.due_at else None
    stored = {
        "version": str(item.version),
        "due_was": due.strftime(MINUTE) if due else "",
        "assignee": item.assignee or "",
        "status": item.status,
        "due_at": due,
        **{name: getattr(item, name) for name in PLAIN},
    }
    form = EditForm(sent, data=stored) if sent is not None else EditForm(data=stored)
    form.zone = zone
    names = [(person.username, person.name) for person in people]
    if item.assignee and item.assignee not in dict(names):
        names.insert(0, (item.assignee, item.assignee_name or item.assignee))
    form.assignee.choices = [("", _("Unassigned")), *names]
    form.status.choices = choices(STATUS_LABELS)
    for name in ("assignee", "status", "due_at", "reason", *PLAIN):
        form[name].id = f"{name}-{item.id}"
    form.assignee.render_kw = PEOPLE
    if version is not None:
        form.version.data = str(version)
    return form


def takers(people: Iterable[tuple[Candidate, int]], total: int) -> list[tuple[str, str]]:
    """Return people who could take work as choices, with how many of the `total` items where it is not all."""
    return [(one.username, one.name if fit == total else _sees(one.name, fit, total)) for one, fit in people]


def _sees(name: str, fit: int, total: int) -> str:
    return _("%(name)s (sees %(count)s of %(total)s)", name=name, count=number(fit, 0), total=number(total, 0))


class NewItemForm(BaseForm):
    """An item added by hand."""

    title = StringField(lazy_gettext("What is to be done"), [InputRequired(), Length(max=limits(ItemIn, "title")[1])])
    reason = TextAreaField(lazy_gettext("Why"), [Optional(), Length(max=limits(ItemIn, "reason")[1])])
    site = SelectField(lazy_gettext("Site"), validate_choice=False)
    owner_role = SelectField(
        lazy_gettext("Owner role"),
        [Optional(), Length(max=limits(ItemIn, "owner_role")[1])],
        default="Ops Manager",
        validate_choice=False,
    )
    assignee = SelectField(lazy_gettext("Assignee"), [Optional()], validate_choice=False)
    sla_hours = IntegerField(
        lazy_gettext("Hours until it is due"), [InputRequired(), NumberRange(*span(ItemIn, "sla_hours"))], default=24
    )
    priority = IntegerField(
        lazy_gettext("Priority (1 first)"), [InputRequired(), NumberRange(*span(ItemIn, "priority"))], default=4
    )

    def new(self) -> NewItem:
        """Return it as the service takes it."""
        return NewItem(
            title=self.title.data or "",
            reason=self.reason.data or "",
            site=self.site.data or None,
            owner_role=(self.owner_role.data or "").strip() or "Ops Manager",
            priority=self.priority.data,
            sla_hours=self.sla_hours.data,
            assignee=(self.assignee.data or "")[: limits(ItemIn, "assignee")[1]] or None,
        )


def new_item_form(
    sites: Iterable[str],
    people: Iterable[Candidate],
    sent: MultiDict[str, str] | None = None,
    *,
    platform: bool,
) -> NewItemForm:
    """Return the form for a new item; only a reader of all sites may leave the site out."""
    form = NewItemForm(sent)
    form.site.choices = ([("", _("Platform"))] if platform else []) + [(name, name) for name in sites]
    form.assignee.choices = [("", _("Unassigned")), *((person.username, person.name) for person in people)]
    form.assignee.render_kw = PEOPLE
    form.reason.render_kw = {"rows": 3}
    roles = [*OWNER_ROLES, *([form.owner_role.data] if form.owner_role.data not in OWNER_ROLES else [])]
    form.owner_role.choices = sorted(((role, owner_role(role, _)) for role in roles if role), key=itemgetter(1))
    return form
