"""Requests that are refused by their head alone: the answer arrives, and the connection carries the next one.

The short form sends a hundred of each kind; SOAK=1 a thousand.
"""

from __future__ import annotations

import http.client
import os

import pytest

from tests.support.refusals import EARLY, FORM, JSON, refused

ROUNDS = 1000 if os.environ.get("SOAK") == "1" else 100


def known_to(server):
    return {"{auditor}": server.auditor, "{cookie}": server.cookie}


@pytest.mark.parametrize("kind", EARLY)
def test_every_early_refusal_arrives(web_server, kind):
    status, body = EARLY[kind][0], EARLY[kind][-1]
    # Large bodies say the same in fewer rounds.
    rounds = ROUNDS if len(body) < 100_000 else max(1, ROUNDS // 20)
    found, opened = refused(web_server.port, kind, rounds, known_to(web_server))

    assert found == [status] * rounds
    assert opened == 0


def test_a_refusal_of_far_too_much_arrives_after_all_was_sent(web_server):
    """What is not even thrown away ends the connection, but not before the refusal was read."""
    for _ in range(max(3, ROUNDS // 20)):
        connection = http.client.HTTPConnection("127.0.0.1", web_server.port, timeout=60)
        connection.request("POST", "/api/auth/login", body=b"x" * 20_000_000, headers=JSON)
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (413, True)
        connection.close()


def test_a_form_in_chunks_reads_its_refusal_after_all_was_sent(web_server):
    for _ in range(max(3, ROUNDS // 20)):
        connection = http.client.HTTPConnection("127.0.0.1", web_server.port, timeout=60)
        pieces = (b"x" * 100_000 for _ in range(100))
        connection.request("POST", "/sign-in", body=pieces, headers=FORM, encode_chunked=True)
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (411, True)
        connection.close()
