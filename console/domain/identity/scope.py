"""Site scope of users and tokens (API contract, identity section 4, with the mends of 23-B6 and 23-B7).

A scope is a sorted tuple of site names. `("*",)` is every site, `()` is none. A token scope may be None, which
means "as the user".
"""

from __future__ import annotations

from collections.abc import Iterable

from console.domain.entered import entered
from console.domain.text import N_

ALL_SITES = ("*",)
NO_SITES: tuple[str, ...] = ()
MAX_SITE_NAME = 120

Scope = tuple[str, ...]


def site_name(text: str) -> str:
    """Return a site name as it is stored; raises ValueError when it cannot be one.

    Commas are refused because older exports and clients join names with them; `*` is the word for all sites.
    """
    name = entered(text)
    if not name or len(name) > MAX_SITE_NAME:
        raise ValueError(N_("a site name has 1 to 120 characters"))
    if "," in name or not name.isprintable():
        raise ValueError(N_("a site name must not contain a comma or a control character"))
    if name == "*":
        raise ValueError(N_("* is not a site name"))
    return name


def normalise_scope(values: Iterable[str], *, empty_means_all: bool = False) -> Scope:
    """Return the scope for a list of names: trimmed, sorted, no doubles; `*` swallows the rest.

    An empty list is no site at all. `empty_means_all` is the reading of the earlier product (23-B6), kept behind
    a switch. Raises ValueError for a name that cannot be a site.
    """
    names = {entered(text) for text in values} - {""}
    if not names:
        return ALL_SITES if empty_means_all else NO_SITES
    if "*" in names:
        return ALL_SITES
    return tuple(sorted(site_name(name) for name in names))


def intersect(user_scope: Scope, token_scope: Scope | None) -> Scope:
    """Return what a token of this user may see: never more than either of the two."""
    if token_scope is None:
        return user_scope
    if user_scope == ALL_SITES:
        return token_scope
    if token_scope == ALL_SITES:
        return user_scope
    return tuple(sorted(set(user_scope) & set(token_scope)))


def contains(outer: Scope, inner: Scope) -> bool:
    """Return whether `outer` covers all of `inner`; needed before a caller grants a scope (23-B8)."""
    if outer == ALL_SITES:
        return True
    return inner != ALL_SITES and set(inner) <= set(outer)


def sees(scope: Scope, site: str) -> bool:
    """Return whether one site lies in the scope; names are case-sensitive."""
    return scope == ALL_SITES or site in scope
