"""Builders of rows for tests, a module per subject: plain functions with sensible defaults.

They flush; the caller commits.
"""

from tests.factories.identity import make_site, make_token, make_user

__all__ = ["make_site", "make_token", "make_user"]
