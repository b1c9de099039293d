"""The outbox against a receiver that behaves in every way receivers do."""

import json
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import select
from sqlalchemy.orm import sessionmaker

from console.adapters.webhooks import Sender
from console.core.context import SYSTEM, unit_of_work
from console.core.listing import ListQuery
from console.domain.alerts.alerts import answered, channel
from console.domain.errors import Conflict, NotFound
from console.models.alerts import AlertAttempt, AlertDelivery
from console.services.alerts import channels as alert_channels
from console.services.alerts import claims
from console.services.alerts import delivery as alert_delivery
from console.services.alerts import lists as alert_lists
from console.services.alerts import outbox as alerts

URL = "http://receiver.test:{port}/hook/secret"


def listed(ctx):
    found = alert_lists.listed(ctx, ListQuery())
    return list(found.items), found.total


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((dict(self.headers), json.loads(body)))
        self.server.behave(self)

    def log_message(self, *_args):
        pass


def answer(status, body=b"", **headers):
    def behave(request):
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return behave


@pytest.fixture
def receiver():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.daemon_threads = True
    server.seen, server.behave = [], answer(200)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def outbox(engine, clock, config, receiver):
    url = URL.format(port=receiver.server_address[1])
    return Outbox(engine, clock, config.replaced(ALERT_WEBHOOK_URLS=url, ALERT_ALLOW_PRIVATE_TARGETS=True))


class Outbox:
    def __init__(self, engine, clock, config):
        self.factory, self.clock, self.config = sessionmaker(engine), clock, config

    @contextmanager
    def work(self):
        with unit_of_work(self.factory, actor=SYSTEM, clock=self.clock, config=self.config) as ctx:
            yield ctx

    def raise_one(self, **payload):
        with self.work() as ctx:
            return alerts.raise_alert(ctx, "test_event", {"event": "test_event", **payload})

    def deliver(self, look_up=lambda _host, _port: ["127.0.0.1"], **settings):
        config = self.config.replaced(**settings)
        with self.work() as ctx:
            known = {one.key: one for one in alert_channels.built_in(config)}
            assert ctx is not None
        sender = Sender(config, look_up=look_up)
        return alert_delivery.deliver(self.work, sender, known, most_attempts=3, chance=lambda: 0.5)

    def only(self):
        with self.work() as ctx:
            found, total = listed(ctx)
            assert total == 1
            return alerts.get(ctx, found[0].id)


def test_an_alert_is_there_only_with_its_cause(outbox):
    def fail():
        with outbox.work() as ctx:
            alerts.raise_alert(ctx, "test_event", {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    with outbox.work() as ctx:
        assert listed(ctx) == ([], 0)


def test_nobody_to_tell_is_an_error_and_no_row(engine, clock, config):
    with unit_of_work(sessionmaker(engine), actor=SYSTEM, clock=clock, config=config) as ctx:
        raised = alerts.raise_alert(ctx, "test_event", {})
        assert (raised.queued, raised.error, raised.state) == (0, "no_targets", "failed")
        assert listed(ctx)[1] == 0


def test_a_delivered_alert_is_signed_and_on_record(outbox, receiver):
    outbox.config = outbox.config.replaced(ALERT_SIGNING_SECRET="whsec_c2VjcmV0")
    outbox.raise_one(text="변전실", count=2)

    found = outbox.deliver()

    headers, body = receiver.seen[0]
    delivery = outbox.only()
    assert (found.processed_count, found.success_count) == (1, 1)
    assert body == {"event": "test_event", "text": "변전실", "count": 2}
    assert headers["webhook-id"] == delivery.message_id
    assert headers["webhook-signature"].startswith("v1,")
    assert (delivery.status, delivery.attempt_count, delivery.next_attempt_at) == ("success", 1, None)
    assert [one.status_code for one in delivery.attempts] == [200]
    assert "secret" not in delivery.target


@pytest.mark.parametrize(
    ("behave", "status", "error"),
    [
        (answer(500), "failed", "webhook returned status 500"),
        (answer(429, Retry_After="120"), "failed", "webhook returned status 429"),
        (answer(410), "dead", "webhook returned status 410"),
        (
            answer(302, Location="http://127.0.0.1:1/"),
            "dead",
            "webhook returned status 302 (redirects are not followed)",
        ),
    ],
)
def test_what_an_answer_means(outbox, receiver, clock, behave, status, error):
    receiver.behave = behave
    outbox.raise_one()
    outbox.deliver()

    delivery = outbox.only()
    assert (delivery.status, delivery.error, len(receiver.seen)) == (status, error, 1)
    pause = {429: timedelta(seconds=120), 500: timedelta(seconds=30)}.get(delivery.attempts[0].status_code)
    assert delivery.next_attempt_at == (clock.now() + pause if pause else None)


def test_after_its_last_attempt_a_delivery_is_given_up_and_a_person_may_send_it_again(outbox, receiver, clock):
    receiver.behave = answer(503)
    outbox.raise_one()
    for _attempt in range(5):
        outbox.deliver()
        clock.advance(timedelta(hours=7))
    assert outbox.only().status == "dead"
    assert len(receiver.seen) == 3
    assert len({headers["webhook-id"] for headers, _body in receiver.seen}) == 1

    receiver.behave = answer(200)
    with outbox.work() as ctx:
        alerts.retry(ctx, outbox_id(ctx))
    outbox.deliver()
    assert outbox.only().status == "success"
    with outbox.work() as ctx, pytest.raises(Conflict):
        alerts.retry(ctx, outbox_id(ctx))


def outbox_id(ctx):
    return listed(ctx)[0][0].id


def test_a_receiver_that_hangs_or_floods_is_left_in_time(outbox, receiver):
    left = threading.Event()
    receiver.behave = lambda _request: left.wait(60)
    outbox.raise_one()
    outbox.deliver(ALERT_WEBHOOK_TIMEOUT_SEC=0.3)
    left.set()
    assert outbox.only().error == "webhook url error: timed out"

    receiver.behave = answer(200, b"x" * 5_000_000)
    outbox.clock.advance(timedelta(minutes=5))
    outbox.deliver()
    assert outbox.only().status == "success"


def test_a_name_that_turns_to_a_private_address_is_refused_when_connecting(outbox, receiver):
    looks = []

    def turning(_host, _port):
        looks.append(1)
        return ["93.184.216.34"] if len(looks) > 1 else ["10.0.0.7"]

    outbox.raise_one()
    outbox.deliver(look_up=turning, ALERT_ALLOW_PRIVATE_TARGETS=False)

    delivery = outbox.only()
    assert (delivery.status, len(looks), receiver.seen) == ("dead", 1, [])
    assert "private network" in delivery.error


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "169.254.169.254", "192.168.1.1", "::ffff:10.0.0.1", "100.64.0.1"]
)
def test_addresses_inside_are_never_connected(outbox, receiver, address):
    outbox.raise_one()
    outbox.deliver(look_up=lambda _host, _port: ["93.184.216.34", address], ALERT_ALLOW_PRIVATE_TARGETS=False)

    assert (outbox.only().status, receiver.seen) == ("dead", [])


