from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest

from console.domain.identity import accounts
from console.domain.identity.accounts import BadUsername, SessionPolicy, WeakPassword

NOW = datetime(2026, 3, 2, tzinfo=UTC)
POLICY = SessionPolicy(idle=timedelta(hours=8), absolute=timedelta(days=7))


@pytest.mark.parametrize("name", ["kim", "김관리", "a" * 80, "  owner_a  "])
def test_an_ordinary_user_name_is_taken_trimmed(name):
    assert accounts.check_username(name) == name.strip()


@pytest.mark.parametrize(
    "name", ["ab", "  ab  ", "a" * 81, "a\nbc", "a\x00bc", "legacy-admin", "LEGACY-Admin", "system", "local-dev"]
)
def test_a_user_name_out_of_bounds_or_reserved_is_refused(name):
    with pytest.raises(BadUsername):
        accounts.check_username(name)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "short"),
        ("x" * 129, "long"),
        ("manager.kim", "username"),
        ("mik.reganam", "username"),
        ("Password1234", "common"),
        ("aaaaaaaaaaaa", "common"),
        ("abababababab", "common"),
        ("with\ttabulator", "characters"),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password, reason):
    with pytest.raises(WeakPassword) as caught:
        accounts.check_password(password, username="Manager.Kim", minimum=10)

    assert caught.value.reason == reason


def test_a_password_is_the_same_however_hangul_is_composed():
    composed = "비밀번호가열자이상"
    decomposed = unicodedata.normalize("NFD", composed)

    assert decomposed != composed
    assert accounts.check_password(decomposed, username="kim", minimum=8) == composed


@pytest.mark.parametrize(
    ("changes", "live"),
    [
        ({}, True),
        ({"revoked_at": NOW}, False),
        ({"last_seen_at": NOW - timedelta(hours=8)}, False),
        ({"last_seen_at": NOW - timedelta(hours=7, minutes=59)}, True),
        ({"expires_at": NOW}, False),
        # A shorter setting counts at once, also for sessions that were promised more.
        ({"created_at": NOW - timedelta(days=7), "expires_at": NOW + timedelta(days=20)}, False),
    ],
)
def test_a_session_ends_by_hand_by_idleness_or_by_age(changes, live):
    values = {
        "created_at": NOW - timedelta(days=1),
        "last_seen_at": NOW,
        "expires_at": NOW + timedelta(days=6),
        "revoked_at": None,
    }

    assert accounts.session_is_live(**(values | changes), policy=POLICY, now=NOW) is live


def test_a_blank_display_name_falls_back_to_the_user_name():
    assert accounts.display_name_or("kim", "  ") == "kim"
    assert accounts.display_name_or("kim", " 김관리 ") == "김관리"
