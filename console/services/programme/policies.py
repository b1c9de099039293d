"""The policies of W09 to W15 on the policy engine: a site's own, else the global one, else what is built in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from console.core.context import Context
from console.domain.errors import Invalid, NotFound, PermissionDenied
from console.domain.policies.policy import UNKNOWN, WARNINGS_LIMIT, Normalised
from console.domain.programme import kpi_policy
from console.domain.programme.repeats import POLICY_WORDS, REPEATS
from console.domain.programme.week import permissions
from console.domain.text import T
from console.inputs.base import unknown_fields_pass
from console.inputs.programme_policies import KPI_SCHEMA, REPEAT_SCHEMAS
from console.services.identity import sites
from console.services.policies import policies
from console.services.policies.kinds import AdoptionMeta, PolicyKind, PolicyView
from console.services.policies.policies import ADMIN, Revision

OPS = "/api/ops/adoption"


def _kind(code: str, schema: Any, resource: str = "", **more: Any) -> PolicyKind:
    read, write = permissions(code)
    policy = POLICY_WORDS[code]
    action = f"{code}_{policy.replace('-', '_')}"
    return PolicyKind(
        name=f"adoption.{code}",
        schema=schema,
        key=f"adoption_{action}:",
        read=(read,),
        write=(write,),
        audit_action=action,
        audit_resource=resource or f"adoption_{action}",
        per_site=True,
        adoption=AdoptionMeta(code, policy, f"{OPS}/{code}/{policy}"),
        strict=True,
        **more,
    )


KINDS: dict[str, PolicyKind] = {
    "w09": _kind("w09", KPI_SCHEMA, "adoption_w09_policy", arrange=kpi_policy.arrange, shown=kpi_policy.published),
    **{code: _kind(code, REPEAT_SCHEMAS[code], arrange=names.arrange) for code, names in REPEATS.items()},
}
# For old clients, whose values that can be none of their fields are left as they were instead of refused.
LENIENT = {code: replace(kind, strict=False) for code, kind in KINDS.items()}


def site_of(ctx: Context, text: str | None) -> str | None:
    """Return a site as its record writes it, None for none; raises Invalid for what can be none."""
    return None if text is None else sites.named(ctx, text, where="query")


def view(ctx: Context, code: str, site: str | None) -> PolicyView:
    """Return the policy that counts; writes nothing. Raises PermissionDenied, SiteDenied, GlobalScopeRequired."""
    return policies.view(ctx, KINDS[code], site_of(ctx, site))


def put(
    ctx: Context,
    code: str,
    sent: Mapping[str, Any],
    *,
    site: str | None,
    if_match: int | None = None,
    reason: str = "",
) -> PolicyView:
    """Change any part of a policy, with the warnings about what was taken otherwise.

    Raises PermissionDenied, SiteDenied, GlobalScopeRequired, PreconditionFailed when the policy is no longer at
    revision `if_match`, and Invalid for values that can be none of their fields and for fields that nobody knows,
    unless the request is of an old client (API_UNKNOWN_FIELDS): those are told in the warnings.
    """
    lenient = unknown_fields_pass.get()
    kind, named = (LENIENT if lenient else KINDS)[code], site_of(ctx, site)
    _check_global(ctx, code, named)
    made = kpi_policy.flattened(sent, strict=not lenient) if code == "w09" else Normalised(sent)
    if not lenient:
        _refuse_unknown(kind, made)
    try:
        after = policies.update_policy(ctx, kind, made.values, site=named, if_match=if_match, reason=reason)
    except Invalid as refused:
        raise _as_sent(refused) from None
    told = (replace(one, field=kpi_policy.told_as(one.field)) for one in after.warnings)
    return replace(after, warnings=(*made.warnings, *told)[:WARNINGS_LIMIT])


def put_fields(
    ctx: Context, code: str, sent: Mapping[str, Any], *, site: str | None, if_match: int | None, reason: str
) -> PolicyView:
    """Change values by the names that the engine keeps, as forms send them; only those that differ are set.

    What a site inherits and leaves as it is goes on being inherited. Raises what `put` raises.
    """
    kind, named = KINDS[code], site_of(ctx, site)
    _check_global(ctx, code, named)
    before = policies.resolve(ctx, kind, named).values
    made = kind.taken(before, sent).values
    moved = {name: value for name, value in sent.items() if made[name] != before[name]}
    return policies.update_policy(ctx, kind, moved, site=named, if_match=if_match, reason=reason)


def put_form(
    ctx: Context,
    code: str,
    sent: Mapping[str, Any],
    *,
    rules: Sequence[Mapping[str, str]] | None,
    site: str | None,
    if_match: int | None,
    reason: str,
) -> PolicyView:
    """Change what `put_fields` changes, and the escalation rules as rows of text; None leaves those as they are."""
    if rules is not None and code == "w09":
        stored = policies.resolve(ctx, KINDS[code], site_of(ctx, site)).values["escalation_map"]
        sent = {**sent, "escalation_map": kpi_policy.typed_rules(rules, stored)}
    return put_fields(ctx, code, sent, site=site, if_match=if_match, reason=reason)


def _as_sent(refused: Invalid) -> Invalid:
    """Return the same refusal under the names that clients of the API know."""
    if not isinstance(refused.detail, list):
        return refused
    return Invalid([{**one, "loc": [*map(kpi_policy.told_as, map(str, one["loc"]))]} for one in refused.detail])


def _refuse_unknown(kind: PolicyKind, made: Normalised) -> None:
    known = {field.name for field in kind.fields}
    unknown = [name for name in made.values if name not in known] + [
        warning.field for warning in made.warnings if warning.code == UNKNOWN
    ]
    if unknown:
        raise Invalid.field(str(unknown[0]), "Extra inputs are not permitted")


def _check_global(ctx: Context, code: str, site: str | None) -> None:
    if site is None:
        ctx.actor.require(*KINDS[code].write)
        ctx.actor.require_all_sites()
        if not ctx.actor.can(ADMIN):
            raise PermissionDenied(T("Global %(week)s policy update requires admins:manage", week=code.upper()))


def remove(ctx: Context, code: str, *, site: str | None, reason: str = "") -> PolicyView:
    """Take a site's own values away, so that the wider policy counts there; raises NotFound where there are none."""
    kind, named = KINDS[code], site_of(ctx, site)
    if named is None:
        raise Invalid.field("site", T("Please choose a site"), where="query")
    ctx.actor.require(*kind.write)
    policies.check_scope(ctx, kind, named, write=True)
    if policies.resolve(ctx, kind, named).source != "site":
        raise NotFound(T("The site has no policy of its own"))
    policies.clear(ctx, kind, site=named, reason=reason, source="removal")
    return policies.resolve(ctx, kind, named)


def revisions(ctx: Context, code: str, site: str | None) -> tuple[Revision, ...]:
    """Return the changes of a policy, newest first."""
    return policies.revisions(ctx, KINDS[code], site_of(ctx, site))
