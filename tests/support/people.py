"""People at a browser: clients that sign in on the page and carry the CSRF token as the scripts do."""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient

PASSWORD = "correct horse battery staple"
_META = re.compile(r'name="csrf-token" content="([^"]+)"')
_TOKENS = re.compile(r'(name="(?:csrf_token|once)" value="|name="csrf-token" content=")[^"]+')
_FIELD = re.compile(r'name="csrf_token" value="([^"]+)"')


def csrf_of(html: str) -> str:
    """Return the CSRF token of a page."""
    found = _META.search(html) or _FIELD.search(html)
    assert found is not None, "the page has no CSRF token"
    return found.group(1)


def without_tokens(html: str) -> str:
    """Return a page without what is signed anew every second."""
    return _TOKENS.sub("", html)


class BrowserClient(FlaskClient):
    """A browser: keeps cookies, and sends the CSRF token of the sign-in page or of the last page it signed in to."""

    csrf = ""

    def sign_in(self, username: str, password: str = PASSWORD, **fields: str) -> Any:
        """Fill the form; returns the answer."""
        self.csrf = csrf_of(self.get("/sign-in").text)
        answer = self.post("/sign-in", data={"username": username, "password": password, **fields})
        if answer.status_code == 303:
            # Signing in starts a new cookie with a new token; any page tells it.
            self.csrf = csrf_of(self.get("/account/password").text)
        return answer

    def open(self, *args: Any, **kwargs: Any) -> Any:
        headers = dict(kwargs.pop("headers", None) or {})
        if kwargs.get("method", "GET") not in ("GET", "HEAD", "OPTIONS") and self.csrf:
            headers.setdefault("X-CSRFToken", self.csrf)
        return super().open(*args, headers=headers, **kwargs)
