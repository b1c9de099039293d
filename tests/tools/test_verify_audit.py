"""The offline verifier, run as an auditor runs it: one file, an isolated interpreter, nothing of the product."""

import csv
import io
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from console.domain.audit.archive import content_signature, sealed
from console.domain.audit.entry import canonical_json
from console.services.audit.checkpoints import checkpoint
from console.services.audit.exports import export_csv, export_json
from console.services.audit.rebaseline import rebaseline
from tests.services.audit.audit_support import Trail

TOOL = Path(__file__).parents[2] / "tools" / "verify_audit.py"
KEY, CHAIN = "ci-signing-key", "ci-chain-key"


@pytest.fixture
def trail(engine, clock, config):
    made = Trail(engine, clock, config)
    made.write(5)
    return made


@pytest.fixture
def verify(tmp_path):
    """Run the tool on a document; returns exit code, output, errors."""

    def run(document, *words, name="archive.json"):
        path = tmp_path / name
        path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
        # Copied away from the repository, so that nothing of it can be imported.
        tool = tmp_path / "verify_audit.py"
        tool.write_bytes(TOOL.read_bytes())
        done = subprocess.run(
            [sys.executable, "-I", "-B", str(tool), str(path), *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={"PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8"},
            cwd=tmp_path,
        )
        return done.returncode, done.stdout, done.stderr

    return run


def archive(trail, **values):
    return json.loads(trail.check(lambda ctx: export_json(ctx, **values)).as_answer())


def resigned(document, key=KEY):
    """The document as somebody with the signing key, but not the chain key, would forge it."""
    entries = [canonical_json(entry) for entry in document["entries"]]
    bare = {name: document[name] for name in document if name not in {"archive_sha256", "signature"}}
    return {**sealed({**bare, "entries": None}, key, entries), "entries": document["entries"]}


def test_a_whole_archive_is_confirmed(trail, verify):
    trail.check(checkpoint)
    code, out, err = verify(archive(trail), "--key", KEY, "--chain-key", CHAIN)

    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "OK: 5 entries of 2026-03"


def test_the_file_of_the_monthly_job_is_confirmed(trail, verify):
    whole = b"".join(trail.check(export_json).as_file())

    assert verify(whole, "--key", KEY)[0] == 0


def test_without_keys_the_hashes_are_checked_and_the_rest_is_said(trail, verify):
    code, out, _err = verify(archive(trail))

    assert code == 0
    assert "note: the signature was not checked: no key was given" in out


@pytest.mark.parametrize("words", [("--key", "other"), ("--chain-key", "other")])
def test_a_wrong_key_is_told(trail, verify, words):
    assert verify(archive(trail), *words)[0] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--key", CHAIN), "the signature was not checked: the key given for it is the chain key"),
        (("--chain-key", KEY), "the keyed hashes were not checked: the key given for them is the signing key"),
    ],
)
def test_a_key_of_the_other_kind_is_no_fault_of_the_file(trail, verify, words, said):
    document = archive(trail)
    code, out, _err = verify(document, *words)

    assert (code, out.splitlines()[0]) == (0, "OK: 5 entries of 2026-03")
    assert said in out
    # It still checks what it can.
    assert verify(changed(document, 2, status="denied"), *words)[0] == 1


def test_the_chain_key_as_signing_key_of_an_unsigned_archive_is_no_fault_either(trail, verify):
    trail.config = trail.config.for_tests(AUDIT_ARCHIVE_SIGNING_KEY="", DATA_DIR=trail.config["DATA_DIR"])
    code, out, _err = verify(archive(trail), "--key", CHAIN)

    assert (code, out.splitlines()[0]) == (3, "UNSIGNED: 5 entries of 2026-03")
    assert "no signature was checked (the key given for it is the chain key" in out


def test_a_stripped_signature_is_found_whatever_the_archive_says_of_its_keys(trail, verify):
    document = archive(trail)
    bare = {name: document[name] for name in document if name not in {"archive_sha256", "signature"}}
    stripped = {**sealed({**bare, "entries": None}, "", [canonical_json(one) for one in document["entries"]])}

    assert verify({**stripped, "entries": document["entries"]}, "--key", KEY)[0] == 1


def changed(document, place, **values):
    document["entries"][place] = {**document["entries"][place], **values}
    return document


def without(document, place):
    del document["entries"][place]
    return document


