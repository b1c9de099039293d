"""A channel that dies is noticed, left alone, tried and healed, and no message is lost for it."""

import json
import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from console.adapters.webhooks import Sender
from console.domain.alerts.alerts import Sent, answered, channel
from console.domain.alerts.guard import GuardRules
from console.domain.errors import BadRequest, GlobalScopeRequired, NotFound, PermissionDenied
from console.models.alerts import AlertAttempt, AlertChannelState, AlertDelivery, AlertIncident
from console.services.alerts import channels as alert_channels
from console.services.alerts import delivery, figures, guard, lanes, states
from console.services.alerts import outbox as alerts
from tests.services.alerts.test_outbox import Outbox, answer, receiver
from tests.support.statements import statements

__all__ = ["receiver"]
RULES = GuardRules(True, 3, timedelta(minutes=30))
GOOD, DEAD, SLOW = "https://good.test/a", "https://dead.test/b", "https://slow.test/c"


class Receivers:
    """Answers for every channel without a network: what `behave` says by address, 200 for the rest."""

    def __init__(self):
        self.behave, self.seen, self.lock = {}, [], threading.Lock()

    def send(self, one, message_id, payload, at):
        with self.lock:
            self.seen.append((one.address, message_id, payload))
        found = self.behave.get(one.address, answered(200))
        return found() if callable(found) else found

    def addresses(self):
        return [address for address, _id, _payload in self.seen]


@pytest.fixture
def places():
    return Receivers()


@pytest.fixture
def box(engine, clock, config):
    return Outbox(engine, clock, config.replaced(ALERT_WEBHOOK_URLS=f"{GOOD};{DEAD}"))


def run(box, places, rules=RULES, **more):
    channels = {one.key: one for one in alert_channels.built_in(box.config)}
    return delivery.deliver(box.work, places, channels, most_attempts=10, rules=rules, chance=lambda: 0.5, **more)


def rows(box, address=None):
    key = channel("webhook", address).key if address else None
    with box.work() as ctx:
        found = select(AlertDelivery).order_by(AlertDelivery.id)
        seen = list(ctx.session.scalars(found.where(AlertDelivery.channel == key) if key else found))
        ctx.session.expunge_all()
        return seen


def state(box, address):
    with box.work() as ctx:
        return states.of_channels(ctx)[channel("webhook", address).key]


def fail(box, places, clock, count):
    places.behave[DEAD] = answered(500)
    for _number in range(count):
        box.raise_one()
        run(box, places)
        clock.advance(timedelta(seconds=1))


def test_after_failures_in_a_row_a_channel_is_left_alone_and_its_messages_wait(box, places, clock):
    fail(box, places, clock, 3)
    failed_at = clock.now() - timedelta(seconds=1)
    tried = places.addresses().count(DEAD)
    for _number in range(5):
        box.raise_one()
    run(box, places)

    assert places.addresses().count(DEAD) == tried
    held = [row for row in rows(box, DEAD) if row.status == "warning"]
    assert {row.next_attempt_at for row in held} == {failed_at + timedelta(minutes=30)}
    assert [row.attempt_count for row in held[-5:]] == [0] * 5
    assert held[-1].error.startswith("channel quarantined until ")
    assert places.addresses().count(GOOD) == 8


def test_a_quarantine_does_not_renew_itself(box, places, clock):
    fail(box, places, clock, 3)
    before = state(box, DEAD)
    for _minute in range(29):
        clock.advance(timedelta(minutes=1))
        box.raise_one()
        run(box, places)

    assert state(box, DEAD) == before
    clock.advance(timedelta(minutes=2))
    places.behave[DEAD] = answered(200)
    run(box, places)
    assert state(box, DEAD).consecutive_failures == 0
    assert {row.status for row in rows(box, DEAD)} == {"success"}


