"""Check an audit archive without the product, its database or its packages: Python 3.8 and this one file.

    python verify_audit.py audit-archive-2026-03.json --key-file signing.key
    python verify_audit.py audit-archive-2026-03.csv --content-sha256 HEX --content-signature HEX --key-file signing.key

A JSON archive is checked for its digest, its signature, the hash of every entry and the links between them; with the
chain key also for the keyed hashes and the checkpoint. A CSV carries no details, so its entries cannot be hashed again:
its own digest and signature (from the answer's headers) and the links between its rows are checked, and with
`--archive` the JSON archive of the same month is checked as well and each row compared with it.

Keys: `--key TEXT`, `--key-file PATH`, or the variable AUDIT_ARCHIVE_SIGNING_KEY; for the chain `--chain-key TEXT`,
`--chain-key-file PATH`, or AUDIT_CHAIN_KEY. A key on the command line can be seen by other users of the machine. Which
is which: the signing key is the setting AUDIT_ARCHIVE_SIGNING_KEY of the installation; the chain key is its setting
AUDIT_CHAIN_KEY or, without one, the file audit_chain_key in its data folder. A key of the other kind is told apart:
what it cannot check is reported as not checked.

The document of a closed monthly report is checked alike for its digest and its signature, and for whether its own
figures add up:

    python verify_audit.py monthly-report-2026-10-SITE-v1.json --key-file signing.key

Exit code: 0 everything that could be checked is right, 1 something is wrong (the first broken row is named), 2 the
file could not be checked, 3 the hashes are right but nothing is signed: anybody could have made such a file.

It stays one file, however long: auditors take it along by itself, to a machine that has nothing else of the product.
"""

import argparse
import csv
import hashlib
import hmac
import io
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

UNSIGNED = ("archive_sha256", "signature", "signature_algorithm")
HASHED = (
    "action", "actor_user_id", "actor_username", "created_at", "detail_json", "resource_id", "resource_type", "status",
)  # fmt: skip
CSV_HEADER = "id,created_at,actor_username,action,resource_type,resource_id,status,prev_hash,entry_hash"
REPORT = "facility_monthly_report"
OK, WRONG, UNCHECKED, UNSIGNED_FILE = 0, 1, 2, 3
SEALED = (
    "month", "total_count", "initial_prev_hash", "last_entry_hash", "first_seq", "last_seq", "entries_included",
    "included", "rebaselined_sha256",
)  # fmt: skip
MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?\+00:00")


class Unreadable(Exception):
    """The file or a key cannot be read as what it should be."""


class Findings:
    """What was found, in the order in which it was found."""

    def __init__(self) -> None:
        self.wrong: list = []
        self.notes: list = []
        self.unsigned = False
        self.no_key = "no key was given"

    def add(self, text: str) -> None:
        """Keep something that is wrong."""
        self.wrong.append(text)

    def note(self, text: str) -> None:
        """Keep something worth knowing."""
        self.notes.append(text)


def canonical(value: object) -> bytes:
    """Write JSON as it is signed: sorted keys, no spaces, raw non-ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def digest(data: bytes) -> str:
    """Return SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def signed(key: bytes, data: bytes) -> str:
    """Return HMAC-SHA256 in hex."""
    return hmac.new(key, data, hashlib.sha256).hexdigest()


def same(left: object, right: object) -> bool:
    """Compare two hashes."""
    return hmac.compare_digest(str(left or "").encode(), str(right or "").encode())


def sealed_text(archive: dict) -> bytes:
    """Return what the digest and the signature of an archive are made of."""
    return canonical({name: value for name, value in archive.items() if name not in (*UNSIGNED, "output_file")})


def sort_keys(archive: dict, options: argparse.Namespace, found: Findings) -> None:
    """Put a key that was given as one of the other kind where it belongs, and say so: it is no fault of the file."""
    seal, entries = archive.get("month_seal"), archive.get("entries")
    made = [seal, *(entries if isinstance(entries, list) else ())]
    names = {one.get("key_id") for one in made if isinstance(one, dict)}
    signature = archive.get("signature")
    key, chain_key = options.key, options.chain_key
    if key and key_name(key) in names and not same(signature, signed(key, sealed_text(archive))):
        found.no_key = "the key given for it is the chain key, which belongs to --chain-key-file"
        options.key, options.chain_key = b"", chain_key or key
    elif chain_key and key_name(chain_key) not in names and same(signature, signed(chain_key, sealed_text(archive))):
        found.note(
            "the keyed hashes were not checked: the key given for them is the signing key, which belongs to --key-file"
        )
        options.key, options.chain_key = key or chain_key, b""


