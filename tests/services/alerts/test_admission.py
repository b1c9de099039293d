"""What still goes out when it is about to be sent: after a night, a change of hands, or the end of a right."""

import smtplib
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import sessionmaker

from console.adapters import webhooks
from console.adapters.webhooks import Sender
from console.core.context import SYSTEM, unit_of_work
from console.models.alerts import AlertDelivery
from console.models.identity import User
from console.models.personal_alerts import PersonalDelivery
from console.models.work_orders import WorkOrder
from console.services.alerts import channels, claims, delivery, personal, personal_choices, personal_names
from console.services.alerts import outbox as alerts
from console.services.alerts.channels import Wish as ChannelWish
from console.services.alerts.personal_choices import Wish
from console.services.work_orders import snooze
from tests.services.alerts.personal_support import (
    HOOK,
    OTHER,
    SITE,
    deliver,
    escalation,
    messages,
    outside,
    reach,
    standing,
    told,
)
from tests.services.alerts.test_guard import Receivers

# It is 09:00 in Seoul when a test begins.
MORNING = {"quiet_start": 8 * 60, "quiet_end": 11 * 60, "zone": "Asia/Seoul"}
EVENTS = ("sla_escalation",)


@pytest.fixture
def kim(ctx, make_ctx, session, clock):
    return reach(make_ctx, session, clock, "kim", sites=(SITE, OTHER))[0]


def late(ctx, *lines):
    return alerts.raise_alert(ctx, "sla_escalation", escalation(*lines)).people_count


def after(ctx, **change):
    """Change what was told of before it is sent."""
    done = {"completed_at": ctx.now()} if change.get("status") == "completed" else {}
    ctx.session.execute(update(WorkOrder).values(**change, **done))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "completed"}, "handled before it was sent"),
        ({"assignee": "lee"}, "no longer theirs"),
        ({"site": "먼 곳"}, "no longer allowed"),
    ],
)
def test_what_was_settled_meanwhile_is_dropped_with_its_reason(ctx, kim, session, change, why):
    late(ctx, standing(ctx, "kim"))
    after(ctx, **change)

    assert deliver(ctx).seen == []
    (row,) = messages(session)
    assert (row.status, row.error, row.attempt_count, row.next_attempt_at) == ("dropped", why, 0, None)


def test_a_site_that_is_no_longer_theirs_is_left_out_of_what_waits(ctx, kim, session):
    here, there = standing(ctx, "kim"), standing(ctx, "kim", site=OTHER)
    late(ctx, here, there)
    session.execute(update(User).values(site_scope=(SITE,)))

    assert told(deliver(ctx)) == {HOOK: [[f"order:{here['id']}"]]}


def test_what_falls_into_quiet_hours_is_sent_once_when_they_end(ctx, kim, session, clock):
    personal_choices.change(kim, Wish(EVENTS, **MORNING), version=0)
    line = standing(ctx, "kim")
    late(ctx, line)
    assert deliver(ctx).seen == []
    # Told again before they end: the first message still waits.
    clock.advance(timedelta(minutes=119))
    assert late(ctx, line) == 0
    assert deliver(ctx).seen == []

    clock.advance(timedelta(minutes=1))
    assert told(deliver(ctx)) == {HOOK: [[f"order:{line['id']}"]]}
    assert deliver(ctx).seen == []
    assert [row.attempt_count for row in messages(session)] == [1]


def test_quiet_hours_that_were_chosen_later_count_when_it_is_sent(ctx, kim, session, clock):
    late(ctx, standing(ctx, "kim"))
    personal_choices.change(kim, Wish(EVENTS, **MORNING), version=0)
    assert deliver(ctx).seen == []
    assert messages(session)[0].next_attempt_at == clock.now() + timedelta(hours=2)


def test_what_is_snoozed_waits_and_leaves_when_the_snooze_ends(ctx, kim, session, clock):
    here, there = standing(ctx, "kim"), standing(ctx, "kim", site=OTHER)
    late(ctx, here, there)
    until = clock.now() + timedelta(hours=3)
    snooze.begin(ctx, here["id"], until, "부품이 내일 온다")
    snooze.begin(ctx, there["id"], until + timedelta(hours=1), "부품이 내일 온다")

    assert deliver(ctx).seen == []
    assert [(row.status, row.attempt_count, row.next_attempt_at) for row in messages(session)] == [("queued", 0, until)]
    clock.advance(timedelta(hours=1))
    snooze.finish(ctx, here["id"])
    assert told(deliver(ctx)) == {HOOK: [[f"order:{here['id']}", f"order:{there['id']}"]]}


@pytest.mark.parametrize(("passes", "arrived"), [(True, 1), (False, 0)])
def test_what_is_critical_gets_through_where_they_chose_so(ctx, kim, passes, arrived):
    personal_choices.change(kim, Wish(EVENTS, critical_passes=passes, **MORNING), version=0)
    late(ctx, {**standing(ctx, "kim"), "priority": "critical"}, standing(ctx, "kim"))
    assert len(deliver(ctx).seen) == arrived