def test_all_channels_dead_for_a_week_then_back_and_nothing_is_lost(box, places, clock):
    places.behave |= {GOOD: answered(503), DEAD: answered(410)}
    for hour in range(7 * 24):
        if hour < 40:
            box.raise_one(number=hour)
        run(box, places)
        clock.advance(timedelta(hours=1))
    before = len(places.seen)
    assert before < 2 * 7 * 24 * 4
    places.behave.clear()
    for _hour in range(8):
        run(box, places)
        clock.advance(timedelta(hours=1))

    lost = [row.id for row in rows(box) if row.status != "success"]
    # The two that a channel which was fine refused for good, before anything was wrong with it.
    assert len(lost) <= 3
    assert all(row.channel == channel("webhook", DEAD).key for row in rows(box) if row.id in lost)
    arrived = [(address, payload["number"]) for address, _id, payload in places.seen[before:]]
    assert len(set(arrived)) == len(arrived)


def test_a_message_that_a_healthy_channel_refuses_for_good_is_given_up(box, places):
    places.behave[DEAD] = answered(410)
    box.raise_one()
    run(box, places)

    assert rows(box, DEAD)[0].status == "dead"


def test_one_success_heals_the_state_that_dispatch_uses_and_lets_out_what_was_held_back(box, places, clock, make_ctx):
    fail(box, places, clock, 3)
    box.raise_one()
    run(box, places)
    places.behave.clear()
    ctx = make_ctx("owner")
    ctx.config = box.config
    with delivery.sending_with(places):
        probed = guard.recover(ctx, DEAD, note="다시 확인")
        ctx.commit()
    clock.advance(timedelta(minutes=1))
    run(box, places)

    assert (probed.before.state, probed.after.state, probed.probe_status) == ("quarantined", "healthy", "success")
    address, _id, payload = next(one for one in places.seen if one[2].get("event") == guard.SINGLE)
    assert (address, payload["note"], "probe" in payload) == (DEAD, "다시 확인", False)
    assert {row.status for row in rows(box, DEAD)} == {"success"}
    trial = next(row for row in rows(box) if row.probe)
    assert (trial.id, trial.payload_json["probe"], trial.event_type) == (
        *(probed.probe_delivery_id, True),
        guard.SINGLE,
    )


def test_a_trial_tries_as_often_as_the_settings_say_and_counts_once(box, places, clock, make_ctx):
    fail(box, places, clock, 1)
    places.seen.clear()
    ctx = make_ctx("owner")
    ctx.config = box.config
    pauses = []
    with delivery.sending_with(places):
        done = guard.probe(ctx, [(channel("webhook", DEAD), "test", {"event": "x"})], sleep=pauses.append)

    assert (len(places.seen), pauses, done[0].status) == (3, [0.5, 1.0], "failed")
    assert state(box, DEAD).consecutive_failures == 2


def test_only_configured_channels_are_tried(make_ctx, box, places):
    ctx = make_ctx("owner")
    ctx.config = box.config
    with delivery.sending_with(places):
        for target in ("http://169.254.169.254/latest", "file:///etc/passwd", "webhook-000000000000"):
            with pytest.raises(NotFound):
                guard.recover(ctx, target)
        with pytest.raises(BadRequest):
            guard.recover(ctx, "   ")
    assert places.seen == []


def test_a_masked_address_names_a_channel_only_while_it_is_the_only_one(make_ctx, box):
    ctx = make_ctx("owner")
    ctx.config = box.config.replaced(ALERT_WEBHOOK_URLS="https://a.test/1;https://a.test/2;https://b.test/3")

    assert guard.find(ctx, "https://b.test/…").address == "https://b.test/3"
    with pytest.raises(NotFound):
        guard.find(ctx, "https://a.test/…")


def test_who_may_try_channels(make_ctx, box):
    for role, sites, refusal in (
        ("operator", ("*",), PermissionDenied),
        ("auditor", ("*",), PermissionDenied),
        ("manager", ("본관",), GlobalScopeRequired),
    ):
        with pytest.raises(refusal):
            guard.recover(make_ctx(role, sites), DEAD)