def check_seal(archive: dict, key: bytes, found: Findings) -> None:
    """Check digest and signature of a JSON archive."""
    text = sealed_text(archive)
    if not same(archive.get("archive_sha256"), digest(text)):
        found.add("archive: the digest does not fit the content")
    algorithm = archive.get("signature_algorithm")
    if algorithm == "unsigned":
        if archive.get("signature") is not None:
            found.add("archive: it says it is unsigned but carries a signature")
        if key:
            found.add("archive: it is not signed although a signing key was given")
        else:
            found.unsigned = True
            found.note(
                f"no signature was checked ({found.no_key}), and the archive carries none: anybody could make it"
            )
    elif algorithm != "hmac-sha256":
        found.add(f"archive: unknown signature algorithm {algorithm!r}")
    elif not key:
        found.note(f"the signature was not checked: {found.no_key}")
    elif not same(archive.get("signature"), signed(key, text)):
        found.add("archive: the signature does not fit the content and the key")


def place_of(entry: dict) -> str:
    """Name a row for people."""
    seq = f", sequence {entry['seq']}" if entry.get("seq") is not None else ""
    return f"row id {entry.get('id')}{seq}"


def check_entries(archive: dict, chain_key: bytes, start: object, found: Findings) -> None:
    """Check the hash and the link of every entry."""
    chain = archive.get("chain")
    promised = chain.get("initial_prev_hash") if isinstance(chain, dict) else None
    if start is not None and not same(start, promised):
        found.add("chain: the archive does not start from the given previous hash")
    running = (start if start is not None else promised) or ""
    entries = archive.get("entries")
    if not isinstance(entries, list):
        raise Unreadable("there is no list of entries")
    last_seq = None
    for entry in entries:
        if not isinstance(entry, dict) or any(name not in entry for name in (*HASHED, "prev_hash", "entry_hash")):
            raise Unreadable(f"an entry lacks what has to be checked: {str(entry)[:80]}")
        where = place_of(entry)
        seq = entry.get("seq")
        if not whole(seq) or not whole(entry.get("id")):
            found.add(f"{where}: its number is none")
        elif last_seq is not None and seq != last_seq + 1:
            check_gap(archive, where, seq, found)
        if not INSTANT.fullmatch(str(entry["created_at"])) or str(entry["created_at"])[:7] != archive.get("month"):
            found.add(f"{where}: its time lies outside the month")
        if (entry["prev_hash"] or "") != running:
            found.add(f"{where}: prev_hash_mismatch")
        expected = digest(canonical({**{name: entry[name] for name in HASHED}, "prev_hash": running}))
        if entry["entry_hash"] != expected:
            found.add(f"{where}: entry_hash_mismatch")
        if "detail" in entry and not shows(entry["detail"], entry["detail_json"]):
            found.add(f"{where}: the shown detail is not the one that was hashed")
        if chain_key:
            check_keyed(entry, chain_key, where, found)
        running = entry["entry_hash"] or expected
        last_seq = seq if whole(seq) else None
    check_counts(archive, entries, running, found)


def whole(value: object) -> bool:
    """Return whether a value is a whole number of JSON."""
    return isinstance(value, int) and not isinstance(value, bool)


def check_counts(archive: dict, entries: list, running: object, found: Findings) -> None:
    """Compare what the archive says of its entries with the entries."""
    chain = archive.get("chain")
    month = archive.get("month")
    if not isinstance(chain, dict):
        found.add("archive: it says nothing about its chain")
        return
    total: Any
    count: Any
    included, total, count = (archive.get(name) for name in ("entries_included", "total_count", "entry_count"))
    cut = whole(total) and whole(count) and total > count
    if entries and chain.get("first_seq") != entries[0].get("seq"):
        found.add("chain: the first entry is not the one the archive promises")
    end = (chain.get("last_entry_hash"), chain.get("last_seq"))
    if entries and not cut and end != (running, entries[-1].get("seq")):
        found.add("chain: the last entry is not the one the archive promises")
    if not isinstance(month, str) or not MONTH.fullmatch(month):
        found.add("archive: its month is none")
    elif archive.get("window_start") != f"{month}-01T00:00:00+00:00" or archive.get("window_end") != following(month):
        found.add("archive: its window is not its month")
    if included is not True and (included is not False or entries):
        found.add("archive: it does not say rightly whether it holds entries")
    if included and count != len(entries):
        found.add(f"archive: it promises {count} entries and holds {len(entries)}")
    if archive.get("truncated") is not cut or not whole(total) or not whole(count) or total < count:
        found.add("archive: its counts contradict each other")
    if chain.get("checked_count") != total:
        found.add("chain: it was not verified over all entries of the month")
    if not entries and included and (total or chain.get("last_entry_hash")):
        found.add("archive: the entries are missing")


