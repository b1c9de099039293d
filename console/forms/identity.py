"""Forms of sign-in, account, users, tokens and sites."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
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
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from console.domain.identity.accounts import PASSWORD_MAX
from console.domain.identity.passkeys import NAME_MAX
from console.domain.identity.second_factor import CODE_MAX
from console.forms.shared import BaseForm, SelectMultipleCheckboxField, limits
from console.inputs.identity import LoginIn, PasskeyIn, ProfileIn, SiteIn, TokenIn, UserIn

ALL = "*"


class SignInForm(BaseForm):
    """User name and password."""

    username = StringField(
        lazy_gettext("User name"),
        [InputRequired(), Length(*limits(LoginIn, "username"))],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )
    password = PasswordField(
        lazy_gettext("Password"),
        [InputRequired(), Length(max=PASSWORD_MAX)],
        render_kw={"autocomplete": "current-password"},
    )
    next = HiddenField()


class CodeForm(BaseForm):
    """A code of the second factor."""

    code = StringField(
        lazy_gettext("Code"),
        [InputRequired(), Length(max=CODE_MAX)],
        render_kw={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false"},
    )
    next = HiddenField()


class ConfirmPasswordForm(BaseForm):
    """The own password once more, before something that matters."""

    password = PasswordField(
        lazy_gettext("Password"),
        [InputRequired(), Length(max=PASSWORD_MAX)],
        render_kw={"autocomplete": "current-password"},
    )


class PasskeyNameForm(BaseForm):
    """The name of a passkey."""

    name = StringField(
        lazy_gettext("Name"),
        [InputRequired(), Length(*limits(PasskeyIn, "name"))],
        description=lazy_gettext("Of the device or the key ring, such as “work phone”"),
        render_kw={"autocomplete": "off", "maxlength": NAME_MAX},
    )


class NewPasskeyForm(PasskeyNameForm, ConfirmPasswordForm):
    """A name for a new passkey, and the own password once more."""


class PasswordForm(BaseForm):
    """A new password of one's own."""

    current = PasswordField(
        lazy_gettext("Current password"),
        [InputRequired(), Length(max=PASSWORD_MAX)],
        render_kw={"autocomplete": "current-password"},
    )
    new = PasswordField(
        lazy_gettext("New password"),
        [InputRequired(), Length(max=PASSWORD_MAX)],
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        lazy_gettext("New password again"),
        [InputRequired(), Length(max=PASSWORD_MAX)],
        render_kw={"autocomplete": "new-password"},
    )
    end_all_tokens = BooleanField(lazy_gettext("End my API tokens that were issued to me as well"))
    next = HiddenField()


class ProfileForm(BaseForm):
    """Own name, language and theme."""

    display_name = StringField(lazy_gettext("Display name"), [Optional(), Length(*limits(ProfileIn, "display_name"))])
    language = SelectField(
        lazy_gettext("Language"),
        choices=[
            SelectChoice("", lazy_gettext("As the browser asks")),
            SelectChoice("ko", "한국어"),
            SelectChoice("en", "English"),
        ],
    )
    theme = SelectField(
        lazy_gettext("Theme"),
        choices=[
            SelectChoice("", lazy_gettext("Like the system")),
            SelectChoice("light", lazy_gettext("Light")),
            SelectChoice("dark", lazy_gettext("Dark")),
        ],
    )


class ScopedForm(BaseForm):
    """A form with a choice of sites: all of them, or some."""

    reach = RadioField(
        lazy_gettext("Sites"),
        choices=[SelectChoice("all", lazy_gettext("All sites")), SelectChoice("some", lazy_gettext("Only these:"))],
        default="some",
    )
    sites = SelectMultipleCheckboxField(lazy_gettext("Chosen sites"), choices=[], validate_choice=False)

    def offer(self, names: list[str], chosen: tuple[str, ...] | None = None) -> None:
        """Set the sites that may be chosen; `chosen` fills an empty form (`("*",)` is all)."""
        if chosen is not None:
            self.reach.data = "all" if ALL in chosen else "some"
            self.sites.data = [name for name in chosen if name != ALL]
        known = [*names, *(name for name in self.sites.data or [] if name not in names)]
        self.sites.choices = [SelectChoice(name) for name in known]

    @property
    def scope(self) -> list[str]:
        """Return the list of sites as the input models take it."""
        return [ALL] if self.reach.data == "all" else list(self.sites.data or [])


