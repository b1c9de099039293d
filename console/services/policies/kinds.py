"""What a kind of policy is, how one is seen, and the published envelope around it (API contract, policy standard).

A kind is declared once as a `PolicyKind`; its API, its page, its proposals and its audit entries all read that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal

from console.core.config import Config
from console.domain.errors import BadRequest
from console.domain.policies.policy import UNKNOWN, Normalised, PolicyField, PolicyWarning, filled, normalise
from console.domain.text import T
from console.inputs.policies import PolicyModel, fields_of

# What nobody ever set was last changed when the world of most clients began.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
Source = Literal["site", "global", "built_in"]


@dataclass(frozen=True)
class AdoptionMeta:
    """What the policies of the adoption weeks tell in addition (API contract, policy standard, adoption extension)."""

    phase: str
    policy_kind: str
    endpoint: str


@dataclass(frozen=True)
class PolicyKind:
    """One kind of policy.

    `key` is the whole key of a global kind; with `per_site` it is a prefix that `default` or `site:<site>` follows.
    `scope` is the published family name of global kinds. `read`, `write`, `propose` and `approve` are alternatives of
    permissions, the first one named in errors.
    `several`: more than one proposal may wait, also one without a reason. `defaults` gives what the settings say of the
    built-in values. `arrange` puts values right that must fit together, and tells what it moved; `shown` is the policy
    as it is published. `strict`: what can be no value of its field is refused with 422.
    Audit actions are `<audit_action>_view` and `<audit_action>_update`.
    """

    name: str
    schema: type[PolicyModel]
    key: str
    read: tuple[str, ...]
    write: tuple[str, ...]
    audit_action: str
    audit_resource: str
    scope: str = ""
    per_site: bool = False
    several: bool = False
    propose: tuple[str, ...] = ()
    approve: tuple[str, ...] = ()
    defaults: Callable[[Config], Mapping[str, Any]] = lambda _config: {}
    adoption: AdoptionMeta | None = None
    strict: bool = False
    arrange: Callable[[Mapping[str, Any]], Normalised] = Normalised
    shown: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict

    @cached_property
    def fields(self) -> tuple[PolicyField, ...]:
        """Return the fields with their types and bounds."""
        return fields_of(self.schema)

    def key_of(self, site: str | None) -> str:
        """Return the key of a site's row (None: of the global one); raises BadRequest for a site of a global kind."""
        if not self.per_site:
            if site is not None:
                raise BadRequest(T("This policy is the same for all sites"))
            return self.key
        return f"{self.key}site:{site}" if site is not None else f"{self.key}default"

    def built_in(self, config: Config) -> dict[str, Any]:
        """Return the values that count while nobody has set any."""
        return filled(self.fields, self.defaults(config))

    def taken(self, stored: Mapping[str, Any], sent: Mapping[str, Any]) -> Normalised:
        """Return all values after `sent` over `stored`; raises Invalid as `normalise` does."""
        made = normalise(self.fields, stored, sent, strict=self.strict)
        fitting = self.arrange(made.values)
        # What counts in the end: values may have been rounded, or moved to where they fit.
        told = (
            one if one.code == UNKNOWN else replace(one, used=fitting.values[one.field])
            for one in (*made.warnings, *fitting.warnings)
        )
        return Normalised(fitting.values, tuple(told))


@dataclass(frozen=True)
class PolicyView:
    """A policy as it counts right now. `revision` is that of its own row, 0 without one; `updated_at` is aware UTC."""

    kind: PolicyKind
    site: str | None
    policy_key: str
    values: Mapping[str, Any]
    source: Source
    revision: int
    updated_at: datetime
    updated_by: str
    warnings: tuple[PolicyWarning, ...] = ()

    @property
    def applies_to(self) -> str:
        """Return the site, or `global`."""
        return self.site or "global"

    @property
    def inherited(self) -> bool:
        """Return whether the values come from a wider policy than the one that was asked for."""
        return self.source != ("global" if self.site is None else "site")

    @property
    def etag(self) -> str:
        """Return what `If-Match` compares."""
        return f'"{self.revision}"'


def envelope(found: PolicyView) -> dict[str, Any]:
    """Return the published shape of a policy answer, with the adoption extension for kinds that have it."""
    kind = found.kind
    scope_type = "site" if found.site is not None else "global"
    meta: dict[str, Any] = {
        "version": "v1",
        "scope": kind.scope or scope_type,
        "applies_to": found.applies_to,
        "policy_key": found.policy_key,
        "updated_at": found.updated_at,
        "revision": found.revision,
    }
    answer: dict[str, Any] = {
        "policy_key": found.policy_key,
        "updated_at": found.updated_at,
        "policy": dict(kind.shown(found.values)),
    }
    if kind.adoption is not None:
        meta |= {
            "schema": "adoption_policy_response",
            "schema_version": "v1",
            "phase": kind.adoption.phase,
            "policy_kind": kind.adoption.policy_kind,
            "endpoint": kind.adoption.endpoint,
            "scope_type": scope_type,
        }
        answer |= {
            "site": found.site,
            "version": "v1",
            "applies_to": found.applies_to,
            "scope": {"type": scope_type, "site": found.site, "policy_key": found.policy_key},
            "effective_from": "default" if found.source == "built_in" else found.source,
            "inherited": found.inherited,
        }
    return {**answer, "meta": meta, "source": found.source, "warnings": [vars(one) for one in found.warnings]}
