"""The policy engine: resolution without writing, revisions, one change at a time, one envelope."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest
from pydantic import Field
from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from console.core.clock import FixedClock
from console.core.config import Config
from console.core.context import unit_of_work
from console.core.serialize import to_json
from console.domain.errors import (
    BadRequest,
    GlobalScopeRequired,
    Invalid,
    PermissionDenied,
    PreconditionFailed,
    SiteDenied,
)
from console.inputs.policies import AutopilotPolicyModel, PolicyModel, PolicyOut, fields_of
from console.models.audit import AuditLog
from console.models.policies import Policy, PolicyRevision
from console.services.policies import automation, policies
from console.services.policies.kinds import AdoptionMeta, PolicyKind, envelope
from tests.conftest import START, actor_of
from tests.support.policy_shape import assert_policy_shape


class Supply(PolicyModel):
    enabled: bool = True
    minutes: int = Field(30, ge=0, le=1440)
    percent: float = Field(95.0, ge=0, le=100)
    mode: Literal["quiet", "loud"] = "quiet"
    note: str = Field("", max_length=20)


GLOBAL = PolicyKind(
    "supply",
    Supply,
    "supply_policy",
    read=("admins:manage", "governance:read"),
    write=("admins:manage",),
    audit_action="supply_policy",
    audit_resource="supply",
    scope="ops.supply",
    defaults=lambda config: {"minutes": config["GOVERNANCE_REMEDIATION_AUTOPILOT_COOLDOWN_MINUTES"]},
)
PER_SITE = PolicyKind(
    "stock",
    Supply,
    "stock_policy:",
    read=("adoption_w10:read",),
    write=("adoption_w10:write",),
    audit_action="stock_policy",
    audit_resource="stock",
    per_site=True,
    adoption=AdoptionMeta("w10", "stock-policy", "/api/ops/adoption/w10/stock-policy"),
)
BUILT_IN = {"enabled": True, "minutes": 30, "percent": 95.0, "mode": "quiet", "note": ""}


def answered(found):
    """Return a policy as the API answers it."""
    return json.loads(to_json(envelope(found), PolicyOut))


def count(session, model):
    return session.scalar(select(func.count()).select_from(model))


def test_looking_at_a_policy_that_nobody_set_writes_nothing(ctx, session):
    found = policies.view(ctx, GLOBAL)

    assert (found.values, found.source, found.revision) == (BUILT_IN, "built_in", 0)
    assert count(session, Policy) == 0
    assert_policy_shape(answered(found), key="supply_policy", scope="ops.supply", fields=tuple(BUILT_IN))


def test_the_settings_give_the_built_in_values_within_the_bounds(make_ctx, session):
    ctx = make_ctx()
    ctx.config = Config.for_tests(GOVERNANCE_REMEDIATION_AUTOPILOT_COOLDOWN_MINUTES=9999)

    assert policies.resolve(ctx, GLOBAL).values["minutes"] == 1440


def test_a_change_is_merged_kept_and_told(ctx, session):
    policies.update_policy(ctx, GLOBAL, {"minutes": 45, "mode": "loud"}, reason=" Too many runs ")
    found = policies.update_policy(ctx, GLOBAL, {"minutes": 2000, "enabled": None, "percent": "12"})

    assert found.values == {**BUILT_IN, "minutes": 1440, "mode": "loud", "percent": 12.0}
    assert (found.revision, found.source, found.updated_at, found.updated_by) == (2, "global", START, "owner_a")
    assert [(one.field, one.code) for one in found.warnings] == [("minutes", "clamped"), ("percent", "converted")]
    newest, first = policies.revisions(ctx, GLOBAL)
    assert (first.revision, first.reason, first.actor) == (1, "Too many runs", "owner_a")
    assert first.changes == {"minutes": {"old": 30, "new": 45}, "mode": {"old": "quiet", "new": "loud"}}
    assert newest.changes == {"minutes": {"old": 45, "new": 1440}, "percent": {"old": 95.0, "new": 12.0}}
    assert_policy_shape(answered(found), key="supply_policy", scope="ops.supply", fields=tuple(BUILT_IN))


def test_only_what_somebody_set_is_pinned(ctx):
    policies.update_policy(ctx, GLOBAL, {"mode": "loud"})
    ctx.config = Config.for_tests(GOVERNANCE_REMEDIATION_AUTOPILOT_COOLDOWN_MINUTES=55)

    assert policies.resolve(ctx, GLOBAL).values == {**BUILT_IN, "mode": "loud", "minutes": 55}


@pytest.mark.parametrize("sent", [{}, {"minutes": None}, {"enabled": "false"}, {"unknown": 1}])
def test_a_change_of_nothing_leaves_no_row_and_no_revision(ctx, session, sent):
    found = policies.update_policy(ctx, GLOBAL, sent)

    assert (found.revision, found.source) == (0, "built_in")
    assert (count(session, Policy), count(session, PolicyRevision)) == (0, 0)


def test_the_same_change_twice_is_one_revision(ctx, session):
    for _press in range(2):
        found = policies.update_policy(ctx, GLOBAL, {"minutes": 45})

    assert found.revision == count(session, PolicyRevision) == 1


def test_a_change_is_on_record_with_all_values_and_what_moved(ctx, session):
    policies.update_policy(ctx, GLOBAL, {"minutes": 45})
    ctx.commit()

    row = session.scalars(select(AuditLog).where(AuditLog.action == "supply_policy_update")).one()
    assert (row.resource_type, row.resource_id) == ("supply", "supply_policy")
    assert json.loads(row.detail_json) == {
        "policy_key": "supply_policy",
        **BUILT_IN,
        "minutes": 45,
        "changes": {"minutes": {"old": 30, "new": 45}},
        "revision": 1,
    }


def test_a_number_that_is_not_finite_changes_nothing_at_all(ctx, session):
    with pytest.raises(Invalid):
        policies.update_policy(ctx, GLOBAL, {"enabled": False, "minutes": math.inf})
    ctx.rollback()

    assert count(session, Policy) == 0


def test_a_preview_stores_nothing(ctx, session):
    found = policies.merged(ctx, GLOBAL, {"minutes": 5000})

    assert (found.values["minutes"], len(found.warnings)) == (1440, 1)
    assert count(session, Policy) == 0


def test_if_match_refuses_a_policy_that_moved_on(ctx):
    policies.update_policy(ctx, GLOBAL, {"minutes": 45}, if_match=0)

    with pytest.raises(PreconditionFailed) as caught:
        policies.update_policy(ctx, GLOBAL, {"minutes": 50}, if_match=0)

    assert caught.value.detail["current_revision"] == 1


def test_a_damaged_row_reads_as_the_defaults_where_it_is_damaged(ctx, session):
    session.add(
        Policy(policy_key="supply_policy", policy_json={"minutes": "x", "percent": 500, "old": 1}, updated_at=START)
    )
    session.flush()

    assert policies.resolve(ctx, GLOBAL).values == {**BUILT_IN, "percent": 100.0}


def test_a_site_without_its_own_values_follows_the_global_ones(ctx):
    policies.update_policy(ctx, PER_SITE, {"minutes": 10, "mode": "loud"})
    inherited = policies.view(ctx, PER_SITE, "본관")
    own = policies.update_policy(ctx, PER_SITE, {"minutes": 20}, site="본관")

    assert (inherited.values["minutes"], inherited.source, inherited.revision) == (10, "global", 0)
    assert (own.values["minutes"], own.values["mode"], own.source, own.revision) == (20, "loud", "site", 1)
    assert policies.resolve(ctx, PER_SITE).values["minutes"] == 10
    for found, site in ((inherited, "본관"), (own, "본관"), (policies.resolve(ctx, PER_SITE), None)):
        assert_policy_shape(
            answered(found),
            key="stock_policy:",
            site=site,
            phase="w10",
            policy_kind="stock-policy",
            endpoint="/api/ops/adoption/w10/stock-policy",
        )
    assert (own.policy_key, policies.resolve(ctx, PER_SITE).policy_key) == (
        "stock_policy:site:본관",
        "stock_policy:default",
    )


def test_a_global_policy_has_no_sites(ctx):
    with pytest.raises(BadRequest):
        policies.view(ctx, GLOBAL, "본관")


@pytest.mark.parametrize(
    ("role", "sites", "kind", "site", "reads", "writes"),
    [
        ("owner", ("*",), GLOBAL, None, None, None),
        ("owner", ("본관",), GLOBAL, None, None, GlobalScopeRequired),
        ("manager", ("*",), GLOBAL, None, None, PermissionDenied),
        ("auditor", ("본관",), GLOBAL, None, None, PermissionDenied),
        ("manager", ("본관",), PER_SITE, "본관", None, None),
        ("manager", ("본관",), PER_SITE, "B동", SiteDenied, SiteDenied),
        ("manager", ("본관",), PER_SITE, None, GlobalScopeRequired, GlobalScopeRequired),
        ("manager", ("*",), PER_SITE, None, None, PermissionDenied),
        ("auditor", ("*",), PER_SITE, "본관", None, PermissionDenied),
    ],
)
def test_who_may_see_and_change_what(make_ctx, session, role, sites, kind, site, reads, writes):
    ctx = make_ctx(role, sites)
    for use, refusal in (
        (lambda: policies.view(ctx, kind, site), reads),
        (lambda: policies.update_policy(ctx, kind, {"minutes": 7}, site=site), writes),
    ):
        if refusal is None:
            use()
        else:
            with pytest.raises(refusal) as caught:
                use()
            assert type(caught.value) is refusal
    assert count(session, PolicyRevision) == (writes is None)


def test_changes_at_the_same_moment_are_all_kept(engine, config):
    factory = sessionmaker(engine)

    def press(field, value):
        with unit_of_work(factory, actor=actor_of(), clock=FixedClock(START), config=config) as ctx:
            policies.update_policy(ctx, GLOBAL, {field: value})

    pairs = [("minutes", 7), ("percent", 8), ("mode", "loud"), ("note", "x"), ("enabled", False)]
    with ThreadPoolExecutor(len(pairs)) as pool:
        for pressed in [pool.submit(press, *pair) for pair in pairs]:
            pressed.result()

    with unit_of_work(factory, actor=actor_of(), clock=FixedClock(START), config=config, write=False) as ctx:
        found = policies.resolve(ctx, GLOBAL)
        assert found.values == {"minutes": 7, "percent": 8.0, "mode": "loud", "note": "x", "enabled": False}
        assert [one.revision for one in policies.revisions(ctx, GLOBAL)] == [5, 4, 3, 2, 1]


def test_bounds_and_words_come_from_the_schema():
    fields = {field.name: field for field in fields_of(Supply)}

    assert (fields["minutes"].least, fields["minutes"].most, fields["minutes"].default) == (0, 1440, 30)
    assert fields["mode"].choices == ("quiet", "loud")
    assert fields["note"].most == 20


def test_the_automation_was_stopped_by_whoever_turned_it_last(make_ctx, ctx):
    automation.pause(make_ctx(username="lee"), reason="Too much")
    automation.resume(make_ctx(username="lee"), reason="Mended")
    assert automation.stopped(ctx) is None
    policies.update_policy(make_ctx(username="kim"), automation.AUTOPILOT, {"paused": True}, reason="Not yet")
    policies.update_policy(make_ctx(username="lee"), automation.AUTOPILOT, {"cooldown_minutes": 7})
    ctx.commit()

    found = automation.stopped(ctx)

    assert (found.by, found.reason) == ("kim", "Not yet")


def test_the_autopilot_has_the_ten_published_fields_first():
    bounds = [
        (field.name, field.kind, field.default, field.least, field.most) for field in fields_of(AutopilotPolicyModel)
    ]

    assert bounds[:10] == [
        ("enabled", "bool", True, None, None),
        ("notify_enabled", "bool", True, None, None),
        ("unassigned_trigger", "int", 1, 0, 100000),
        ("overdue_trigger", "int", 1, 0, 100000),
        ("cooldown_minutes", "int", 30, 0, 1440),
        ("skip_if_no_action", "bool", True, None, None),
        ("kpi_window_days", "int", 14, 1, 180),
        ("kpi_due_soon_hours", "int", 24, 0, 168),
        ("escalation_due_soon_hours", "int", 12, 0, 168),
        ("auto_assign_max_items", "int", 30, 1, 500),
    ]
