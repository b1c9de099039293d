"""Inputs and answers of users, tokens, sessions and sites (API contract, identity sections 6 to 8 and 21)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from console.domain.identity.accounts import DISPLAY_NAME_MAX, PASSWORD_MAX, USERNAME_MAX, USERNAME_MIN
from console.domain.identity.passkeys import NAME_MAX
from console.domain.identity.scope import MAX_SITE_NAME
from console.domain.identity.second_factor import CODE_MAX
from console.domain.identity.tokens import LABEL_MAX
from console.domain.ids import MAX_ID
from console.inputs.base import BodyModel, Instant, InstantIn, OutModel, PathModel, QueryModel, RowId

RoleWord = Literal["owner", "manager", "operator", "auditor"]
# More names than a company has sites; keeps one request from storing megabytes.
Names = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=500)]
Password = Annotated[str, Field(min_length=1, max_length=PASSWORD_MAX)]


class UserPath(PathModel):
    """A user by id."""

    user_id: RowId


class TokenPath(PathModel):
    """A token by id."""

    token_id: RowId


class SitePath(PathModel):
    """A site by id."""

    site_id: RowId


class UserIn(BodyModel):
    """A new user."""

    username: str = Field(min_length=USERNAME_MIN, max_length=USERNAME_MAX)
    display_name: str = Field("", max_length=DISPLAY_NAME_MAX)
    role: RoleWord = "operator"
    permissions: Names = Field(default_factory=list)
    site_scope: Names = Field(default_factory=lambda: ["*"])
    is_active: bool = True
    password: Password | None = None


class UserEditIn(BodyModel):
    """Changes of a user; what is absent or null stays as it is."""

    display_name: str | None = Field(None, max_length=DISPLAY_NAME_MAX)
    role: RoleWord | None = None
    permissions: Names | None = None
    site_scope: Names | None = None
    is_active: bool | None = None
    version: int | None = Field(None, ge=1)


class ActiveIn(BodyModel):
    """Switch a user on or off."""

    is_active: bool


class PasswordSetIn(BodyModel):
    """A password given to a user; without one a one-time password is made."""

    password: Password | None = None


class TokenIn(BodyModel):
    """A new token; a null scope inherits the user's."""

    label: str = Field("default", min_length=1, max_length=LABEL_MAX)
    expires_at: InstantIn | None = None
    site_scope: Names | None = None


class TokenQuery(QueryModel):
    """Which tokens to list."""

    user_id: int | None = Field(None, le=MAX_ID)
    active_only: bool = False


class LoginIn(BodyModel):
    """User name and password of a person who wants a token."""

    username: str = Field(min_length=1, max_length=USERNAME_MAX)
    password: Password
    token_label: str = Field("web-login", min_length=1, max_length=LABEL_MAX)
    otp: str | None = Field(
        None,
        max_length=CODE_MAX,
        description="code of the authenticator app or a recovery code; needed once the person has a second factor",
    )


class PasskeyIn(BodyModel):
    """The name of a passkey, by which its owner tells it from others."""

    name: str = Field(min_length=1, max_length=NAME_MAX)


class ProfileIn(BodyModel):
    """Changes of the own account; a new password needs the current one."""

    display_name: str | None = Field(None, max_length=DISPLAY_NAME_MAX)
    password: Password | None = None
    current_password: Password | None = None
    end_all_tokens: bool = Field(False, description="with a new password, end tokens that were issued as well")
    language: Literal["", "ko", "en"] | None = None
    theme: Literal["", "light", "dark"] | None = None


class SiteIn(BodyModel):
    """A new site."""

    name: str = Field(min_length=1, max_length=MAX_SITE_NAME)
    zone: str = Field("Asia/Seoul", min_length=1, max_length=64)
    is_active: bool = True


class SiteEditIn(BodyModel):
    """Changes of a site; its name never changes."""

    zone: str | None = Field(None, min_length=1, max_length=64)
    is_active: bool | None = None
    version: int | None = Field(None, ge=1)


class PolicyMeta(OutModel):
    """What kind of answer this is."""

    model_config = ConfigDict(from_attributes=True, serialize_by_alias=True)

    schema_: str = Field("admin_token_policy_response", serialization_alias="schema")
    schema_version: str = "v1"
    endpoint: str = "/api/admin/token-policy"
    policy_family: str = "admin_token"


class TokenPolicyOut(OutModel):
    """The token policy, in days; read-only, its values come from the environment."""

    require_expiry: bool
    max_ttl_days: int
    rotate_after_days: int
    rotate_warning_days: int
    max_idle_days: int
    max_active_per_user: int
    rotate_grace_seconds: int
    rotate_keeps_expiry: bool
    rotation_is_reachable: bool
    meta: PolicyMeta = PolicyMeta()


class ProfileMeta(OutModel):
    """What kind of answer this is."""

    model_config = ConfigDict(from_attributes=True, serialize_by_alias=True)

    schema_: str = Field("auth_profile_response", serialization_alias="schema")
    schema_version: str = "v1"
    endpoint: str = "/api/auth/me"
    role: str
    scope_type: Literal["global", "site", "none"]
    is_legacy: bool
    token_bound: bool


class ProfileOut(OutModel):
    """Who is calling, with which rights, and until when the credential lasts."""

    user_id: int | None
    token_id: int | None
    token_label: str | None
    token_expires_at: Instant | None
    token_rotate_due_at: Instant | None
    token_idle_due_at: Instant | None
    token_must_rotate: bool
    username: str
    display_name: str
    role: str
    permissions: list[str]
    site_scope: list[str]
    is_legacy: bool
    added_permissions: list[str]
    token_expires_soon: bool
    must_change_password: bool
    meta: ProfileMeta


class LoginOut(OutModel):
    """A token for a person, shown this once, with their profile."""

    token: str
    profile: ProfileOut


class LogoutOut(OutModel):
    """What happened to the presented token."""

    status: Literal["logged_out"]
    token_id: int | None
    token_label: str | None
    token_revoked: bool
    is_legacy: bool
    logged_out_at: Instant
