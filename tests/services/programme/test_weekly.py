"""The weekly run of W07: degradation, alert and cooldown, archive, what is read of it, and who may."""

import csv
import io
import json
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from console.domain.errors import Invalid, NotFound, PermissionDenied, SiteDenied
from console.domain.jobs import names as job_names
from console.domain.programme import weekly as rules
from console.domain.programme.catalogue import WEEKS
from console.models.alerts import AlertDelivery
from console.models.archives import StoredFile
from console.models.audit import AuditLog
from console.models.jobs import JobRun
from console.services.programme import package, weekly, weekly_reads
from tests.factories import make_site
from tests.factories.programme import OTHER, SITE, answered, completed, delivery

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOOK = "https://hooks.example/secret-token"
METRICS = {
    "created_work_orders": 10,
    "escalation_rate_percent": 0.0,
    "alert_success_rate_percent": None,
    "sla_violation_rate_percent": 0.0,
    "data_quality_gate_pass": True,
    "response_time_improvement_percent": None,
}


def judged(**values):
    return rules.degradation({**METRICS, **values}, escalation=30.0, alert_success=95.0)


def test_what_is_degraded_and_why():
    assert judged().reasons == ()
    assert judged(escalation_rate_percent=30.0).reasons == ("escalation_rate",)
    assert judged(alert_success_rate_percent=94.99).reasons == ("alert_success_rate",)
    assert judged(sla_violation_rate_percent=29.9).reasons == ()
    assert judged(sla_violation_rate_percent=30.0).reasons == ("sla_violation_rate",)
    assert judged(data_quality_gate_pass=False).reasons == ("data_quality_gate",)
    assert judged(response_time_improvement_percent=-0.01).reasons == ("response_time_worse",)
    # Nothing known is no degradation, whatever the limits.
    nothing = {**METRICS, "created_work_orders": 0}
    assert not rules.degradation(nothing, escalation=0.0, alert_success=100.0).degraded
    low = rules.degradation(METRICS, escalation=5.0, alert_success=95.0)
    assert low.thresholds["sla_violation_rate_percent"] == 10.0


def test_the_cooldown_counts_whole_minutes(clock):
    now = clock.now()
    assert rules.remaining_minutes(None, now, 180) == 0
    assert rules.remaining_minutes(now, now, 180) == 180
    assert rules.remaining_minutes(now - timedelta(minutes=179, seconds=1), now, 180) == 1
    assert rules.remaining_minutes(now - timedelta(minutes=180), now, 180) == 0


@pytest.fixture
def channel(config):
    config._values["ALERT_WEBHOOK_URL"] = HOOK


@pytest.fixture
def bad(session, clock):
    """Orders at one site that all escalated."""
    for _number in range(3):
        completed(session, clock.now() - DAY, 60, is_escalated=True)
    session.commit()


def produced(ctx, **values):
    made = weekly.produce(ctx, **{"write_archive": False, **values})
    ctx.session.commit()
    return made


def test_a_good_week_tells_nobody(ctx, session, clock, channel):
    answered(session, clock.now() - DAY, 10)
    session.commit()
    made, status = produced(ctx)
    assert (status, made.degradation.degraded, made.alert_attempted, made.alert_channels) == (
        "success",
        False,
        False,
        (),
    )
    assert session.scalar(select(AlertDelivery.id)) is None


def test_a_degradation_is_told_once_in_its_time(ctx, session, clock, channel, bad):
    first, status = produced(ctx, site=SITE)
    assert (status, first.alert_dispatched, first.degradation.reasons) == ("warning", True, ("escalation_rate",))
    row = session.scalars(select(AlertDelivery)).one()
    assert (row.event_type, row.site) == ("adoption_w07_quality_degradation", SITE)
    assert set(row.payload_json) == {
        *("event", "site", "checked_at", "window_days", "signals", "thresholds", "reasons", "metrics"),
    }
    clock.advance(timedelta(minutes=10))
    second, status = produced(ctx, site=SITE)
    assert (status, second.alert_attempted, second.cooldown_active) == ("warning", False, True)
    assert (second.cooldown_remaining_minutes, second.last_alert_at) == (170, row.created_at)
    # All sites are another subject, and whoever insists is heard.
    assert produced(ctx)[0].alert_dispatched
    assert (
        session.scalars(select(AlertDelivery).order_by(AlertDelivery.id.desc())).first().payload_json["site"] == "ALL"
    )
    assert produced(ctx, site=SITE, force_notify=True)[0].alert_dispatched


