"""The numbers of the security dashboard, each against rows that should and should not count."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from console.core.context import SYSTEM, start_writing
from console.domain.errors import PermissionDenied
from console.services.audit import record as audit
from console.services.identity import risk as security
from tests.factories import make_token, make_user
from tests.support.statements import statements

NOON = datetime(2026, 3, 2, 3, tzinfo=UTC)  # 12:00 in Seoul
NIGHT = datetime(2026, 3, 2, 14, tzinfo=UTC)  # 23:00 in Seoul


@pytest.fixture
def act(make_ctx, clock):
    """Return `act(action, at=…, status=…, username=…)`: put an action on record at a time."""

    def record(action="admin_site_update", *, at=NOON, status="success", username="kim", times=1):
        clock.set(at)
        made = make_ctx(username=username) if username != "system" else make_ctx()
        if username == "system":
            made.actor = SYSTEM
        start_writing(made.session)
        for _ in range(times):
            audit.record(made, action, "thing", 1, status=status)
        made.commit()

    return record


@pytest.fixture
def look(make_ctx, clock):
    """Return `look(days=…, at=…)`: the dashboard as an owner sees it at that time."""

    def dashboard(days=30, at=None):
        clock.set(at or NIGHT + timedelta(days=1))
        made = make_ctx()
        made.session.rollback()
        return security.dashboard(made, days=days)

    return dashboard


def test_an_empty_installation_has_no_risk(look):
    seen = look()

    assert (seen.risk.score, seen.risk.level, seen.overall_status, seen.anomalies) == (0, "low", "ok", ())
    assert (seen.actions.total, seen.users.total_users, seen.tokens.active_tokens) == (0, 0, 0)
    assert (seen.top_actors, seen.recent_sensitive_events) == ((), ())
    assert seen.window_end - seen.window_start == timedelta(days=30)


@pytest.mark.parametrize(
    ("action", "status", "counts"),
    [
        ("admin_site_update", "success", 0),
        ("admin_site_update", "failed", 1),
        ("admin_site_update", "warning", 1),
        ("ops_dr_rehearsal_run", "critical", 1),
        ("admin_site_update", "denied", 0),
        ("ops_governance_gate_view", "warning", 0),
        ("ops_governance_gate_run", "warning", 0),
        ("ops_quality_report_run", "warning", 0),
        ("w07_sla_quality_weekly_run", "warning", 0),
        ("ops_governance_gate_remediation_csv_export", "warning", 0),
    ],
)
def test_only_failed_changes_count_as_failed(act, look, action, status, counts):
    act(action, status=status)

    assert look().actions.failed_or_warning == counts


@pytest.mark.parametrize(
    ("at", "username", "counts"),
    [
        (NOON, "kim", 0),
        (datetime(2026, 3, 2, 0, 30, tzinfo=UTC), "kim", 0),  # 09:30 in Seoul, the working morning
        (NIGHT, "kim", 1),
        (datetime(2026, 3, 2, 20, 59, tzinfo=UTC), "kim", 1),  # 05:59
        (datetime(2026, 3, 2, 21, 0, tzinfo=UTC), "kim", 0),  # 06:00
        (NIGHT, "system", 0),  # a scheduled job is nobody at night
    ],
)
def test_off_hours_are_the_nights_of_the_business_zone(act, look, at, username, counts):
    act(at=at, username=username)

    assert look().actions.off_hours_total == counts


def test_the_window_counts_from_its_start_to_now(act, look):
    act(at=NIGHT - timedelta(days=3))
    act(at=NIGHT - timedelta(hours=1))
    act(at=NIGHT, times=4)

    assert look(days=1, at=NIGHT + timedelta(minutes=5)).actions.total == 5
    assert look(days=1, at=NIGHT + timedelta(minutes=5)).actions.off_hours_total == 5
    assert look(days=4, at=NIGHT + timedelta(minutes=5)).actions.total == 6
    assert look(days=1, at=NIGHT + timedelta(days=2)).actions.total == 0


def test_actors_and_sensitive_actions_are_listed(act, look):
    act(times=3)
    act("admin_user_create", username="lee", at=NOON + timedelta(minutes=1))
    act("admin_token_issue", username="lee", at=NIGHT)

    seen = look()

    assert [(one.actor, one.action_count) for one in seen.top_actors] == [("kim", 3), ("lee", 2)]
    assert (seen.actions.unique_actors, seen.actions.sensitive_total) == (2, 2)
    assert [(one.action, one.off_hours) for one in seen.recent_sensitive_events] == [
        ("admin_token_issue", True),
        ("admin_user_create", False),
    ]


def _tokens(session, clock, *, user=None, **token):
    owner = make_user(session, now=clock.now(), **{"role": "operator", "site_scope": ("A",), **(user or {})})
    make_token(session, owner, now=clock.now(), **token)
    session.commit()


DAY = timedelta(days=1)
AT = NIGHT + DAY


@pytest.mark.parametrize(
    ("user", "token", "expected"),
    [
        ({}, {"expires_at": AT + 7 * DAY}, {"expiring_7d": 1}),
        ({}, {"expires_at": AT + 7 * DAY + timedelta(seconds=1)}, {}),
        ({}, {"expires_at": AT - DAY}, {}),  # long expired
        ({"is_active": False}, {"expires_at": AT + DAY}, {}),
        ({}, {"last_used_at": AT - 13 * DAY}, {}),
        ({}, {"last_used_at": AT - 14 * DAY}, {"stale_14d": 1}),
        ({}, {"last_used_at": AT - 30 * DAY}, {"stale_14d": 1, "dormant_30d": 1}),
        ({}, {"created_at": AT - 45 * DAY, "last_used_at": AT}, {"rotate_overdue": 1}),
        ({}, {"created_at": AT - 44 * DAY, "last_used_at": AT}, {}),
        ({"site_scope": ("*",)}, {}, {"wildcard_scope_tokens": 1, "non_owner_wildcard_tokens": 1}),
        ({"site_scope": ("*",), "role": "owner"}, {}, {"wildcard_scope_tokens": 1}),
        ({"site_scope": ("*",)}, {"site_scope": ("A",)}, {}),
        ({"site_scope": ("A",)}, {"site_scope": None}, {}),  # inherits the user's sites
        ({"site_scope": ("A",)}, {"site_scope": ("*",)}, {}),  # never more than the user
        ({"site_scope": ("*",)}, {"site_scope": ("*",)}, {"wildcard_scope_tokens": 1, "non_owner_wildcard_tokens": 1}),
    ],
)
def test_token_numbers(session, clock, look, user, token, expected):
    clock.set(AT)
    _tokens(session, clock, user=user, **token)

    seen = vars(look(at=AT).tokens)

    zeros = dict.fromkeys(seen, 0)
    assert seen == {**zeros, "active_tokens": 1, **expected}


@pytest.mark.parametrize(
    ("user", "with_token", "counts"),
    [
        ({}, False, 1),
        ({}, True, 0),
        ({"password_hash": "x"}, False, 0),  # signs in with a password and needs no token
        ({"is_active": False}, False, 0),
    ],
)
def test_users_without_any_access_are_counted(session, clock, look, user, with_token, counts):
    clock.set(AT)
    person = make_user(session, now=clock.now(), **user)
    if with_token:
        make_token(session, person, now=clock.now())
    session.commit()

    seen = look(at=AT)

    assert seen.coverage.active_users_without_token == counts
    assert ("users_without_active_token" in [one.id for one in seen.anomalies]) is bool(counts)


def test_the_gate_sees_the_score_of_the_dashboard(act, look, make_ctx, session, clock):
    _tokens(session, clock, user={"site_scope": ("*",)}, expires_at=AT + DAY)
    act(status="failed", times=3)
    act(at=NIGHT, times=2)

    seen = look(at=AT)

    assert seen.risk.score == 6 + 4 + 3 + 20
    assert seen.risk == security.risk_of_window(make_ctx(), days=30)
    assert seen.risk_points["non_owner_wildcard_tokens"] == 20


def test_expiring_tokens_are_live_ones_of_active_users(session, clock):
    clock.set(AT)
    for expires in (AT + 2 * DAY, AT + 3 * DAY, AT + 4 * DAY, AT - DAY):
        _tokens(session, clock, expires_at=expires)
    _tokens(session, clock, user={"is_active": False}, expires_at=AT + DAY)

    assert session.scalar(select(security.expiring(AT))) == 2


def test_the_number_of_queries_does_not_grow(act, look):
    act(times=5)
    act("admin_user_create", at=NIGHT, username="lee")
    look()

    with statements() as few:
        look(days=1)
    with statements() as many:
        look(days=180)

    assert len(few) == len(many) == 5


def test_managers_and_auditors_read_it_and_operators_do_not(make_ctx):
    security.dashboard(make_ctx("manager"))
    security.dashboard(make_ctx("auditor"))
    with pytest.raises(PermissionDenied, match="Missing permission: admins:manage"):
        security.dashboard(make_ctx("operator"))