def exchanged(document):
    entries = document["entries"]
    entries[1], entries[2] = entries[2], entries[1]
    return document


TAMPERED = {
    "changed action": (lambda d: changed(d, 2, action="forged"), "sequence 3: entry_hash_mismatch"),
    "changed text": (lambda d: changed(d, 2, detail_json="{}"), "sequence 3: entry_hash_mismatch"),
    "changed shown detail": (lambda d: changed(d, 2, detail={"n": 9}), "sequence 3: the shown detail"),
    "changed time": (lambda d: changed(d, 0, created_at="2026-03-01T00:00:00+00:00"), "sequence 1: entry_hash"),
    "changed link": (lambda d: changed(d, 3, prev_hash="0" * 64), "sequence 4: prev_hash_mismatch"),
    "row left out": (lambda d: without(d, 2), "sequence 4: sequence_gap"),
    "last row left out": (lambda d: without(d, 4), "the last entry is not the one"),
    "rows exchanged": (exchanged, "sequence 3: sequence_gap"),
}


@pytest.mark.parametrize(("tamper", "finding"), TAMPERED.values(), ids=TAMPERED)
def test_tampering_is_found_though_the_archive_was_signed_again(trail, verify, tamper, finding):
    document = tamper(archive(trail))

    code, out, _err = verify(resigned(document), "--key", KEY)
    assert code == 1
    assert out.startswith("BROKEN:")
    assert finding in out.splitlines()[0]
    code, out, _err = verify(document, "--key", KEY, "--all")
    assert "archive: the digest does not fit the content" in out
    assert "archive: the signature does not fit the content and the key" in out


def test_rows_hashed_anew_are_betrayed_by_the_chain_key(trail, verify):
    document = archive(trail)
    running = ""
    for entry in document["entries"]:
        entry["status"] = "denied"
        hashed = {
            name: entry[name]
            for name in (
                "action", "actor_user_id", "actor_username", "created_at", "detail_json", "resource_id",
                "resource_type", "status",
            )
        }  # fmt: skip
        entry["prev_hash"] = running or None
        running = sha256(canonical_json({**hashed, "prev_hash": running}).encode()).hexdigest()
        entry["entry_hash"] = running
    document["chain"]["last_entry_hash"] = running

    assert verify(resigned(document), "--key", KEY)[0] == 0
    code, out, _err = verify(resigned(document), "--key", KEY, "--chain-key", CHAIN)
    assert code == 1
    assert "the first: row id" in out
    assert "sequence 1: keyed_hash_mismatch" in out


def test_a_forged_checkpoint_is_found(trail, verify):
    trail.check(checkpoint)
    document = archive(trail)
    document["latest_checkpoint"]["count"] = 99

    code, out, _err = verify(resigned(document), "--key", KEY, "--chain-key", CHAIN)
    assert code == 1
    assert "checkpoint at sequence 5: the signature does not fit" in out


def test_a_break_that_the_product_found_itself_is_passed_on(trail, verify):
    trail.change(2, resource_id="forged")

    code, out, _err = verify(archive(trail), "--key", KEY)
    assert code == 1
    assert "sequence 2: entry_hash_mismatch" in out.splitlines()[0]


def test_a_rebaseline_is_told_though_all_hashes_fit(trail, verify):
    trail.drop(3)
    with trail.ctx(write=True) as ctx:
        rebaseline(ctx, reason="disk fault")

    code, out, _err = verify(archive(trail), "--key", KEY, "--chain-key", CHAIN)
    assert code == 0, out
    assert "were written anew by owner_a" in out
    assert "rows before it are missing; a rebaseline by owner_a says so" in out


def test_the_start_can_be_given_from_the_archive_before(trail, verify):
    document = archive(trail)

    assert verify(document, "--key", KEY, "--previous-hash", "")[0] == 0
    code, out, _err = verify(document, "--key", KEY, "--previous-hash", "a" * 64)
    assert code == 1
    assert "does not start from the given previous hash" in out


def test_an_unsigned_archive_does_not_pass_for_a_signed_one(trail, verify):
    trail.config = trail.config.for_tests(AUDIT_ARCHIVE_SIGNING_KEY="", DATA_DIR=trail.config["DATA_DIR"])
    document = archive(trail)

    code, out, _err = verify(document)
    assert (code, out.splitlines()[0]) == (3, "UNSIGNED: 5 entries of 2026-03")
    assert verify(document, "--chain-key", CHAIN)[0] == 3
    assert verify(document, "--key", KEY)[0] == 1