def test_what_failed_told_nobody(ctx, session, clock, channel, bad):
    delivery(session, clock.now() - HOUR, "failed", event_type="adoption_w07_quality_degradation")
    delivery(session, clock.now() - HOUR, "dead", event_type="adoption_w07_quality_degradation")
    session.commit()
    made, _status = produced(ctx, site=SITE)
    assert (made.cooldown_active, made.alert_dispatched) == (False, True)


def test_without_a_channel_it_is_critical(ctx, bad):
    made, status = produced(ctx, site=SITE)
    assert (status, made.alert_attempted, made.alert_dispatched, made.alert_error) == (
        *("critical", True, False, "no_targets"),
    )


def test_switched_off_alerts_are_silent(ctx, config, bad, channel):
    config._values["W07_QUALITY_ALERT_ENABLED"] = False
    made, status = produced(ctx, site=SITE)
    assert (status, made.alert_enabled, made.alert_attempted) == ("warning", False, False)


def test_the_window_has_bounds(ctx, config):
    assert produced(ctx, days=7)[0].window_days == 7
    config._values["W07_QUALITY_ALERT_MIN_WINDOW_DAYS"] = 21
    assert produced(ctx, days=7)[0].window_days == 21
    assert produced(ctx, days=90)[0].window_days == 90


def test_the_archive_is_kept_with_its_name_only(ctx, session, config):
    made, _status = produced(ctx, site=SITE, write_archive=None)
    assert made.archive_file == "w07-sla-quality-weekly-본관-20260302T000000Z.csv"
    stored = session.scalars(select(StoredFile)).one()
    assert (stored.kind, stored.filed) == ("w07_weekly", True)
    assert (config.path("W07_WEEKLY_ARCHIVE_PATH") / made.archive_file).read_bytes() == stored.content
    assert stored.content.decode().startswith("run_id,finished_at,site,status,window_days,degraded,")
    assert produced(ctx, site=SITE)[0].archive_file is None
    config._values["W07_WEEKLY_ARCHIVE_ENABLED"] = False
    assert produced(ctx, site=SITE, write_archive=None)[0].archive_file is None


@pytest.mark.parametrize("site", ["가" * 120, "🏢" * 60, "a/../../b🏢", "x" * 120])
def test_the_archive_of_any_site_has_a_name_that_a_folder_takes(ctx, session, config, site):
    made, _status = weekly.produce(ctx, site=site)
    assert made.archive_error is None
    assert [one.name for one in config.path("W07_WEEKLY_ARCHIVE_PATH").iterdir()] == [made.archive_file]


def run(session, at, site, status="success", **detail):
    row = JobRun(
        job_name=job_names.W07_WEEKLY,
        trigger="api",
        status=status,
        state="finished",
        executed=detail.pop("executed", True),
        dry_run=detail.pop("dry_run", False),
        started_at=at,
        finished_at=at,
        requested_at=at,
        detail_json={
            "site": site,
            "window_days": 14,
            "degradation": {"degraded": status != "success"},
            "snapshot": {"metrics": {"escalation_rate_percent": 12.5, "data_quality_gate_pass": True}},
            **detail,
        },
    )
    session.add(row)
    session.flush()
    return row.id


def test_who_sees_which_runs(ctx, make_ctx, session, clock):
    now = clock.now()
    everywhere, here, there = (run(session, now - n * DAY, site) for n, site in ((3, None), (2, SITE), (1, OTHER)))
    run(session, now, SITE, dry_run=True)
    run(session, now, SITE, executed=False)

    def ids(held, site=None, **values):
        return [point.run_id for point in weekly_reads.trends(held, site, limit=26, **values).points]

    assert ids(ctx) == [everywhere]
    assert ids(ctx, include_sites=True) == [everywhere, here, there]
    assert ids(ctx, SITE) == [here]
    one = make_ctx("auditor", (SITE,))
    assert ids(one) == ids(one, SITE) == ids(one, include_sites=True) == [here]
    assert weekly_reads.latest(ctx, None)["run_id"] == everywhere
    assert weekly_reads.latest(one, None)["run_id"] == here
    with pytest.raises(SiteDenied):
        ids(one, OTHER)
    with pytest.raises(NotFound):
        weekly_reads.latest(make_ctx("auditor", ("빈 사업장",)), None)


