"""`python -m console.deploy verify` against a real installation, and against servers that lie, hang or lead away."""

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import select
from werkzeug.serving import make_server

from console.core.config import APP_ROOT
from console.deploy.__main__ import deploy
from console.domain.releases.walk import EXIT_CODES
from console.models.jobs import JobRun
from tests.support.raw_server import dripping, raw_server, silent

TOKEN = "token-of-the-test"
GUIDE = APP_ROOT / "docs/W15_MIGRATION_ROLLBACK.md"


def run(address, *more, token=TOKEN):
    """Run the command in this process; returns its result."""
    arguments = ["verify", "--base-url", address, "--timeout", "5", "--deploy-id", "rel-42", *more]
    return CliRunner().invoke(deploy, arguments, env={"KA_DEPLOY_TOKEN": token})


@contextmanager
def serving(server):
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def live(app):
    """The address of the application, really served."""
    with serving(make_server("127.0.0.1", 0, app, threaded=True)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


def test_a_good_release_is_recorded_and_said_to_be_fine(live, api, session):
    found = run(live, "--rollback-ready", token=api().token)

    assert (found.exit_code, found.stdout.splitlines()[-1]) == (0, "DEPLOY_AND_SMOKE_OK"), found.output
    row = session.scalars(select(JobRun).where(JobRun.job_name == "deploy_smoke")).one()
    assert (row.status, row.detail_json["deploy_id"]) == ("success", "rel-42")
    assert row.detail_json["rollback_reference_sha256_match"] is True
    statuses = {check["id"]: check["status"] for check in row.detail_json["checks"]}
    assert statuses["pre_01_backup"] == "skipped"
    assert {statuses[name] for name in ("health", "ui_main_shell", "runbook_checks", "security_posture")} == {"ok"}


def test_a_failed_release_before_does_not_fail_the_next(live, api):
    owner = api()
    owner.post("/api/ops/deploy/smoke/record", json={"status": "failed"})

    assert run(live, "--rollback-ready", token=owner.token).exit_code == 0


def test_what_was_not_promised_is_a_finding(live, api):
    found = run(live, token=api().token)

    assert found.exit_code == EXIT_CODES["findings"]
    assert "DEPLOY_AND_SMOKE_OK" not in found.output
    assert "FAILED findings: recorded as warning: rollback_ready: A rollback is not ready." in found.stderr


def test_another_guide_fails_its_step_and_is_recorded(live, api, session, tmp_path):
    guide = tmp_path / "guide.md"
    guide.write_bytes(GUIDE.read_bytes() + b"\n")

    found = run(live, "--rollback-ready", "--rollback-guide", str(guide), token=api().token)

    assert found.exit_code == EXIT_CODES["rollback_guide"]
    row = session.scalars(select(JobRun).where(JobRun.job_name == "deploy_smoke")).one()
    assert (row.status, row.detail_json["rollback_reference_sha256_match"]) == ("critical", False)


@pytest.mark.parametrize(
    ("option", "step"),
    [(("--environment", "production"), "meta"), (("--expected-rate-limit", "redis"), "security_posture")],
)
def test_what_was_asked_for_has_to_be_there(live, api, option, step):
    assert run(live, "--rollback-ready", *option, token=api().token).exit_code == EXIT_CODES[step]


def test_a_page_without_its_frame_fails(live, api, app):
    app.view_functions["overview.page"] = lambda: "<html>KA Facility OS</html>"

    found = run(live, "--rollback-ready", token=api().token)

    assert found.exit_code == EXIT_CODES["ui_main_shell"]
    assert "lacks id=" in found.stderr


def test_a_token_that_does_not_count_fails_where_it_is_looked_at(live):
    found = run(live)

    assert found.exit_code == EXIT_CODES["auth_me"]
    assert TOKEN not in found.output


def test_a_token_without_the_right_to_record_records_nothing(live, api, session):
    found = run(live, "--rollback-ready", token=api("auditor").token)

    assert found.exit_code == EXIT_CODES["record"]
    assert session.scalars(select(JobRun)).all() == []


def test_as_json_it_is_one_line(live, api):
    found = run(live, "--rollback-ready", "--json", token=api().token)

    told = json.loads(found.stdout)
    assert (told["exit_code"], [step["id"] for step in told["steps"]]) == (0, list(EXIT_CODES))


def test_as_a_command_with_the_token_in_no_list_of_processes(live, api):
    command = [sys.executable, "-m", "console.deploy", "verify", "--base-url", live, "--rollback-ready"]

    found = subprocess.run(
        command, cwd=APP_ROOT, env=os.environ | {"KA_DEPLOY_TOKEN": api().token}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip

    assert (found.returncode, found.stdout.splitlines()[-1]) == (0, "DEPLOY_AND_SMOKE_OK"), found.stderr


class Liar(BaseHTTPRequestHandler):
    """A server that answers what the test says: `answers` maps a path to what is done there."""

    answers: ClassVar[dict] = {}
    heard: ClassVar[list] = []

    def _do(self):
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        type(self).heard.append((self.command, self.path, self.headers.get("X-Admin-Token")))
        said = self.answers[self.path.partition("?")[0]]
        if callable(said):
            said = said(self, body)
        if said is not None:
            self.send_object(said)

    def do_GET(self):
        self._do()

    def do_POST(self):
        self._do()

    def send_object(self, said):
        content = json.dumps(said).encode()
        self.send_bytes(content, "application/json")

    def send_bytes(self, content, kind, status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args):
        """Say nothing."""


def honest(**changes):
    """Return the answers of a server on which everything is in order, with changes by path."""
    policy = {
        "ui_core_path": "/overview", "ui_core_markers": ['id="nav"'], "rollback_guide_exists": True,
        "rollback_guide_path": "docs/W15_MIGRATION_ROLLBACK.md",
        "rollback_guide_sha256": sha256(GUIDE.read_bytes()).hexdigest(),
    }  # fmt: skip
    found = {
        "/health": {"status": "ok"},
        "/meta": {"env": "test", "db": "sqlite"},
        "/api/auth/me": {"role": "owner"},
        "/api/ops/deploy/checklist": {"version": "2026.03.v1", "policy": policy},
        "/overview": lambda door, _body: door.send_bytes(b'<nav id="nav">', "text/html; charset=utf-8"),
        "/api/ops/runbook/checks": {"checks": [{"id": "a", "status": "ok"}]},
        "/api/ops/security/posture": {"rate_limit": {"active_backend": "memory"}},
        "/api/ops/deploy/smoke/record": lambda _door, body: {
            "run_id": 7, "job_name": "deploy_smoke", "status": "success",
            "detail": {"deploy_id": body["deploy_id"], "findings": []},
        },
        "/api/ops/job-runs": lambda door, _body: door.send_object([{"id": 7}]),
    }  # fmt: skip
    return found | changes


@contextmanager
def liar(answers, context=None):
    """Serve the answers; gives the server with what it heard."""
    door = type("Door", (Liar,), {"answers": answers, "heard": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), door)
    server.daemon_threads = True
    server.block_on_close = False
    server.heard = door.heard
    server.handle_error = lambda *_args: None
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with serving(server):
        yield server


def at(server, scheme="http", host="127.0.0.1"):
    return f"{scheme}://{host}:{server.server_port}"


def test_the_invented_server_is_fine_when_it_tells_the_truth():
    with liar(honest()) as server:
        assert run(at(server)).exit_code == 0


def html(door, _body):
    door.send_bytes(b"<html>ok</html>", "text/html")


def huge(door, _body):
    door.send_bytes(b'{"status": "ok", "more": "' + b"x" * (5 * 1024 * 1024) + b'"}', "application/json")


def deep(door, _body):
    door.send_bytes(b"[" * 200_000 + b"]" * 200_000, "application/json")


def broken(door, _body):
    door.send_bytes(b'{"status": "ok"', "application/json")


def away(door, _body):
    door.send_response(302)
    door.send_header("Location", "http://elsewhere.example/health")
    door.end_headers()


def nonsense(door, _body):
    door.wfile.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")


def error(door, _body):
    door.send_bytes("\x1b[31mbad\x07 루트".encode(), "text/plain", 500)


@pytest.mark.parametrize(
    ("path", "answer", "step", "said"),
    [
        ("/health", html, "health", "instead of JSON"),
        ("/health", huge, "health", "larger than"),
        ("/health", deep, "health", "no JSON"),
        ("/health", broken, "health", "no JSON"),
        ("/health", away, "health", "redirects (302) to http://elsewhere.example/health"),
        ("/health", nonsense, "health", "no talk is possible"),
        ("/health", error, "health", "answers 500: [31mbad 루트"),
        ("/health", {"status": "degraded"}, "health", "does not say ok"),
        ("/health", {"status": True}, "health", "does not say ok"),
        ("/meta", {"env": "test"}, "meta", "no database"),
        ("/api/auth/me", {"role": None}, "auth_me", "no role"),
        ("/api/ops/deploy/checklist", {"version": "2026.03.v1", "policy": []}, "checklist", "no policy"),
        ("/api/ops/deploy/checklist", {"version": "1", "policy": {"ui_core_path": "//evil/"}}, "checklist", "no page"),
        ("/overview", lambda door, _: door.send_bytes(b"<p>", "text/html"), "ui_main_shell", "lacks"),
        ("/overview", lambda door, _: door.send_bytes(b"\xff", "text/html"), "ui_main_shell", "no text"),
        ("/api/ops/runbook/checks", {"checks": []}, "runbook_checks", "no checks"),
        ("/api/ops/runbook/checks", {"checks": [{"id": "a"}]}, "runbook_checks", "without a result"),
        ("/api/ops/runbook/checks", {"checks": [{"id": "b", "status": "critical"}]}, "runbook_checks", "runbook: b"),
        ("/api/ops/security/posture", {"rate_limit": "redis"}, "security_posture", "does not say"),
        ("/api/ops/deploy/smoke/record", {"run_id": True, "job_name": "deploy_smoke"}, "record", "is none"),
        ("/api/ops/job-runs", lambda door, _: door.send_object([{"id": 6}]), "record", "not among the runs"),
        ("/api/ops/job-runs", {"id": 7}, "record", "no JSON array"),
    ],
)  # fmt: skip
def test_a_server_that_lies_is_found_at_the_step(path, answer, step, said):
    with liar(honest(**{path: answer})) as server:
        found = run(at(server))

    assert (found.exit_code, step in found.stderr, said in found.stderr) == (EXIT_CODES[step], True, True), found.output
    assert "\x1b" not in found.output
    assert "DEPLOY_AND_SMOKE_OK" not in found.output


def test_a_server_that_answers_a_record_of_somebody_else_is_found():
    other = {"run_id": 7, "job_name": "deploy_smoke", "status": "success", "detail": {"deploy_id": "another"}}
    with liar(honest(**{"/api/ops/deploy/smoke/record": other})) as server:
        assert run(at(server)).exit_code == EXIT_CODES["record"]


def test_a_token_never_follows_a_redirect():
    with liar(honest()) as target, liar({}) as server:
        place = at(target)

        def lead(door, _body):
            door.send_response(307)
            door.send_header("Location", f"{place}{door.path}")
            door.end_headers()

        server.RequestHandlerClass.answers = dict.fromkeys(honest(), lead)
        found = run(at(server))

    assert found.exit_code == EXIT_CODES["health"]
    assert target.heard == []


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("talk", [silent, dripping])
def test_a_server_that_hangs_is_left_and_not_asked_again(talk, scheme):
    with raw_server(talk) as port:
        began = time.monotonic()
        found = run(f"{scheme}://127.0.0.1:{port}", "--timeout", "0.5")

    assert found.exit_code == EXIT_CODES["health"]
    assert time.monotonic() - began < 10
    assert found.stdout.count("skipped") == len(EXIT_CODES) - 1


def test_the_whole_walk_has_an_end():
    def slow(door, _body):
        time.sleep(0.4)
        door.send_object({"status": "ok", "db": "sqlite", "role": "owner"})

    with liar(honest(**dict.fromkeys(("/health", "/meta", "/api/auth/me"), slow))) as server:
        found = run(at(server), "--deadline", "0.6")

    assert found.exit_code in (EXIT_CODES["meta"], EXIT_CODES["auth_me"])


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    found = run(f"http://127.0.0.1:{port}")

    assert found.exit_code == EXIT_CODES["health"]
    assert "no talk is possible (ConnectionRefusedError)" in found.stderr


def certificate(folder: Path, name: str, *, days: int = 1):
    """Make a certificate of its own for a name; returns what a server needs and the file to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}-{days}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, file


@pytest.mark.parametrize(
    ("name", "days", "trusted", "said"),
    [
        ("localhost", 1, False, "self-signed certificate"),
        ("console.example", 1, True, "Hostname mismatch"),
        ("localhost", -1, True, "certificate has expired"),
    ],
)
def test_a_wrong_certificate_ends_the_walk_before_anything_is_said(tmp_path, name, days, trusted, said):
    context, file = certificate(tmp_path, name, days=days)
    with liar(honest(), context) as server:
        found = run(at(server, "https", "localhost"), *(("--ca-file", str(file)) if trusted else ()))

    assert found.exit_code == EXIT_CODES["health"]
    assert "the certificate is refused" in found.stderr
    assert said.lower() in found.stderr.lower()
    assert server.heard == []


def test_the_right_certificate_is_talked_to(tmp_path):
    context, file = certificate(tmp_path, "localhost")
    with liar(honest(), context) as server:
        assert run(at(server, "https", "localhost"), "--ca-file", str(file)).exit_code == 0


@pytest.mark.parametrize(
    "address",
    ["http://console.example", "ftp://127.0.0.1", "127.0.0.1:5000", "https://user:secret@127.0.0.1", "http://[::1]:x"],
)
def test_an_address_that_will_not_do_is_refused_before_anything_is_sent(address):
    found = run(address)

    assert found.exit_code == 2
    assert TOKEN not in found.output


def test_without_a_token_it_does_not_begin():
    found = CliRunner().invoke(deploy, ["verify", "--base-url", "http://127.0.0.1"], env={"KA_DEPLOY_TOKEN": ""})

    assert found.exit_code in (1, 2)
    assert "health" not in found.stdout
