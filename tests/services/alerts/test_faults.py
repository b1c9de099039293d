"""Receivers that mean no good, beyond those that merely fail; and what the runbook sees of a stuck outbox."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import update

from console.models.alerts import AlertDelivery
from console.services.runbook import alert_facts
from tests.services.alerts.test_outbox import outbox, receiver
from tests.support.runs import add_run
from tests.support.statements import statements

__all__ = ["outbox", "receiver"]


def drip_status(request):
    for letter in b"HTTP/1.1 200 OK" * 40:
        request.wfile.write(bytes([letter]))
        request.wfile.flush()
        time.sleep(0.1)


def drip_body(request):
    request.send_response(200)
    request.send_header("Content-Length", "10737418240")
    request.end_headers()
    for _number in range(600):
        request.wfile.write(b"x")
        request.wfile.flush()
        time.sleep(0.1)


def quietly(behave):
    def run(request):
        try:
            behave(request)
        except OSError:
            request.close_connection = True

    return run


@pytest.mark.parametrize(("behave", "status"), [(drip_status, "failed"), (drip_body, "success")])
def test_a_receiver_that_drips_holds_nobody_longer_than_agreed(outbox, receiver, behave, status):
    said_all = []

    def drip(request):
        behave(request)
        said_all.append(request)

    receiver.behave = quietly(drip)
    outbox.raise_one()

    outbox.deliver(ALERT_WEBHOOK_TIMEOUT_SEC=0.5)

    assert said_all == []
    delivery = outbox.only()
    assert delivery.status == status
    assert delivery.error == ("webhook url error: timed out" if status == "failed" else None)


def test_an_answer_of_ten_gigabytes_is_not_read(outbox, receiver):
    sent = []

    def flood(request):
        request.send_response(200)
        request.send_header("Content-Length", "10737418240")
        request.end_headers()
        for _number in range(10_000):
            request.wfile.write(b"x" * 65_536)
            sent.append(65_536)

    receiver.behave = quietly(flood)
    outbox.raise_one()
    outbox.deliver()

    assert outbox.only().status == "success"
    assert sum(sent) < 64 * 1024 * 1024


def test_the_runbook_sees_what_does_not_leave(outbox, engine):
    for _number in range(3):
        outbox.raise_one()
    outbox.clock.advance(timedelta(minutes=20))

    with outbox.work() as ctx, statements(engine) as seen:
        facts = alert_facts.facts(ctx)

    assert len(seen) == 1
    assert (facts.due_count, facts.now - facts.oldest_due_at, facts.dead_count) == (3, timedelta(minutes=20), 0)
    outbox.deliver()
    with outbox.work() as ctx:
        ctx.session.execute(update(AlertDelivery).where(AlertDelivery.id == 1).values(status="dead"))
        after = alert_facts.facts(ctx)
    assert (after.due_count, after.oldest_due_at, after.dead_count) == (0, None, 1)


def test_the_runbook_counts_what_may_be_tried_again(outbox):
    for _number in range(4):
        outbox.raise_one()
    with outbox.work() as ctx:
        states = {"status": "failed"}, {"status": "warning"}, {"status": "failed", "attempt_count": 10}
        for number, values in enumerate(states, start=1):
            ctx.session.execute(update(AlertDelivery).where(AlertDelivery.id == number).values(**values))
        at = ctx.now()
        add_run(ctx.session, at, "alert_retry")
        add_run(ctx.session, at + timedelta(hours=1), "alert_retry", dry_run=True)
        soon = alert_facts.facts(ctx)
    outbox.clock.advance(timedelta(seconds=30))
    with outbox.work() as ctx:
        later = alert_facts.facts(ctx)

    assert (soon.pending_count, later.pending_count) == (0, 2)
    assert later.retried_at == at + timedelta(seconds=2)
