"""The scan of evidence with a ClamAV daemon: its protocol, its absence, its late verdicts; and the sweep."""

import io
import os
import socket
import struct
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from console.adapters.clamd import Scanner, ScannerUnavailable
from console.domain.errors import Conflict, Gone, Invalid
from console.domain.tracker.tracker import REMEDIATION
from console.models.evidence import EvidenceFile
from console.models.tracker import TrackerEvent, TrackerItem
from console.services.evidence import evidence
from console.services.evidence import store as evidence_store
from console.services.evidence import upkeep as evidence_upkeep
from console.services.evidence.files import Upload
from tests.factories.tracker import add_item
from tests.services.tracker.tracker_support import audited


class Clamd:
    """Speaks INSTREAM on a local socket; `reply` is its answer, None hangs up without one."""

    def __init__(self, folder, reply=b"stream: OK\0"):
        self.reply, self.seen = reply, []
        self.socket = socket.socket(socket.AF_UNIX)
        self.address = str(folder / "clamd.sock")
        self.socket.bind(self.address)
        self.socket.listen(4)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                talk, _peer = self.socket.accept()
            except OSError:
                return
            with talk, talk.makefile("rb") as said:
                assert said.read(10) == b"zINSTREAM\0"
                content = b""
                while size := struct.unpack("!L", said.read(4))[0]:
                    content += said.read(size)
                self.seen.append(content)
                if self.reply == b"hang":
                    talk.settimeout(5)
                    talk.recv(1)
                elif self.reply is not None:
                    talk.sendall(self.reply)

    def close(self):
        # Closing alone does not wake a thread that waits in accept().
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)


@pytest.fixture
def clamd(tmp_path):
    daemon = Clamd(tmp_path)
    yield daemon
    daemon.close()


@pytest.fixture
def scanning(make_ctx, session, clock, tmp_path):
    row = add_item(session, clock.now(), 1, site="본관")
    session.commit()
    ctx = make_ctx(username="lee")
    ctx.config = ctx.config.replaced(CLAMD=str(tmp_path / "clamd.sock"), CLAMD_TIMEOUT_SEC=0.5)
    ctx.item = row.id
    return ctx


def attach(ctx, content=b"measured"):
    made = evidence.attach(ctx, REMEDIATION, ctx.item, Upload(io.BytesIO(content), "a.txt", "text/plain"))
    ctx.commit()
    return made


def test_the_whole_file_reaches_the_scanner(clamd):
    content = os.urandom(300_000)

    assert Scanner(clamd.address, 5).scan(io.BytesIO(content)).signature is None
    assert clamd.seen == [content]


@pytest.mark.parametrize(
    ("reply", "signature"),
    [
        (b"stream: Eicar-Signature FOUND\0", "Eicar-Signature"),
        (b"stream: Win.Trojan <b>x</b> FOUND\0", "Win.Trojan-b-x-b"),
    ],
)
def test_what_it_finds_has_a_name(clamd, reply, signature):
    clamd.reply = reply

    assert Scanner(clamd.address, 5).scan(io.BytesIO(b"x")).signature == signature


@pytest.mark.parametrize(
    "reply", [b"INSTREAM size limit exceeded. ERROR\0", b"\0", None, b"x" * 9000, b"hang", b"stream: "]
)
def test_without_a_verdict_there_is_none(clamd, reply):
    clamd.reply = reply

    with pytest.raises(ScannerUnavailable):
        Scanner(clamd.address, 0.3).scan(io.BytesIO(b"x"))


@pytest.mark.parametrize("address", ["/nowhere/clamd.sock", "127.0.0.1:1", "nonsense", "host:port"])
def test_a_scanner_that_is_not_there_is_unavailable(address):
    with pytest.raises(ScannerUnavailable):
        Scanner(address, 0.3).scan(io.BytesIO(b"x"))


def test_a_clean_file_says_who_scanned_it(scanning, clamd):
    made = attach(scanning)

    assert (made.malware_scan_status, made.malware_scan_engine, clamd.seen) == ("clean", "clamd", [b"measured"])


def test_an_infected_file_is_refused_by_name(scanning, clamd):
    clamd.reply = b"stream: Win.Test.EICAR_HDB-1 FOUND\0"

    with pytest.raises(Invalid, match=r"^Evidence scan blocked upload: Win\.Test\.EICAR_HDB-1$"):
        attach(scanning)
    scanning.rollback()
    assert [path for path in evidence_store.root(scanning.config).rglob("*") if path.is_file()] == []


