"""Naming people in channels: by what Slack and Teams know them by, and never by what somebody wrote as markup."""

import json
from datetime import UTC

import pytest

from console.adapters.webhooks import shaped

ORDER = {"id": 5, "title": "<!channel> [문](https://evil.example) <at>0</at>", "site": "본관", "assignee": "kim"}
PAYLOAD = {
    "event": "sla_escalation",
    "escalated_count": 1,
    "orders": [ORDER],
    "named": {"kim": ["#5"], "lee": ["GR-001", "GR-002"], "gone": ["#6"]},
}


def text_of(kind, names):
    body = shaped(kind, PAYLOAD, UTC, names)
    if kind == "slack":
        return body["text"], []
    card = body["attachments"][0]["content"]
    return card["body"][0]["text"], card.get("msteams", {}).get("entities", [])


def test_slack_calls_by_the_member_id_and_writes_any_other_name():
    text, _calls = text_of("slack", {"kim": "U012AB3CD", "lee": "<!channel> & <@U999>"})
    head, *_lines, last = text.split("\n")
    assert head == "기한 초과 작업지시: 1건"
    assert last == "<@U012AB3CD> #5 · @&lt;!channel&gt; &amp; &lt;@U999&gt; GR-001, GR-002"
    assert text.count("<") == 1


def test_teams_calls_by_the_mail_address_and_writes_any_other_name():
    text, calls = text_of("teams", {"kim": "kim.mina@example.com", "lee": "<at>0</at> **이**"})
    assert calls == [
        {"type": "mention", "text": "<at>0</at>", "mentioned": {"id": "kim.mina@example.com", "name": "kim.mina"}}
    ]
    # The one call is ours; titles and names neither call anybody nor lead anywhere.
    assert text.count("<at>") == 1
    assert text.endswith("<at>0</at> #5 · ‹at›0</at> \\*\\*이\\*\\* GR-001, GR-002")
    assert "\\[문\\]" in text


@pytest.mark.parametrize("kind", ["slack", "teams"])
@pytest.mark.parametrize("names", [None, {}, {"park": "U012AB3CD"}])
def test_without_a_name_nobody_is_called(kind, names):
    bare = {name: value for name, value in PAYLOAD.items() if name != "named"}
    assert shaped(kind, PAYLOAD, UTC, names) == shaped(kind, bare, UTC, names)


def test_programs_get_the_message_as_it_is():
    assert json.loads(json.dumps(shaped("webhook", PAYLOAD, UTC, {"kim": "U012AB3CD"}))) == PAYLOAD
