"""The release gate as one command: compile, tests, the five endpoints, smoke; prints RELEASE_GATE_OK.

    python -m tools.release_gate                                 everything, against an installation of its own
    python -m tools.release_gate --base-url https://… --token …  endpoints and smoke against a running one
    python -m tools.release_gate --tests tests/contract          a part of the tests
    python -m tools.release_gate --junit gate.xml --json gate.json

Every stage is taken, whatever the one before came to. Exit code 0 when all pass, 1 when one fails, 3 when none fails
but some were left out: then the release was not judged, and RELEASE_GATE_INCOMPLETE stands instead.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from console.adapters.installation import Installation, Wrong
from console.deploy.verify import Release, Walk
from console.domain.releases.checklist import ROLLBACK_GUIDE
from console.domain.releases.walk import Expected
from tools.node import ROOT

PASSED, INCOMPLETE, REFUSED = "RELEASE_GATE_OK", "RELEASE_GATE_INCOMPLETE", "RELEASE_GATE_FAILED"
OK, FAILED, SKIPPED = "passed", "failed", "skipped"
EXIT_CODES = {OK: 0, FAILED: 1, SKIPPED: 3}
SOURCES = ("console", "workers", "tools", "migrations", "benchmarks", "tests", "wsgi.py")
# Each endpoint of the roadmap with a key that its answer has to have.
ENDPOINTS = (
    ("/", "service"),
    ("/api/public/modules", "title"),
    ("/api/service-info", "service"),
    ("/api/ops/runbook/checks", "overall_status"),
    ("/api/ops/security/posture", "env"),
)
TOKEN_VARIABLE = "KA_DEPLOY_TOKEN"
START_WITHIN = 120.0
TOLD_AT_MOST = 4000


@dataclass(frozen=True)
class Stage:
    """One stage: its name, `passed`, `failed` or `skipped`, how long it took in seconds, and what is to be said."""

    name: str
    status: str
    seconds: float
    message: str = ""


class Bad(Exception):
    """A stage is not met; the text says why."""


class Gate:
    """The stages that were taken so far, told as they end."""

    def __init__(self, tell: Callable[[str], None] = print) -> None:
        self.stages: list[Stage] = []
        self._tell = tell

    def take(self, name: str, look: Callable[[], str | None]) -> bool:
        """Take a stage: it passes with what `look` says, and fails with Bad or Wrong; returns whether it passed."""
        began = time.monotonic()
        try:
            said, status = look() or "", OK
        except (Bad, Wrong, OSError) as error:
            said, status = str(error) or type(error).__name__, FAILED
        self._note(Stage(name, status, round(time.monotonic() - began, 3), said))
        return status == OK

    def leave(self, name: str, why: str) -> None:
        """Note a stage that was left out."""
        self._note(Stage(name, SKIPPED, 0.0, why))

    def _note(self, stage: Stage) -> None:
        self.stages.append(stage)
        self._tell(
            f"{stage.status:<8} {stage.name} ({stage.seconds:.1f} s){': ' if stage.message else ''}{stage.message}"
        )

    @property
    def status(self) -> str:
        """Return `failed` when a stage failed, else `skipped` when one was left out, else `passed`."""
        found = {stage.status for stage in self.stages}
        return next((word for word in (FAILED, SKIPPED) if word in found), OK)

    @property
    def word(self) -> str:
        """Return the line that pipelines look for."""
        return {OK: PASSED, FAILED: REFUSED, SKIPPED: INCOMPLETE}[self.status]


def compiled(root: Path = ROOT) -> str:
    """Compile every Python file without writing anything; raises Bad naming those that cannot be."""
    files = [path for name in SOURCES for path in _python(root / name)]
    broken = []
    for path in files:
        try:
            compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            broken.append(f"{path.relative_to(root)}: {error}")
    if broken:
        raise Bad("; ".join(broken)[:TOLD_AT_MOST])
    return f"{len(files)} files"


def _python(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path] if path.is_file() else []


def run_tests(arguments: Sequence[str], root: Path) -> str:
    """Run the tests; raises Bad with the last lines of what they say."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "3", "--dist", "worksteal", *arguments]
    found = subprocess.run(
        command, cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    lines = found.stdout.decode(errors="replace").strip().splitlines() or ["the tests say nothing"]
    if found.returncode != 0:
        raise Bad("\n".join(lines[-20:])[-TOLD_AT_MOST:])
    return lines[-1]


def endpoint(server: Installation, path: str, key: str) -> str:
    """Ask an endpoint and look for its key; raises Bad or Wrong."""
    answer = server.get(path)
    if not isinstance(answer.get(key), str) or not answer[key]:
        raise Bad(f"the answer has no {key}")
    return f"{key} = {answer[key][:80]}"


def smoke(server: Installation, base_url: str, deploy_id: str) -> str:
    """Walk the checklist and record it; raises Bad with the first step that failed."""
    guide = sha256((ROOT / ROLLBACK_GUIDE).read_bytes()).hexdigest()
    release = Release(deploy_id, base_url, guide, rollback_ready=True, notes="release gate")
    walked = Walk(server, release, Expected(), lambda _seen: None)
    walked.go()
    if failure := walked.first_failure:
        raise Bad(f"{failure.id}: {failure.message}")
    return f"recorded as run {walked.run_id}"


@contextmanager
def own_installation() -> Iterator[tuple[str, str]]:
    """Start an installation of its own in a folder that is gone afterwards; gives its address and an owner's token."""
    with tempfile.TemporaryDirectory(prefix="release-gate-") as folder, socket.create_server(("127.0.0.1", 0)) as probe:
        port, token = probe.getsockname()[1], secrets.token_urlsafe(32)
        probe.close()
        kept = {
            key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
        }
        settings = {
            "DATA_DIR": f"{folder}/data",
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "DEMO": "0",
            "ADMIN_TOKEN": token,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.launch.supervisor"],
            cwd=ROOT,
            env=kept | settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _await(process, Installation(address, token, timeout=5, deadline=START_WITHIN))
            yield address, token
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await(process: subprocess.Popen[bytes], server: Installation) -> None:
    give_up = time.monotonic() + START_WITHIN
    while time.monotonic() < give_up:
        if process.poll() is not None:
            raise Bad(f"the installation ended with {process.returncode}")
        try:
            if server.get("/ready").get("status") == "ready":
                return
        except Wrong:
            pass
        time.sleep(0.2)
    raise Bad(f"the installation was not ready within {START_WITHIN:.0f} s")


def look_at(gate: Gate, base_url: str, token: str, deploy_id: str) -> None:
    """Take the stages that need a running installation."""
    server = Installation(base_url, token)
    for path, key in ENDPOINTS:
        gate.take(f"GET {path}", partial(endpoint, server, path, key))
    gate.take("smoke", lambda: smoke(server, base_url, deploy_id))


def junit(gate: Gate) -> bytes:
    """Return the stages as a test suite for pipelines."""
    count = {word: sum(stage.status == word for stage in gate.stages) for word in (FAILED, SKIPPED)}
    seconds = f"{sum(stage.seconds for stage in gate.stages):.3f}"
    suite = ET.Element(
        "testsuite",
        name="release gate",
        tests=str(len(gate.stages)),
        failures=str(count[FAILED]),
        errors="0",
        skipped=str(count[SKIPPED]),
        time=seconds,
    )
    for stage in gate.stages:
        case = ET.SubElement(suite, "testcase", classname="release_gate", name=stage.name, time=f"{stage.seconds:.3f}")
        said = "".join(sign for sign in stage.message if sign.isprintable() or sign in "\n\t")
        if stage.status == FAILED:
            ET.SubElement(case, "failure", message=said.splitlines()[0][:200] if said else "").text = said
        elif stage.status == SKIPPED:
            ET.SubElement(case, "skipped", message=said)
    return ET.tostring(suite, encoding="utf-8", xml_declaration=True)


def as_json(gate: Gate) -> dict[str, Any]:
    """Return the stages for programs."""
    return {"result": gate.word, "status": gate.status, "stages": [asdict(stage) for stage in gate.stages]}


def main(words: Sequence[str] | None = None) -> int:
    """Take all stages and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.release_gate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--base-url", help="look at a running installation instead of one of its own")
    parser.add_argument(
        "--token", default=os.environ.get(TOKEN_VARIABLE), help=f"its token; better in {TOKEN_VARIABLE}"
    )
    parser.add_argument("--deploy-id", default="release-gate", help="name of the release in the record")
    parser.add_argument("--tests", nargs="*", default=["tests"], help="arguments of pytest")
    parser.add_argument("--skip-tests", action="store_true", help="leave the tests out; the gate is then incomplete")
    parser.add_argument("--junit", type=Path, help="write the stages here for pipelines")
    parser.add_argument("--json", type=Path, help="write the stages here for programs")
    given = parser.parse_args(words)
    if given.base_url and not given.token:
        parser.error(f"a running installation needs --token or {TOKEN_VARIABLE}")
    gate = Gate()
    gate.take("compile", compiled)
    if given.skip_tests:
        gate.leave("tests", "left out by --skip-tests")
    else:
        gate.take("tests", lambda: run_tests(given.tests, ROOT))
    _stages(gate, given)
    if given.junit:
        given.junit.write_bytes(junit(gate))
    if given.json:
        given.json.write_text(json.dumps(as_json(gate), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(gate.word)
    return EXIT_CODES[gate.status]


def _stages(gate: Gate, given: argparse.Namespace) -> None:
    if given.base_url:
        try:
            look_at(gate, given.base_url, given.token, given.deploy_id)
        except ValueError as error:
            gate.take("installation", partial(_bad, str(error)))
        return
    try:
        with own_installation() as (address, token):
            look_at(gate, address, token, given.deploy_id)
    except Bad as error:
        gate.take("installation", partial(_bad, str(error)))


def _bad(reason: str) -> str:
    raise Bad(reason)


if __name__ == "__main__":
    sys.exit(main())