def test_a_file_waits_for_an_absent_scanner_and_is_let_out_when_it_is_clean(scanning, session, tmp_path):
    made = attach(scanning)
    assert (made.malware_scan_status, made.malware_scanned_at, made.downloadable) == ("pending", None, False)
    with pytest.raises(Conflict, match="Evidence scan is pending"):
        evidence.fetch(scanning, REMEDIATION, made.id)
    still = evidence_upkeep.scan_pending(scanning, subjects={})
    scanning.commit()
    assert (still.scanned_count, still.still_pending_count) == (1, 1)

    daemon = Clamd(tmp_path)
    done = evidence_upkeep.scan_pending(scanning, subjects={})
    scanning.commit()
    daemon.close()

    assert (done.clean_count, done.evidence_ids) == (1, (made.id,))
    with evidence.fetch(scanning, REMEDIATION, made.id).stream as stream:
        assert stream.read() == b"measured"


def test_files_whose_content_is_missing_hold_up_nobody(scanning, session, tmp_path):
    lost = [attach(scanning, content=f"lost {number}".encode()) for number in range(3)]
    for path in evidence_store.root(scanning.config).rglob("*"):
        if path.is_file():
            path.unlink()
    made = attach(scanning)
    daemon = Clamd(tmp_path)
    done = evidence_upkeep.scan_pending(scanning, subjects={}, limit=1)
    scanning.commit()
    daemon.close()

    assert (done.missing_count, done.evidence_ids) == (len(lost), (made.id,))


def test_a_late_verdict_puts_a_file_into_quarantine(scanning, session, tmp_path):
    made = attach(scanning)
    assert session.get(TrackerItem, scanning.item).evidence_count == 1
    daemon = Clamd(tmp_path, b"stream: Worm.X FOUND\0")
    done = evidence_upkeep.scan_pending(scanning, subjects={})
    scanning.commit()
    daemon.close()

    assert done.quarantined_count == 1
    with pytest.raises(Gone) as caught:
        evidence.fetch(scanning, REMEDIATION, made.id)
    assert caught.value.code == "quarantined"
    session.expire_all()
    assert session.get(TrackerItem, scanning.item).evidence_count == 0
    assert [event.kind for event in session.scalars(select(TrackerEvent).order_by(TrackerEvent.id))] == [
        "evidence",
        "evidence_quarantined",
    ]
    assert audited(session, "evidence_quarantine")[0][3]["scan_reason"] == "Worm.X"
    evidence.remove(scanning, REMEDIATION, made.id, "infected")
    scanning.commit()
    assert session.get(TrackerItem, scanning.item).evidence_count == 0


@pytest.mark.parametrize("mode", ["off", "disabled", "none"])
def test_scanning_can_be_switched_off(scanning, clamd, mode):
    scanning.config = scanning.config.replaced(EVIDENCE_SCAN_MODE=mode)

    made = attach(scanning)

    assert (made.malware_scan_status, made.malware_scan_engine, clamd.seen) == ("skipped", "none", [])


# The sweep ------------------------------------------------------------------------------------------------------------
def aged(path, at):
    os.utime(path, (at.timestamp(), at.timestamp()))


@pytest.fixture
def folder(scanning, clock):
    """Evidence, a file that nobody names, a young one, half an upload; all but the young one two days old."""
    scanning.config = scanning.config.replaced(CLAMD="")
    attach(scanning)
    root = evidence_store.root(scanning.config)
    [known] = list(root.rglob("*.txt"))
    for name in ("2026/03/02/orphan.txt", "2026/03/02/young.txt", ".incoming/half.part", "notes.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x" * 10)
    for path in root.rglob("*"):
        aged(path, clock.now() - timedelta(days=2))
    aged(root / "2026/03/02/young.txt", clock.now())
    return root, known


def names(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_the_sweep_sets_aside_what_no_row_names(scanning, folder, clock):
    root, known = folder

    made = evidence_upkeep.sweep(scanning)

    assert (made.seen_count, made.set_aside_count, made.set_aside_bytes, made.unfinished_count) == (2, 1, 10, 1)
    assert made.examples == ("2026/03/02/orphan.txt",)
    assert names(root) == sorted(
        [".set-aside/2026-03-02-orphan.txt", "2026/03/02/young.txt", known.relative_to(root).as_posix(), "notes.txt"]
    )
    clock.advance(timedelta(days=31))
    aged(root / "2026/03/02/young.txt", clock.now())
    assert evidence_upkeep.sweep(scanning).deleted_count == 1
    assert ".set-aside/2026-03-02-orphan.txt" not in names(root)
    assert known.is_file()


def test_the_content_of_a_removed_row_is_an_orphan(scanning, folder, session):
    _root, known = folder
    row = session.scalars(select(EvidenceFile)).one()
    row.removed_at = row.uploaded_at
    session.commit()

    assert evidence_upkeep.sweep(scanning).set_aside_count == 2
    assert not known.exists()


def test_a_folder_that_is_not_there_yet_is_empty(make_ctx):
    assert evidence_upkeep.sweep(make_ctx()).seen_count == 0
