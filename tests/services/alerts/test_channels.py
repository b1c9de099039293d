"""Channels that people make: sealed, narrowed, paused, and refused where messages may not go."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from console.adapters.webhooks import Sender
from console.domain.errors import Conflict, GlobalScopeRequired, Invalid, NotFound, PermissionDenied
from console.models.alerts import AlertChannel, AlertDelivery
from console.models.audit import AuditLog
from console.services.alerts import channels, delivery, guard
from console.services.alerts import outbox as alerts
from console.services.alerts.channels import Wish
from tests.services.alerts.test_guard import Receivers
from tests.services.alerts.test_outbox import receiver

__all__ = ["receiver"]
SECRET = "https://hooks.slack.example/services/T0/B0/very-secret"


def outside(_host, _port):
    return ["93.184.216.34"]


def make(ctx, name="현장 슬랙", kind="slack", address=SECRET, **more):
    return channels.create(ctx, Wish(name, kind, address, **more), look_up=outside)


def sent(ctx, places):
    ctx.commit()
    with delivery.sending_with(places):
        return delivery.deliver_due(ctx, limit=100)


def test_the_address_is_written_once_sealed_and_shown_masked(ctx, session):
    made = make(ctx)
    ctx.commit()

    row = session.scalars(select(AlertChannel)).one()
    assert "secret" not in row.address + row.target + made.target
    assert made.target == "https://hooks.slack.example/…"
    assert channels.opened(ctx)[made.key].address == SECRET
    assert channels.listed(ctx)[-1].address == ""
    told = " ".join(session.scalars(select(AuditLog.detail_json)))
    assert "secret" not in told


def test_an_address_of_another_installation_is_told_and_waits(ctx, session):
    made = make(ctx)
    alerts.raise_alert(ctx, "test_event", {"event": "test_event"})
    row = session.scalars(select(AlertChannel)).one()
    row.address = "s1:AAAA"
    done = sent(ctx, Sender(ctx.config))

    assert (done.processed_count, done.dead_count) == (1, 0)
    assert session.scalars(select(AlertDelivery.error)).one() == "the address cannot be read"
    assert made.key in channels.opened(ctx)


def test_alerts_go_where_they_are_wanted(ctx):
    every, late, site = (
        make(ctx, "모두"),
        make(ctx, "급한 것", least_level="critical"),
        make(ctx, "본관", event_types=["sla_escalation"], sites=["본관"]),
    )
    one = alerts.raise_alert(ctx, "ops_daily_check", {"overall_status": "warning"})
    two = alerts.raise_alert(ctx, "sla_escalation", {"critical_count": 1}, site="본관")
    three = alerts.raise_alert(ctx, "sla_escalation", {}, site="별관")

    def keys(raised):
        return set(ctx.session.scalars(select(AlertDelivery.channel).where(AlertDelivery.id.in_(raised.delivery_ids))))

    assert keys(one) == {every.key}
    assert keys(two) == {every.key, late.key, site.key}
    assert keys(three) == {every.key}
    assert [one.target for one in two.channels] == [every.target] * 3


def test_a_paused_channel_gets_nothing_new_and_what_is_due_waits_for_it(ctx, session, clock):
    made, places = make(ctx), Receivers()
    alerts.raise_alert(ctx, "test_event", {"number": 1})
    paused = channels.pause(ctx, made.key, paused=True, reason="수신 서버 교체", version=1)
    assert alerts.raise_alert(ctx, "test_event", {"number": 2}).error == "no_targets"
    sent(ctx, places)

    assert places.seen == []
    row = session.scalars(select(AlertDelivery)).one()
    assert (row.status, row.error, row.attempt_count) == ("warning", "channel is paused", 0)
    assert (paused.paused, paused.paused_reason) == (True, "수신 서버 교체")
    channels.pause(ctx, made.key, paused=False, reason="", version=2)
    sent(ctx, places)
    assert [payload["number"] for _a, _id, payload in places.seen] == [1]


def test_pausing_wants_a_reason(ctx):
    made = make(ctx)
    with pytest.raises(Invalid):
        channels.pause(ctx, made.key, paused=True, reason="  ", version=1)


def test_of_two_changes_of_one_version_the_second_is_refused(ctx):
    made = make(ctx)
    channels.change(ctx, made.key, Wish("새 이름", "slack"), version=1)
    with pytest.raises(Conflict):
        channels.change(ctx, made.key, Wish("다른 이름", "slack"), version=1)

    assert channels.opened(ctx)[made.key].address == SECRET
    with pytest.raises(Conflict):
        make(ctx, "새 이름")


def test_a_new_address_replaces_the_old_one(ctx):
    made = make(ctx)
    wish = Wish("현장", "mail", "night@example.com")
    changed = channels.change(ctx, made.key, wish, version=1, look_up=outside)

    assert (changed.kind, changed.target) == ("mail", "n…@example.com")
    assert channels.opened(ctx)[made.key].address == "night@example.com"


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("webhook", "http://hooks.example.com/x"),
        ("webhook", "file:///etc/passwd"),
        ("webhook", "https://"),
        ("webhook", "https://hooks.example.com:99999/x"),
        ("mail", "nobody"),
        ("mail", "a@b"),
        ("mail", "a@example.com, b@example.com"),
        ("mail", "a@example.com\r\nBcc: b@example.com"),
        ("pigeon", "https://hooks.example.com/x"),
    ],
)
def test_addresses_that_cannot_be(ctx, kind, address):
    with pytest.raises(Invalid):
        make(ctx, kind=kind, address=address)


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "fd00::1", "64:ff9b::a00:1"])
def test_addresses_inside_are_refused_when_they_are_made_and_when_they_are_sent_to(ctx, session, inside):
    with pytest.raises(Invalid):
        channels.create(ctx, Wish("안쪽", "slack", SECRET), look_up=lambda _host, _port: [inside])

    make(ctx)
    alerts.raise_alert(ctx, "test_event", {})
    done = sent(ctx, Sender(ctx.config, look_up=lambda _host, _port: [inside]))
    assert done.dead_count == 1
    assert "private network" in session.scalars(select(AlertDelivery.error)).one()


def test_a_name_that_leads_nowhere_today_may_tomorrow(ctx):
    def nowhere(_host, _port):
        raise OSError

    assert channels.create(ctx, Wish("나중", "webhook", SECRET), look_up=nowhere).kind == "webhook"


def test_who_makes_channels(make_ctx):
    for role, sites, refusal in (
        ("manager", ("*",), PermissionDenied),
        ("auditor", ("*",), PermissionDenied),
        ("owner", ("본관",), GlobalScopeRequired),
    ):
        with pytest.raises(refusal):
            make(make_ctx(role, sites))


def test_channels_of_other_sites_do_not_exist(ctx, make_ctx):
    made, every = make(ctx, "본관", sites=["본관"]), make(ctx, "모두")
    ctx.commit()
    other, own = make_ctx("manager", ("별관",)), make_ctx("manager", ("본관",))

    assert [one.key for one in channels.all_made(other)] == [every.key]
    assert {one.channel for one in guard.look(other).channels} == {every.key}
    with pytest.raises(NotFound):
        channels.get(other, made.key)
    assert channels.get(own, made.key).name == "본관"


def test_channels_of_the_settings_and_those_that_were_made_get_it_both(ctx):
    ctx.config = ctx.config.replaced(ALERT_WEBHOOK_URLS="https://hooks.example.com/x")
    make(ctx)
    places = Receivers()
    assert alerts.raise_alert(ctx, "test_event", {}).queued == 2
    sent(ctx, places)

    assert sorted(places.addresses()) == sorted(["https://hooks.example.com/x", SECRET])


def test_a_trial_reaches_a_made_channel(ctx, session, clock):
    made, places = make(ctx), Receivers()
    ctx.commit()
    with delivery.sending_with(places):
        done = guard.recover(ctx, made.key)

    assert (done.probe_status, places.addresses(), done.target) == ("success", [SECRET], made.target)
    clock.advance(timedelta(minutes=1))
