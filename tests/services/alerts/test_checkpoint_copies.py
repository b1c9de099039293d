"""Copies of audit checkpoints: queued with the signature, and enough to prove what stood in the log."""

import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, select, update

from console.adapters.alert_text import lines
from console.core.listing import ListQuery
from console.domain.alerts.alerts import CHECKPOINT_SIGNED, MAIL, WEBHOOK
from console.models.alerts import AlertDelivery
from console.models.audit import AuditCheckpoint
from console.services.alerts import channels as alert_channels
from console.services.alerts import checkpoint_copies, delivery
from console.services.alerts import lists as alert_lists
from console.services.audit.verify import verify_all
from tests.services.audit.audit_support import Trail, found

URLS = "https://one.example/hook/secret; https://two.example/"


@pytest.fixture
def trail(engine, clock, config):
    settings = {"AUDIT_CHECKPOINT_COPY_URLS": URLS, "AUDIT_CHECKPOINT_COPY_MAIL_TO": "auditor@example.com"}
    return Trail(engine, clock, config.replaced(ALERT_WEBHOOK_URLS="https://alerts.example/", **settings))


def queued(trail):
    with trail.factory() as session:
        return list(session.scalars(select(AlertDelivery).order_by(AlertDelivery.id)))


def test_a_signature_is_queued_for_every_receiver_of_copies_and_for_no_other(trail):
    trail.write(3)

    signed = trail.check(checkpoint_copies.sign)

    copies = queued(trail)
    assert [row.channel.partition("-")[0] for row in copies] == [WEBHOOK, WEBHOOK, MAIL]
    assert {row.event_type for row in copies} == {CHECKPOINT_SIGNED}
    assert "secret" not in "".join(row.target for row in copies)
    payload = copies[0].payload_json
    kept = (trail.config.path("AUDIT_CHECKPOINT_PATH") / signed.file).read_text()
    assert (payload["file"], payload["line"] + "\n", payload["seq"]) == (signed.file, kept, 3)
    assert json.loads(payload["line"])["signature"] == payload["signature"]


def test_nothing_new_to_sign_and_no_receiver_queue_nothing(trail):
    trail.write(3)
    trail.config = trail.config.replaced(AUDIT_CHECKPOINT_COPY_URLS="", AUDIT_CHECKPOINT_COPY_MAIL_TO="")
    assert trail.check(checkpoint_copies.sign).seq == 3
    trail.config = trail.config.replaced(AUDIT_CHECKPOINT_COPY_URLS=URLS)
    assert trail.check(checkpoint_copies.sign).seq is None

    assert queued(trail) == []


def test_a_signature_that_is_undone_takes_its_copies_along(trail):
    trail.write(3)

    def fail(ctx):
        checkpoint_copies.sign(ctx)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        trail.check(fail)

    assert queued(trail) == []


def test_a_copy_betrays_entries_that_were_cut_off_with_every_checkpoint(trail):
    trail.write(6)
    signed = trail.check(checkpoint_copies.sign)
    payload = queued(trail)[0].payload_json
    path = trail.config.path("AUDIT_CHECKPOINT_PATH") / signed.file
    trail.cut(4)
    trail.run(delete(AuditCheckpoint))
    path.unlink()
    assert trail.check(verify_all).chain_ok

    path.write_text(payload["line"] + "\n")

    assert found(trail.check(verify_all)) == [(6, "checkpoint_mismatch")]


def test_the_channels_of_copies_are_found_when_they_are_sent_and_named_in_the_list(trail):
    trail.write(1)
    trail.check(checkpoint_copies.sign)

    with trail.ctx(permissions=("*",)) as ctx:
        known = delivery.channel_map(ctx)
        listed = alert_lists.listed(ctx, ListQuery())
        assert {one.channel for one in listed.items} < set(known)
        assert len(alert_channels.built_in(ctx.config)) == 1


def test_a_mail_says_it_in_words_and_carries_the_line(trail):
    trail.write(2)
    trail.check(checkpoint_copies.sign)
    payload = queued(trail)[0].payload_json

    told = lines(payload, ZoneInfo("Asia/Seoul"))

    assert told == ["감사 로그를 2번 기록까지 서명했습니다", payload["file"], payload["line"]]


def test_copies_that_arrived_long_ago_are_forgotten_and_others_kept(trail):
    trail.write(1)
    trail.check(checkpoint_copies.sign)
    arrived, failed, waits = queued(trail)
    trail.run(
        update(AlertDelivery).where(AlertDelivery.id == arrived.id).values(status="success", next_attempt_at=None),
        update(AlertDelivery).where(AlertDelivery.id == failed.id).values(status="dead", next_attempt_at=None),
    )
    for days, left in ((7, {arrived.id, failed.id, waits.id}), (1, {failed.id, waits.id})):
        trail.clock.advance(timedelta(days=days))
        trail.write(1)
        trail.check(checkpoint_copies.sign)
        assert {row.id for row in queued(trail)} & {arrived.id, failed.id, waits.id} == left