def test_in_quiet_hours_a_channel_does_not_name_them(ctx, kim, session):
    made = channels.create(ctx, ChannelWish("현장", "slack", "https://hooks.slack.example/a"), look_up=outside)
    personal_names.keep(kim, made.key, "U012AB3CD")
    personal_choices.change(kim, Wish(EVENTS, **MORNING), version=0)

    assert late(ctx, standing(ctx, "kim")) == 1
    (sent,) = [payload for address, _id, payload in deliver(ctx).seen if "slack" in address]
    assert "named" not in sent


def test_a_paused_address_keeps_what_is_due(ctx, kim, session):
    late(ctx, standing(ctx, "kim"))
    (mine,) = personal.list_own(kim)
    personal.pause(kim, mine.id, paused=True, version=1)
    # Paused while the run had already looked at the addresses.
    ctx.commit()
    factory = sessionmaker(ctx.session.get_bind())
    with unit_of_work(factory, actor=SYSTEM, clock=ctx.clock, config=ctx.config) as own:
        key = session.scalars(select(PersonalDelivery.channel)).one()
        assert delivery.admission.admit(own, key, claims.claim(own, channel=key)).messages == ()
    assert deliver(ctx).seen == []
    assert [(row.status, row.error, row.attempt_count) for row in messages(session)] == [
        ("warning", "channel is paused", 0)
    ]
    personal.pause(kim, mine.id, paused=False, version=2)
    assert len(deliver(ctx).seen) == 1


def test_an_address_that_was_made_while_a_run_lasts_gets_its_message(ctx, kim, session):
    late(ctx, standing(ctx, "kim"))
    ctx.commit()
    places = Receivers()
    delivery.deliver(delivery.transactions(ctx), places, {}, most_attempts=3)
    assert places.addresses() == [HOOK]


def test_a_worker_that_dies_between_sending_and_recording_repeats_it_once_under_one_id(ctx, kim, session, clock):
    late(ctx, standing(ctx, "kim"))
    ctx.commit()
    seen = []

    class Dies:
        def send(self, _channel, message_id, _payload, _at):
            seen.append(message_id)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        delivery.deliver(delivery.transactions(ctx), Dies(), {}, most_attempts=3)
    assert deliver(ctx).seen == []
    clock.advance(claims.LEASE)
    seen += [message_id for _address, message_id, _payload in deliver(ctx).seen]
    clock.advance(claims.LEASE)
    assert deliver(ctx).seen == []
    assert len(seen) == 2
    assert len(set(seen)) == 1


class MailServer:
    """Takes what `smtplib` brings, and refuses one recipient."""

    taken: list[str]

    def __init__(self, *_args, **_more):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_args):
        pass

    def send_message(self, message):
        if message["To"] == "lee@example.com":
            raise smtplib.SMTPRecipientsRefused({message["To"]: (550, b"no such user")})
        MailServer.taken.append(message)


def test_a_mail_server_that_refuses_one_of_three_recipients_delays_nobody(
    ctx, make_ctx, session, clock, config, monkeypatch
):
    MailServer.taken = []
    monkeypatch.setattr(webhooks.smtplib, "SMTP", MailServer)
    people = ("kim", "lee", "park")
    for name in people:
        reach(make_ctx, session, clock, name, kind="mail", address=f"{name}@example.com")
    late(ctx, *(standing(ctx, name, title=f"{name}의 <b>일</b>") for name in people))
    deliver(ctx, Sender(config.replaced(ALERT_SMTP_URL="smtp://127.0.0.1:1")))

    assert sorted(mail["To"] for mail in MailServer.taken) == ["kim@example.com", "park@example.com"]
    # Each reads of their own alone, and their addresses stand in no other mail.
    assert [("park" in str(mail.get_content())) for mail in MailServer.taken if mail["To"].startswith("kim")] == [False]
    assert [(row.status, row.error) for row in messages(session)] == [
        ("success", None),
        ("dead", "mail server returned 550"),
        ("success", None),
    ]


def test_many_people_do_not_keep_a_channel_waiting(ctx, make_ctx, session, clock):
    made = channels.create(ctx, ChannelWish("현장", "webhook", "https://hooks.example.com/room"), look_up=outside)
    names = [f"kim{number}" for number in range(40)]
    for name in names:
        reach(make_ctx, session, clock, name, address=f"https://hooks.example.com/{name}")
    late(ctx, *(standing(ctx, name) for name in names))
    # The first of them need no message any more: the others get theirs in the same run.
    gone = select(WorkOrder.id).order_by(WorkOrder.id).limit(20).scalar_subquery()
    session.execute(update(WorkOrder).where(WorkOrder.id.in_(gone)).values(assignee="lee"))
    arrived = deliver(ctx).addresses()

    assert arrived.index("https://hooks.example.com/room") <= 16
    assert len(arrived) == 21
    assert made.key in {row.channel for row in session.scalars(select(AlertDelivery))}
