"""Addresses of people: sealed, proven, limited, theirs alone, and gone when they go."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from console.domain.errors import Conflict, Invalid, NotFound, PermissionDenied
from console.models.alerts import AlertChannelState, AlertDelivery, AlertIncident
from console.models.audit import AuditLog
from console.models.personal_alerts import PersonalAddress, PersonalDelivery
from console.services.alerts import delivery, figures, guard, lists, personal, personal_trials, retention
from console.services.alerts import outbox as alerts
from console.services.identity import users
from tests.factories import make_user
from tests.services.alerts.personal_support import HOOK, deliver, escalation, messages, order, outside, reach, standing
from tests.services.alerts.test_guard import Receivers
from tests.services.alerts.test_outbox import listed


@pytest.fixture
def kim(ctx, make_ctx, session, clock):
    return reach(make_ctx, session, clock, "kim")[0]


@pytest.fixture
def mail(ctx, make_ctx, session, clock):
    user = make_user(session, now=clock.now(), username="lee")
    own = make_ctx("operator", username="lee", user_id=user.id)
    made, _channel = personal.add(own, kind="mail", address="lee@example.com", look_up=outside)
    return own, made.id


def test_an_address_is_written_once_sealed_and_left_out_of_the_trail(kim, session):
    row = session.scalars(select(PersonalAddress)).one()
    (seen,) = personal.list_own(kim)

    assert "secret" not in row.address + row.target + row.name + repr(seen)
    assert (seen.target, seen.confirmed, seen.state) == ("https://hooks.example.com/…", True, "healthy")
    assert personal.opened(kim)[row.key].address == HOOK
    assert "example.com" not in " ".join(session.scalars(select(AuditLog.detail_json)))


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("webhook", "http://hooks.example.com/x"),
        ("slack", "https://10.0.0.7/x"),
        ("teams", "file:///etc/passwd"),
        ("mail", "a@b\r\nBcc: everybody@example.com"),
        ("pager", "https://hooks.example.com/x"),
    ],
)
def test_messages_of_people_go_where_those_of_channels_may_go(kim, session, kind, address):
    with pytest.raises(Invalid):
        personal.add(kim, kind=kind, address=address, look_up=lambda host, _port: [host])
    assert len(session.scalars(select(PersonalAddress)).all()) == 1


def test_nobody_has_more_than_five_or_the_same_twice(kim):
    with pytest.raises(Conflict, match="already"):
        personal.add(kim, kind="webhook", address=f" {HOOK} ", look_up=outside)
    for number in range(4):
        personal.add(kim, kind="slack", address=f"{HOOK}{number}", look_up=outside)
    with pytest.raises(Conflict, match="At most 5"):
        personal.add(kim, kind="mail", address="kim@example.com", look_up=outside)


def test_nothing_but_a_code_goes_to_a_mail_address_before_it_is_confirmed(ctx, mail, session):
    own, address_id = mail
    places = Receivers()
    with pytest.raises(Conflict):
        personal_trials.send_trial(own, address_id)
    assert alerts.raise_alert(ctx, "sla_escalation", escalation(order(1, "lee"))).people_count == 0
    with delivery.sending_with(places):
        assert personal_trials.send_code(own, address_id).status == "success"

    ((address, _id, payload),) = places.seen
    assert address == "lee@example.com"
    (kept,) = messages(session)
    # The code itself is sent and kept nowhere.
    assert payload["code"] not in str(kept.payload_json) + str(session.scalars(select(PersonalAddress.code_hash)).all())
    assert not personal.confirm(own, address_id, "00000000x")
    assert personal.confirm(own, address_id, f" {payload['code'][:4]} {payload['code'][4:]}")
    assert alerts.raise_alert(ctx, "sla_escalation", escalation(order(1, "lee"))).people_count == 1


def test_a_code_is_not_guessed_and_does_not_last(mail, clock):
    own, address_id = mail
    code = personal.new_code(own, address_id)[1]
    with pytest.raises(Conflict):
        personal.new_code(own, address_id)
    for _try in range(5):
        assert not personal.confirm(own, address_id, "1" + code[1:] if code[0] != "1" else "2" + code[1:])
    assert not personal.confirm(own, address_id, code)

    clock.advance(timedelta(minutes=2))
    code = personal.new_code(own, address_id)[1]
    clock.advance(timedelta(minutes=31))
    assert not personal.confirm(own, address_id, code)


def test_codes_are_not_sent_to_strangers_all_day(mail, session, clock):
    own, address_id = mail
    with delivery.sending_with(Receivers()):
        for _number in range(10):
            personal_trials.send_code(own, address_id)
            clock.advance(timedelta(minutes=2))
            own.commit()
        personal.remove(own, address_id)
        made, _channel = personal.add(own, kind="mail", address="stranger@example.com", look_up=outside)
        with pytest.raises(Conflict):
            personal_trials.send_code(own, made.id)


def test_addresses_are_nobody_elses(kim, make_ctx, session, clock):
    address_id = session.scalars(select(PersonalAddress.id)).one()
    other = make_user(session, now=clock.now(), username="park")
    park = make_ctx("owner", username="park", user_id=other.id)

    for refused in (
        lambda: personal.pause(park, address_id, paused=True, version=1),
        lambda: personal.remove(park, address_id),
        lambda: personal.new_code(park, address_id),
        lambda: personal.confirm(park, address_id, "12345678"),
        lambda: personal_trials.send_trial(park, address_id),
    ):
        with pytest.raises(NotFound):
            refused()
    # Who administers accounts sees that there is one; who does not, sees nothing.
    assert [one.target for one in personal.of_person(park, kim.actor.user_id)] == ["https://hooks.example.com/…"]
    with pytest.raises(PermissionDenied):
        personal.of_person(kim, kim.actor.user_id)


def test_channels_and_their_figures_know_nothing_of_people(ctx, kim, session):
    before = (figures.kpi(ctx), figures.mttr(ctx), guard.look(ctx), alerts.outbox(ctx))
    alerts.raise_alert(ctx, "sla_escalation", escalation(standing(ctx, "kim")))
    places = deliver(ctx)
    assert places.addresses() == [HOOK]

    assert (figures.kpi(ctx), figures.mttr(ctx), guard.look(ctx), alerts.outbox(ctx)) == before
    assert listed(ctx) == ([], 0)
    assert session.scalars(select(AlertDelivery)).all() == session.scalars(select(AlertIncident)).all() == []
    key = session.scalars(select(AlertChannelState.channel)).one()
    assert key not in figures.labels_of(ctx)
    assert key not in dict(lists._channels(ctx))
    with pytest.raises(NotFound):
        guard.find(ctx, key)


@pytest.mark.parametrize("way", ["remove", "switch off", "edit"])
def test_whoever_goes_leaves_no_address_behind(ctx, kim, session, way):
    alerts.raise_alert(ctx, "sla_escalation", escalation(standing(ctx, "kim")))
    deliver(ctx)
    alerts.raise_alert(ctx, "sla_escalation", escalation(standing(ctx, "kim")))
    if way == "remove":
        personal.remove(kim, session.scalars(select(PersonalAddress.id)).one())
    elif way == "switch off":
        users.set_active(ctx, kim.actor.user_id, is_active=False)
    else:
        users.edit(ctx, kim.actor.user_id, is_active=False)

    places = deliver(ctx)
    assert places.seen == []
    for table in (PersonalAddress, PersonalDelivery, AlertChannelState):
        assert session.scalars(select(table)).all() == []


def test_old_messages_go_without_an_archive(ctx, kim, session, clock):
    alerts.raise_alert(ctx, "sla_escalation", escalation(standing(ctx, "kim")))
    deliver(ctx)
    clock.advance(timedelta(days=100))
    alerts.raise_alert(ctx, "sla_escalation", escalation(standing(ctx, "kim")))
    done = retention.retain(ctx, days=90, most=None, write_archive=True)

    assert [row.status for row in messages(session)] == ["queued"]
    assert (done.detail["candidate_count"], done.detail["archive_file"]) == (0, None)


def test_trials_are_not_sent_to_strangers_all_day(kim):
    kim.commit()
    with delivery.sending_with(Receivers()):
        for number in range(20):
            made, _channel = personal.add(kim, kind="webhook", address=f"{HOOK}{number}", look_up=outside)
            kim.commit()
            assert personal_trials.send_trial(kim, made.id).status == "success"
            personal.remove(kim, made.id)
        (left,) = personal.list_own(kim)
        with pytest.raises(Conflict):
            personal_trials.send_trial(kim, left.id)
