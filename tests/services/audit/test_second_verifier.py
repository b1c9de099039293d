"""A second, small implementation of the verification, written from the contract: both agree on random chains.

SOAK=1 tries ten thousand of them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import random
from datetime import UTC, datetime, timedelta

import pytest

from console.domain.audit.chain import ChainRow, ChainVerifier
from console.domain.audit.entry import Entry, entry_hash, instant_text, key_id, keyed_hash

CHAINS = 10_000 if os.environ.get("SOAK") else 2_000
KEYS = (b"first-key", b"second-key")
KNOWN = {hashlib.sha256(b"audit-key-id:v1:" + key).hexdigest()[:16]: key for key in KEYS}
FIELDS = (
    "id", "seq", "actor_user_id", "actor_username", "action", "resource_type", "resource_id", "status", "detail_json",
    "created_at", "created_text", "prev_hash", "entry_hash", "keyed_hash", "key_id", "request_id",
)  # fmt: skip
HASHED = (
    "action",
    "actor_user_id",
    "actor_username",
    "created_at",
    "detail_json",
    "resource_id",
    "resource_type",
    "status",
)
WORDS = ("thing_update", "본관 점검", 'quote " and \\ slash', "line\nbreak", "\u2028", "émoji 😀", "", "\x7f")


def second(rows, head):
    """Return what is wrong with a chain, as (place, reason), in the words of the contract."""
    wrong, running, place = [], "", 0
    for row in (dict(zip(FIELDS, values, strict=True)) for values in rows):
        if row["seq"] != place + 1:
            wrong.append((row["seq"], "sequence_gap"))
        if (row["prev_hash"] or "") != running:
            wrong.append((row["seq"], "prev_hash_mismatch"))
        hashed = {**{name: row[name] for name in HASHED}, "prev_hash": running}
        text = json.dumps(hashed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        expected = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        if row["entry_hash"] != expected or row["created_text"] != row["created_at"]:
            wrong.append((row["seq"], "entry_hash_mismatch"))
        message = f"audit-row:v1:{row['seq']}:{row['entry_hash'] or ''}:{row['request_id'] or ''}".encode()
        if not row["keyed_hash"]:
            wrong.append((row["seq"], "keyed_hash_missing"))
        elif row["key_id"] not in KNOWN:
            wrong.append((row["seq"], "keyed_hash_unknown_key"))
        elif hmac.new(KNOWN[row["key_id"]], message, hashlib.sha256).hexdigest() != row["keyed_hash"]:
            wrong.append((row["seq"], "keyed_hash_mismatch"))
        running, place = row["entry_hash"] or expected, row["seq"]
    if (place, running) != head:
        wrong.append((head[0], "head_mismatch"))
    return wrong


def first(rows, head, pieces):
    """Return what the product's verifier finds, fed in batches of random sizes."""
    verifier = ChainVerifier(keys=KNOWN)
    rows = list(rows)
    while rows:
        size = pieces.randint(1, 4)
        verifier.feed(rows[:size])
        del rows[:size]
    verifier.check_end(head_seq=head[0], head_hash=head[1])
    assert verifier.issue_count == len(verifier.issues)
    return [(issue.seq, issue.reason) for issue in verifier.issues]


def chain(chance):
    """Return a random chain as it is written, and its head."""
    rows, running, at = [], "", datetime(2026, 3, 1, tzinfo=UTC)
    for seq in range(1, chance.randint(0, 8) + 1):
        at += timedelta(microseconds=chance.choice((0, 1, 250_000, 1_000_000)))
        words = [chance.choice(WORDS) for _ in range(6)]
        entry = Entry(chance.choice((None, 1, 2**40)), *words)
        key, request = chance.choice(KEYS), chance.choice(("", "a" * 32))
        created = instant_text(at)
        digest = entry_hash(entry, prev_hash=running, created_text=created)
        rows.append(
            ChainRow(
                seq + 100, seq, entry.actor_user_id, *words, created, created, running or None, digest,
                keyed_hash(key, seq, digest, request), key_id(key), request or None,
            )
        )  # fmt: skip
        running = digest
    return rows, (len(rows), running)


def damaged(rows, head, chance):
    """Do something to a chain that somebody with the database could do; sometimes several things."""
    rows = list(rows)
    for _ in range(chance.randint(0, 3)):
        deed = chance.choice(("field", "field", "drop", "swap", "double", "head"))
        if deed == "head" or not rows:
            head = (chance.randint(0, 9), chance.choice((head[1], "0" * 64)))
            continue
        place = chance.randrange(len(rows))
        if deed == "field":
            name = chance.choice(FIELDS[2:])
            other = chance.choice((None, "0" * 64, *WORDS)) if name != "actor_user_id" else chance.choice((None, 7))
            if name in (
                "created_at",
                "detail_json",
                "action",
                "status",
                "actor_username",
                "resource_id",
                "resource_type",
            ):
                other = other or ""
            rows[place] = rows[place]._replace(**{name: other})
        elif deed == "drop":
            del rows[place]
        elif deed == "swap":
            other = chance.randrange(len(rows))
            rows[place], rows[other] = rows[other], rows[place]
        else:
            rows.insert(place, rows[place])
    return rows, head


@pytest.mark.parametrize("part", range(4))
def test_both_agree_on_random_chains(part):
    broken = 0
    for number in range(CHAINS // 4):
        chance = random.Random(part * 1_000_000 + number)
        whole, head = chain(chance)
        assert second(whole, head) == first(whole, head, chance) == []
        rows, end = damaged(whole, head, chance)
        found = second(rows, end)
        assert first(rows, end, chance) == found
        assert bool(found) == ((rows, end) != (whole, head))
        broken += bool(found)

    assert broken > CHAINS // 16
