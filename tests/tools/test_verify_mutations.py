"""Mutations of an archive, by somebody without any key, with the signing key, or with neither known to the auditor.

Each is tried against the verifier with the keys that an auditor may have. Survivors are named with their reason.
"""

from __future__ import annotations

import copy
import json
from argparse import Namespace
from hashlib import sha256
from itertools import product

import pytest

from console.domain.audit.archive import sealed
from console.domain.audit.entry import canonical_json
from console.services.audit.checkpoints import checkpoint
from console.services.audit.exports import export_json
from console.services.audit.rebaseline import rebaseline
from tests.services.audit.audit_support import Trail
from tools import verify_audit

KEY, CHAIN = "ci-signing-key", "ci-chain-key"
HASHED = verify_audit.HASHED
# What no hash, no keyed hash and no seal can cover: only the signature of the whole document does.
OUTSIDE_THE_CHAIN = {
    "generated_at": "the moment of making says nothing about the entries",
    "max_entries": "what was asked for; what is there is counted",
    "dr_rehearsal_attachment": "an attachment beside the log",
    "attachments": "attachments beside the log",
    "attachment_count": "attachments beside the log",
    "attachment_schema_version": "attachments beside the log",
    "format_version": "a label of the format",
    "meta": "labels of the answer",
    "signing_key_id": "a label: the key itself decides",
    "latest_checkpoint": "leaving it out takes a second proof away; the seal of the month proves the same end",
    "warnings": "words about what the sealed parts say",
}


@pytest.fixture
def document(engine, clock, config):
    """An archive of twelve entries, the tenth of them under a checkpoint."""
    trail = Trail(engine, clock, config)
    trail.write(10)
    trail.check(checkpoint)
    trail.write(2)
    return json.loads(trail.check(export_json).as_answer())


def verdict(document, *, key="", chain_key=""):
    """Return exit code and findings, as the command line would give them."""
    found = verify_audit.Findings()
    options = Namespace(key=key.encode(), chain_key=chain_key.encode(), previous_hash=None)
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    try:
        verify_audit.check_json(data, options, found)
    except verify_audit.Unreadable as error:
        return 2, [str(error)]
    return (1 if found.wrong else 3 if found.unsigned else 0), found.wrong


def resealed(document, key=""):
    """The document with a fitting digest, and signature when the forger has the key; else it keeps the old one."""
    entries = [canonical_json(entry) for entry in document["entries"]]
    bare = {name: value for name, value in document.items() if name not in {"archive_sha256", "signature"}}
    made = {**sealed({**bare, "entries": None}, key, entries), "entries": document["entries"]}
    if not key:
        made |= {"signature": document["signature"], "signature_algorithm": document["signature_algorithm"]}
    return made


def rehashed(document):
    """Make all hashes of the entries fit again, as anybody can."""
    running = document["chain"]["initial_prev_hash"] or ""
    for entry in document["entries"]:
        entry["prev_hash"] = running or None
        text = canonical_json({**{name: entry[name] for name in HASHED}, "prev_hash": running})
        running = entry["entry_hash"] = sha256(text.encode()).hexdigest()
    document["chain"]["last_entry_hash"] = running or None


def recounted(document):
    """Make the counts fit again, as anybody can."""
    count = len(document["entries"])
    document |= {"entry_count": count, "total_count": count, "truncated": False}
    document["chain"]["checked_count"] = count
    if count:
        document["chain"]["first_seq"] = document["entries"][0]["seq"]
        document["chain"]["last_seq"] = document["entries"][-1]["seq"]
        document["chain"]["initial_prev_hash"] = document["entries"][0]["prev_hash"]
        document["chain"]["last_entry_hash"] = document["entries"][-1]["entry_hash"]


def of_entries():
    """Yield mutations of single entries: every field of the first, a middle and the last one."""
    others = {
        "action": "forged", "actor_user_id": 99, "actor_username": "forged", "created_at": "2026-03-01T00:00:00+00:00",
        "detail_json": '{"n": 99}', "resource_id": "99", "resource_type": "forged", "status": "denied",
        "prev_hash": "0" * 64, "entry_hash": "0" * 64, "keyed_hash": "0" * 64, "key_id": "0" * 16,
        "request_id": "forged", "seq": 99, "detail": {"n": 99},
    }  # fmt: skip
    for place, (name, value) in product((0, 5, 11), others.items()):
        yield f"entry {place}: {name}", lambda d, p=place, n=name, v=value: d["entries"][p].__setitem__(n, v)
    for place, name in product((0, 11), ("seq", "keyed_hash", "key_id", "request_id", "entry_hash", "detail_json")):
        yield f"entry {place}: {name} null", lambda d, p=place, n=name: d["entries"][p].__setitem__(n, None)
    for value in (True, 1.0, "1", [1]):
        yield f"seq {value!r}", lambda d, v=value: d["entries"][0].__setitem__("seq", v)
        yield f"detail {value!r}", lambda d, v=value: d["entries"][1].__setitem__("detail", {"n": v, "site": "본관"})


