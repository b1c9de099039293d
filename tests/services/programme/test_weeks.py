"""Weeks at sites: beginning them once whoever comes first, calendars, counting, closing against changes."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from console.domain.errors import Conflict, Invalid, PermissionDenied, SiteDenied
from console.domain.programme import catalogue
from console.domain.programme.catalogue import WEEKS
from console.domain.tracker.requests import ItemChange
from console.domain.tracker.tracker import STATUSES, CountedItem, readiness, tally
from console.models.tracker import TrackerEvent, TrackerItem, TrackerRun
from console.services.programme import weeks as programme
from console.services.tracker import completion as tracker_completion
from console.services.tracker import items as tracker_items
from console.services.tracker import summary as tracker
from console.services.tracker import undo as tracker_undo
from console.services.tracker.completion import NotReady
from tests.factories import make_site
from tests.factories.tracker import HOUR, add_item

SITE, OTHER = "한빛마을 3단지", "푸른숲 타워"
W02, W07 = WEEKS["w02"], WEEKS["w07"]


@pytest.fixture(autouse=True)
def sites(session, clock):
    for name in (SITE, OTHER):
        make_site(session, name, now=clock.now())
    session.commit()


def count(session, column=TrackerItem.id):
    session.rollback()
    return session.scalar(select(func.count(column)))


def finished(session, site=SITE):
    """Do everything, so that the week can be closed; returns an item's id."""
    for row in session.scalars(select(TrackerItem).where(TrackerItem.site == site)):
        row.status, row.completion_checked, row.completed_at = "done", True, row.created_at
        row.assignee, row.evidence_count = "lee", 1
    session.commit()
    return session.scalar(select(func.min(TrackerItem.id)).where(TrackerItem.site == site))


def test_a_week_that_many_begin_at_once_begins_once(at_once, session):
    results = at_once(*[lambda ctx: programme.bootstrap(ctx, W02, SITE)] * 4)

    assert sorted(result.created_count for result in results) == [0, 0, 0, 13]
    assert (count(session), count(session, TrackerEvent.id)) == (13, 13)


def test_sites_that_begin_a_week_at_once_share_no_number(at_once, session):
    results = at_once(*[lambda ctx, site=site: programme.bootstrap(ctx, W02, site) for site in (SITE, OTHER) * 2])

    assert sorted(result.created_count for result in results) == [0, 0, 13, 13]
    numbers = sorted(session.scalars(select(TrackerItem.number)))
    assert numbers == list(range(1, 27))


def test_a_week_is_never_closed_over_a_change_that_it_did_not_see(at_once, ctx, session, clock):
    programme.bootstrap(ctx, W02, SITE)
    ctx.commit()
    for _round in range(5):
        clock.advance(HOUR)
        item_id = finished(session)
        outcomes = at_once(
            lambda other: tracker_completion.complete(other, programme=W02.programme, site=SITE),
            lambda other, item_id=item_id: tracker_items.change(
                other, item_id, ItemChange(status="blocked"), W02.programme
            ),
        )
        assert not isinstance(outcomes[1], Exception)
        assert isinstance(outcomes[0], NotReady) or outcomes[1].reopened_completion
        ctx.rollback()
        assert tracker_completion.completion(ctx, W02.programme, SITE).status == "active"


def test_two_who_close_a_week_at_once_leave_one_row(at_once, ctx, session):
    programme.bootstrap(ctx, W02, SITE)
    ctx.commit()
    finished(session)

    results = at_once(*[lambda other: tracker_completion.complete(other, programme=W02.programme, site=SITE)] * 3)

    assert [result.status for result in results] == ["completed"] * 3
    session.rollback()
    assert session.scalar(select(func.count()).select_from(TrackerRun).where(TrackerRun.site == SITE)) == 1


def test_beginning_again_adds_what_is_new_and_opens_a_closed_week(ctx, session):
    programme.bootstrap(ctx, W02, SITE)
    ctx.commit()
    finished(session)
    tracker_completion.complete(ctx, programme=W02.programme, site=SITE)
    missing = session.scalars(select(TrackerItem.id).where(TrackerItem.item_key == "W02-E05")).one()
    session.execute(delete(TrackerEvent).where(TrackerEvent.item_id == missing))
    session.execute(delete(TrackerItem).where(TrackerItem.id == missing))

    made = programme.bootstrap(ctx, W02, SITE)

    assert (made.created_count, made.total_count, made.reopened_completion) == (1, 13, True)
    entries, _total = tracker_completion.history(ctx, W02.programme, SITE)
    assert [entry.reason for entry in entries] == ["bootstrap_added_items", ""]
    assert {item.status for item in made.items} == {"done", "pending"}


def test_names_follow_the_catalogue_and_work_does_not(ctx, monkeypatch):
    first = programme.bootstrap(ctx, W02, SITE).items
    tracker_items.change(ctx, first[0].id, ItemChange(assignee="lee", status="in_progress"), W02.programme)
    kind = W02.types[0]
    entries = tuple(replace(entry, name=f"{entry.name}!", owner="Somebody") for entry in kind.entries)
    changed = replace(W02, types=(replace(kind, entries=entries), *W02.types[1:]))
    monkeypatch.setitem(catalogue.WEEKS, "w02", changed)

    again = programme.bootstrap(ctx, changed, SITE)

    assert (again.created_count, again.refreshed_count) == (0, 5)
    before = {item.item_key: item for item in first}
    for item in again.items:
        assert item.item_name == before[item.item_key].item_name + ("!" if item.item_type == kind.word else "")
        assert item.due_at == before[item.item_key].due_at
    assert {item.assignee for item in again.items} == {None, "lee"}


