from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.identity import tokens
from console.domain.identity.tokens import ExpiryNotInFuture, ExpiryTooFar, Refusal, TokenFacts, TokenPolicy

NOW = datetime(2026, 3, 2, tzinfo=UTC)
POLICY = TokenPolicy()
SECOND = timedelta(seconds=1)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def facts(**changes) -> TokenFacts:
    return replace(TokenFacts(created_at=NOW - days(1), expires_at=NOW + days(10), last_used_at=None), **changes)


def test_the_hash_of_a_known_token_is_the_published_one():
    assert tokens.hash_token(b"test-owner-token") == "18ed6880eb8fd0d8216073eb60a276861f1a271e774b0604f9c1f8027fb8521f"
    assert tokens.hash_token(b"test-owner-token", "pepper") != tokens.hash_token(b"test-owner-token")


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({}, None),
        ({"is_active": False}, Refusal.REVOKED),
        ({"user_is_active": False}, Refusal.USER_INACTIVE),
        ({"created_at": NOW - days(45), "expires_at": NOW + days(1)}, Refusal.ROTATION_AGE),
        ({"created_at": NOW - days(45) + SECOND, "last_used_at": NOW}, None),
        ({"created_at": NOW - days(40), "last_used_at": NOW - days(30)}, Refusal.IDLE),
        ({"created_at": NOW - days(40), "last_used_at": NOW - days(30) + SECOND}, None),
        ({"created_at": NOW - days(30)}, Refusal.IDLE),
        ({"expires_at": NOW}, Refusal.EXPIRED),
        ({"expires_at": NOW + SECOND}, None),
        ({"expires_at": None, "created_at": NOW - days(30), "last_used_at": NOW}, Refusal.EXPIRED),
        ({"expires_at": None, "created_at": NOW - days(30) + SECOND, "last_used_at": NOW}, None),
        # The order of the checks: age before idleness before expiry.
        ({"created_at": NOW - days(60), "last_used_at": NOW - days(40), "expires_at": NOW}, Refusal.ROTATION_AGE),
        ({"created_at": NOW - days(40), "last_used_at": NOW - days(35), "expires_at": NOW}, Refusal.IDLE),
    ],
)
def test_a_stored_token_is_judged_in_the_published_order(changes, refusal):
    assert tokens.judge(facts(**changes), POLICY, NOW) is refusal


def test_without_required_expiry_a_token_may_have_none():
    policy = replace(POLICY, require_expiry=False)
    old = facts(expires_at=None, created_at=NOW - days(44), last_used_at=NOW)

    assert tokens.judge(old, policy, NOW) is None
    assert tokens.dates(old, policy, NOW).expires_at is None
    assert tokens.expiry_on_issue(None, policy, NOW) is None
    assert tokens.expiry_on_rotate(old, policy, NOW) is None


def test_derived_dates_follow_the_formulas():
    found = tokens.dates(facts(last_used_at=NOW - days(2)), POLICY, NOW)

    assert found.rotate_due_at == NOW - days(1) + days(45)
    assert found.idle_due_at == NOW + days(28)
    assert (found.must_rotate, found.expires_soon) == (False, False)


@pytest.mark.parametrize(
    ("age", "warning", "must"), [(38, 7, True), (37.99, 7, False), (44, 0, False), (60, 0, False), (44, 1, True)]
)
def test_must_rotate_begins_with_the_warning_period_and_zero_means_never(age, warning, must):
    policy = replace(POLICY, rotate_warning_days=warning)

    assert tokens.dates(facts(created_at=NOW - days(age)), policy, NOW).must_rotate is must


@pytest.mark.parametrize(("left", "soon"), [(7, True), (7.01, False), (0, True)])
def test_the_approaching_expiry_is_warned_of_as_well(left, soon):
    assert tokens.dates(facts(expires_at=NOW + days(left)), POLICY, NOW).expires_soon is soon