def test_failures_become_incidents_that_the_next_success_ends(box, places, clock):
    fail(box, places, clock, 2)
    clock.advance(timedelta(minutes=10))
    places.behave.clear()
    run(box, places)

    with box.work() as ctx:
        found = ctx.session.scalars(select(AlertIncident).order_by(AlertIncident.event_type)).all()
        assert [(one.event_type, one.failure_count, one.ended_at) for one in found] == [
            ("", 2, clock.now()),
            ("test_event", 2, clock.now()),
        ]
        seen = figures.mttr(ctx).windows[0]
        assert (seen.incident_count, seen.recovered_incidents, seen.mttr_minutes) == (1, 1, 10.03)
        assert figures.mttr(ctx, event_type="other").windows[0].incident_count == 0


def test_figures_leave_trials_and_what_was_not_tried_out(box, places, clock, make_ctx):
    fail(box, places, clock, 1)
    box.raise_one()
    ctx = make_ctx("owner")
    ctx.config = box.config
    with delivery.sending_with(places):
        guard.recover(ctx, GOOD)
        ctx.commit()
        seen = figures.kpi(ctx).windows[0]

    assert (seen.total_deliveries, seen.success_count, seen.failed_count, seen.success_rate_percent) == (2, 1, 1, 50.0)
    assert sum(one.total_deliveries for one in seen.channels) == 2
    assert "secret" not in json.dumps([one.target for one in seen.channels])


def test_the_published_example_of_the_figures(box, places, clock, make_ctx):
    key_a, key_b = (channel("webhook", one) for one in (GOOD, DEAD))
    seeds = [(1, key_a, "success"), (2, key_a, "failed"), (8, key_b, "warning"), (20, key_b, "success")]
    with box.work() as ctx:
        for at, one, status in [*seeds, (31, key_a, "success")]:
            made = alerts.raise_alert(ctx, "test_event", {}, targets=[one]).delivery_ids[0]
            values = {"status": status, "last_attempt_at": clock.now() - timedelta(days=at), "attempt_count": 1}
            ctx.session.execute(update(AlertDelivery).where(AlertDelivery.id == made).values(**values))
        week, month = figures.kpi(ctx).windows

    assert (week.total_deliveries, week.success_rate_percent) == (2, 50.0)
    assert (month.total_deliveries, month.success_count, month.warning_count, month.failed_count) == (4, 2, 1, 1)
    assert month.success_rate_percent == 50.0


def test_figures_and_guard_ask_the_database_a_few_times(box, places, clock, engine):
    fail(box, places, clock, 3)
    with box.work() as ctx:
        for look, most in ((figures.kpi, 4), (figures.mttr, 1), (guard.snapshot, 3)):
            with statements(engine) as seen:
                look(ctx)
            assert len(seen) == most, (look, seen)


def test_the_guard_tells_all_configured_channels_worst_first(box, places, clock, make_ctx):
    fail(box, places, clock, 3)
    ctx = make_ctx("owner")
    ctx.config = box.config.replaced(ALERT_WEBHOOK_URLS=f"{GOOD};{DEAD};{SLOW}")
    seen = guard.snapshot(ctx, max_targets=2)

    assert [one.state for one in seen.channels] == ["quarantined", "healthy"]
    summary = seen.summary
    assert (summary.status, summary.target_count, summary.healthy_count, summary.returned_count) == (
        "critical",
        3,
        2,
        2,
    )
    assert seen.channels[0].remaining_quarantine_minutes == 30
    assert len(seen.policy.recovery_steps) == 3
    ctx.config = ctx.config.replaced(ALERT_CHANNEL_GUARD_ENABLED=False)
    off = guard.snapshot(ctx)
    assert (off.summary.status, off.channels[0].state, off.channels[0].state_computed) == (
        *("warning", "disabled"),
        "quarantined",
    )
    # A channel that is no longer configured is nobody's worry.
    ctx.config = ctx.config.replaced(ALERT_WEBHOOK_URLS=GOOD)
    assert [one.target for one in guard.snapshot(ctx).channels] == ["https://good.test/…"]


