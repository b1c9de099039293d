"""Alerts on burning budgets: told once when they begin, once when they end, and nobody told is said."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from console.core.config import Config
from console.models.alerts import AlertDelivery
from console.models.audit import AuditLog
from console.models.reliability import BurnAlert
from console.services.reliability import burn_alerts, latency
from console.services.reliability.latency import Sample

KEY = "GET /health"
HOOK = "https://alerts.example.com/secret-path"


@pytest.fixture
def config(tmp_path):
    return Config.for_tests(DATA_DIR=str(tmp_path / "data"), ALERT_WEBHOOK_URLS=HOOK)


def _store(ctx, count, ms, minutes_ago):
    at = ctx.now() - timedelta(minutes=minutes_ago)
    latency.store(ctx, [Sample(KEY, "GET", "/health", ms, 200, False, at)] * count)


def _burn(ctx):
    for minutes in (2, 20, 40):
        _store(ctx, 20, 800.0, minutes)


def _told(ctx):
    rows = ctx.session.scalars(select(AlertDelivery).order_by(AlertDelivery.id))
    return [(row.payload_json["rule"], row.payload_json["state"]) for row in rows]


def test_a_burn_is_told_once_however_often_it_is_looked_at(ctx, clock):
    _burn(ctx)
    first = burn_alerts.check(ctx)
    clock.advance(timedelta(minutes=1))
    again = burn_alerts.check(ctx)

    assert first.begun == (f"{KEY} · fast", f"{KEY} · slow")
    assert (first.notified_count, first.notify_error, again.begun, again.notified_count) == (2, None, (), 0)
    assert _told(ctx) == [("fast", "begun"), ("slow", "begun")]
    row = ctx.session.scalars(select(BurnAlert)).first()
    assert (row.told_json[0]["target"], row.short_burn) == ("https://alerts.example.com/…", 20.0)


def test_the_end_is_told_once_after_a_quarter_of_an_hour_of_quiet(ctx, clock):
    _burn(ctx)
    burn_alerts.check(ctx)
    for _ in range(5):
        clock.advance(timedelta(minutes=5))
        burn_alerts.check(ctx)
    fast = ctx.session.scalars(select(BurnAlert).where(BurnAlert.rule == "fast")).one()
    ctx.session.refresh(fast)

    # Quiet since the second look five minutes later, when the short window held nothing of it any more.
    assert fast.ended_at == fast.started_at + timedelta(minutes=5)
    assert _told(ctx).count(("fast", "ended")) == 1


def test_a_burn_that_comes_back_within_that_time_has_never_ended(ctx, clock):
    _burn(ctx)
    burn_alerts.check(ctx)
    clock.advance(timedelta(minutes=6))
    burn_alerts.check(ctx)
    _store(ctx, 20, 800.0, 1)
    found = burn_alerts.check(ctx)

    fast = ctx.session.scalars(select(BurnAlert).where(BurnAlert.rule == "fast")).one()
    ctx.session.refresh(fast)
    assert (found.begun, fast.quiet_since, fast.ended_at) == ((), None, None)


def test_without_a_channel_that_nobody_was_told_is_said_and_made_up_for(make_ctx, clock, tmp_path):
    quiet = make_ctx()
    quiet.config = Config.for_tests(DATA_DIR=str(tmp_path / "data"))
    _burn(quiet)
    assert burn_alerts.check(quiet).notify_error == "no_targets"
    assert _told(quiet) == []

    assert burn_alerts.check(make_ctx()).notified_count == 2
    assert _told(quiet) == [("fast", "begun"), ("slow", "begun")]


def test_an_alert_of_a_route_that_is_no_longer_watched_ends(ctx, clock, tmp_path):
    _burn(ctx)
    burn_alerts.check(ctx)
    ctx.config = Config.for_tests(DATA_DIR=str(tmp_path), ALERT_WEBHOOK_URLS=HOOK, API_LATENCY_TARGETS=("GET /meta",))
    burn_alerts.check(ctx)
    clock.advance(timedelta(minutes=20))

    assert burn_alerts.check(ctx).ended == (f"{KEY} · fast", f"{KEY} · slow")


def test_a_dry_look_decides_the_same_and_writes_nothing(ctx):
    _burn(ctx)

    found = burn_alerts.check(ctx, dry_run=True)

    assert (len(found.begun), found.notified_count) == (2, 0)
    assert ctx.session.scalar(select(func.count()).select_from(BurnAlert)) == 0
    assert _told(ctx) == []


def test_one_entry_of_the_audit_log_per_look_that_changed_something(ctx):
    _burn(ctx)
    burn_alerts.check(ctx)
    burn_alerts.check(ctx)
    ctx.commit()

    actions = ctx.session.scalars(select(AuditLog.action)).all()
    assert actions == ["ops_api_burn_alert_check"]
