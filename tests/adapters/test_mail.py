"""Mails as the standards say: dated, marked as made by a machine, and not sent again after a permanent refusal."""

from __future__ import annotations

import smtplib
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

import pytest

from console.adapters.webhooks import Sender
from console.core.config import Config
from console.domain.alerts.alerts import MAIL, channel

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
def post(monkeypatch):
    """Return `post(failure)`: what became of a mail, and the mail; a failure is raised by the mail server."""

    def send(failure=None):
        taken: list[EmailMessage] = []

        class Server:
            def __init__(self, *_args, **_more):
                pass

            def __enter__(self):
                return self

            def __exit__(self, *_error):
                return None

            def send_message(self, message):
                if failure is not None:
                    raise failure
                taken.append(message)

        monkeypatch.setattr(smtplib, "SMTP", Server)
        sender = Sender(Config.for_tests(ALERT_SMTP_URL="smtp://mail.example:25"))
        return sender.send(channel(MAIL, "lee@example.org"), "msg_1", {"event": "x"}, AT), taken

    return send


def test_a_mail_has_its_date_and_says_that_a_machine_made_it(post):
    sent, [mail] = post()

    assert sent.ok
    assert parsedate_to_datetime(mail["Date"]) == AT
    assert mail["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize(
    ("failure", "code", "again"),
    [
        (smtplib.SMTPRecipientsRefused({"lee@example.org": (550, b"no such user")}), 550, False),
        (smtplib.SMTPRecipientsRefused({"lee@example.org": (450, b"busy")}), 450, True),
        (smtplib.SMTPSenderRefused(553, b"not yours", "x"), 553, False),
        (smtplib.SMTPDataError(554, b"spam"), 554, False),
        (smtplib.SMTPDataError(451, b"later"), 451, True),
        (smtplib.SMTPAuthenticationError(535, b"who"), 535, False),
        (smtplib.SMTPNotSupportedError("SMTPUTF8"), None, False),
        (smtplib.SMTPServerDisconnected("gone"), None, True),
    ],
    ids=str,
)
def test_only_what_may_pass_later_is_sent_again(post, failure, code, again):
    sent, _taken = post(failure)

    assert (sent.ok, sent.status_code, sent.retryable) == (False, code, again)