def test_a_package_holds_the_runs_that_did_their_work(ctx, session, clock):
    now = clock.now()
    here = run(session, now - 2 * DAY, SITE)
    run(session, now - 3 * DAY, OTHER)
    run(session, now, SITE, "warning", dry_run=True)
    run(session, now, SITE, "warning", executed=False)

    with package.build(ctx, WEEKS["w07"], SITE).stream as stream, zipfile.ZipFile(stream) as archive:
        latest, points = (json.loads(archive.read(f"weekly/{name}.json")) for name in ("latest", "trends"))
    assert (latest["run_id"], latest["status"]) == (here, "success")
    assert [point["run_id"] for point in points] == [here]


def test_trends_are_oldest_first_and_the_csv_has_the_published_header(ctx, session, clock):
    for n in range(5):
        run(session, clock.now() - n * DAY, None, "warning" if n == 0 else "success")
    found = weekly_reads.trends(ctx, None, limit=3)
    assert [point.finished_at for point in found.points] == [clock.now() - n * DAY for n in (2, 1, 0)]
    assert (found.point_count, found.points[-1].degraded) == (3, True)
    _site, text = weekly_reads.archive_csv(ctx, None, limit=52)
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == [
        *("run_id", "finished_at", "site", "status", "window_days", "degraded", "escalation_rate_percent"),
        *("alert_success_rate_percent", "sla_violation_rate_percent", "median_ack_minutes", "p90_ack_minutes"),
        *("median_mttr_minutes", "data_quality_gate_pass"),
    ]
    assert len(rows) == 6
    session.commit()
    assert session.scalar(select(AuditLog.action)) == "w07_sla_quality_archive_csv_export"


def test_somebody_of_several_sites_names_one(make_ctx):
    several, single = make_ctx("manager", (SITE, OTHER)), make_ctx("manager", (SITE,))
    with pytest.raises(Invalid):
        weekly.checked_site(several, None)
    with pytest.raises(Invalid):
        weekly.checked_site(make_ctx("manager", ()), None)
    assert weekly.checked_site(single, None) == SITE
    with pytest.raises(SiteDenied):
        weekly.checked_site(single, OTHER)
    with pytest.raises(PermissionDenied):
        weekly.checked_site(make_ctx("auditor"), None)


def test_the_readiness_of_the_automation(ctx, config, session, clock):
    empty = weekly_reads.automation(ctx, None)
    assert {one["id"]: one["status"] for one in empty["checks"]} == {
        "w07_weekly_cron_recent": "warning",
        "w07_alert_channel_config": "warning",
        "w07_latest_quality_state": "warning",
        "w07_archive_write_mode": "ok",
    }
    config._values["ALERT_WEBHOOK_URL"] = HOOK
    make_site(session, SITE, now=clock.now())
    run(session, clock.now() - 8 * DAY, None)
    ready = weekly_reads.automation(ctx, None)
    assert ready["overall_status"] == "ok"
    assert ready["runtime"]["latest_run_recent"]
    # Addresses of channels are secrets, and where files lie is nobody's business.
    assert "secret-token" not in str(ready)
    assert str(config.path("W07_WEEKLY_ARCHIVE_PATH")) not in str(ready)
    assert ready["integration"]["recommended_cron_schedule_utc"] == "30 23 * * 5"
    clock.advance(timedelta(seconds=1))
    assert weekly_reads.automation(ctx, None)["checks"][0]["status"] == "warning"


def test_two_runs_at_once_keep_both_files(at_once, session, clock, sites):
    found = at_once(*(lambda ctx, site=site: weekly.produce(ctx, site=site)[0].archive_file for site in (SITE, OTHER)))

    assert len(set(found)) == 2
    assert session.scalar(select(func.count(StoredFile.id))) == 2
