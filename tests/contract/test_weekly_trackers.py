"""The weekly trackers as published: paths, fields, words, status codes, catalogues, and the rules of each week."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from console.domain.programme.catalogue import WEEKS
from console.models.tracker import TrackerCompletion, TrackerItem
from tests.factories import make_site
from tests.support.trail import entries

SITE, OTHER = "한빛마을 3단지", "푸른숲 타워"
# Item types in catalogue order with their counts, and the types that need evidence (API contract, catalogue per week).
GUIDES = {"self_serve_guide": 5, "troubleshooting_runbook": 4, "scheduled_event": 5}
CATALOGUE = {
    "w02": ({"sop_runbook": 5, "sandbox_scenario": 3, "scheduled_event": 5}, {"sandbox_scenario"}),
    "w03": (
        {"kickoff_agenda": 5, "role_workshop": 4, "office_hour": 5, "scheduled_event": 10},
        {"role_workshop"},
    ),
    "w04": ({"coaching_action": 6, "scheduled_event": 6}, {"coaching_action"}),
    "w07": ({"sla_checklist": 4, "coaching_play": 4, "scheduled_event": 5}, {"sla_checklist", "coaching_play"}),
    "w09": ({"kpi_threshold": 5, "kpi_escalation": 4, "scheduled_event": 5}, {"kpi_threshold", "kpi_escalation"}),
    **{f"w{number}": (GUIDES, {"self_serve_guide", "troubleshooting_runbook"}) for number in range(10, 16)},
}
FIRST_KEYS = {
    "w02": "SOP-INS-01",
    "w03": "KICKOFF-01",
    "w04": "W04-CA-01",
    "w07": "W07-SLA-01",
    "w09": "W09-KPI-01",
    "w10": "W10-SS-01",
    "w11": "W11-SR-01",
    "w12": "W12-CH-01",
    "w13": "W13-CH-01",
    "w14": "W14-ST-01",
    "w15": "W15-OP-01",
}
ITEM_FIELDS = [
    *("id", "site", "item_type", "item_key", "item_name", "assignee", "status", "completion_checked"),
    *("completion_note", "due_at", "completed_at", "evidence_count", "created_by", "updated_by", "created_at"),
    "updated_at",
]
OVERVIEW_FIELDS = [
    *("site", "total_items", "pending_count", "in_progress_count", "done_count", "blocked_count"),
    *("completion_rate_percent", "evidence_total_count", "assignee_breakdown"),
]
READINESS_FIELDS = [
    *("site", "checked_at", "total_items", "pending_count", "in_progress_count", "done_count", "blocked_count"),
    *("completion_rate_percent", "evidence_total_count", "missing_assignee_count"),
    *("missing_completion_checked_count", "missing_required_evidence_count", "readiness_score_percent", "ready"),
    "blockers",
]
COMPLETION_FIELDS = [
    *("site", "status", "completion_note", "completed_by", "completed_at", "force_used", "last_checked_at"),
    "readiness",
]
every_week = pytest.mark.parametrize("week", CATALOGUE)


@pytest.fixture
def sites(session, clock):
    for name in (SITE, OTHER):
        make_site(session, name, now=clock.now())
    session.commit()


def t(week, path):
    return f"/api/adoption/{week}/tracker/{path}"


def begin(api, week, site=SITE):
    return api.post(t(week, "bootstrap"), json={"site": site})


def finish(session, week, site=SITE):
    """Do everything, with evidence where it is needed."""
    for item in session.scalars(select(TrackerItem).where(TrackerItem.tracker == week, TrackerItem.site == site)):
        item.status, item.completion_checked, item.completed_at = "done", True, item.created_at
        item.assignee, item.evidence_count = "이정비", int(item.evidence_required)
    session.commit()


def test_there_are_the_published_weeks_and_no_others():
    assert list(WEEKS) == list(CATALOGUE)


@every_week
def test_a_week_begins_with_its_catalogue_and_beginning_again_adds_nothing(api, sites, week):
    client = api("operator", (SITE,))
    types, evidence = CATALOGUE[week]

    first = begin(client, week)
    again = begin(client, week)

    assert first.status_code == 200
    assert list(first.json)[:4] == ["site", "created_count", "total_count", "items"]
    assert (first.json["site"], first.json["created_count"], first.json["total_count"]) == (
        SITE,
        sum(types.values()),
        sum(types.values()),
    )
    assert (again.json["created_count"], again.json["total_count"]) == (0, sum(types.values()))
    items = first.json["items"]
    assert [(one["item_type"], one["item_key"]) for one in items] == sorted(
        (one["item_type"], one["item_key"]) for one in items
    )
    counts = {word: sum(one["item_type"] == word for one in items) for word in types}
    assert counts == types
    assert FIRST_KEYS[week] in {one["item_key"] for one in items if one["item_type"] == next(iter(types))}
    assert {one["item_type"] for one in items if one["evidence_required"]} == evidence
    assert all(list(one)[: len(ITEM_FIELDS)] == ITEM_FIELDS for one in items)
    fresh = {(one["status"], one["completion_checked"], one["completion_note"], one["assignee"]) for one in items}
    assert fresh == {("pending", False, "", None)}
    assert {one["created_by"] for one in items} == {one["updated_by"] for one in items} != {"system"}


@every_week
def test_events_are_due_at_their_end_and_the_rest_with_the_week_on_the_sites_clock(api, sites, week):
    items = {one["item_key"]: one for one in begin(api("manager"), week).json["items"]}
    label = week.upper()
    friday = WEEKS[week].starts_on().toordinal() + 4
    last_minute = datetime.combine(type(WEEKS[week].starts_on()).fromordinal(friday), datetime.min.time(), UTC)

    # 23:59 in Seoul is 14:59 in UTC.
    assert items[FIRST_KEYS[week]]["due_at"] == last_minute.replace(hour=14, minute=59).isoformat("T", "microseconds")
    for number, (day, start, end) in enumerate(_hours(week), start=1):
        due = datetime.fromisoformat(items[f"{label}-E{number:02d}"]["due_at"])
        assert (due.weekday(), (due.hour + 9) % 24) == (day, int(end[:2]))
        assert start < end


def _hours(week):
    entries = [one.entry for one in WEEKS[week].entries if one.kind.word == "scheduled_event"]
    return [(one.day, one.start, one.end) for one in entries]


def test_office_hours_are_due_at_their_own_slot(api, sites):
    items = {one["item_key"]: one["due_at"] for one in begin(api("manager"), "w03").json["items"]}

    assert items["OH-2026-03-16"] == "2026-03-16T08:15:00.000000+00:00"
    assert items["W03-E10"] == items["OH-2026-03-20"] == "2026-03-20T08:15:00.000000+00:00"


@every_week
def test_figures_have_the_published_fields_and_count_right(api, sites, week):
    client = api("auditor", (SITE,))
    begin(api("manager"), week)
    total = sum(CATALOGUE[week][0].values())
    needing = sum(one.evidence_required for one in WEEKS[week].entries)

    overview = client.get(t(week, "overview"), query_string={"site": SITE})
    readiness = client.get(t(week, "readiness"), query_string={"site": SITE})
    completion = client.get(t(week, "completion"), query_string={"site": SITE})

    assert list(overview.json)[: len(OVERVIEW_FIELDS)] == OVERVIEW_FIELDS
    assert (overview.json["total_items"], overview.json["assignee_breakdown"]) == (total, {"unassigned": total})
    assert list(readiness.json)[: len(READINESS_FIELDS)] == READINESS_FIELDS
    assert (readiness.json["readiness_score_percent"], readiness.json["ready"]) == (43, False)
    assert readiness.json["blocker_codes"] == [
        *("pending", "missing_assignee", "missing_completion_checked", "missing_required_evidence"),
    ]
    assert readiness.json["missing_required_evidence_count"] == needing
    assert str(needing) in readiness.json["blockers"][3]
    assert list(completion.json)[: len(COMPLETION_FIELDS)] == COMPLETION_FIELDS
    assert (completion.json["status"], completion.json["completion_note"]) == ("active", "")
    assert completion.json["last_checked_at"] == readiness.json["checked_at"]


@every_week
def test_a_site_without_items_gives_zeros(api, sites, week):
    client = api("manager")

    overview = client.get(t(week, "overview"), query_string={"site": OTHER}).json
    readiness = client.get(t(week, "readiness"), query_string={"site": OTHER}).json

    assert (overview["total_items"], overview["completion_rate_percent"]) == (0, 0)
    assert overview["assignee_breakdown"] == {}
    assert (readiness["readiness_score_percent"], readiness["ready"]) == (0, False)
    assert readiness["blocker_codes"] == ["no_items"]


@pytest.mark.parametrize(
    ("before", "sent", "status", "checked"),
    [
        ("pending", {"status": "done"}, "done", True),
        ("pending", {"completion_checked": True}, "done", True),
        ("pending", {"status": "blocked", "completion_checked": True}, "done", True),
        ("pending", {"status": "in_progress"}, "in_progress", False),
        ("done", {"status": "blocked", "completion_checked": False}, "blocked", False),
        ("done", {"completion_checked": False}, "in_progress", False),
        ("done", {"status": "done", "completion_checked": False}, "in_progress", False),
        ("done", {"assignee": "이정비"}, "done", True),
        ("blocked", {"completion_note": "  부품을 기다립니다  "}, "blocked", False),
    ],
)
def test_status_and_check_follow_the_published_table(api, sites, before, sent, status, checked):
    client = api("operator", (SITE,))
    item = begin(client, "w09").json["items"][0]
    address = t("w09", f"items/{item['id']}")
    client.patch(address, json={"status": before})

    changed = client.patch(address, json=sent)

    assert changed.status_code == 200
    assert (changed.json["status"], changed.json["completion_checked"]) == (status, checked)
    assert (changed.json["completed_at"] is not None) == checked
    assert changed.json["completion_note"] == sent.get("completion_note", "").strip()
    assert list(changed.json)[: len(ITEM_FIELDS)] == ITEM_FIELDS


@every_week
def test_refusals_use_the_published_words(api, sites, week):
    client, label = api("operator", (SITE,)), week.upper()
    item = begin(client, week).json["items"][0]
    foreign = begin(api("owner"), week, OTHER).json["items"][0]

    nothing = [client.patch(t(week, f"items/{item['id']}"), json=body) for body in ({}, {"status": None})]
    unknown = client.patch(t(week, "items/999999"), json={"status": "done"})
    wrong = client.get(t(week, "items"), query_string={"status": "finished"})

    assert [(one.status_code, one.json["detail"]) for one in nothing] == [(400, "No update fields provided")] * 2
    assert (unknown.status_code, unknown.json["detail"]) == (404, f"{label} tracker item not found")
    assert (wrong.status_code, wrong.json["detail"]) == (400, f"Invalid {label} tracker status")
    assert client.patch(t(week, f"items/{item['id']}"), json={"status": "finished"}).status_code == 422
    refused = client.patch(t(week, f"items/{foreign['id']}"), json={"status": "done"})
    assert (refused.status_code, refused.json["detail"]) == (403, "Site access denied")


def test_an_item_of_another_week_is_not_found(api, sites):
    client = api("operator", (SITE,))
    item = begin(client, "w02").json["items"][0]

    assert client.patch(t("w03", f"items/{item['id']}"), json={"status": "done"}).status_code == 404


@every_week
def test_the_list_filters_and_shows_what_changed_last_first(api, sites, clock, week):
    client = api("operator", (SITE,))
    items = begin(client, week).json["items"]
    begin(api("owner"), week, OTHER)
    clock.advance(timedelta(minutes=1))
    client.patch(t(week, f"items/{items[2]['id']}"), json={"assignee": "이정비", "status": "in_progress"})

    everything = client.get(t(week, "items"))
    word = items[0]["item_type"]

    others = sorted((one["id"] for one in items if one["id"] != items[2]["id"]), reverse=True)
    assert [one["id"] for one in everything.json] == [items[2]["id"], *others]
    assert everything.headers["X-Total-Count"] == str(len(items))
    assert {one["site"] for one in everything.json} == {SITE}
    found = client.get(t(week, "items"), query_string={"status": " IN_PROGRESS ", "assignee": " 이정비 "}).json
    assert [one["id"] for one in found] == [items[2]["id"]]
    of_type = client.get(t(week, "items"), query_string={"item_type": word, "limit": 500}).json
    assert {one["item_type"] for one in of_type} == {word}
    assert len(client.get(t(week, "items"), query_string={"limit": 3, "offset": 1}).json) == 3
    assert client.get(t(week, "items"), query_string={"site": OTHER}).status_code == 403


@every_week
def test_a_week_is_closed_when_everything_is_done_and_opens_again_by_a_change(api, session, sites, week):
    client = api("operator", (SITE,))
    item = begin(client, week).json["items"][0]
    finish(session, week)

    ready = client.get(t(week, "readiness"), query_string={"site": SITE}).json
    closed = client.post(t(week, "complete"), json={"site": SITE, "completion_note": "  마감 "})

    assert (ready["ready"], ready["readiness_score_percent"], ready["blockers"]) == (True, 100, [])
    assert (closed.status_code, closed.json["status"], closed.json["completion_note"]) == (200, "completed", "마감")
    assert (closed.json["force_used"], closed.json["readiness"]["ready"]) == (False, True)
    unchanged = client.patch(t(week, f"items/{item['id']}"), json={"status": "done"})
    assert (unchanged.status_code, unchanged.json["completion_reopened"]) == (200, False)
    changed = client.patch(t(week, f"items/{item['id']}"), json={"completion_note": "한 번 더 확인"})
    assert changed.json["completion_reopened"] is True
    after = client.get(t(week, "completion"), query_string={"site": SITE}).json
    assert (after["status"], after["completion_note"], after["completed_by"], after["completed_at"]) == (
        "active",
        "",
        None,
        None,
    )
    session.rollback()
    entries = session.scalars(select(TrackerCompletion).order_by(TrackerCompletion.id)).all()
    assert [(one.kind, one.reason) for one in entries] == [
        ("completed", ""),
        ("reopened", "tracker_item_updated"),
    ]
    assert entries[1].readiness["auto_reopened"] is True


@every_week
def test_a_week_that_is_not_ready_is_closed_by_force_only_and_only_by_admins(api, sites, week):
    manager, owner = api("manager", (SITE,)), api("owner")
    begin(manager, week)

    refused = manager.post(t(week, "complete"), json={"site": SITE})
    forbidden = manager.post(t(week, "complete"), json={"site": SITE, "force": True})
    forced = owner.post(t(week, "complete"), json={"site": SITE, "force": True, "completion_note": "예외 승인"})

    assert refused.status_code == 409
    assert list(refused.json["detail"]) == ["message", "site", "ready", "blockers", "readiness"]
    assert refused.json["detail"]["message"] == f"{week.upper()} completion gate failed"
    assert (refused.json["detail"]["site"], refused.json["detail"]["ready"]) == (SITE, False)
    assert list(refused.json["detail"]["readiness"])[: len(READINESS_FIELDS)] == READINESS_FIELDS
    assert len(refused.json["detail"]["blockers"]) == 4
    assert (forbidden.status_code, forbidden.json["detail"]) == (403, "force completion requires admins:manage")
    assert (forced.status_code, forced.json["status"], forced.json["force_used"]) == (
        200,
        "completed_with_exceptions",
        True,
    )


@every_week
def test_every_change_is_audited_under_the_names_of_its_week(api, session, sites, week):
    owner = api("owner")
    item = begin(owner, week).json["items"][0]
    owner.patch(t(week, f"items/{item['id']}"), json={"assignee": "이정비"})
    owner.post(t(week, "complete"), json={"site": SITE, "force": True})
    owner.post(t(week, "complete"), json={"site": SITE})

    ((kind, resource, detail),) = entries(session, f"{week}_tracker_bootstrap")
    assert (kind, resource, detail["created_count"]) == (f"adoption_{week}_tracker", SITE, len(WEEKS[week].entries))
    ((kind, resource, detail),) = entries(session, f"{week}_tracker_item_update")
    assert (kind, resource, detail["new"]) == (
        f"adoption_{week}_tracker_item",
        str(item["id"]),
        {**detail["new"], "assignee": "이정비"},
    )
    # The second attempt was refused and leaves nothing.
    ((kind, resource, _detail),) = entries(session, f"{week}_tracker_complete")
    assert (kind, resource) == (f"adoption_{week}_tracker_site", SITE)


@every_week
@pytest.mark.parametrize(("role", "reads", "writes"), [("operator", 200, 200), ("auditor", 200, 403)])
def test_a_role_may_do_what_the_table_says_and_only_at_its_sites(api, sites, week, role, reads, writes):
    client = api(role, (SITE,))
    item = begin(api("owner"), week).json["items"][0]

    assert client.get(t(week, "overview"), query_string={"site": SITE}).status_code == reads
    assert client.patch(t(week, f"items/{item['id']}"), json={"assignee": "이"}).status_code == writes
    assert begin(client, week).status_code == writes
    for path in ("overview", "readiness", "completion"):
        assert client.get(t(week, path), query_string={"site": OTHER}).status_code == 403
    assert begin(client, week, OTHER).status_code == 403
    assert client.post(t(week, "complete"), json={"site": OTHER}).status_code == 403


def test_nobody_sees_items_without_a_site_of_their_own(api, sites):
    begin(api("owner"), "w02")

    assert api("manager", ()).get(t("w02", "items")).json == []


@pytest.mark.parametrize("path", ["overview", "readiness", "completion"])
def test_figures_need_a_site(api, path):
    client = api("owner")

    assert client.get(t("w02", path)).status_code == 422
    assert client.get(t("w02", path), query_string={"site": ""}).status_code == 422


@pytest.mark.parametrize("word", ["w01", "w05", "w16", "W02", "w2", "x", "w٠٢"])
def test_a_week_without_tracker_does_not_exist(api, word):
    assert api("owner").get(t(word, "items")).status_code == 404


def test_a_site_that_nobody_knows_is_no_tracker(api, sites):
    assert begin(api("owner"), "w02", "없는 곳").status_code == 422
    assert begin(api("owner"), "w02", f"  {SITE} ").json["site"] == SITE


def test_before_any_site_is_on_record_a_name_is_enough(api):
    assert begin(api("owner"), "w02", "HQ").json["site"] == "HQ"


def test_a_change_may_depend_on_the_version_that_was_seen(api, sites):
    client = api("operator", (SITE,))
    address = t("w10", f"items/{begin(client, 'w10').json['items'][0]['id']}")

    first = client.patch(address, json={"status": "in_progress"}, headers={"If-Match": '"1"'})
    late = client.patch(address, json={"status": "done"}, headers={"If-Match": '"1"'})
    stale = client.patch(address, json={"status": "done", "version": 1})

    assert (first.status_code, first.headers["ETag"], first.json["version"]) == (200, '"2"', 2)
    assert (late.status_code, stale.status_code) == (412, 409)
    assert client.patch(address, json={"status": "done"}).json["status"] == "done"


def test_unchecking_a_done_item_takes_its_time_of_completion_away(api, sites):
    client = api("operator", (SITE,))
    address = t("w10", f"items/{begin(client, 'w10').json['items'][0]['id']}")
    done = client.patch(address, json={"status": "blocked", "completion_checked": True}).json
    again = client.patch(address, json={"completion_checked": False}).json

    assert (done["status"], done["adjusted"], done["completed_at"] is None) == ("done", True, False)
    assert (again["status"], again["completion_checked"], again["completed_at"]) == ("in_progress", False, None)


def test_a_change_is_taken_back_with_its_key(api, sites):
    client = api("operator", (SITE,))
    address = t("w10", f"items/{begin(client, 'w10').json['items'][0]['id']}")
    changed = client.patch(address, json={"assignee": "이정비"})

    undone = client.post(t("w10", "undo"), json={"token": changed.headers["X-Undo-Token"]})
    again = client.post(t("w10", "undo"), json={"token": changed.headers["X-Undo-Token"]})
    elsewhere = client.post(t("w11", "undo"), json={"token": changed.headers["X-Undo-Token"]})

    assert (undone.status_code, undone.json) == (200, {"restored": [changed.json["id"]], "skipped": []})
    item = client.get(address)
    assert (item.json["assignee"], item.headers["ETag"]) == (None, '"3"')
    assert (again.status_code, elsewhere.status_code) == (410, 404)
