"""Alerts: what a channel is, what an answer of a receiver means, when to try again, how a message is signed."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from console.domain.alerts.routing import ANYTHING, Wants
from console.domain.text import N_, Text

QUEUED, SUCCESS, FAILED, WARNING, DEAD = "queued", "success", "failed", "warning", "dead"
# Not sent, because what it was about was handled meanwhile: neither a success nor a failure.
DROPPED = "dropped"
# What the published API knows; the three others are ours.
PUBLISHED_STATUSES = (SUCCESS, FAILED, WARNING)
WEBHOOK, SLACK, TEAMS, MAIL = "webhook", "slack", "teams", "mail"
# Kinds of channels in which people can be named.
NAMING = (SLACK, TEAMS)
# Where a message says whom it names: the numbers of what is theirs by user name.
NAMED = "named"

# The events that raise alerts, as channels receive them in `event`.
ESCALATED = "ops_governance_remediation_escalation"
ASSIGNED = "ops_governance_remediation_assigned"
RULE_FAILS = "ops_governance_remediation_raised"
SLA_ESCALATED = "sla_escalation"
W07_DEGRADED = "adoption_w07_quality_degradation"
HANDOVER_LATE = "handover_unconfirmed"
BURNS = "ops_api_burn_rate"
# What reaches people themselves, and no channel.
ORDER_ASSIGNED = "work_order_assigned"
ADDRESS_CODE, ADDRESS_TRIAL = "address_code", "address_trial"
MONTH_CHANGED = "closed_month_changed"
# What goes to the receivers of checkpoint copies alone.
CHECKPOINT_SIGNED = "audit_checkpoint"

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=6)
# A receiver may ask for patience, but not for ever.
LONGEST_REQUESTED_PAUSE = timedelta(hours=24)
# Part of a pause that chance decides, so that a thousand failures do not come back in one second.
JITTER = 0.2


@dataclass(frozen=True)
class Channel:
    """One receiver. `key` names it everywhere; the address itself may carry a secret and stays here.

    One that people made has a name, its address is empty where nothing is sent, and `shown` is the masked form of it.
    The addresses of people themselves are receivers too.
    """

    key: str
    kind: str
    address: str
    name: str = ""
    shown: str = ""
    paused: bool = False
    wants: Wants = ANYTHING
    # Whose address it is; None for a channel.
    user_id: int | None = None
    # What people are called here: user names with their names.
    names: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        """Return the form of the address that people, answers and logs may see."""
        return self.shown or masked(self.address)

    @property
    def title(self) -> str:
        """Return what people call it: its name, or for one of the settings its masked address."""
        return self.name or self.label


@dataclass(frozen=True)
class Sent:
    """What came of one attempt: `status_code` is None when there was no answer, `error` is None for success."""

    status_code: int | None = None
    error: str | None = None
    retry_after: timedelta | None = None
    retryable: bool = False

    @property
    def ok(self) -> bool:
        """Return whether the receiver took it."""
        return self.error is None


@dataclass(frozen=True)
class Verdict:
    """Where a delivery stands after an attempt, and when the next one is due (None: never by itself)."""

    status: str
    next_attempt_at: datetime | None


def channel(kind: str, address: str) -> Channel:
    """Return the channel of a configured address."""
    return Channel(f"{kind}-{sha256(address.encode()).hexdigest()[:12]}", kind, address)


def masked(address: str) -> str:
    """Return an address without what makes it a secret: path, query and user stay behind."""
    if "://" not in address:
        name, _, domain = address.partition("@")
        return f"{name[:1]}…@{domain}" if domain else "…"
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        # A mistyped setting must not break what shows it; sending to it fails and says so.
        return "…"
    return f"{parts.scheme}://{parts.hostname or ''}{port}/…"


def answered(status_code: int, retry_after: timedelta | None = None) -> Sent:
    """Judge the status of an HTTP answer: only 408, 425, 429 and 5xx are worth another attempt."""
    if 200 <= status_code < 300:
        return Sent(status_code)
    retryable = status_code in (408, 425, 429) or status_code >= 500
    text = f"webhook returned status {status_code}"
    if 300 <= status_code < 400:
        text += " (redirects are not followed)"
    return Sent(status_code, text, retry_after if retryable else None, retryable)


# Why a message was not sent, as it is stored in place of an error.
NOT_WANTED: Mapping[str, str] = {
    "orders_handled": N_("Not sent: the work orders were begun, postponed or closed meanwhile"),
    "items_handled": N_("Not sent: the items were done, postponed or taken off the board meanwhile"),
    "items_accepted": N_("Not sent: the items were begun, given to others or closed meanwhile"),
    "handover_confirmed": N_("Not sent: the handover was confirmed meanwhile"),
    "burn_over": N_("Not sent: the burn was over before anybody was told"),
    "recovered": N_("Not sent: a later check found everything in order"),
}
_EXPLAINED = (
    (
        r"webhook returned status (\d+) \(redirects are not followed\)",
        N_("It redirected (%(cause)s), which is not followed"),
    ),
    (r"webhook returned status (\d+)", N_("It answered %(cause)s")),
    (r"webhook url error: timed out", N_("It did not answer in time")),
    (r"webhook url error: the answer broke off", N_("Its answer broke off in the middle")),
    (r"certificate refused: (.+)", N_("Its certificate was refused (%(cause)s)")),
    (r"webhook url error: the address is inside a private network", N_("Its address is inside a private network")),
    (r"webhook url error: only http and https addresses can be used", N_("Its address is neither http nor https")),
    (r"webhook url error: gaierror", N_("There is no such address")),
    (r"webhook url error: ConnectionRefusedError", N_("It refused the connection")),
    (r"webhook url error: (.+)", N_("It could not be reached (%(cause)s)")),
    (
        r"channel quarantined until (?:\S+) \(consecutive_failures=(\d+)\)",
        N_("Held back: the channel failed %(cause)s times in a row"),
    ),
    (r"channel is paused", N_("Held back: the channel is paused")),
    (r"reminders are put off until \S+", N_("Held back: its reminders are put off")),
    (r"the address cannot be read", N_("The stored address cannot be read with the key of this installation")),
    (r"handled before it was sent", N_("Not sent: it was handled meanwhile")),
    (r"told anew since", N_("Not sent: a newer message tells of it")),
    (r"no longer theirs", N_("Not sent: it is no longer yours")),
    (r"no longer allowed", N_("Not sent: you may no longer see it")),
    (r"the trial did not end", N_("The trial did not end")),
    (r"the channel is no longer configured", N_("The channel is no longer configured")),
    (r"ALERT_SMTP_URL is not set", N_("No mail server is configured (ALERT_SMTP_URL)")),
    (r"mail server returned (\d+)", N_("The mail server answered %(cause)s")),
    (r"mail error: (.+)", N_("The mail server could not be used (%(cause)s)")),
)


def explained(error: str) -> Text | str:
    """Return the stored error of an attempt as a sentence for people; clients read the error as it is published."""
    if error in NOT_WANTED:
        return Text(NOT_WANTED[error])
    for pattern, sentence in _EXPLAINED:
        found = re.fullmatch(pattern, error)
        if found:
            return Text(sentence, {"cause": found[1]}) if found.groups() else Text(sentence)
    return error


def pause(attempt: int, chance: float) -> timedelta:
    """Return the pause after the attempt of that number (from 1): doubled each time, `chance` from 0 to 1 blurs it."""
    plain = min(FIRST_PAUSE * 2 ** min(attempt - 1, 20), LONGEST_PAUSE)
    return plain * (1 - JITTER + 2 * JITTER * chance)


def judge(sent: Sent, *, attempt: int, most: int, now: datetime, chance: Callable[[], float]) -> Verdict:
    """Decide what becomes of a delivery after its attempt of that number."""
    if sent.ok:
        return Verdict(SUCCESS, None)
    if not sent.retryable or attempt >= most:
        return Verdict(DEAD, None)
    wait = pause(attempt, chance())
    if sent.retry_after is not None:
        wait = max(wait, min(sent.retry_after, LONGEST_REQUESTED_PAUSE))
    return Verdict(FAILED, now + wait)


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Sign a message as Standard Webhooks describes it: `v1,` and HMAC-SHA256 over id, time and body in base64.

    A secret may be written `whsec_` with base64 behind it; any other text is taken as it is.
    """
    key = secret.encode()
    if secret.startswith("whsec_"):
        key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
