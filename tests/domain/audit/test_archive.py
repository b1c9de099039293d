"""The monthly archive: months, the signature's known answer, and three ways to write one document."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.audit.archive import (
    UNSIGNED_FIELDS,
    answer_text,
    content_signature,
    drill_attachment,
    file_text,
    month_at,
    month_before,
    month_of,
    sealed,
    signed_text,
    stable_digest,
)
from console.domain.audit.entry import canonical_json
from console.domain.errors import BadRequest

KNOWN = {"a": {"c": "본관", "d": None}, "b": [1, 2]}


def test_digest_and_signature_give_the_known_answer():
    made = sealed(KNOWN, "ci-signing-key")

    assert made["archive_sha256"] == "51643a5128984ffdf6d20d642bcde5cbe9bfd2d32a55322855db76785ecac751"
    assert made["signature"] == "60119dd3aec3a2c29994a1569a20f5ffec6c03b671d6df56ef4e311bfa005ddf"
    assert made["signature_algorithm"] == "hmac-sha256"


def test_without_a_key_an_archive_is_unsigned():
    made = sealed(KNOWN, "")

    assert (made["signature"], made["signature_algorithm"]) == (None, "unsigned")


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "0000-01", "9999-12", "2026-3", "2026-03 ", "٢٠٢٦-٠٣", ""])
def test_what_is_no_month_is_refused_in_the_published_words(text):
    with pytest.raises(BadRequest, match="^month must be YYYY-MM format$"):
        month_of(text)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-02", (2026, 2, 1), (2026, 3, 1)),
        ("2025-12", (2025, 12, 1), (2026, 1, 1)),
        ("2024-02", (2024, 2, 1), (2024, 3, 1)),
    ],
)
def test_a_month_runs_from_its_first_instant_to_that_of_the_next(text, start, end):
    month = month_of(text)

    assert (month.start, month.end) == (datetime(*start, tzinfo=UTC), datetime(*end, tzinfo=UTC))
    assert not month.over(month.end - timedelta(microseconds=1))
    assert month.over(month.end)


def test_the_month_of_an_instant_is_the_utc_one():
    assert month_at(datetime.fromisoformat("2026-03-01T08:59:59+09:00")).text == "2026-02"
    assert month_before(datetime(2026, 1, 31, tzinfo=UTC)).text == "2025-12"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.lists(st.dictionaries(st.text(max_size=5), VALUES, max_size=3), max_size=4)
DOCUMENTS = st.dictionaries(st.text(max_size=6).filter(lambda key: key != "entries"), VALUES, max_size=5)


@given(DOCUMENTS, ENTRIES)
def test_the_pieces_are_the_document_in_every_form(document, entries):
    whole = {**document, "entries": entries}
    texts = [canonical_json(entry) for entry in entries]
    signed = {key: value for key, value in whole.items() if key not in UNSIGNED_FIELDS}

    assert b"".join(signed_text({**document, "entries": None}, texts)).decode() == canonical_json(signed)
    assert json.loads(b"".join(answer_text({**document, "entries": None}, texts))) == whole
    written = b"".join(file_text({**document, "entries": None}, texts)).decode()
    ordered = {**document, "entries": [json.loads(text) for text in texts]}
    assert written == json.dumps(ordered, ensure_ascii=False, indent=2) + "\n"


def test_the_moment_of_making_does_not_make_another_archive():
    first = {"month": "2026-02", "generated_at": "1", "entries": None}

    assert stable_digest(first, ["{}"]) == stable_digest({**first, "generated_at": "2"}, ["{}"])
    assert stable_digest(first, ["{}"]) != stable_digest(first, ['{"id":1}'])


def test_a_file_is_signed_by_its_bytes():
    assert content_signature(b"id\r\n", "key") != content_signature(b"id\n", "key")
    assert content_signature(b"id\r\n", "") == ""


RUN = {"run_id": 7, "status": "success"}


@pytest.mark.parametrize(
    ("required", "run", "included", "status"),
    [(True, RUN, True, "ok"), (False, RUN, True, "ok"), (True, None, False, "warning"), (False, None, False, "info")],
)
def test_the_recovery_attachment_says_what_there_is(required, run, included, status):
    made = drill_attachment(required=required, month=month_of("2026-02"), in_month=run, before_end=run)

    assert (made["required"], made["included"], made["status"]) == (required, included, status)
    assert made["latest_in_month"] == run
    assert made["message"]