class UserForm(ScopedForm):
    """A user: name, role, sites, further permissions."""

    username = StringField(
        lazy_gettext("User name"),
        [InputRequired(), Length(*limits(UserIn, "username"))],
        description=lazy_gettext("Used to sign in; it cannot be changed later"),
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
    )
    # The name that the person was warned of; sent once more, it is meant.
    warned = HiddenField()
    display_name = StringField(lazy_gettext("Display name"), [Optional(), Length(*limits(UserIn, "display_name"))])
    role = RadioField(
        lazy_gettext("Role"),
        choices=[
            SelectChoice("operator", lazy_gettext("Operator: does and records work")),
            SelectChoice("manager", lazy_gettext("Manager: plans, assigns, reports")),
            SelectChoice("auditor", lazy_gettext("Auditor: reads and checks, changes nothing")),
            SelectChoice("owner", lazy_gettext("Owner: may do everything, also this page")),
        ],
        default="operator",
    )
    permissions = TextAreaField(
        lazy_gettext("Further permissions"),
        [Optional(), Length(max=4000)],
        description=lazy_gettext("One per line, such as admins:manage; they add to the role and never take away"),
        render_kw={"rows": 3, "spellcheck": "false"},
    )
    one_time = BooleanField(
        lazy_gettext("Make a one-time password"),
        default=True,
        description=lazy_gettext("For people. Automation needs only a token."),
    )

    def warn(self, alike: str) -> bool:
        """Return whether the person is to be asked first, because `alike` can be taken for the name."""
        if self.warned.data == self.username.data:
            return False
        self.warned.data = self.username.data
        said = _("“%(name)s” exists and looks like it. Press again if another person is meant.", name=alike)
        self.username.errors = [said]
        return True

    @property
    def custom(self) -> list[str]:
        """Return the further permissions as a list."""
        return [line.strip() for line in (self.permissions.data or "").splitlines() if line.strip()]


class TokenForm(BaseForm):
    """A token: what for, how long, which sites."""

    label = StringField(
        lazy_gettext("Purpose"),
        [InputRequired(), Length(*limits(TokenIn, "label"))],
        description=lazy_gettext("Such as the name of the program that uses it"),
    )
    days = IntegerField(lazy_gettext("Valid for (days)"), [Optional(), NumberRange(min=1, max=3650)])
    reach = RadioField(
        lazy_gettext("Sites"),
        choices=[SelectChoice("user", lazy_gettext("As the user")), SelectChoice("some", lazy_gettext("Only these:"))],
        default="user",
    )
    sites = SelectMultipleCheckboxField(lazy_gettext("Chosen sites"), choices=[], validate_choice=False)

    def offer(self, names: list[str]) -> None:
        """Set the sites that may be chosen."""
        self.sites.choices = [SelectChoice(name) for name in names]

    @property
    def scope(self) -> list[str] | None:
        """Return the list of sites as the input models take it; None inherits the user's."""
        return None if self.reach.data == "user" else list(self.sites.data or [])


class SiteForm(BaseForm):
    """A site: name and zone."""

    name = StringField(
        lazy_gettext("Name"),
        [InputRequired(), Length(*limits(SiteIn, "name"))],
        description=lazy_gettext("Stands in every record and cannot be changed later"),
    )
    zone = StringField(
        lazy_gettext("Time zone"),
        [InputRequired(), Length(*limits(SiteIn, "zone"))],
        default="Asia/Seoul",
        description=lazy_gettext("Such as Asia/Seoul; times of this site are shown in it"),
        render_kw={"list": "zones", "autocomplete": "off"},
    )


def without(form: BaseForm, *names: str) -> Any:
    """Return the form without some of its fields."""
    for name in names:
        delattr(form, name)
    return form
