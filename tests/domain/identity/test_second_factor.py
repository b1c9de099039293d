"""One-time codes: the vectors of RFC 6238, the window, and that a code counts once."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from console.domain.identity import second_factor

SECRET = base64.b32encode(b"12345678901234567890").decode()
NOW = datetime(2026, 3, 2, 9, 0, 10, tzinfo=UTC)
STEP = int(NOW.timestamp()) // 30


# RFC 6238, appendix B (SHA-1); of its eight digits an app of six shows the last six.
@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_the_standard(seconds, code):
    now = datetime.fromtimestamp(seconds, UTC)

    assert second_factor.matching_step(SECRET, code[2:], now=now, last_step=0) == seconds // 30


def code_of(when):
    return second_factor.pyotp.TOTP(SECRET).at(when)


@pytest.mark.parametrize(("seconds", "found"), [(-60, None), (-30, -1), (0, 0), (30, 1), (60, None)])
def test_one_step_to_either_side_is_taken(seconds, found):
    step = second_factor.matching_step(SECRET, code_of(NOW + timedelta(seconds=seconds)), now=NOW, last_step=0)

    assert step == (None if found is None else STEP + found)


@pytest.mark.parametrize(("last", "taken"), [(STEP - 1, True), (STEP, False), (STEP + 1, False)])
def test_a_step_that_was_used_is_spent_with_all_before_it(last, taken):
    found = second_factor.matching_step(SECRET, code_of(NOW), now=NOW, last_step=last)

    assert (found is not None) is taken


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "٠٠٠٠٠٠"])
def test_what_is_no_code_is_wrong(code):
    assert second_factor.matching_step(SECRET, code, now=NOW, last_step=0) is None


def test_codes_are_compared_without_groups_and_width():
    assert second_factor.typed(" 123 456 ") == second_factor.typed("１２３４５６") == "123456"
    assert second_factor.typed("ABCD-efgh") == "abcdefgh"


def test_the_secret_depends_on_the_key_and_the_seed():
    made = {second_factor.secret_of(seed, key) for seed in ("a", "b") for key in ("k", "l")}

    assert len(made) == 4
    assert {len(base64.b32decode(secret)) for secret in made} == {20}
    assert second_factor.address_of(SECRET, username="kim", issuer="KA").startswith("otpauth://totp/KA:kim?secret=")


@pytest.mark.parametrize(
    ("role", "has", "needed", "first"),
    [
        ("owner", False, True, True),
        ("owner", True, True, False),
        ("owner", False, False, False),
        ("manager", False, True, False),
    ],
)
def test_only_owners_without_one_are_sent_to_set_it_up(role, has, needed, first):
    assert second_factor.must_set_up(role, has_second_factor=has, owners_need_it=needed) is first
