"""The objective for recoveries: what a breach sets off, and that people are told again when it lasts."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from console.domain.jobs import names as job_names
from console.models.alerts import AlertDelivery
from console.models.jobs import JobRun
from console.services.alerts import delivery, notices, slo
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from tests.services.alerts.test_guard import DEAD, GOOD, Receivers, fail, run
from tests.services.alerts.test_outbox import Outbox


@pytest.fixture
def places():
    return Receivers()


@pytest.fixture
def box(engine, clock, config):
    settings = {"ALERT_MTTR_SLO_MIN_INCIDENTS": 1, "ALERT_MTTR_SLO_THRESHOLD_MINUTES": 30}
    return Outbox(engine, clock, config.replaced(ALERT_WEBHOOK_URLS=f"{GOOD};{DEAD}", **settings))


def check(box, places, make_ctx, *, trigger="api", dry_run=False, **options):
    ctx = make_ctx("owner")
    ctx.config = box.config
    with delivery.sending_with(places):
        job = registry.get(job_names.ALERT_MTTR_SLO)
        return run_engine.execute(ctx, job, options, trigger=trigger, dry_run=dry_run)


@pytest.fixture
def recovered(box, places, clock):
    """One incident of two hours that ended, and one that lasts."""
    fail(box, places, clock, 1)
    clock.advance(timedelta(hours=2))
    places.behave.clear()
    run(box, places)
    fail(box, places, clock, 3)
    clock.advance(timedelta(minutes=1))


def test_a_breach_tries_the_channels_first_and_then_tells(box, places, recovered, make_ctx):
    done = check(box, places, make_ctx)

    detail = done.detail
    assert (done.run.status, detail["breach"], detail["breach_reason"]) == ("warning", True, "mttr")
    assert (detail["window"]["incident_count"], detail["window"]["mttr_minutes"]) == (2, 120.02)
    result = detail["actions"]["auto_recover_result"]
    assert set(result) == {
        *("run_id", "status", "state_filter", "max_targets", "processed_count", "success_count", "failed_count"),
        "skipped_count",
    }
    assert (result["processed_count"], result["failed_count"]) == (1, 1)
    told = detail["actions"]
    assert (told["notify_attempted"], told["notify_dispatched"], told["notify_error"]) == (
        *(True, True),
        "1/2 alert channels failed",
    )
    message = next(payload for _a, _id, payload in places.seen if payload.get("event") == "mttr_slo_breach")
    assert set(message) == {
        *("event", "checked_at", "event_type_scope", "policy", "window", "top_channels", "auto_recover_result")
    }
    assert set(message["policy"]) == {
        *("policy_key", "enabled", "window_days", "threshold_minutes", "min_incidents", "auto_recover_enabled"),
        *("recover_state", "recover_max_targets"),
    }


def test_the_recovery_is_a_run_of_its_own(box, places, recovered, make_ctx, session):
    check(box, places, make_ctx)

    session.rollback()
    run_row = session.scalars(select(JobRun).where(JobRun.job_name == job_names.ALERT_GUARD_RECOVER)).one()
    assert (run_row.trigger, run_row.status, run_row.detail_json["processed_count"]) == ("mttr_slo_auto", "warning", 1)


def test_a_breach_that_lasts_is_told_again_after_the_cooldown_and_not_before(box, places, recovered, make_ctx, clock):
    told = []
    for _hour in range(5):
        actions = check(box, places, make_ctx, trigger="cron").detail["actions"]
        told.append((actions["notify_attempted"], actions["cooldown_active"], actions["cooldown_remaining_minutes"]))
        clock.advance(timedelta(hours=1))

    assert [attempted for attempted, _active, _left in told] == [True, False, True, False, True]
    assert told[1][1:] == (True, 60)
    forced = check(box, places, make_ctx, force_notify=True).detail["actions"]
    assert forced["notify_attempted"]
    assert forced["last_breach_at"] is not None


def test_of_two_checks_at_once_one_tells(box, clock):
    with box.work() as ctx:
        assert notices.claim(ctx, "one", clock.now() - timedelta(hours=2))
    with box.work() as ctx:
        assert not notices.claim(ctx, "one", clock.now() - timedelta(hours=2))
        assert notices.claim(ctx, "two", clock.now() - timedelta(hours=2))


def test_a_dry_run_tells_nobody_and_tries_nothing(box, places, recovered, make_ctx):
    before = len(places.seen)
    detail = check(box, places, make_ctx, dry_run=True).detail

    assert (detail["breach"], detail["actions"]["notify_attempted"], len(places.seen)) == (True, False, before)


def test_nothing_to_tell_is_a_success(box, places, make_ctx):
    done = check(box, places, make_ctx)

    assert (done.run.status, done.detail["breach"], done.detail["window"]["mttr_minutes"]) == ("success", False, None)


def test_a_breach_that_nobody_can_be_told_of_says_so(box, places, recovered, make_ctx, session):
    box.config = box.config.replaced(ALERT_WEBHOOK_URLS="")
    actions = check(box, places, make_ctx).detail["actions"]

    assert (actions["notify_attempted"], actions["notify_dispatched"], actions["notify_error"]) == (
        *(True, False),
        "no_targets",
    )


def test_the_policy_takes_words_as_published(make_ctx, places, box):
    ctx = make_ctx("owner")
    blank = slo.change(ctx, {"notify_event_type": "  ", "threshold_minutes": 0, "min_incidents": "7"})
    cut = slo.change(ctx, {"notify_event_type": "x" * 90, "recover_state": "nonsense"})

    assert (blank.values["notify_event_type"], blank.values["threshold_minutes"], blank.values["min_incidents"]) == (
        *("mttr_slo_breach", 1),
        7,
    )
    assert (len(cut.values["notify_event_type"]), cut.values["recover_state"], cut.revision) == (80, "quarantined", 2)


def test_what_a_message_says_goes_to_the_receivers_alone(box, places, recovered, make_ctx, session):
    check(box, places, make_ctx)
    session.rollback()
    kinds = set(session.scalars(select(AlertDelivery.event_type)))

    assert kinds == {"test_event", "mttr_slo_breach", "alert_guard_recover"}
