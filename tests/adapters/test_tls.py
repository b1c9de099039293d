"""Encrypted connections: without a trusted certificate of the right name nothing is said."""

import socketserver
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from sqlalchemy.exc import OperationalError

from console.adapters.webhooks import Sender
from console.core.config import Config
from console.core.database import make_engine
from console.domain.alerts.alerts import MAIL, Channel

HERE = Path(__file__).parents[1] / "support" / "tls"
SSL_REQUEST = (80877103).to_bytes(4, "big")
NOW = datetime(2026, 3, 2, tzinfo=UTC)


class Greeter(socketserver.StreamRequestHandler):
    """A server of mail, pages and keys at once that keeps all it hears; `before` is its talk before encryption."""

    def handle(self):
        if self.server.database:
            # The driver asks whether it may encrypt, by Kerberos or by TLS: eight bytes each.
            while self.rfile.read(8)[4:] != SSL_REQUEST:
                self.wfile.write(b"N")
            self.wfile.write(b"S")
        if self.server.before:
            self.wfile.write(b"220 here\r\n")
            self.rfile.readline()
            self.wfile.write(b"250-here\r\n250 STARTTLS\r\n")
            self.rfile.readline()
            self.wfile.write(b"220 go on\r\n")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(HERE / "localhost.pem", HERE / "key.pem")
        try:
            with context.wrap_socket(self.connection, server_side=True) as talk:
                if self.server.mail and not self.server.before:
                    talk.sendall(b"220 here\r\n")
                while data := talk.recv(4096):
                    self.server.heard += data
                    if self.server.database:
                        break
                    talk.sendall(b"250 AUTH PLAIN\r\n" if self.server.mail else b"HTTP/1.1 204 No Content\r\n\r\n")
        except OSError:
            return


@contextmanager
def greeter(*, mail=False, before=False, database=False):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Greeter) as server:
        server.mail, server.before, server.database, server.heard = mail, before, database, b""
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def trusted(monkeypatch):
    """Trust the certificate, whose only name is `localhost`."""
    monkeypatch.setenv("SSL_CERT_FILE", str(HERE / "localhost.pem"))


def mail(scheme, host, port):
    config = Config.for_tests(ALERT_SMTP_URL=f"{scheme}://user:secret@{host}:{port}", ALERT_WEBHOOK_TIMEOUT_SEC=20)
    return Sender(config).send(Channel("mail", MAIL, "ops@example.com"), "1", {"title": "a"}, NOW)


def post(host, port):
    config = Config.for_tests(ALERT_ALLOW_PRIVATE_TARGETS=True, ALERT_WEBHOOK_TIMEOUT_SEC=20)
    channel = Channel("hook", "webhook", f"https://{host}:{port}/")
    return Sender(config, look_up=lambda _host, _port: ["127.0.0.1"]).send(channel, "1", {"title": "a"}, NOW)


@pytest.mark.parametrize(("scheme", "before"), [("smtps", False), ("smtp+starttls", True)])
def test_a_mail_server_with_an_unknown_certificate_gets_no_password(scheme, before):
    with greeter(mail=True, before=before) as server:
        sent = mail(scheme, "localhost", server.server_address[1])

    assert sent.error.startswith("certificate refused: ")
    assert server.heard == b""


@pytest.mark.parametrize(("scheme", "before"), [("smtps", False), ("smtp+starttls", True)])
def test_a_mail_server_of_another_name_gets_no_password(scheme, before, trusted):
    with greeter(mail=True, before=before) as server:
        sent = mail(scheme, "127.0.0.1", server.server_address[1])

    assert sent.error.startswith("certificate refused: ")
    assert server.heard == b""


@pytest.mark.parametrize(("scheme", "before"), [("smtps", False), ("smtp+starttls", True)])
def test_a_mail_server_that_is_the_right_one_is_talked_to(scheme, before, trusted):
    with greeter(mail=True, before=before) as server:
        mail(scheme, "localhost", server.server_address[1])

    assert server.heard.lower().startswith(b"ehlo")


def test_a_receiver_with_an_unknown_certificate_gets_no_message():
    with greeter() as server:
        sent = post("localhost", server.server_address[1])

    assert sent.error.startswith("certificate refused: ")
    assert server.heard == b""


def test_a_receiver_of_another_name_gets_no_message(trusted):
    with greeter() as server:
        sent = post("receiver.example", server.server_address[1])

    assert sent.error.startswith("certificate refused: ")
    assert server.heard == b""


def test_a_receiver_that_is_the_right_one_gets_its_message(trusted):
    with greeter() as server:
        sent = post("localhost", server.server_address[1])

    assert sent.error is None
    assert server.heard.startswith(b"POST / ")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_redis_that_is_not_the_right_one_gets_no_password(host, monkeypatch):
    if host != "localhost":
        monkeypatch.setenv("SSL_CERT_FILE", str(HERE / "localhost.pem"))
    with (
        greeter() as server,
        redis.Redis.from_url(f"rediss://:secret@{host}:{server.server_address[1]}") as client,
        pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.ping()

    assert server.heard == b""


def connect(server, host, mode):
    address = f"postgresql://console:secret@{host}:{server.server_address[1]}/console?sslmode={mode}"
    engine = make_engine(f"{address}&sslrootcert={HERE / 'localhost.pem'}&connect_timeout=20")
    with pytest.raises(OperationalError) as failed:
        engine.connect()
    engine.dispose()
    return str(failed.value)


def test_a_database_of_another_name_gets_no_password():
    with greeter(database=True) as server:
        said = connect(server, "127.0.0.1", "verify-full")

    assert "does not match host name" in said
    assert server.heard == b""


def test_a_database_of_the_right_name_is_talked_to():
    with greeter(database=True) as server:
        connect(server, "localhost", "verify-full")

    assert b"console" in server.heard


def test_without_a_check_of_the_name_anybody_is_talked_to():
    """What the preflight warns of."""
    with greeter(database=True) as server:
        connect(server, "127.0.0.1", "require&sslrootcert=")

    assert b"console" in server.heard
