"""Forms of sign-in, account, users, tokens and sites."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from console.domain.accounts import PASSWORD_MAX
from console.forms.shared import BaseForm, SelectMultipleCheckboxField, limits
from console.inputs.iam import LoginIn, ProfileIn, SiteIn, TokenIn, UserIn

ALL = "*"


class SignInForm(BaseForm):
    """User name and password."""

    username = StringField(
        _l("User name"),
        [InputRequired(), Length(*limits(LoginIn, "username"))],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )
    password = PasswordField(
        _l("Password"),
        [InputRequired(), Length(max=PASSWORD_MAX)],
        render_kw={"autocomplete": "current-password"},
    )
    next = HiddenField()


class PasswordForm(BaseForm):
    """A new password of one's own."""

    current = PasswordField(
        _l("Current password"),
        [InputRequired(), Length(max=PASSWORD_MAX)],
        render_kw={"autocomplete": "current-password"},
    )
    new = PasswordField(
        _l("New password"), [InputRequired(), Length(max=PASSWORD_MAX)], render_kw={"autocomplete": "new-password"}
    )
    again = PasswordField(
        _l("New password again"),
        [InputRequired(), Length(max=PASSWORD_MAX)],
        render_kw={"autocomplete": "new-password"},
    )
    next = HiddenField()


class ProfileForm(BaseForm):
    """Own name, language and theme."""

    display_name = StringField(_l("Display name"), [Optional(), Length(*limits(ProfileIn, "display_name"))])
    language = SelectField(
        _l("Language"), choices=[("", _l("As the browser asks")), ("ko", "한국어"), ("en", "English")]
    )
    theme = SelectField(
        _l("Theme"), choices=[("", _l("Like the system")), ("light", _l("Light")), ("dark", _l("Dark"))]
    )


class ScopedForm(BaseForm):
    """A form with a choice of sites: all of them, or some."""

    reach = RadioField(_l("Sites"), choices=[("all", _l("All sites")), ("some", _l("Only these:"))], default="some")
    sites = SelectMultipleCheckboxField(_l("Chosen sites"), choices=[], validate_choice=False)

    def offer(self, names: list[str], chosen: tuple[str, ...] | None = None) -> None:
        """Set the sites that may be chosen; `chosen` fills an empty form (`("*",)` is all)."""
        if chosen is not None:
            self.reach.data = "all" if ALL in chosen else "some"
            self.sites.data = [name for name in chosen if name != ALL]
        known = [*names, *(name for name in self.sites.data or [] if name not in names)]
        self.sites.choices = [(name, name) for name in known]

    @property
    def scope(self) -> list[str]:
        """Give the list of sites as the input models take it."""
        return [ALL] if self.reach.data == "all" else list(self.sites.data or [])


class UserForm(ScopedForm):
    """A user: name, role, sites, further permissions."""

    username = StringField(
        _l("User name"),
        [InputRequired(), Length(*limits(UserIn, "username"))],
        description=_l("Used to sign in; it cannot be changed later"),
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
    )
    display_name = StringField(_l("Display name"), [Optional(), Length(*limits(UserIn, "display_name"))])
    role = RadioField(
        _l("Role"),
        choices=[
            ("operator", _l("Operator: does and records work")),
            ("manager", _l("Manager: plans, assigns, reports")),
            ("auditor", _l("Auditor: reads and checks, changes nothing")),
            ("owner", _l("Owner: may do everything, also this page")),
        ],
        default="operator",
    )
    permissions = TextAreaField(
        _l("Further permissions"),
        [Optional(), Length(max=4000)],
        description=_l("One per line, such as admins:manage; they add to the role and never take away"),
        render_kw={"rows": 3, "spellcheck": "false"},
    )
    one_time = BooleanField(
        _l("Make a one-time password"),
        default=True,
        description=_l("For people. Automation needs only a token."),
    )

    @property
    def custom(self) -> list[str]:
        """Give the further permissions as a list."""
        return [line.strip() for line in (self.permissions.data or "").splitlines() if line.strip()]


class TokenForm(BaseForm):
    """A token: what for, how long, which sites."""

    label = StringField(
        _l("What for"),
        [InputRequired(), Length(*limits(TokenIn, "label"))],
        description=_l("Such as the name of the program that uses it"),
    )
    days = IntegerField(_l("Valid for (days)"), [Optional(), NumberRange(min=1, max=3650)])
    reach = RadioField(_l("Sites"), choices=[("user", _l("As the user")), ("some", _l("Only these:"))], default="user")
    sites = SelectMultipleCheckboxField(_l("Chosen sites"), choices=[], validate_choice=False)

    @property
    def scope(self) -> list[str] | None:
        """Give the list of sites as the input models take it; None inherits the user's."""
        return None if self.reach.data == "user" else list(self.sites.data or [])


class SiteForm(BaseForm):
    """A site: name and zone."""

    name = StringField(
        _l("Name"),
        [InputRequired(), Length(*limits(SiteIn, "name"))],
        description=_l("Stands in every record and cannot be changed later"),
    )
    zone = StringField(
        _l("Time zone"),
        [InputRequired(), Length(*limits(SiteIn, "zone"))],
        default="Asia/Seoul",
        description=_l("Such as Asia/Seoul; times of this site are shown in it"),
        render_kw={"list": "zones", "autocomplete": "off"},
    )


def without(form: BaseForm, *names: str) -> Any:
    """Give the form without some of its fields."""
    for name in names:
        delattr(form, name)
    return form