def following(month: str) -> str:
    """Return the first instant after a month."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04}-{number % 12 + 1:02}-01T00:00:00+00:00"


def check_month_seal(archive: dict, key: bytes, found: Findings) -> None:
    """Check the seal of the month, which the chain key alone suffices for: count, first and last entry, excuses."""
    if not key:
        return
    made = archive.get("month_seal")
    if not isinstance(made, dict):
        found.add("month: its seal is missing")
        return
    if made.get("key_id") != key_name(key):
        found.add("month: its seal was made with another key")
        return
    facts = {name: made.get(name) for name in SEALED}
    if not same(made.get("signature"), signed(key, b"audit-month:v1:" + canonical(facts))):
        found.add("month: its seal does not fit")
    entries = archive["entries"]
    told = {name: archive.get(name) for name in ("month", "total_count", "entries_included")}
    told["included"] = [[entry.get("seq"), entry.get("entry_hash")] for entry in (*entries[:1], *entries[-1:])]
    told["rebaselined_sha256"] = digest(canonical(archive.get("rebaselined_ranges")))
    chain = archive.get("chain")
    for name in SEALED:
        if name not in told:
            told[name] = chain.get(name) if isinstance(chain, dict) else None
        if canonical(told[name]) != canonical(facts[name]):
            found.add(f"month: {name} is not what was sealed")


def check_gap(archive: dict, where: str, seq: object, found: Findings) -> None:
    """Tell a gap in the sequence; one inside a reported rebaseline is known to the product."""
    known = rewritten(archive, seq)
    if known is None:
        found.add(f"{where}: sequence_gap")
    else:
        found.note(f"{where}: rows before it are missing; a rebaseline by {known.get('actor_username')} says so")


def shows(shown: object, hashed: str) -> bool:
    """Return whether a detail shown as an object is the text that was hashed."""
    try:
        value = json.loads(hashed, parse_constant=str)
        # Halves of surrogate pairs can be written as escapes; no archive could carry them.
        value = json.loads(cleaned(json.dumps(value, ensure_ascii=False)))
    except (TypeError, ValueError, RecursionError):
        return canonical(shown) == canonical({"raw": hashed})
    # As text: to Python one and true are equal.
    return canonical(shown) == canonical(value if isinstance(value, dict) else {"value": value})


def cleaned(text: str) -> str:
    """Replace what no archive carries, as the product does."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def check_keyed(entry: dict, key: bytes, where: str, found: Findings) -> None:
    """Check the keyed hash of one entry."""
    text = f"audit-row:v1:{entry.get('seq')}:{entry['entry_hash'] or ''}:{entry.get('request_id') or ''}"
    if entry.get("key_id") != key_name(key):
        found.add(f"{where}: keyed_hash_unknown_key")
    elif not entry.get("keyed_hash"):
        found.add(f"{where}: keyed_hash_missing")
    elif not same(entry["keyed_hash"], signed(key, text.encode())):
        found.add(f"{where}: keyed_hash_mismatch")


def key_name(key: bytes) -> str:
    """Return the short public name of a chain key."""
    return digest(b"audit-key-id:v1:" + key)[:16]


def check_checkpoint(archive: dict, key: bytes, found: Findings) -> None:
    """Check the signed checkpoint of the month against its own entries."""
    made = archive.get("latest_checkpoint")
    if not isinstance(made, dict) or not key:
        return
    facts = {name: made.get(name) for name in ("count", "head_hash", "seq", "signed_at")}
    if made.get("previous") is not None:
        facts["previous"] = made["previous"]
    if not same(made.get("signature"), signed(key, b"audit-checkpoint:v1:" + canonical(facts))):
        found.add(f"checkpoint at sequence {made.get('seq')}: the signature does not fit")
    entries: list = archive["entries"]
    place: Any = made.get("seq")
    under = [entry for entry in entries if whole(entry.get("seq")) and entry["seq"] == place]
    for entry in under:
        if entry["entry_hash"] != made.get("head_hash") and rewritten(archive, place) is None:
            found.add(f"{place_of(entry)}: checkpoint_mismatch")
    reached: Any = entries[-1].get("seq") if entries else None
    beyond = whole(place) and whole(reached) and archive.get("truncated") is True and place > reached
    if entries and not under and not beyond:
        found.add(f"checkpoint at sequence {place}: its entry is missing")


