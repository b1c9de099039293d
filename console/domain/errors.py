"""What can go wrong, in the words and with the status codes that clients read.

`console/ui/errors.py` turns each of these into JSON, a fragment or a page.
"""

from __future__ import annotations

from typing import Any

from console.domain.text import N_, T, Text

Detail = str | Text | dict[str, Any] | list[Any]
SITE_DENIED, ALL_SITES_NEEDED = N_("Site access denied"), N_("Global site scope required")


class DomainError(Exception):
    """Base of every refusal; `detail` is what the caller reads, `code` what a program tests.

    `told` is what people read on pages instead of a published text that says little to them.
    """

    status = 400
    code = "bad_request"

    def __init__(self, detail: Detail = "", *, code: str | None = None, told: Text | None = None) -> None:
        super().__init__(str(detail))
        self.detail: Detail = detail
        self.told = told
        if code is not None:
            self.code = code


class BadRequest(DomainError):
    """The request can be read but makes no sense as it stands (400)."""


class Unauthorized(DomainError):
    """No credential, or one that does not count (401)."""

    status = 401
    code = "unauthorized"


class PermissionDenied(DomainError):
    """The caller is known but may not do this (403)."""

    status = 403
    code = "permission_denied"

    @classmethod
    def missing(cls, permission: str) -> PermissionDenied:
        """Name the permission that would have been needed."""
        return cls(T("Missing permission: %(permission)s", permission=permission), code="permission_missing")


class SiteDenied(PermissionDenied):
    """The record or filter concerns a site outside the caller's scope (403)."""

    code = "site_denied"

    def __init__(self, detail: Detail = SITE_DENIED) -> None:
        super().__init__(detail)


class GlobalScopeRequired(PermissionDenied):
    """Only a caller for all sites may do this (403)."""

    code = "global_scope_required"

    def __init__(self, detail: Detail = ALL_SITES_NEEDED) -> None:
        super().__init__(detail)


class NotFound(DomainError):
    """There is no such thing, or none that this caller may know of (404)."""

    status = 404
    code = "not_found"


class Conflict(DomainError):
    """The state does not allow it, or somebody else was faster (409)."""

    status = 409
    code = "conflict"


class Gone(DomainError):
    """It existed, but its content is no longer available (410)."""

    status = 410
    code = "gone"


class PreconditionFailed(DomainError):
    """The version named by `If-Match` is not the current one (412)."""

    status = 412
    code = "precondition_failed"


class TooLarge(DomainError):
    """What was sent is larger than allowed, or there is no room for it (413)."""

    status = 413
    code = "too_large"


class UnsupportedMedia(DomainError):
    """What was sent is of a type that is not taken, or not what it says it is (415)."""

    status = 415
    code = "unsupported_media"


class Invalid(DomainError):
    """A value is outside what the field allows (422)."""

    status = 422
    code = "invalid"

    @classmethod
    def field(cls, name: str, message: str | Text, *, where: str = "body") -> Invalid:
        """Blame one field in the shape that clients of the API read; people read a `Text` in their language."""
        return cls([{"type": "value_error", "loc": [where, name], "msg": message}])


class TooManyRequests(DomainError):
    """The caller's budget of requests is used up for now (429); `retry_after` says for how many seconds, if known."""

    status = 429
    code = "rate_limited"

    def __init__(self, detail: Detail = "", *, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class StoreUnavailable(DomainError):
    """Database or queue cannot be reached (503)."""

    status = 503
    code = "store_unavailable"
