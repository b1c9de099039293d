"""Known answers of the contract, and what the stored texts look like."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.audit.entry import (
    Entry,
    canonical_json,
    checkpoint_signature,
    clean,
    detail_object,
    detail_text,
    entry_hash,
    entry_text,
    fitted,
    instant_text,
    key_id,
    keyed_hash,
    make_entry,
    monotone,
    signature,
)

FIRST_HASH = "469db3ed5079a03053a65ae77b7505e1d65d5373b4bf211052c90d54fa2ed952"
FIRST = Entry(1, "owner_a", "admin_user_create", "admin_user", "7", "success", "{}")
SECOND = Entry(None, "system", "sla_escalation_batch", "work_order", "batch", "warning", '{"site": "본관", "count": 2}')


@pytest.mark.parametrize(
    ("entry", "prev_hash", "created", "expected"),
    [
        (FIRST, "", "2026-03-01T00:00:00+00:00", FIRST_HASH),
        (
            SECOND,
            FIRST_HASH,
            "2026-03-01T00:00:01.250000+00:00",
            "8d63c1d7c94bb1d9f3d640a0999d1f2540fdff447c1b2343143f8b83bfe95c1e",
        ),
    ],
)
def test_the_entry_hash_gives_the_known_answers(entry, prev_hash, created, expected):
    assert entry_hash(entry, prev_hash=prev_hash, created_text=created) == expected


@given(
    st.text(), st.one_of(st.none(), st.integers(0)), st.text(), st.text(), st.text(), st.text(), st.text(), st.text()
)
def test_the_directly_written_text_is_canonical_json(prev, actor, name, action, kind, resource, detail, created):
    written = entry_text(prev, actor, name, action, kind, resource, "success", detail, created)

    assert written == canonical_json(
        {
            "action": action,
            "actor_user_id": actor,
            "actor_username": name,
            "created_at": created,
            "detail_json": detail,
            "prev_hash": prev,
            "resource_id": resource,
            "resource_type": kind,
            "status": "success",
        }
    )


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2026, 3, 1, tzinfo=UTC), "2026-03-01T00:00:00+00:00"),
        (datetime(2026, 3, 1, 0, 0, 1, 250000, tzinfo=UTC), "2026-03-01T00:00:01.250000+00:00"),
        (datetime(2026, 3, 1, 9, 0, 0, 1, tzinfo=timezone(timedelta(hours=9))), "2026-03-01T00:00:00.000001+00:00"),
    ],
)
def test_an_instant_is_hashed_in_utc_whatever_zone_the_driver_speaks(instant, text):
    assert instant_text(instant) == text


def test_an_instant_without_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        instant_text(datetime(2026, 3, 1, tzinfo=UTC).replace(tzinfo=None))


def test_the_keyed_hash_depends_on_key_place_hash_and_request():
    made = {
        keyed_hash(b"key", 7, FIRST_HASH, "req"),
        keyed_hash(b"other", 7, FIRST_HASH, "req"),
        keyed_hash(b"key", 8, FIRST_HASH, "req"),
        keyed_hash(b"key", 7, "0" * 64, "req"),
        keyed_hash(b"key", 7, FIRST_HASH, "qer"),
    }
    assert len(made) == 5
    assert {len(value) for value in made} == {64}


def test_a_key_id_names_a_key_without_showing_it():
    assert key_id(b"secret") != key_id(b"Secret")
    assert len(key_id(b"secret")) == 16
    assert "secret" not in key_id(b"secret")


def test_a_checkpoint_is_signed_as_such_and_nothing_else():
    facts = {"count": 3, "head_hash": FIRST_HASH, "seq": 3, "signed_at": "2026-03-01T00:00:00+00:00"}
    made = checkpoint_signature(b"key", **facts)

    assert made == signature(b"key", "checkpoint", facts)
    assert made != signature(b"key", "rebaseline", facts)
    assert made != checkpoint_signature(b"key", **{**facts, "count": 4})


def test_a_detail_keeps_its_order_its_language_and_plain_instants():
    detail = {"site": "본관", "count": 2, "at": datetime(2026, 3, 1, 8, 30, tzinfo=UTC)}

    assert detail_text(detail) == '{"site": "본관", "count": 2, "at": "2026-03-01 08:30:00+00:00"}'


@pytest.mark.parametrize("nothing", [None, {}])
def test_a_missing_detail_is_an_empty_object(nothing):
    assert detail_text(nothing) == "{}"


def test_numbers_that_are_no_json_are_written_as_words():
    text = detail_text({"a": float("nan"), "b": [1.5, float("-inf")], "c": {"d": float("inf")}})

    assert json.loads(text) == {"a": "nan", "b": [1.5, "-inf"], "c": {"d": "inf"}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ("{a", {"raw": "{a"}),
        ("[1, 2]", {"value": [1, 2]}),
        ("null", {"value": None}),
        ('{"a": NaN}', {"a": "NaN"}),
        (r'{"a": "\ud800"}', {"a": "\ufffd"}),
        ("[" * 100_000, {"raw": "[" * 100_000}),
    ],
)
def test_a_stored_detail_is_read_as_an_object_whatever_it_is(text, value):
    assert detail_object(text) == value


@given(st.text(alphabet=st.characters(), max_size=300), st.sampled_from([80, 120]))
def test_a_fitted_text_is_short_storable_and_the_same_every_time(text, limit):
    made = fitted(text, limit)

    assert len(made) <= limit
    assert "\0" not in made
    made.encode()
    assert made == fitted(text, limit)


def test_two_long_texts_with_the_same_beginning_stay_different():
    left, right = "a" * 400 + "1", "a" * 400 + "2"

    assert fitted(left, 120) != fitted(right, 120)
    assert fitted(left, 120)[:95] == "a" * 95


@pytest.mark.parametrize(("text", "expected"), [("점검\0", "점검\ufffd"), ("x\ud83d", "x\ufffd"), ("😀", "😀")])
def test_cleaning_replaces_only_what_cannot_be_stored(text, expected):
    assert clean(text) == expected


def entry(**values):
    words = {
        "actor_user_id": None,
        "actor_username": "owner_a",
        "action": "thing_update",
        "resource_type": "thing",
        "resource_id": 7,
        "status": "success",
        "detail": None,
    }
    return make_entry(**{**words, **values})


def test_an_entry_is_made_of_texts():
    assert entry() == Entry(None, "owner_a", "thing_update", "thing", "7", "success", "{}")


def test_a_blank_actor_is_unknown():
    assert entry(actor_username="  ").actor_username == "unknown"


def test_a_long_resource_id_is_cut_and_kept_whole_in_the_detail():
    made = entry(resource_id="u" * 400, detail={"ok": True})

    assert len(made.resource_id) == 120
    assert json.loads(made.detail_json) == {"ok": True, "resource_id_full": "u" * 400}


@pytest.mark.parametrize("step", [timedelta(hours=-3), timedelta(0), timedelta(microseconds=1)])
def test_time_in_the_chain_never_goes_back(step):
    last = datetime(2026, 3, 1, tzinfo=UTC)

    assert monotone(last + step, last) == max(last, last + step)
    assert monotone(last, None) == last
