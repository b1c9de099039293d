"""The catalogue is sound, deadlines follow the clock of the site, and the closing rules give the worked numbers."""

from collections import Counter
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.identity import iam
from console.domain.programme import trackers
from console.domain.programme.catalogue import WEEKS, reads
from console.domain.programme.week import FIRST_MONDAY, FRIDAY, Entry, due_at, phase_of
from console.domain.tracker.tracker import REMEDIATION, STATUSES, CountedItem, readiness, tally

NOW = datetime(2026, 3, 9, 9, tzinfo=UTC)
SEOUL = ZoneInfo("Asia/Seoul")
W02 = WEEKS["w02"].programme
every_week = pytest.mark.parametrize("week", WEEKS.values(), ids=WEEKS)


@every_week
def test_a_catalogue_has_no_key_twice_and_fits_the_table(week):
    keys = Counter((one.kind.word, one.entry.key) for one in week.entries)

    assert set(keys.values()) == {1}
    assert all(len(word) <= 40 and len(key) <= 120 for word, key in keys)
    assert all(0 < len(one.entry.name) <= 200 and one.entry.owner for one in week.entries)
    assert week.code == week.label.lower() == f"w{week.number:02d}"


@every_week
def test_hours_of_an_entry_are_real_and_lie_in_the_week(week):
    for one in week.entries:
        entry = one.entry
        assert (entry.day is None) == (entry.end == "")
        if entry.day is not None:
            assert 0 <= entry.day <= FRIDAY
            assert entry.start < entry.end


@every_week
def test_everything_of_a_tracker_follows_from_its_code(week):
    made, label = week.programme, week.label

    assert (made.read, made.write, made.force) == (
        (f"adoption_{week.code}:read",),
        (f"adoption_{week.code}:write",),
        ("admins:manage",),
    )
    assert (str(made.item_not_found), made.not_ready) == (
        f"{label} tracker item not found",
        f"{label} completion gate failed",
    )
    assert (made.invalid_status, str(made.evidence_not_found)) == (
        f"Invalid {label} tracker status",
        f"{label} evidence not found",
    )
    assert (made.audit_prefix, made.item_resource) == (f"{week.code}_tracker", f"adoption_{week.code}_tracker_item")
    assert trackers.programme(week.code) is made


def test_the_only_action_without_evidence_among_those_that_need_it_is_the_approval():
    exempt = [
        one.entry.key
        for week in WEEKS.values()
        for one in week.entries
        if one.kind.evidence and not one.evidence_required
    ]

    assert exempt == ["W04-CA-06"]


def test_the_weeks_of_the_calendar_begin_on_their_published_mondays():
    assert {code: week.starts_on().isoformat() for code, week in WEEKS.items()} == {
        "w02": "2026-03-09",
        "w03": "2026-03-16",
        "w04": "2026-03-23",
        "w07": "2026-04-13",
        "w09": "2026-04-27",
        "w10": "2026-05-04",
        "w11": "2026-05-11",
        "w12": "2026-05-18",
        "w13": "2026-05-25",
        "w14": "2026-06-01",
        "w15": "2026-06-08",
    }
    assert WEEKS["w02"].starts_on(date(2027, 1, 4)) == date(2027, 1, 11)


@pytest.mark.parametrize(
    ("entry", "zone", "expected"),
    [
        (Entry("a", "a", "a"), SEOUL, datetime(2026, 3, 6, 14, 59, tzinfo=UTC)),
        (Entry("a", "a", "a", 0, "09:00", "10:00"), SEOUL, datetime(2026, 3, 2, 1, tzinfo=UTC)),
        (Entry("a", "a", "a", 4, "17:00", "17:30"), ZoneInfo("UTC"), datetime(2026, 3, 6, 17, 30, tzinfo=UTC)),
        (Entry("a", "a", "a", 0, "01:00", "02:00"), SEOUL, datetime(2026, 3, 1, 17, tzinfo=UTC)),
    ],
)
def test_deadlines_are_counted_on_the_clock_of_the_site(entry, zone, expected):
    assert due_at(entry, FIRST_MONDAY, zone) == expected