def test_a_wished_expiry_must_lie_in_the_future_and_within_the_longest_life():
    assert tokens.expiry_on_issue(None, POLICY, NOW) == NOW + days(30)
    assert tokens.expiry_on_issue(NOW + days(30), POLICY, NOW) == NOW + days(30)
    with pytest.raises(ExpiryNotInFuture):
        tokens.expiry_on_issue(NOW, POLICY, NOW)
    with pytest.raises(ExpiryTooFar):
        tokens.expiry_on_issue(NOW + days(30) + SECOND, POLICY, NOW)


@pytest.mark.parametrize(
    ("created", "expires", "keeps", "expected"),
    [
        # Fresh start: as long as the old one was meant to live, at most the longest life.
        (-10, 20, False, 30),
        (-10, -3, False, 7),
        (-10, 80, False, 30),
        (-1, None, False, 30),
        # The earlier rule: the old moment, capped; a past one starts anew.
        (-10, 20, True, 20),
        (-10, 80, True, 30),
        (-10, -3, True, 30),
        (-10, 0, True, 30),
    ],
)
def test_a_rotated_token_expires_by_the_chosen_rule(created, expires, keeps, expected):
    old = facts(created_at=NOW + days(created), expires_at=None if expires is None else NOW + days(expires))
    policy = replace(POLICY, rotate_keeps_expiry=keeps)

    assert tokens.expiry_on_rotate(old, policy, NOW) == NOW + days(expected)


def test_the_quota_counts_the_new_token_and_takes_the_least_recently_used():
    others = [(number, facts(created_at=NOW - days(9), last_used_at=NOW - days(number))) for number in range(1, 6)]

    assert tokens.over_quota(others, POLICY, NOW) == (5,)
    assert tokens.over_quota(others[:4], POLICY, NOW) == ()
    assert tokens.over_quota(others, replace(POLICY, max_active_per_user=1), NOW) == (1, 2, 3, 4, 5)


def test_the_quota_does_not_count_tokens_that_no_longer_work():
    others = [
        (1, facts(expires_at=NOW)),
        (2, facts(is_active=False)),
        (3, facts(superseded=True)),
        (4, facts()),
    ]

    assert tokens.over_quota(others, replace(POLICY, max_active_per_user=2), NOW) == ()
    assert tokens.over_quota(others, replace(POLICY, max_active_per_user=1), NOW) == (4,)


def test_the_defaults_never_reach_the_rotation_warning_and_say_so():
    assert not POLICY.rotation_is_reachable
    assert replace(POLICY, rotate_after_days=20).rotation_is_reachable
    assert replace(POLICY, require_expiry=False).rotation_is_reachable


@given(
    created=st.floats(0, 90),
    used=st.one_of(st.none(), st.floats(0, 90)),
    expires=st.one_of(st.none(), st.floats(-30, 90)),
)
def test_an_accepted_token_is_never_past_any_of_its_dates(created, used, expires):
    token = facts(
        created_at=NOW - days(created),
        last_used_at=None if used is None else NOW - days(used),
        expires_at=None if expires is None else NOW + days(expires),
    )
    due = tokens.dates(token, POLICY, NOW)
    accepted = tokens.judge(token, POLICY, NOW) is None

    assert due.expires_at is not None
    assert accepted is (due.expires_at > NOW and due.rotate_due_at > NOW and due.idle_due_at > NOW)


@given(created=st.floats(0.01, 90), expires=st.one_of(st.none(), st.floats(-30, 90)), keeps=st.booleans())
def test_a_rotation_always_gives_a_token_that_works_and_never_beyond_the_longest_life(created, expires, keeps):
    old = facts(created_at=NOW - days(created), expires_at=None if expires is None else NOW + days(expires))
    policy = replace(POLICY, rotate_keeps_expiry=keeps)
    fresh = tokens.expiry_on_rotate(old, policy, NOW)

    assert fresh is not None
    assert NOW < fresh <= NOW + policy.max_ttl
