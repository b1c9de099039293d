"""What a chat room or a mail says of an alert."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from console.adapters import webhooks
from console.adapters.alert_text import lines
from console.domain.alerts.alerts import SLACK, TEAMS

SEOUL = ZoneInfo("Asia/Seoul")
LATE = {
    "event": "ops_governance_remediation_escalation",
    "candidate_count": 23,
    "critical_count": 2,
    "notified_count": 3,
    "items": [
        {
            "item_id": "GR-020",
            "rule_id": "manual-20",
            "title": "변전실 <!channel> 점검",
            "due_at": datetime(2026, 3, 1, 21, 30, tzinfo=UTC),
            "assignee": "demo.lee",
            "assignee_name": "이하늘",
            "escalation_level": 2,
            "site": "한빛마을 3단지",
            "url": "https://k.example/258",
        },
        {"item_id": "GR-021", "rule_id": "dr_rehearsal", "due_at": "2026-03-02T03:00:00+00:00", "assignee": None},
    ],
}


def test_late_items_are_named_with_deadline_assignee_and_address():
    assert lines(LATE, SEOUL) == [
        "확인할 조치 3건(기한 임박·초과 전체 23건, 심각 2건)",
        "• GR-020 변전실 <!channel> 점검 · 기한 초과 · 기한 3월 2일 06:30 · 이하늘 · 한빛마을 3단지 · https://k.example/258",
        "• GR-021 dr_rehearsal · 기한 3월 2일 12:00 · 미배정",
        "외 1건",
    ]


def test_assignments_say_who_got_what():
    event = {"event": "ops_governance_remediation_assigned", "assigned_count": 1, "items": LATE["items"][:1]}

    assert lines(event, SEOUL)[0] == "새로 배정된 조치 1건"
    assert "이하늘" in lines(event, SEOUL)[1]


def test_other_events_name_their_plain_values():
    assert lines({"event": "test_event", "count": 2, "list": [1]}, SEOUL) == [
        "test_event",
        "event: test_event",
        "count: 2",
    ]


def test_words_of_people_cannot_call_a_whole_room():
    body = webhooks.shaped(SLACK, LATE, SEOUL)

    assert "<!channel>" not in body["text"]
    assert "&lt;!channel&gt;" in body["text"]
    card = webhooks.shaped(TEAMS, LATE, SEOUL)["attachments"][0]["content"]["body"][0]["text"]
    assert card.startswith("확인할 조치 3건(기한 임박·초과 전체 23건, 심각 2건)\n\n• GR-020")


def test_a_degradation_says_where_and_why():
    payload = {
        "event": "adoption_w07_quality_degradation",
        "site": "한빛마을 3단지",
        "window_days": 14,
        "reasons": ["escalation_rate", "response_time_worse"],
        "signals": {"escalation_rate_percent": 31.7},
        "thresholds": {"escalation_rate_percent": 30.0},
    }
    said = list(lines(payload, UTC))

    assert said[0] == "W07 품질 저하: 한빛마을 3단지, 최근 14일"
    assert said[1:] == ["• 에스컬레이션 비율 31.7% (30%)", "• 첫 확인이 이전보다 느림"]
    assert "전체 사업장" in next(iter(lines({**payload, "site": "ALL"}, UTC)))