@pytest.mark.parametrize(
    ("day", "phase"), [(1, "coming"), (2, "running"), (6, "running"), (8, "running"), (9, "past"), (31, "past")]
)
def test_a_week_runs_from_monday_to_sunday(day, phase):
    assert phase_of(date(2026, 3, day), FIRST_MONDAY) == phase


def item(status="pending", assignee=None, **values):
    return CountedItem(status=status, completion_checked=status == "done", assignee=assignee, **values)


@pytest.mark.parametrize(
    ("items", "score", "codes"),
    [
        ([], 0, ["no_items"]),
        ([item()], 57, ["pending", "missing_assignee", "missing_completion_checked"]),
        (
            [item(), item("in_progress"), item("blocked"), item(evidence_required=True)],
            14,
            [
                *("pending", "in_progress", "blocked", "missing_assignee", "missing_completion_checked"),
                "missing_required_evidence",
            ],
        ),
        ([item(), item("in_progress"), item("blocked")], 29, None),
        ([item(), item("in_progress"), item(evidence_required=True)], 29, None),
        ([item(), item("in_progress")], 43, None),
        ([item("blocked", "lee")], 71, ["blocked", "missing_completion_checked"]),
        ([item("done", "lee"), item("done")], 99, ["missing_assignee"]),
        ([item("done", "lee", evidence_required=True)], 99, ["missing_required_evidence"]),
        ([item("done", "lee", evidence_required=True, evidence_count=1)], 100, []),
        ([item("done", "lee")] * 9 + [item("pending", "lee")], 90, None),
    ],
)
def test_the_score_of_a_week_is_the_worked_one(items, score, codes):
    found = readiness(W02, tally(items, NOW), NOW)

    assert found.readiness_score_percent == score
    assert found.ready == (score == 100)
    assert codes is None or list(found.blocker_codes) == codes


counted = st.builds(
    item,
    status=st.sampled_from(STATUSES),
    assignee=st.sampled_from([None, "lee", "kim"]),
    evidence_required=st.booleans(),
    evidence_count=st.integers(0, 2),
)


@given(st.lists(counted, max_size=15))
def test_a_week_is_ready_exactly_when_everything_is_done_assigned_and_proven(items):
    found = readiness(W02, tally(items, NOW), NOW)
    finished = all(
        one.status == "done" and one.assignee and (one.evidence_count or not one.evidence_required) for one in items
    )

    assert found.ready == (bool(items) and finished) == (found.readiness_score_percent == 100)
    assert found.evidence_total_count == sum(one.evidence_count for one in items)
    assert len(found.blockers) + len(found.passed_codes) == len(W02.conditions)


@given(st.lists(counted, min_size=1, max_size=15), st.data())
def test_finishing_one_more_item_never_lowers_the_score(items, data):
    place = data.draw(st.integers(0, len(items) - 1))
    better = item("done", "lee", evidence_required=items[place].evidence_required, evidence_count=2)
    after = [*items[:place], better, *items[place + 1 :]]

    scores = [readiness(W02, tally(some, NOW), NOW).readiness_score_percent for some in (items, after)]

    assert scores[1] >= scores[0]


def test_the_blocker_of_evidence_names_the_kinds_that_need_it():
    found = readiness(W02, tally([item("done", "lee", evidence_required=True)], NOW), NOW)

    assert [str(text) for text in found.blockers] == ["Required evidence missing: 1 (Sandbox scenario)"]


def test_roles_may_do_with_a_later_week_what_they_may_with_the_published_ones(monkeypatch):
    before = {role: iam.added_permissions(role) for role in iam.Role}
    monkeypatch.setitem(WEEKS, "w16", WEEKS["w15"])
    gained = {role.value: iam.added_permissions(role) - before[role] for role in iam.Role}

    assert gained == {
        "owner": set(),
        "manager": {"adoption_w16:read", "adoption_w16:write"},
        "operator": {"adoption_w16:read", "adoption_w16:write"},
        "auditor": {"adoption_w16:read"},
    }
    assert {permission for role in before for permission in before[role] if permission.startswith("adoption_")} == set()


def test_every_tracker_has_a_key_of_its_own():
    keys = [made.key for made in trackers.programmes()]

    assert keys == ["remediation", *WEEKS]
    assert trackers.programme("remediation") is REMEDIATION
    assert trackers.programme("w05") is None
    assert len(reads()) == len(WEEKS)