def of_rows():
    """Yield mutations of the list: rows cut, doubled, exchanged, added; hashes and counts made to fit or not."""
    cuts = {
        "first": slice(0, 1), "last": slice(11, 12), "middle": slice(4, 6), "tail": slice(3, 12),
        "under the checkpoint": slice(9, 12), "all": slice(0, 12),
    }  # fmt: skip
    for (name, which), hashes, counts in product(cuts.items(), (False, True), (False, True)):

        def cut(d, which=which, hashes=hashes, counts=counts):
            del d["entries"][which]
            if hashes:
                rehashed(d)
            if counts:
                recounted(d)

        yield f"cut {name}, hashes {hashes}, counts {counts}", cut

    def exchange(d):
        d["entries"][3], d["entries"][4] = d["entries"][4], d["entries"][3]

    def renumbered(d):
        del d["entries"][4]
        for number, entry in enumerate(d["entries"], 1):
            entry["seq"] = number
        rehashed(d)
        recounted(d)

    def excused(d):
        del d["entries"][4]
        rehashed(d)
        recounted(d)
        d["rebaselined_ranges"] = [{"first_seq": 1, "last_seq": 12, "actor_username": "forged"}]

    def added(d):
        d["entries"].append({**d["entries"][-1], "seq": 13, "id": 13})
        rehashed(d)
        recounted(d)

    def started_later(d):
        del d["entries"][:3]
        recounted(d)

    def without_checkpoint(d):
        del d["entries"][3:]
        recounted(d)
        d["latest_checkpoint"] = None

    def emptied(d):
        d["entries"].clear()
        recounted(d)
        d["chain"] |= {"first_seq": None, "last_seq": None, "initial_prev_hash": None, "last_entry_hash": None}
        d["latest_checkpoint"] = None

    def hidden(d):
        d["entries"].clear()
        d["entries_included"] = False

    def truncated(d):
        del d["entries"][6:]
        d |= {"entry_count": 6, "max_entries": 6, "truncated": True}

    for mutate in (exchange, renumbered, excused, added, started_later, without_checkpoint, emptied, hidden, truncated):
        yield mutate.__name__, mutate
    yield "doubled", lambda d: d["entries"].insert(4, d["entries"][4])
    yield "rehashed after a change", lambda d: (d["entries"][2].__setitem__("status", "denied"), rehashed(d))


def of_facts():
    """Yield mutations of what the archive says about itself."""
    for name, value in {
        "month": "2026-04", "window_start": "2026-03-02T00:00:00+00:00", "window_end": "2026-05-01T00:00:00+00:00",
        "entry_count": 11, "total_count": 13, "truncated": True, "entries_included": False, "month_seal": None,
    }.items():  # fmt: skip
        yield f"{name} = {value}", lambda d, n=name, v=value: d.__setitem__(n, v)
    for name, value in {
        "checked_count": 5, "initial_prev_hash": "0" * 64, "last_entry_hash": "0" * 64, "first_seq": 2, "last_seq": 11,
        "chain_ok": False, "issue_count": 1,
    }.items():  # fmt: skip
        yield f"chain: {name}", lambda d, n=name, v=value: d["chain"].__setitem__(n, v)
    for name, value in {
        "month": "2026-04", "total_count": 11, "last_seq": 11, "included": [[1, "0" * 64], [11, "0" * 64]],
        "signature": "0" * 64, "key_id": "0" * 16, "entries_included": False, "rebaselined_sha256": "0" * 64,
    }.items():  # fmt: skip
        yield f"seal: {name}", lambda d, n=name, v=value: d["month_seal"].__setitem__(n, v)
    for name, value in {"seq": 9, "head_hash": "0" * 64, "count": 9, "signed_at": "2026-03-01T00:00:00+00:00"}.items():
        yield f"checkpoint: {name}", lambda d, n=name, v=value: d["latest_checkpoint"].__setitem__(n, v)
    yield "checkpoint beyond the end", lambda d: d["latest_checkpoint"].__setitem__("seq", 50)
    yield "no chain", lambda d: d.pop("chain")

    def another_month(d):
        d |= {
            "month": "2026-04",
            "window_start": "2026-04-01T00:00:00+00:00",
            "window_end": "2026-05-01T00:00:00+00:00",
        }

    yield "another month as a whole", another_month


