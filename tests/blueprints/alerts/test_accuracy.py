"""The accuracy of alerts over the API and on its page; marks that people set."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from console.core.context import SYSTEM, Context, start_writing
from console.domain.jobs import names as job_names
from console.models.alerts import AlertFinding, AlertMark
from console.models.audit import AuditLog
from console.models.jobs import JobRun
from console.services.alerts import outbox

API = "/api/ops/alerts"
NOW = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIGURES = ["generated_at", "window_days", "window_start", "schedule_since", "standing", "weeks_above"]


@pytest.fixture
def delivery(session, clock, config):
    configured = config.replaced(ALERT_WEBHOOK_URLS="https://a.example/x; https://b.example/x")
    ctx = Context(session, clock, SYSTEM, configured)
    start_writing(session)
    raised = outbox.raise_alert(ctx, "sla_escalation", {"event": "sla_escalation"})
    ctx.commit()
    return raised.delivery_ids


def count(session, table):
    session.rollback()
    return session.scalar(select(func.count()).select_from(table))


def test_before_the_first_comparison_there_is_none(api):
    assert api("owner").get(f"{API}/accuracy/latest").status_code == 404


def test_a_comparison_answers_its_run_and_its_figures_and_is_the_latest(api):
    owner = api("owner")

    made = owner.post(f"{API}/accuracy/run")
    latest = owner.get(f"{API}/accuracy/latest")

    assert made.status_code == 200
    keys = ["run_id", "job_name", "trigger", "status", "started_at", "finished_at"]
    assert list(made.json)[:12] == [*keys, *FIGURES]
    assert made.json["job_name"] == job_names.ALERT_ACCURACY
    assert (made.json["missed_percent"], made.json["false_percent"]) == (None, None)
    assert latest.json == made.json


def test_the_noise_policy_tells_what_was_measured(api):
    owner = api("owner")
    before = owner.get(f"{API}/noise-policy").json
    made = owner.post(f"{API}/accuracy/run").json
    after = owner.get(f"{API}/noise-policy").json

    assert list(before)[:7] == [
        *("version", "generated_at", "review_window_days", "false_positive_threshold_percent"),
        *("false_negative_threshold_percent", "policy_doc_path", "evaluation"),
    ]
    assert (before["measured_at"], before["false_positive_rate_percent"]) == (None, None)
    assert (after["measured_run_id"], after["weeks_above"]) == (made["run_id"], 0)


def test_marks_count_in_the_next_comparison_and_are_its_rows(api, session, clock, delivery):
    owner = api("owner")
    clock.advance(HOUR)
    marked = owner.post(f"{API}/deliveries/{delivery[0]}/false", json={"reason": "훈련이었다"})
    missed = owner.post(
        f"{API}/missed", json={"what": "펌프 정지", "happened_at": "2026-03-01T22:00:00Z", "reason": "입주자가 알렸다"}
    )

    made = owner.post(f"{API}/accuracy/run").json
    found = owner.get(f"{API}/accuracy/findings?figure=missed").json

    assert (marked.status_code, missed.status_code) == (200, 200)
    assert made["labels"]["marked_false"] == 1
    assert made["labels"]["recorded_missed"] == 1
    assert (made["false_count"], made["false_percent"]) == (0, None) or made["false_count"] == 1
    assert [(one["label"], one["detail"]["what"]) for one in found] == [("recorded_missed", "펌프 정지")]
    assert made["standing"] == "warning"
    assert count(session, AlertFinding) == made["kept_count"]


def test_an_alert_is_marked_once_for_all_its_channels(api, session, delivery):
    owner = api("owner")
    first = owner.post(f"{API}/deliveries/{delivery[0]}/false", json={"reason": "no cause"})
    second = owner.post(f"{API}/deliveries/{delivery[1]}/false", json={"reason": "no cause"})

    assert (first.status_code, second.status_code) == (200, 409)
    assert count(session, AlertMark) == 1
    actions = session.scalars(select(AuditLog.action).where(AuditLog.action.like("alert_mark%"))).all()
    assert actions == ["alert_mark_false"]


def test_a_mark_is_taken_back_at_its_version_only(api, session, delivery):
    owner = api("owner")
    mark = owner.post(f"{API}/deliveries/{delivery[0]}/false", json={"reason": "no cause"}).json
    address = f"{API}/marks/{mark['id']}/withdraw"

    stale = owner.post(address, json={"version": 2, "reason": "it was real"})
    done = owner.post(address, json={"version": 1, "reason": "it was real"})
    again = owner.post(address, json={"version": 2, "reason": "it was real"})

    assert [stale.status_code, done.status_code, again.status_code] == [409, 200, 409]
    assert done.json["version"] == 2
    assert owner.post(f"{API}/deliveries/{delivery[1]}/false", json={"reason": "again"}).status_code == 200


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("missed", {"what": "x", "happened_at": "2026-03-01T22:00:00Z", "reason": "  "}),
        ("missed", {"what": " ", "happened_at": "2026-03-01T22:00:00Z", "reason": "y"}),
        ("missed", {"what": "x", "happened_at": "2026-03-03T22:00:00Z", "reason": "y"}),
        ("missed", {"what": "x", "happened_at": "2020-03-03T22:00:00Z", "reason": "y"}),
        ("missed", {"what": "x", "happened_at": "yesterday", "reason": "y"}),
        ("missed", {"what": "x", "happened_at": "2026-03-01T22:00:00Z", "reason": "y", "site": "없는 곳"}),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(api, session, address, body):
    assert api("owner").post(f"{API}/{address}", json=body).status_code == 422
    assert count(session, AlertMark) == 0


@pytest.mark.parametrize(
    ("role", "sites", "reads", "writes"),
    [("manager", ("*",), 200, 200), ("auditor", ("*",), 200, 403), ("operator", ("*",), 403, 403)],
)
def test_who_reads_and_who_marks(api, delivery, role, sites, reads, writes):
    caller = api(role, sites)

    assert caller.get(f"{API}/marks").status_code == reads
    assert caller.get(f"{API}/accuracy/findings").status_code == reads
    assert caller.post(f"{API}/deliveries/{delivery[0]}/false", json={"reason": "x"}).status_code == writes


def test_an_incident_of_the_platform_needs_all_sites(api, session):
    body = {"what": "x", "happened_at": "2026-03-01T22:00:00Z", "reason": "y"}

    assert api("manager", ("본관",)).post(f"{API}/missed", json=body).status_code == 403


def test_a_dry_run_keeps_no_findings(api, session, delivery):
    owner = api("owner")
    owner.post(f"{API}/deliveries/{delivery[0]}/false", json={"reason": "no cause"})
    started = owner.post(f"/api/ops/jobs/{job_names.ALERT_ACCURACY}/run", json={"dry_run": True})

    assert started.status_code in (200, 202)
    assert count(session, AlertFinding) == 0


def test_the_page_shows_the_four_figures_and_their_rows(browser_client, api, session, clock, delivery):
    owner = api("owner")
    owner.post(f"{API}/missed", json={"what": "펌프 정지", "happened_at": "2026-03-01T22:00:00Z", "reason": "입주자"})
    person = browser_client("manager")
    empty = person.get("/ops/accuracy")
    owner.post(f"{API}/accuracy/run")

    page = person.get("/ops/accuracy")
    rows = person.get("/ops/accuracy?figure=missed")

    assert "오늘 밤 처음 대조합니다" in empty.text
    for name in ("놓친 알림", "잘못 울림", "빠진 에스컬레이션", "늦은 예약 작업"):
        assert name in page.text
    assert "펌프 정지" in rows.text
    assert "이번 주 기준 초과" in page.text


def test_a_missed_alert_is_recorded_from_the_page(browser_client, session):
    person = browser_client("manager")
    form = person.get("/ops/accuracy/missed")
    refused = person.post("/ops/accuracy/missed", data={"what": "", "happened_at": "2026-03-01T22:00", "reason": "x"})
    done = person.post(
        "/ops/accuracy/missed", data={"what": "누수", "happened_at": "2026-03-01T22:00", "reason": "전화로 들음"}
    )

    assert form.status_code == 200
    assert refused.status_code == 422
    assert done.status_code == 303
    session.rollback()
    mark = session.scalars(select(AlertMark)).one()
    assert (mark.what, mark.happened_at) == ("누수", datetime(2026, 3, 1, 13, tzinfo=UTC))


def test_an_alert_is_marked_and_the_mark_taken_back_from_the_pages(browser_client, session, delivery):
    person = browser_client("manager")
    marked = person.post(f"/alerts/{delivery[0]}/false", data={"reason": "훈련"})
    detail = person.get(f"/alerts/{delivery[1]}")
    mark = session.scalars(select(AlertMark)).one()
    back = person.post(f"/ops/accuracy/marks/{mark.id}/withdraw", data={"version": "1", "reason": "실제였음"})

    assert (marked.status_code, back.status_code) == (303, 303)
    assert "잘못 울림으로 표시" in detail.text
    assert "훈련" in detail.text
    assert session.scalar(select(func.count()).select_from(JobRun)) == 0
