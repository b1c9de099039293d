"""Receivers that break off: what counts as delivered, and how long one of them can hold a worker."""

import time
from datetime import UTC, datetime

import pytest

from console.adapters.webhooks import Sender
from console.core.config import Config
from console.domain.alerts.alerts import Channel
from tests.support.raw_server import dripping, raw_server, saying, silent

NOW = datetime(2026, 3, 2, tzinfo=UTC)
HEAD = b"HTTP/1.1 200 OK\r\n"


def sent_to(port, *, scheme="http", timeout=20.0):
    config = Config.for_tests(ALERT_ALLOW_PRIVATE_TARGETS=True, ALERT_WEBHOOK_TIMEOUT_SEC=timeout)
    channel = Channel("hook", "webhook", f"{scheme}://receiver.test:{port}/")
    return Sender(config, look_up=lambda _host, _port: ["127.0.0.1"]).send(channel, "1", {"title": "a"}, NOW)


@pytest.mark.parametrize("said", [b"HTTP/1.1 200 OK", HEAD, HEAD + b"X-Long: xx", HEAD + b"Content-Length: 0\r\n"])
def test_a_receiver_that_hangs_up_in_its_headers_is_tried_again(said):
    with raw_server(saying(said)) as port:
        sent = sent_to(port)

    assert (sent.ok, sent.status_code, sent.retryable) == (False, None, True)
    assert sent.error == "webhook url error: the answer broke off"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("talk", [silent, dripping])
def test_a_receiver_that_is_cut_off_in_its_headers_is_tried_again(talk, scheme):
    with raw_server(talk) as port:
        began = time.monotonic()
        sent = sent_to(port, scheme=scheme, timeout=0.5)

    assert not sent.ok
    assert sent.retryable
    assert time.monotonic() - began < 10


def test_a_certificate_that_never_ends_is_left_in_time():
    def spelling(connection, over):
        with connection:
            connection.recv(65536)
            # The head of a TLS record of 16,000 bytes, and then a byte now and then.
            connection.sendall(b"\x16\x03\x03\x3e\x80")
            while not over.wait(0.05):
                try:
                    connection.sendall(b"\x00")
                except OSError:
                    return

    with raw_server(spelling) as port:
        began = time.monotonic()
        sent = sent_to(port, scheme="https", timeout=0.5)

    assert (sent.error, sent.retryable) == ("webhook url error: timed out", True)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "said",
    [
        (HEAD + b"\r\n",),
        (HEAD + b"Content-Length: 90\r\n\r\nonly a part",),
        (b"HTTP/1.0 204 No Content\n\n",),
        (b"HTTP/1.1 100 Continue\r\n\r\n", HEAD + b"Content-Length: 2\r\n\r\nok"),
        (b"HTTP/1.1 2", b"00 OK\r\nConten", b"t-Length: 0\r\n\r", b"\n"),
    ],
)
def test_a_whole_head_counts_whatever_becomes_of_the_body(said):
    with raw_server(saying(*said)) as port:
        sent = sent_to(port)

    assert (sent.ok, sent.error) == (True, None)


def test_a_redirect_delivers_nothing():
    with raw_server(saying(b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.test/\r\n\r\n")) as port:
        sent = sent_to(port)

    assert (sent.ok, sent.status_code) == (False, 302)