MUTATIONS = dict([*of_entries(), *of_rows(), *of_facts()])


def test_there_are_enough_of_them():
    assert len(MUTATIONS) >= 100


def test_the_archive_itself_is_right(document):
    for keys in ({"key": KEY}, {"chain_key": CHAIN}, {"key": KEY, "chain_key": CHAIN}):
        assert verdict(document, **keys) == (0, [])


@pytest.mark.parametrize("forger", ["", KEY], ids=["no key", "signing key"])
def test_every_mutation_is_found_with_the_chain_key_alone(document, forger):
    survivors = []
    for name, mutate in MUTATIONS.items():
        forged = copy.deepcopy(document)
        mutate(forged)
        if verdict(resealed(forged, forger), chain_key=CHAIN)[0] in (0, 3):
            survivors.append(name)

    assert survivors == []


def test_every_mutation_by_a_stranger_is_found_with_the_signing_key(document):
    survivors = []
    for name, mutate in MUTATIONS.items():
        forged = copy.deepcopy(document)
        mutate(forged)
        if verdict(resealed(forged), key=KEY)[0] in (0, 3):
            survivors.append(name)

    assert survivors == []


@pytest.mark.parametrize("member", sorted(OUTSIDE_THE_CHAIN))
def test_what_stands_outside_the_chain_is_held_by_the_signature(document, member):
    forged = copy.deepcopy(document)
    forged[member] = None

    assert verdict(resealed(forged), chain_key=CHAIN)[0] == 0, OUTSIDE_THE_CHAIN[member]
    assert verdict(resealed(forged), key=KEY)[0] == 1


def test_every_member_is_either_held_by_the_chain_key_or_named(document):
    added = {"archive_sha256", "signature", "signature_algorithm"}
    survivors = set()
    for member in document.keys() - added:
        forged = copy.deepcopy(document)
        del forged[member]
        if verdict({"entries": None, **resealed(forged)} if member != "entries" else {}, chain_key=CHAIN)[0] == 0:
            survivors.add(member)

    assert survivors == set(OUTSIDE_THE_CHAIN)


@pytest.mark.parametrize("place", ["top", "entry", "chain", "first"])
def test_a_name_that_stands_twice_is_refused_whoever_signed_it(document, place):
    text = json.dumps(document)
    forged = {
        "top": text[:-1] + ', "entry_count": 12}',
        "entry": text.replace('"action": "thing_update"', '"action": "forged", "action": "thing_update"', 1),
        "chain": text.replace('"chain_ok": true', '"chain_ok": false, "chain_ok": true', 1),
        "first": '{"month": "2026-04", ' + text[1:],
    }[place]

    code, found = verdict(forged.encode(), key=KEY, chain_key=CHAIN)
    assert code == 1
    assert "stands twice" in found[0]


def test_an_unsigned_archive_is_called_so_and_strangers_cannot_unsign_one(document):
    unsigned = {**resealed(document), "signature": None, "signature_algorithm": "unsigned"}

    assert verdict(unsigned)[0] == 3
    assert verdict(unsigned, chain_key=CHAIN)[0] == 3
    assert verdict(unsigned, key=KEY)[0] == 1


def test_fifty_rows_cut_below_a_signed_checkpoint_are_found(engine, clock, config):
    trail = Trail(engine, clock, config)
    trail.write(80)
    trail.check(checkpoint)
    document = json.loads(trail.check(export_json).as_answer())
    del document["entries"][30:]
    recounted(document)

    code, found = verdict(resealed(document, KEY), key=KEY, chain_key=CHAIN)

    assert code == 1
    assert "checkpoint at sequence 80: its entry is missing" in found


def test_a_cut_or_empty_archive_of_the_product_is_right(engine, clock, config):
    trail = Trail(engine, clock, config)
    trail.write(12)
    for values in ({"max_entries": 4}, {"include_entries": False}, {"month": "2026-02"}):
        made = json.loads(trail.check(lambda ctx, values=values: export_json(ctx, **values)).as_answer())
        assert verdict(made, key=KEY, chain_key=CHAIN) == (0, []), values


def test_a_rebaseline_is_part_of_the_seal(engine, clock, config):
    trail = Trail(engine, clock, config)
    trail.write(8)
    trail.drop(3)
    with trail.ctx(write=True) as ctx:
        rebaseline(ctx, reason="disk fault")
    made = json.loads(trail.check(export_json).as_answer())

    assert verdict(made, key=KEY, chain_key=CHAIN) == (0, [])
    made["rebaselined_ranges"] = []
    assert verdict(resealed(made, KEY), key=KEY, chain_key=CHAIN)[0] == 1