def rewritten(archive: dict, seq: object) -> Any:
    """Return the reported rebaseline that covers a place, None without any."""
    ranges = archive.get("rebaselined_ranges")
    for item in ranges if isinstance(ranges, list) else ():
        bounds: list = [item.get("first_seq"), seq, item.get("last_seq")] if isinstance(item, dict) else [None]
        if all(map(whole, bounds)) and bounds == sorted(bounds):
            return item
    return None


def check_claims(archive: dict, found: Findings) -> None:
    """Pass on what the archive itself says about the month."""
    chain = archive.get("chain")
    if isinstance(chain, dict) and (chain.get("chain_ok") is not True or chain.get("issue_count") != 0):
        issues = chain.get("issues")
        first = issues[0] if isinstance(issues, list) and issues and isinstance(issues[0], dict) else {}
        found.add(
            f"chain: the product itself found {chain.get('issue_count')} issues, the first at row id "
            f"{first.get('id')}, sequence {first.get('seq')}: {first.get('reason')}"
        )
    for warning in archive.get("warnings") or ():
        found.note(str(warning))


def check_json(data: bytes, options: argparse.Namespace, found: Findings) -> str:
    """Check a JSON archive, or a monthly report; returns what was looked at."""
    archive = parsed(data, found)
    if isinstance(archive, dict) and archive.get("kind") == REPORT:
        return check_report(archive, options, found)
    archive = checked(archive, options, found)
    return f"{len(archive['entries'])} entries of {archive.get('month')}"


def check_report(report: dict, options: argparse.Namespace, found: Findings) -> str:
    """Check a closed monthly report: its seal, and that its figures do not contradict each other."""
    check_seal(report, options.key, found)
    if not isinstance(report.get("month"), str) or not MONTH.fullmatch(report["month"]):
        found.add("report: its month is none")
    replaces = report.get("replaces")
    version: Any = report.get("version")
    earlier: Any = replaces.get("version") if isinstance(replaces, dict) else 0
    if not whole(version) or not whole(earlier) or version != earlier + 1:
        found.add("report: its version does not follow the one that it replaces")
    try:
        figures, orders = report["figures"], report["work_orders"]
        received = figures["received"]
        parts = figures["completed"] + figures["left_open"] + figures["canceled"]
        sums = [orders["total"], parts, sum(orders["status_counts"].values())]
        sums += [sum(one["received"] for one in report[name]) for name in ("trades", "days")]
        if any(one != received for one in sums):
            found.add("report: its figures do not add up to the work orders received")
        if sum(report["inspections"]["risk_counts"].values()) != figures["inspections"]:
            found.add("report: its levels do not add up to the inspections made")
    except (KeyError, TypeError, AttributeError):
        raise Unreadable("the report lacks what has to be checked") from None
    return f"version {version} of the report of {report['month']} at {report.get('site')}"


def checked(archive: Any, options: argparse.Namespace, found: Findings) -> dict:
    """Check all of a JSON archive."""
    if not isinstance(archive, dict):
        raise Unreadable("this is no archive")
    sort_keys(archive, options, found)
    check_seal(archive, options.key, found)
    check_entries(archive, options.chain_key, options.previous_hash, found)
    check_checkpoint(archive, options.chain_key, found)
    check_month_seal(archive, options.chain_key, found)
    check_claims(archive, found)
    if archive.get("entries_included") is False:
        found.note("the archive was made without its entries")
    return archive


def parsed(data: bytes, found: Findings) -> Any:
    """Read JSON; a name that stands twice in one object is a finding: readers differ in which one counts."""

    def once(pairs: list) -> dict:
        made = dict(pairs)
        if len(made) != len(pairs):
            names = [name for name, _value in pairs]
            found.add(f"archive: the name {max(names, key=names.count)!r} stands twice in one object")
        return made

    try:
        return json.loads(data, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"this is no JSON: {error}") from None


