"""Encrypted connections: without a trusted certificate of the right name nothing is said."""

import socketserver
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis

from console.adapters.webhooks import Sender
from console.core.config import Config
from console.domain.alerts.alerts import MAIL, Channel

HERE = Path(__file__).parents[1] / "support" / "tls"
NOW = datetime(2026, 3, 2, tzinfo=UTC)


class Greeter(socketserver.StreamRequestHandler):
    """A server of mail, pages and keys at once that keeps all it hears; `before` is its talk before encryption."""

    def handle(self):
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
                    talk.sendall(b"250 AUTH PLAIN\r\n" if self.server.mail else b"HTTP/1.1 204 No Content\r\n\r\n")
        except OSError:
            return


@contextmanager
def greeter(*, mail=False, before=False):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Greeter) as server:
        server.mail, server.before, server.heard = mail, before, b""
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
