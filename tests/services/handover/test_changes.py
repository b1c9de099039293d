"""Handing over between two people: lines, confirmations, questions, notes, acceptance."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from console.domain.errors import Conflict, Invalid, NotFound, PermissionDenied, SiteDenied
from console.models.audit import AuditLog
from console.models.handover import Handover, HandoverLine, HandoverNote
from console.models.work_orders import WorkOrderEvent
from console.services.handover import changes, shifts
from console.services.jobs import schedule as run_schedule
from console.services.jobs.schedule import ScheduleHealth
from console.services.work_orders import snooze as order_snooze
from tests.factories import make_user
from tests.factories.facility import add_delivery, add_inspection
from tests.factories.work_orders import add_order
from tests.support.statements import statements

HOUR = timedelta(hours=1)
SITE = "본관"


@pytest.fixture
def night(ctx, make_ctx):
    """The one who gives; the context may write."""
    return make_ctx("operator", (SITE,), username="kang")


@pytest.fixture
def day(ctx, make_ctx):
    """The one who takes."""
    return make_ctx("operator", (SITE,), username="lee")


def kinds(preview):
    return [one.line.kind for one in preview.lines]


def confirm_all(ctx, handover_id):
    for line in shifts.lines_of(ctx, handover_id):
        if line.state != "confirmed":
            changes.confirm(ctx, handover_id, line.id)


def test_every_kind_of_trouble_is_a_line_the_worst_first(night, session, clock):
    now = clock.now()
    old = {"created_at": now - 100 * HOUR, "assignee": "lee"}
    acked = {"status": "acked", "acknowledged_at": now}
    add_order(session, now, title="late", due_at=now - HOUR, **old)
    worse = add_order(session, now, title="worse", is_escalated=True, **old)
    session.add(
        WorkOrderEvent(work_order_id=worse.id, event_type="escalated", created_at=now - HOUR, priority="medium",
                       due_at=now)
    )  # fmt: skip
    add_order(session, now, title="soon", due_at=now + 6 * HOUR, **old)
    add_order(session, now, title="nobody", priority="high", created_at=now - 100 * HOUR)
    add_order(session, now, title="new, nobody", created_at=now)
    add_order(session, now, title="promised", waiting_reason="parts", waiting_until=now + HOUR, **acked, **old)
    add_order(session, now, title="waiting", waiting_reason="parts", **acked, **old)
    add_order(session, now, title="new", created_at=now, assignee="lee")
    add_order(session, now, title="quiet", **old)
    add_order(session, now, title="elsewhere", site="별관", due_at=now - HOUR)
    add_inspection(session, now)
    ordered = add_inspection(session, now, inspected_at=now - HOUR)
    add_order(session, now, title="quiet too", inspection_id=ordered.id, **old)
    add_inspection(session, now, risk_level="warning")
    add_delivery(session, now, SITE, site=SITE)
    changes.add_note(night, SITE, " 정문 차단기 \n 손으로 열어 둠 ")

    found = shifts.preview(night, SITE)

    assert kinds(found) == [
        "late", "unowned", "danger", "worse", "soon", "unassigned", "unassigned", "promised", "waiting", "caution",
        "new", "alerts", "note",
    ]  # fmt: skip
    assert found.lines[-1].line.title == "정문 차단기 손으로 열어 둠"
    assert found.lines[2].line.detail["order_id"] is not None


def test_a_line_says_that_nobody_is_reminded_of_its_order_and_when_that_changed_since(night, day, session, clock):
    now = clock.now()
    one, two = (add_order(session, now, due_at=now - HOUR, assignee="lee") for _number in range(2))
    until = now + 4 * HOUR
    order_snooze.begin(night, one.id, until, "부품 대기")
    given = changes.give(night, SITE, 0)
    seen = {line.line.subject_id: line for line in shifts.lines_of(day, given.id)}

    assert [seen[order.id].line.detail["snoozed_until"] for order in (one, two)] == [until.isoformat(), None]
    assert not any(line.changed for line in seen.values())
    order_snooze.begin(day, two.id, until, "업체 방문 뒤")
    assert [line.changed for line in shifts.lines_of(day, given.id)] == [False, True]
    clock.advance(5 * HOUR)
    assert not any(line.changed for line in shifts.lines_of(day, given.id))


def test_late_jobs_are_a_line_for_every_site(night, monkeypatch):
    monkeypatch.setattr(run_schedule, "health", lambda *_args: ScheduleHealth(20, 2, silent=False))
    (found,) = shifts.preview(night, SITE).lines

    assert (found.line.kind, found.line.detail) == ("jobs", {"count": 2})


def test_more_than_so_many_of_a_kind_are_one_line_together(night, session, clock):
    for number in range(23):
        add_order(session, clock.now(), title=str(number), due_at=clock.now() - HOUR)
    lines = [one.line for one in shifts.preview(night, SITE).lines if one.line.kind == "late"]

    assert len(lines) == 21
    assert (lines[-1].subject, lines[-1].detail) == ("rest", {"count": 3})


def test_two_people_hand_over_line_by_line(night, day, session, clock):
    order = add_order(session, clock.now(), due_at=clock.now() - HOUR)
    changes.add_note(night, SITE, "CCTV 4번 흐림")
    given = changes.give(night, SITE, 0)
    lines = [line for line in shifts.lines_of(day, given.id) if line.line.kind in ("late", "note")]
    count = given.line_count

    assert [line.line.title for line in lines] == [f"#{order.id} Pump leaks", "CCTV 4번 흐림"]
    with pytest.raises(Conflict):
        changes.confirm(night, given.id, lines[0].id)
    assert changes.confirm(day, given.id, lines[0].id).confirmed_count == 1
    with pytest.raises(Conflict, match="confirmed this line already"):
        changes.confirm(day, given.id, lines[0].id)
    with pytest.raises(Conflict, match="not confirmed yet"):
        changes.accept(day, given.id)
    confirm_all(day, given.id)
    clock.advance(HOUR)
    done = changes.accept(day, given.id)

    assert (done.state, done.accepted_by, done.confirmed_count) == ("accepted", "lee", count)
    assert session.scalar(select(HandoverNote.settled_by)) == given.id
    assert kinds(shifts.preview(day, SITE)).count("note") == 0
    for act in (changes.accept, lambda ctx, number: changes.confirm(ctx, number, lines[0].id)):
        with pytest.raises(Conflict, match="accepted already"):
            act(day, given.id)
    session.commit()
    actions = session.scalars(select(AuditLog.action).where(AuditLog.resource_type == "handover")).all()
    assert {"handover_note_add", "handover_give", "handover_line_confirm", "handover_accept"} == set(actions)


def test_a_line_is_asked_back_answered_and_then_confirmed(night, day, session, clock):
    add_order(session, clock.now(), due_at=clock.now() - HOUR)
    given = changes.give(night, SITE, 0)
    line = shifts.lines_of(day, given.id)[0]

    changes.ask(day, given.id, line.id, "업체에 전화했습니까?")
    with pytest.raises(Conflict):
        changes.ask(day, given.id, line.id, "그리고?")
    with pytest.raises(Conflict):
        changes.answer(day, given.id, line.id, "예")
    changes.answer(night, given.id, line.id, "예, 오전 방문")
    with pytest.raises(Conflict):
        changes.answer(night, given.id, line.id, "예")
    asked = shifts.lines_of(day, given.id)[0]

    assert (asked.state, asked.questions[0].answer, asked.questions[0].answered_by) == (
        "answered", "예, 오전 방문", "kang"
    )  # fmt: skip
    changes.ask(day, given.id, line.id, "몇 시?")
    changes.confirm(day, given.id, line.id)
    assert [one.answer for one in shifts.lines_of(day, given.id)[0].questions] == ["예, 오전 방문", None]


@pytest.mark.parametrize("text", ["", "  ", "x" * 501])
def test_empty_and_endless_words_are_refused(night, text):
    with pytest.raises(Invalid):
        changes.add_note(night, SITE, text)


def test_who_gave_after_another_has_to_look_again(night, day):
    first = changes.give(night, SITE, 0)
    with pytest.raises(Conflict, match="meanwhile"):
        changes.give(day, SITE, 0)
    assert changes.give(day, SITE, first.id).previous_id == first.id


def test_the_table_lets_one_handover_follow_another(night, session, clock, monkeypatch):
    changes.give(night, SITE, 0)
    monkeypatch.setattr(shifts, "newest", lambda _ctx, _site: None)
    with pytest.raises(Conflict, match="meanwhile"):
        changes.give(night, SITE, 0)
    assert session.scalar(select(func.count()).select_from(Handover)) == 1


def test_a_taker_is_somebody_else_who_works_there(night, session, clock):
    make_user(session, now=clock.now(), username="lee", role="operator", site_scope=(SITE,))
    make_user(session, now=clock.now(), username="far", role="operator", site_scope=("별관",))
    for name in ("kang", "far", "ghost"):
        with pytest.raises(Invalid):
            changes.give(night, SITE, 0, taker=name)
    with pytest.raises(Invalid):
        changes.give(night, SITE, 0, deadline_minutes=7)
    assert changes.give(night, SITE, 0, taker="lee", deadline_minutes=60).taker == "lee"


def test_a_note_joins_an_open_handover_and_has_to_be_confirmed(night, day):
    given = changes.give(night, SITE, 0)
    confirm_all(day, given.id)
    changes.add_note(night, SITE, "열쇠는 경비실에", given.id)

    with pytest.raises(Conflict):
        changes.accept(day, given.id)
    confirm_all(day, given.id)
    assert changes.accept(day, given.id).is_open is False
    with pytest.raises(Conflict):
        changes.add_note(night, SITE, "하나 더", given.id)


def test_an_order_that_changed_after_it_was_handed_over_is_marked(night, session, clock):
    order = add_order(session, clock.now(), due_at=clock.now() - HOUR)
    given = changes.give(night, SITE, 0)
    assert shifts.shown(night, given.id).changed_count == 0
    order.version += 1
    session.flush()

    assert shifts.shown(night, given.id).changed_count == 1


def test_sites_and_rights_are_asked_first(make_ctx, night):
    given = changes.give(night, SITE, 0)
    other, reader = make_ctx("operator", ("별관",), username="far"), make_ctx("auditor", (SITE,), username="aud")
    line = shifts.lines_of(night, given.id)
    for act in (
        lambda ctx: changes.give(ctx, SITE, given.id),
        lambda ctx: changes.add_note(ctx, SITE, "x"),
        lambda ctx: changes.confirm(ctx, given.id, line[0].id if line else 1),
        lambda ctx: changes.ask(ctx, given.id, 1, "x"),
        lambda ctx: changes.answer(ctx, given.id, 1, "x"),
        lambda ctx: changes.accept(ctx, given.id),
    ):
        with pytest.raises(SiteDenied):
            act(other)
        with pytest.raises(PermissionDenied):
            act(reader)
    with pytest.raises(SiteDenied):
        shifts.shown(other, given.id)
    assert shifts.shown(reader, given.id).handover.id == given.id
    assert shifts.open_ones(other) == ()
    for number in (0, 999, 10**12):
        with pytest.raises(NotFound):
            shifts.load(night, number)


def test_lines_of_another_handover_are_not_found(night, day, session, clock):
    add_order(session, clock.now(), due_at=clock.now() - HOUR)
    first = changes.give(night, SITE, 0)
    second = changes.give(night, SITE, first.id)
    line = shifts.lines_of(day, first.id)[0]

    for act in (changes.confirm, lambda *args: changes.ask(*args, "?")):
        with pytest.raises(NotFound):
            act(day, second.id, line.id)
    with pytest.raises(NotFound):
        changes.answer(night, second.id, line.id, "!")


def test_how_the_last_handovers_went(night, day, clock):
    before = 0
    for minutes in (4, 6, 300):
        given = changes.give(night, SITE, before)
        confirm_all(day, given.id)
        clock.advance(timedelta(minutes=minutes))
        changes.accept(day, given.id)
        before = given.id
    found = shifts.past(day, SITE)

    assert (found.accepted, found.in_time, found.late, found.median_minutes) == (3, 2, 1, 6)
    assert shifts.past(day, SITE) == shifts.past(day)


def test_looking_costs_the_same_however_many_lines_there_are(night, session, clock):
    counted = []
    for number in range(15):
        add_order(session, clock.now(), title=str(number), due_at=clock.now() - HOUR)
    first = changes.give(night, SITE, 0)
    for look in (lambda: shifts.shown(night, first.id), lambda: shifts.preview(night, SITE)):
        with statements(session.get_bind()) as sent:
            look()
        counted.append(len(sent))

    assert counted == [5, 9]
    assert session.scalar(select(func.count()).select_from(HandoverLine)) == 15