def rows_of_csv(data: bytes) -> list:
    """Return the rows of a CSV archive of either form."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"this is no CSV archive: {error}") from None
    start = 0 if text.startswith(CSV_HEADER) else text.find("\r\n" + CSV_HEADER) + 2
    if not text.startswith(CSV_HEADER, start):
        raise Unreadable("this is no CSV archive: its header is missing")
    try:
        rows = list(csv.DictReader(io.StringIO(text[start:], newline="")))
    except csv.Error as error:
        raise Unreadable(f"this is no CSV archive: {error}") from None
    if any(None in row or None in row.values() for row in rows):
        raise Unreadable("this is no CSV archive: a row has more or fewer cells than the header")
    return rows


def check_csv(data: bytes, options: argparse.Namespace, found: Findings) -> str:
    """Check a CSV archive; returns what was looked at."""
    if options.content_sha256 and not same(options.content_sha256.lower(), digest(data)):
        found.add("file: the digest does not fit the content")
    if options.content_signature and not options.key:
        raise Unreadable("a signature can only be checked with --key or --key-file")
    if options.content_signature and not same(options.content_signature.lower(), signed(options.key, data)):
        found.add("file: the signature does not fit the content and the key")
    if not (options.content_sha256 or options.content_signature):
        found.note("the file's own digest was not checked: give --content-sha256 or --content-signature")
    found.unsigned = not (options.content_signature or options.archive)
    rows = rows_of_csv(data)
    running = options.previous_hash
    for row in rows:
        if running is not None and (row["prev_hash"] or "") != running:
            found.add(f"row id {row['id']}: prev_hash_mismatch")
        running = row["entry_hash"]
    if options.archive:
        try:
            compare(rows, checked(parsed(read(options.archive), found), options, found)["entries"], found)
        except Unreadable as error:
            raise Unreadable(f"--archive: {error}") from None
    return f"links of {len(rows)} rows"


def compare(rows: list, archived: list, found: Findings) -> None:
    """Compare CSV rows with the entries of a JSON archive."""
    entries = {str(entry.get("id")): entry for entry in archived}
    listed = {row["id"] for row in rows}
    absent = [place for place, key in enumerate(entries) if key not in listed]
    reached = max((place for place, key in enumerate(entries) if key in listed), default=-1)
    for place in [place for place in absent if place < reached][:1]:
        found.add(f"row id {list(entries)[place]}: in the JSON archive, but not in the CSV")
    if absent:
        found.note(f"{len(absent)} entries of the JSON archive are not in the CSV")
    for row in rows:
        entry = entries.get(row["id"])
        if entry is None:
            found.add(f"row id {row['id']}: not in the JSON archive")
            continue
        for name in CSV_HEADER.split(",")[1:]:
            # Cells that a spreadsheet would run are led in by an apostrophe.
            if row[name] not in (str(entry[name] or ""), "'" + str(entry[name] or "")):
                found.add(f"row id {row['id']}: {name} differs from the JSON archive")


def read(path: str) -> bytes:
    """Read a file, or standard input for `-`."""
    try:
        if path == "-":
            return sys.stdin.buffer.read()
        return Path(path).read_bytes()
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None


def key_of(text: object, path: object, variable: str) -> bytes:
    """Return a key from an option, a file or the environment; empty without any."""
    if text and path:
        raise Unreadable("give a key or a file with the key, not both")
    if path:
        return read(str(path)).strip()
    return str(text or os.environ.get(variable, "")).encode()


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    made.add_argument("file", help="archive as JSON or CSV; - reads standard input")
    made.add_argument("--key", help="signing key of archives")
    made.add_argument("--key-file", help="file with the signing key")
    made.add_argument("--chain-key", help="key of the second hash")
    made.add_argument("--chain-key-file", help="file with the key of the second hash")
    made.add_argument("--previous-hash", help="entry hash of the last row before this archive; empty for none")
    made.add_argument("--content-sha256", help="X-Content-SHA256 of the answer that a CSV came with")
    made.add_argument("--content-signature", help="X-Content-Signature of that answer")
    made.add_argument("--archive", help="JSON archive of the same month, to compare a CSV with")
    made.add_argument("--all", action="store_true", help="name every finding instead of the first ten")
    return made


def main(arguments: list) -> int:
    """Check one file; returns the exit code."""
    options = parser().parse_args(arguments)
    found = Findings()
    try:
        options.key = key_of(options.key, options.key_file, "AUDIT_ARCHIVE_SIGNING_KEY")
        options.chain_key = key_of(options.chain_key, options.chain_key_file, "AUDIT_CHAIN_KEY")
        data = read(options.file)
        looked_at = (check_json if data.lstrip()[:1] == b"{" else check_csv)(data, options, found)
    except Unreadable as error:
        print(f"UNCHECKED: {error}", file=sys.stderr)
        return UNCHECKED
    if found.wrong:
        print(f"BROKEN: {len(found.wrong)} findings in {looked_at}; the first: {found.wrong[0]}")
    elif found.unsigned:
        print(f"UNSIGNED: {looked_at}")
    else:
        print(f"OK: {looked_at}")
    for text in found.wrong[: None if options.all else 10]:
        print(f"  {text}")
    for note in found.notes:
        print(f"note: {note}")
    return WRONG if found.wrong else UNSIGNED_FILE if found.unsigned else OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
