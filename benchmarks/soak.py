"""`python -m benchmarks.soak`: break an installation on purpose while it is fuzzed, and count what it lost.

Two of everything on one database and one Redis. Meanwhile processes are killed, Redis is emptied, keys of its queue
are broken, bodies are held back, and somebody writes and remembers what was acknowledged. The table is written into
`benchmarks/RESULTS.md`; what answered 500 stands in the file that `--trouble` names.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import sessionmaker

from benchmarks import bounds, server
from benchmarks.crew import PATIENCE, Blows, Crew, Member
from benchmarks.fuzz import KINDS, Caller, Connection, Fuzz, Knowledge, Sent, learn
from benchmarks.promises import Account, Keeper, account, settle
from benchmarks.results import SOAK, machine, put, row, rule, say
from console import ConsoleApp, create_app
from console.core import logs
from console.core.config import Config
from console.core.database import make_engine
from console.demo.company import SITES
from console.demo.story import Story
from console.models.audit import AuditChainHead
from console.models.base import Base
from console.models.identity import Token, User, WebSession
from console.models.jobs import JobRun
from console.web.credentials import SESSION_KEY
from tests.factories import make_token, make_user
from tests.support.postgres import postgres_url
from tests.support.redis import redis_url

THREADS = 4
KEEPERS = 2
PEOPLE = (("owner", ("*",)), ("manager", ("*",)), ("operator", ("*",)), ("auditor", ("*",)), ("manager", SITES[:1]))
# Bodies are held longer than anything waits; work of two items goes to a worker already.
SETTINGS = {
    "REQUEST_BODY_SECONDS": "600",
    "TRACKER_BULK_DIRECT_ROWS": "1",
    "API_RATE_LIMIT_MAX_AUTH_FAILURES": "100000000",
    "API_RATE_LIMIT_STORE": "memory",
    "SIGN_IN_MAX_FAILURES": "100000000",
    "SIGN_IN_MAX_FAILURES_ADDRESS": "100000000",
    "SIGN_IN_MAX_FAILURES_ACCOUNT": "100000000",
    "EVIDENCE_QUOTA_USER_DAY_MB": "0",
}


@dataclass
class Tally:
    """What the fuzz sent and what came back; shared by its threads."""

    sent: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    cut_off: int = 0
    unanswered: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class People:
    """The accounts of a run, and what keeps them alive whatever the fuzz does to them."""

    def __init__(self, engine: Engine, app: ConsoleApp) -> None:
        self._factory = sessionmaker(engine)
        self._values: dict[int, dict[str, object]] = {}
        self._app = app
        now = datetime.now(UTC)
        self.callers = [
            self._add(f"soak.{role}.{number}", role, sites, now) for number, (role, sites) in enumerate(PEOPLE)
        ]
        self.keepers = [self._add(f"soak.keeper{number}", "owner", ("*",), now) for number in range(KEEPERS)]

    def _add(self, name: str, role: str, sites: tuple[str, ...], now: datetime) -> Caller:
        text = f"session of {name}"
        with self._factory() as session:
            user = make_user(session, now=now, username=name, role=role, site_scope=sites)
            token = make_token(session, user, now=now, plain=f"kaos_{name:_<32}")
            times = {"created_at": now, "last_seen_at": now, "expires_at": now + timedelta(hours=100)}
            digest = hashlib.sha256(text.encode()).hexdigest()
            session.add(WebSession(token_hash=digest, user_id=user.id, **times))
            session.commit()
            self._values[user.id] = {"username": name, "role": role, "site_scope": sites}
        signer = SecureCookieSessionInterface().get_signing_serializer(self._app)
        if signer is None:
            raise SystemExit("the application has no secret key")
        cookie = f"{self._app.config['SESSION_COOKIE_NAME']}={signer.dumps({SESSION_KEY: text})}"
        return Caller(name, cookie, token)

    def heal(self) -> None:
        """Undo what was done to the accounts: they belong to the measurement, not to what is measured."""
        with self._factory() as session:
            for user_id, values in self._values.items():
                session.execute(
                    update(User)
                    .where(User.id == user_id)
                    .values(is_active=True, must_change_password=False, permissions=(), **values)
                )
            mine = list(self._values)
            session.execute(update(Token).where(Token.user_id.in_(mine)).values(is_active=True, revoked_at=None))
            session.execute(update(WebSession).where(WebSession.user_id.in_(mine)).values(revoked_at=None))
            session.commit()


class Run:
    """One run on one database."""

    def __init__(self, url: str, options: argparse.Namespace) -> None:
        self._options = options
        self._folder = Path(tempfile.mkdtemp(prefix="kaos-soak-"))
        self._redis = redis_url("soak")
        self._environ = server.environment(self._folder, url, self._redis) | SETTINGS
        self.engine = make_engine(url)
        Base.metadata.drop_all(self.engine)
        self._flask("db", "upgrade", check=True)
        config = Config.load(self._environ)
        Story(sessionmaker(self.engine), config, datetime.now(UTC)).play()
        self._flask("owner", "ensure", check=True)
        os.environ.update(self._environ)
        self._app = create_app(config)
        self.people = People(self.engine, self._app)
        self.tally = Tally()
        self._known = Knowledge()
        self._stop = threading.Event()
        log = os.open(self._folder / "processes.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.crew = Crew(self._environ, log)
        say(f"what the processes say: {self._folder / 'processes.log'}")

    def _flask(self, *words: str, check: bool = False) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "flask", *words]
        return subprocess.run(command, cwd=server.ROOT, env=self._environ, check=check, capture_output=True)

    def work(self) -> list[str]:
        """Run until everything was sent; return the lines of the table."""
        try:
            return self._work()
        finally:
            self._stop.set()
            self.crew.stop()
            self.engine.dispose()

    def _work(self) -> list[str]:
        self.crew.start()
        fresh = self.crew.memory_mib(self.crew.web[0])
        owner, auditor = self.people.callers[0], self.people.callers[3]
        measured = bounds.measure(self.crew.web[0].port, owner, auditor, self._options.refusals)
        say("the bounds are measured")
        blows = Blows(self.crew, self._redis, self._newest_run, self.people.callers[0], self._options.seed)
        keepers = [Keeper(caller, self._ports) for caller in self.people.keepers]
        began = time.monotonic()
        fuzz = [threading.Thread(target=self._fuzz, args=(number,)) for number in range(THREADS)]
        others = [threading.Thread(target=keeper.work, args=(self._stop,)) for keeper in keepers]
        others.append(threading.Thread(target=self._heal))
        for thread in (*fuzz, *others):
            thread.start()
        self._strike(blows, fuzz)
        seconds = time.monotonic() - began
        self._stop.set()
        for thread in others:
            thread.join()
        used = self.crew.memory_mib(self.crew.web[0])
        self.crew.start()
        settle(self.engine, [run_id for keeper in keepers for run_id in keeper.kept.runs], 300)
        found = account(self.engine, keepers)
        answered = sum((keeper.answers for keeper in keepers), Counter[int]())
        self.crew.stop()
        verified = self._flask("audit", "verify")
        say(verified.stdout.decode().strip())
        return [
            *(row(*cells) for cells in measured),
            *self._sent(seconds),
            *(row(what, f"{count:,}", "–") for what, count in sorted(blows.counts.items())),
            *_kept(found, answered),
            *self._left(verified.returncode, blows, fresh, used),
        ]

    def _ports(self) -> list[int]:
        return [member.port for member in self.crew.web]

    def _newest_run(self) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(select(func.max(JobRun.id))) or 1

    def _heal(self) -> None:
        while not self._stop.wait(3):
            self.people.heal()

    def _strike(self, blows: Blows, fuzz: list[threading.Thread]) -> None:
        """Strike until the fuzz is over. Processes end with the thread that started them: this is the main one."""
        chance, due = Random(self._options.seed), 0.0
        while any(thread.is_alive() for thread in fuzz):
            time.sleep(1)
            self.crew.watch()
            if time.monotonic() < due:
                continue
            try:
                blows.strike()
            except (OSError, http.client.HTTPException) as error:
                say(f"a blow failed: {error!r}")
            due = time.monotonic() + chance.uniform(0.5, 1.5) * self._options.pause

    def _fuzz(self, number: int) -> None:
        fuzz = Fuzz(self._app, self._known, self._options.seed * 1000 + number)
        chance = Random(self._options.seed + number)
        people = [Caller(one.name, one.cookie, one.token) for one in self.people.callers]
        member = self.crew.web[number % 2]
        with closing(Connection(member.port, PATIENCE)) as connection:
            for _ in range(self._options.requests // THREADS):
                caller = chance.choice(people) if chance.random() < 0.95 else Caller("nobody")
                self._ask(fuzz.request(caller), caller, member, connection)

    def _ask(self, sent: Sent, caller: Caller, member: Member, connection: Connection) -> None:
        began, tries = time.monotonic(), 0
        while True:
            try:
                status, headers, body = connection.send(sent)
                break
            except (OSError, http.client.HTTPException) as error:
                tries += 1
                cut = any(at >= began - 1 for at in member.killed_at) or not member.running()
                with self.tally.lock:
                    self.tally.cut_off += cut
                    self.tally.unanswered += not cut
                if not cut:
                    self._trouble(sent, 0, repr(error).encode())
                if tries > 60:
                    raise
                time.sleep(0.5)
        learn(caller, self._known, headers, body)
        with self.tally.lock:
            self.tally.sent[sent.kind] += 1
            self.tally.answers[status] += 1
            total = sum(self.tally.sent.values())
        if status >= 500:
            self._trouble(sent, status, body)
        if total % 1000 == 0:
            say(f"{total:,} requests, {self.tally.answers[500]} five-hundreds")

    def _trouble(self, sent: Sent, status: int, body: bytes) -> None:
        said = {**asdict(sent), "headers": dict(sent.headers), "body": repr(sent.body[:2000]), "status": status}
        with self.tally.lock, self._options.trouble.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**said, "answer": repr(body[:400])}, ensure_ascii=False) + "\n")

    def _sent(self, seconds: float) -> list[str]:
        tally = self.tally
        kinds = ", ".join(f"{kind} {tally.sent[kind]:,}" for kind in KINDS)
        return [
            row(f"fuzzed requests ({kinds})", f"{sum(tally.sent.values()):,}", "50,000"),
            row("in", f"{seconds / 60:.0f} min", "–"),
            row("refused or answered (2xx, 3xx, 4xx)", " / ".join(_classes(tally.answers)), "–"),
            row("answers of 500 and above, without 503", str(_failures(tally.answers)), "0"),
            row("answers of 503 (try again)", str(tally.answers[503]), "–"),
            row("connections that a kill cut off; requests without an answer beside them",
                f"{tally.cut_off}; {tally.unanswered}", "–; 0"),
        ]  # fmt: skip

    def _left(self, verified: int, blows: Blows, fresh: float, used: float) -> list[str]:
        with self.engine.connect() as connection:
            entries = connection.scalar(select(AuditChainHead.seq)) or 0
        slowest = max(blows.beside_held, default=0.0)
        said = f"{entries:,} entries, {'whole' if verified == 0 else 'BROKEN'}"
        return [
            row("audit chain afterwards, verified from the first entry", said, "whole"),
            row("processes that ended although nobody killed them", str(self.crew.fallen), "0"),
            row("slowest of `/health` and a page beside 64 held bodies, during all this", f"{slowest:.2f} s", "–"),
            row("memory of a web process: fresh, after its half of the fuzz", f"{fresh:.0f} MB, {used:.0f} MB",
                "≤ 200 MB"),
        ]  # fmt: skip


def _classes(answers: Mapping[int, int]) -> list[str]:
    return [f"{sum(count for status, count in answers.items() if status // 100 == hundred):,}" for hundred in (2, 3, 4)]


def _failures(answers: Mapping[int, int]) -> int:
    return sum(count for status, count in answers.items() if status >= 500 and status != 503)


def _kept(found: Account, answered: Mapping[int, int]) -> list[str]:
    runs = f"{found.runs:,}, of them told as lost with their worker: {found.runs_told_lost}"
    return [
        row("writes acknowledged meanwhile; without an answer", f"{found.acknowledged:,}; {found.unanswered}", "–"),
        row("acknowledged writes that are lost", str(found.lost), "0"),
        row("writes that are there twice", str(found.doubled), "0"),
        row("runs of workers acknowledged", runs, "–"),
        row("runs never closed; done by half", f"{found.runs_open}; {found.runs_half}", "0; 0"),
        row("answers of 500 and above to these writers, without 503", str(_failures(answered)), "0"),
    ]


def main() -> None:
    """Run on what was asked for and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=50_000, help="fuzzed requests on each database")
    parser.add_argument("--refusals", type=int, default=1_000, help="early refusals of each kind")
    parser.add_argument("--pause", type=float, default=8.0, help="seconds between two blows, on average")
    parser.add_argument("--seed", type=int, default=20260302)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--trouble", type=Path, default=Path(tempfile.gettempdir()) / "kaos-soak-trouble.jsonl")
    parser.add_argument("--output", type=Path, default=None, help="another file than benchmarks/RESULTS.md")
    options = parser.parse_args()
    options.trouble.unlink(missing_ok=True)
    logs.configure("warning")
    folder = tempfile.mkdtemp(prefix="kaos-soak-db-")
    addresses = {"SQLite": lambda: f"sqlite:///{folder}/facility.db", "PostgreSQL": lambda: postgres_url("soak")}
    lines = [
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}. Two web servers, two workers, two schedulers, one Redis; ",
        f"{THREADS} connections of the fuzz and {KEEPERS} writers on the same cores, ",
        f"a blow every {options.pause:.0f} s; seed {options.seed}.\n",
    ]
    for name, address in addresses.items():
        if options.database in (name.lower(), "both"):
            say(f"{name}: filling")
            lines += [f"\n### {name}\n\n| what | measured | goal |\n", rule(3), *Run(address(), options).work()]
            put(SOAK, "".join(lines), options.output)
    say(f"what answered 500 or nothing: {options.trouble}")


if __name__ == "__main__":
    main()