def test_a_worker_that_dies_after_sending_repeats_once_under_the_same_id(outbox, receiver, clock):
    outbox.raise_one()
    with outbox.work() as ctx:
        claimed = claims.claim(ctx)
    sender = Sender(outbox.config, look_up=lambda _host, _port: ["127.0.0.1"])
    known = channel("webhook", outbox.config["ALERT_WEBHOOK_URLS"])
    sender.send(known, claimed[0].message_id, claimed[0].payload, clock.now())

    outbox.deliver()
    assert len(receiver.seen) == 1  # the lease still holds
    clock.advance(claims.LEASE + timedelta(seconds=1))
    outbox.deliver()
    outbox.deliver()

    assert [headers["webhook-id"] for headers, _body in receiver.seen] == [claimed[0].message_id] * 2
    assert outbox.only().status == "success"


def test_two_workers_never_claim_the_same_message(outbox):
    for number in range(20):
        outbox.raise_one(number=number)
    taken, lock = [], threading.Lock()

    def work():
        while True:
            with outbox.work() as ctx:
                mine = claims.claim(ctx, most=3)
            if not mine:
                return
            with lock:
                taken.extend(one.id for one in mine)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == sorted(set(taken))
    assert len(taken) == 20


def test_a_channel_that_is_gone_is_given_up(outbox, receiver):
    outbox.raise_one()
    outbox.deliver(ALERT_WEBHOOK_URLS="")

    assert (outbox.only().status, outbox.only().error) == ("dead", "the channel is no longer configured")


def test_other_sites_alerts_do_not_exist(outbox, make_ctx):
    with outbox.work() as ctx:
        alerts.raise_alert(ctx, "test_event", {}, site="푸른숲 타워")
        hidden = ctx.session.scalar(select(AlertDelivery.id))
    scoped = make_ctx("manager", ("한빛마을",))

    assert listed(scoped) == ([], 0)
    with pytest.raises(NotFound):
        alerts.get(scoped, hidden)
    with pytest.raises(NotFound):
        alerts.retry(scoped, hidden)


def test_a_message_about_all_sites_shows_each_reader_their_own_items(outbox, make_ctx):
    items = [{"id": 1, "site": "푸른숲 타워"}, {"id": 2, "site": "한빛마을"}, {"id": 3, "site": None}, {"id": 4}]
    with outbox.work() as ctx:
        alerts.raise_alert(ctx, "test_event", {"count": 4, "items": items, "assignees": [{"assignee": "kim"}]})
    scoped, owner = make_ctx("manager", ("한빛마을",)), make_ctx("owner")

    (mine,), _total = listed(scoped)
    (every,), _total = listed(owner)

    assert [one["id"] for one in mine.payload["items"]] == [2, 3]
    assert ("assignees" in mine.payload, mine.payload["count"]) == (False, 4)
    assert alerts.get(scoped, mine.id).payload == mine.payload
    assert ([one["id"] for one in every.payload["items"]], len(every.payload["assignees"])) == ([1, 2, 3, 4], 1)


def test_attempts_are_rows(outbox, receiver, clock):
    receiver.behave = answer(500)
    outbox.raise_one()
    outbox.deliver()
    clock.advance(timedelta(minutes=10))
    receiver.behave = answer(200)
    outbox.deliver()

    with outbox.work() as ctx:
        rows = ctx.session.scalars(select(AlertAttempt).order_by(AlertAttempt.id)).all()
        assert [(row.number, row.status_code) for row in rows] == [(1, 500), (2, 200)]


def test_a_replay_answers_itself_and_nothing_leaves(engine, config, clock):
    own = config.replaced(ALERT_SLACK_URLS="https://hooks.slack.example/nowhere")
    sent = []

    class Answers:
        def send(self, channel, message_id, payload, at):
            sent.append((channel.kind, payload))
            return answered(200)

    with unit_of_work(sessionmaker(engine), actor=SYSTEM, clock=clock, config=own) as ctx:
        alerts.raise_alert(ctx, "anything", {"a": 1})
        ctx.commit()
        with alert_delivery.sending_with(Answers()):
            assert alert_delivery.deliver_due(ctx, limit=10).success_count == 1

    assert sent == [("slack", {"a": 1})]