def test_a_dead_and_a_slow_channel_delay_no_other(engine, clock, config, places):
    """The two that hang answer only once all others have everything: where one waited for them, nothing would end."""
    quick = [f"https://quick{number}.test/" for number in range(3)]
    box = Outbox(engine, clock, config.replaced(ALERT_WEBHOOK_URLS=";".join([*quick, DEAD, SLOW])))
    everything, arrived = threading.Event(), []

    def hang(made):
        def behave():
            assert everything.wait(60)
            return made

        return behave

    def quickly():
        arrived.append(1)
        if len(arrived) == 30 * len(quick):
            everything.set()
        return answered(200)

    places.behave |= dict.fromkeys(quick, quickly)
    places.behave[DEAD] = hang(Sent(error="webhook url error: timed out", retryable=True))
    places.behave[SLOW] = hang(answered(200))
    for number in range(30):
        box.raise_one(number=number)
    run(box, places)

    assert all(row.status == "success" for one in (*quick, SLOW) for row in rows(box, one))
    assert {row.status for row in rows(box, DEAD)} <= {"warning", "failed"}
    assert places.addresses().count(DEAD) <= 6


def test_a_run_ends_in_time_and_gives_back_what_it_did_not_send(box, places, monkeypatch):
    monkeypatch.setattr(lanes, "time", SimpleNamespace(monotonic=lambda: len(places.seen) / 10))
    for _number in range(30):
        box.raise_one()
    done = run(box, places, lasts=0.5)

    assert 0 < done.processed_count < 60
    waiting = [row for row in rows(box) if row.status == "queued"]
    assert len(waiting) == 60 - done.processed_count
    assert {(row.attempt_count, row.lease_token) for row in waiting} == {(0, None)}


def test_attempts_that_end_at_once_count_one_after_another(box):
    one, done = channel("webhook", DEAD), []

    def note():
        with box.work() as ctx:
            done.append(states.noted(ctx, one, answered(500), event_type="test_event"))

    threads = [threading.Thread(target=note) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(done) == [0, 1, 2, 3, 4, 5]
    with box.work() as ctx:
        assert ctx.session.get_one(AlertChannelState, one.key).consecutive_failures == 6
        assert len(ctx.session.scalars(select(AlertIncident)).all()) == 2


def test_a_trial_whose_worker_died_reads_so_and_is_not_sent_by_anybody(box, places, make_ctx):
    ctx = make_ctx("owner")
    ctx.config = box.config

    class Dies:
        def send(self, *_args):
            raise SystemExit

    with delivery.sending_with(Dies()), pytest.raises(SystemExit):
        guard.probe(ctx, [(channel("webhook", GOOD), "test", {"event": "x"})])
    run(box, places)

    assert places.seen == []
    assert [(row.status, row.error, row.probe) for row in rows(box)] == [("failed", guard.UNFINISHED, True)]
    with box.work() as ctx:
        assert ctx.session.scalars(select(AlertAttempt)).all() == []


def test_a_real_receiver_is_tried_with_the_published_message(engine, clock, config, receiver, make_ctx):
    url = f"http://127.0.0.1:{receiver.server_address[1]}/hook/secret"
    ctx = make_ctx("owner")
    ctx.config = config.replaced(ALERT_WEBHOOK_URLS=url, ALERT_ALLOW_PRIVATE_TARGETS=True)
    receiver.behave = answer(200)
    with delivery.sending_with(Sender(ctx.config)):
        guard.recover(ctx, alert_channels.built_in(ctx.config)[0].key, event_type="sla_escalation")
        ctx.commit()

    (headers, body), *_more = receiver.seen
    assert set(body) == {"event", "target", "event_type_scope", "checked_at", "requested_by", "note"}
    assert headers["webhook-id"].startswith("msg_")
    assert "secret" not in json.dumps(body)