def test_a_cut_archive_says_what_it_holds(trail, verify):
    code, out, _err = verify(archive(trail, max_entries=2), "--key", KEY)

    assert code == 0
    assert "note: Not all entries of the month are included" in out


@pytest.mark.parametrize(
    "data", [b"{broken", b"[]", b'{"entries": 1}', b'{"entries": [1]}', b"id,name\r\n", b"\xff\xfe"]
)
def test_what_is_no_archive_cannot_be_checked(verify, data):
    code, out, err = verify(data)

    assert (code, out) == (2, "")
    assert err.startswith("UNCHECKED:")
    assert "Traceback" not in err


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_csv_is_checked_with_the_headers_of_its_answer(trail, verify, version):
    made = trail.check(lambda ctx: export_csv(ctx, version=version))
    words = (
        "--key", KEY, "--content-sha256", made.headers["X-Content-SHA256"], "--content-signature",
        made.headers["X-Content-Signature"],
    )  # fmt: skip

    code, out, _err = verify(made.content, *words, name="archive.csv")
    assert (code, out) == (0, "OK: links of 5 rows\n")
    code, out, _err = verify(made.content.replace(b"thing_update", b"thing_delete", 1), *words, name="archive.csv")
    assert code == 1
    assert "file: the signature does not fit" in out


def test_a_csv_with_a_row_left_out_is_found_without_any_header(trail, verify):
    lines = trail.check(export_csv).content.split(b"\r\n")
    code, out, _err = verify(b"\r\n".join(lines[:2] + lines[3:]), name="archive.csv")

    assert code == 1
    assert "prev_hash_mismatch" in out


def test_a_csv_is_compared_with_the_archive_of_its_month(trail, verify, tmp_path):
    with trail.ctx(write=True, username="=formula") as ctx:
        from console.services.audit import record as audit

        audit.record(ctx, "thing_update", "thing", "-7")
    made = trail.check(export_csv).content
    other = tmp_path / "month.json"
    other.write_bytes(trail.check(export_json).as_answer())

    assert verify(made, "--archive", str(other), name="archive.csv")[0] == 0
    rows = list(csv.reader(io.StringIO(made.decode())))
    rows[2][5] = "changed"
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    code, told, _err = verify(out.getvalue().encode(), "--archive", str(other), name="archive.csv")
    assert code == 1
    assert "resource_id differs from the JSON archive" in told


def test_an_archive_that_a_csv_is_compared_with_must_hold_itself(trail, verify, tmp_path):
    made, document = trail.check(export_csv).content, archive(trail)
    other = tmp_path / "month.json"
    words = ("--key", KEY, "--archive", str(other))
    for entry in document["entries"]:
        entry["detail_json"] = "{}"
    other.write_text(json.dumps(document))

    code, out, _err = verify(made, *words, name="archive.csv")
    assert code == 1
    assert "sequence 1: entry_hash_mismatch" in out
    del document["entries"][0]["status"]
    other.write_text(json.dumps(document))
    code, _out, err = verify(made, *words, name="archive.csv")
    assert (code, err.startswith("UNCHECKED: --archive: an entry lacks")) == (2, True)
    trail.config = trail.config.for_tests(AUDIT_ARCHIVE_SIGNING_KEY="", DATA_DIR=trail.config["DATA_DIR"])
    other.write_text(json.dumps(archive(trail)))
    assert verify(made, "--archive", str(other), name="archive.csv")[0] == 3


@pytest.mark.parametrize("spoil", [lambda line: line.rpartition(b",")[0], lambda line: line + b",more"])
def test_a_csv_row_with_other_cells_than_its_header_cannot_be_checked(trail, verify, spoil):
    lines = trail.check(export_csv).content.split(b"\r\n")
    lines[2] = spoil(lines[2])

    code, _out, err = verify(b"\r\n".join(lines), name="archive.csv")
    assert (code, "more or fewer cells" in err) == (2, True)


def test_a_csv_signature_is_that_of_the_bytes(trail):
    made = trail.check(export_csv)

    assert made.headers["X-Content-Signature"] == content_signature(made.content, KEY)