def test_a_site_keeps_the_calendar_that_it_began_with(ctx):
    monday = date(2026, 11, 23)
    programme.bootstrap(ctx, W02, SITE, starts_on=monday)
    later = programme.bootstrap(ctx, W07, SITE)
    other = programme.bootstrap(ctx, W07, OTHER)

    due = {item.item_key: item.due_at for item in later.items}
    assert due["W07-E01"].date() == monday + timedelta(days=35) == date(2026, 12, 28)
    # The week ends in the next year.
    assert max(due.values()).date() == date(2027, 1, 1)
    assert {item.item_key: item.due_at for item in other.items}["W07-E01"].date() == date(2026, 4, 13)
    with pytest.raises(Conflict):
        programme.bootstrap(ctx, W02, SITE, starts_on=monday + timedelta(days=7))
    with pytest.raises(Invalid):
        programme.bootstrap(ctx, W02, OTHER, starts_on=monday + timedelta(days=1))
    state = programme.state(ctx)
    assert state.cells["w03", SITE].monday == monday + timedelta(days=7)
    assert state.same_days(W02, (SITE, OTHER)) is None
    assert state.same_days(W02, (SITE,)).monday == monday


def test_undo_opens_a_closed_week_of_its_own_site_only(ctx, session):
    for site in (SITE, OTHER):
        programme.bootstrap(ctx, W02, site)
    ctx.commit()
    finished(session, OTHER)
    item_id = finished(session)
    changed = tracker_items.change(ctx, item_id, ItemChange(assignee="kim"), W02.programme)
    for site in (SITE, OTHER):
        tracker_completion.complete(ctx, programme=W02.programme, site=site)

    tracker_undo.undo(ctx, changed.undo, W02.programme)

    states = {site: tracker_completion.completion(ctx, W02.programme, site).status for site in (SITE, OTHER)}
    assert states == {SITE: "active", OTHER: "completed"}


counted = st.fixed_dictionaries(
    {
        "status": st.sampled_from(STATUSES),
        "assignee": st.sampled_from([None, "lee"]),
        "evidence_required": st.booleans(),
        "evidence_count": st.integers(0, 2),
        "late": st.booleans(),
    }
)


@settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.lists(counted, max_size=8))
def test_the_database_counts_what_the_domain_counts(ctx, session, clock, items):
    now, week = clock.now(), W02.programme
    session.execute(delete(TrackerItem))
    made = []
    for number, values in enumerate(items, start=1):
        due_at = now + (-HOUR if values["late"] else HOUR)
        fields = {key: value for key, value in values.items() if key != "late"}
        add_item(session, now, number, tracker="w02", site=SITE, item_type="sop_runbook", due_at=due_at, **fields)
        done = values["status"] == "done"
        made.append(CountedItem(**fields, completion_checked=done, due_at=due_at, rule_status="warning"))

    expected = tally(made, now)
    cell = programme.state(ctx, (W02,)).cells["w02", SITE]

    assert replace(tracker.tally(ctx, week, now, SITE), critical_open=0) == expected
    assert cell.readiness == readiness(week, expected, now)
    session.rollback()


@pytest.mark.parametrize(
    "act",
    [
        lambda ctx: programme.bootstrap(ctx, W02, SITE),
        lambda ctx: programme.overview(ctx, W02, SITE),
        lambda ctx: programme.state(ctx, (W02,)),
        lambda ctx: tracker_completion.complete(ctx, programme=W02.programme, site=SITE),
    ],
)
def test_every_door_is_locked_for_those_without_permission(make_ctx, act):
    with pytest.raises(PermissionDenied):
        act(make_ctx("auditor", permissions=(), grants=frozenset()))


def test_other_sites_are_neither_begun_nor_shown(make_ctx, ctx):
    programme.bootstrap(ctx, W02, SITE)
    stranger = make_ctx("manager", (OTHER,))

    with pytest.raises(SiteDenied):
        programme.bootstrap(stranger, W02, SITE)
    with pytest.raises(SiteDenied):
        programme.overview(stranger, W02, SITE)
    state = programme.state(stranger)
    assert state.sites == (OTHER,)
    assert not any(cell.begun for cell in state.cells.values())


def test_a_week_runs_by_the_days_of_its_site(make_ctx, session, clock):
    make_site(session, "호놀룰루", now=clock.now(), zone="Pacific/Honolulu")
    session.commit()
    # Monday morning in Seoul, Sunday morning in Honolulu.
    clock.set(datetime(2026, 3, 8, 21, tzinfo=UTC))

    cells = programme.state(make_ctx()).cells
    assert [cells["w02", name].phase for name in (SITE, "호놀룰루")] == ["running", "coming"]
