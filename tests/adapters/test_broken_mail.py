"""Mail servers that mean no good: who refuses, who is slow to take, who speaks no TLS; and words that are markup."""

import re
import socketserver
import threading
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from console.adapters.webhooks import Sender, shaped
from console.core.config import Config
from console.domain.alerts.alerts import SLACK, TEAMS, channel

NOW = datetime(2026, 3, 2, tzinfo=UTC)
SEOUL = ZoneInfo("Asia/Seoul")
MARKUP = "<!channel> <https://evil.example|여기> **굵게** [누름](https://evil.example) <b onclick=x>&amp;</b>"


class Server(socketserver.StreamRequestHandler):
    """A mail server on the loopback that answers each recipient as `answers` says and keeps what it took."""

    def handle(self):
        self._say("220 ready")
        while line := self.rfile.readline().decode("utf-8", "replace").strip():
            word = line.split()[0].upper()
            if word in ("EHLO", "HELO"):
                self._say("250 plain")
            elif word == "RCPT":
                self._say(self.server.answers.get(line.partition("<")[2].rstrip(">"), "250 fine"))
            elif word == "DATA":
                self._say("354 go on")
                self._take()
            elif word == "QUIT":
                self._say("221 bye")
                return
            elif word == "STARTTLS":
                self._say("502 not here")
            else:
                self._say("250 fine")

    def _take(self):
        said = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            said.append(line.decode("utf-8", "replace"))
        self.server.taken.append("".join(said))
        self._say("250 taken")

    def _say(self, text):
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def server():
    made = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Server)
    made.daemon_threads = True
    made.answers, made.taken = {}, []
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def send(server, to, scheme="smtp", **payload):
    config = Config.for_tests(ALERT_SMTP_URL=f"{scheme}://127.0.0.1:{server.server_address[1]}")
    return Sender(config).send(channel("mail", to), "msg_1", {"event": "test", **payload}, NOW)


def test_of_three_recipients_one_is_refused_and_the_others_get_theirs(server):
    server.answers["b@example.com"] = "550 no such user"

    done = [send(server, to) for to in ("a@example.com", "b@example.com", "c@example.com")]

    assert [(one.status_code, one.retryable) for one in done] == [(250, False), (550, False), (250, False)]
    assert [mail.count("To: ") for mail in server.taken] == [1, 1]
    assert not any("b@example.com" in mail for mail in server.taken)


def test_a_server_that_asks_to_come_again_is_tried_again(server):
    server.answers["a@example.com"] = "450 greylisted, come again"
    first = send(server, "a@example.com")
    server.answers.clear()

    assert (first.status_code, first.retryable, first.error) == (450, True, "mail server returned 450")
    assert send(server, "a@example.com").ok


def test_without_the_tls_that_was_asked_for_nothing_is_said(server):
    done = send(server, "a@example.com", scheme="smtp+starttls", text="비밀")

    assert not done.ok
    assert server.taken == []


def test_a_server_of_tls_that_speaks_none_is_left(server):
    done = send(server, "a@example.com", scheme="smtps", text="비밀")

    assert (done.ok, done.retryable, server.taken) == (False, True, [])


def test_words_that_are_markup_stay_words_in_a_mail(server):
    send(server, "a@example.com", text=f"{MARKUP}\r\nBcc: evil@example.com")

    (mail,) = server.taken
    head, _blank, _body = mail.partition("\r\n\r\n")
    assert "Content-Type: text/plain" in head
    assert "bcc" not in [line.partition(":")[0].lower() for line in head.split("\r\n")]


def test_words_that_are_markup_are_harmless_in_slack_and_teams():
    payload = {"event": "test", "text": MARKUP}
    said = shaped(SLACK, payload, SEOUL)["text"]
    card = shaped(TEAMS, payload, SEOUL)["attachments"][0]["content"]["body"][0]

    assert "<" not in said
    assert ">" not in said
    assert card["type"] == "TextBlock"
    assert re.search(r"(?<!\\)[\[\]*`]", card["text"]) is None
    assert r"\[누름\](https://evil.example)" in card["text"]
