from datetime import timedelta

import pytest

from console.domain.jobs import names as job_names
from console.domain.tracker.requests import ItemChange
from console.models.automation import RunFact
from console.models.jobs import JobRun
from console.services.home import activity
from console.services.tracker import items as tracker_items
from console.services.tracker import summary as tracker
from tests.factories import make_site
from tests.factories.tracker import HOUR, add_item
from tests.support.statements import statements

SITE, OTHER = "한빛마을 3단지", "푸른숲 타워"


@pytest.fixture
def items(session, clock):
    now = clock.now()
    for name in (SITE, OTHER):
        make_site(session, name, now=now)
    made = [
        add_item(session, now, 1, site=None, due_at=now - HOUR),
        add_item(session, now, 2, site=SITE, due_at=now - HOUR),
        add_item(session, now, 3, site=OTHER, due_at=now + HOUR),
    ]
    session.commit()
    return [item.id for item in made]


def said(lines):
    return [str(line.text) for line in lines]


@pytest.mark.parametrize(
    ("sites", "site", "late"),
    [(("*",), None, 2), (("*",), SITE, 1), ((SITE,), None, 2), ((OTHER,), None, 1), ((), None, 1)],
)
def test_late_items_are_counted_within_the_scope(make_ctx, items, sites, site, late):
    found = activity.figures(make_ctx("operator", sites), site)

    assert (found.late_board, found.late_weeks, found.late) == (late, 0, late)


def test_late_items_of_the_weeks_count_until_the_next_deadline(make_ctx, items, session, clock):
    for number, hours in ((1, -30), (2, -1), (3, 2)):
        add_item(session, clock.now(), number, tracker="w07", site=SITE, due_at=clock.now() + hours * HOUR)
    add_item(session, clock.now(), 4, tracker="w07", site=OTHER, due_at=clock.now() - HOUR)
    session.commit()
    reader = make_ctx("operator", (SITE,))
    reader.only_reads = True

    assert activity.figures(reader) == activity.Figures(late_board=2, late_weeks=2, my_work=0)
    clock.advance(3 * HOUR)
    assert activity.figures(reader).late_weeks == 3


@pytest.mark.parametrize("count", [tracker.overview, tracker.board_summary])
@pytest.mark.parametrize(("sites", "site"), [(("*",), None), (("*",), SITE), ((SITE,), None), ((OTHER,), None)])
def test_a_page_that_counted_the_late_items_does_not_count_them_again(make_ctx, items, clock, sites, site, count):
    alone = activity.figures(make_ctx("operator", sites), site)
    reader = make_ctx("operator", sites)
    reader.only_reads = True
    count(reader, site=site)

    with statements() as seen:
        assert activity.figures(reader, site) == alone
    # The reader's own items and orders of today, the weeks and the orders: those of the board are known.
    assert sum(statement.count("due_at < ") for statement in seen) == 4
    # Of another site, and after the next deadline, they are others.
    assert activity.figures(reader, "nowhere").late == 0
    clock.advance(2 * HOUR)
    assert activity.figures(reader, site) == activity.figures(make_ctx("operator", sites), site)


def test_without_permission_there_are_no_figures(make_ctx, items):
    nobody = make_ctx("operator", permissions=(), grants=frozenset())

    assert activity.figures(nobody) == activity.Figures()
    assert activity.flow(nobody) == ()


def test_the_day_reads_newest_first_in_sentences(make_ctx, items, clock):
    manager = make_ctx("manager", username="kim")
    clock.advance(timedelta(minutes=1))
    tracker_items.change(manager, items[0], ItemChange(status="in_progress"))
    clock.advance(timedelta(minutes=1))
    tracker_items.change(manager, items[1], ItemChange(status="blocked"))

    lines = activity.flow(manager)

    assert said(lines)[:2] == ["GR-002 is blocked", "Work on GR-001 has begun"]
    assert lines[0].item_id == items[1]


def test_the_flow_stays_within_the_scope_and_the_chosen_site(make_ctx, items, clock):
    owner = make_ctx("owner", username="owner")
    for item in items:
        clock.advance(timedelta(minutes=1))
        tracker_items.change(owner, item, ItemChange(status="blocked"))

    assert len(activity.flow(make_ctx("operator", (SITE,)))) == 2
    assert said(activity.flow(owner, OTHER)) == ["GR-003 is blocked"]


def test_yesterday_is_over(make_ctx, items, clock):
    owner = make_ctx("owner", username="owner")
    tracker_items.change(owner, items[0], ItemChange(status="blocked"))
    clock.advance(timedelta(days=1))

    assert activity.flow(owner) == ()


def test_verdicts_and_what_went_wrong_are_told_but_not_every_routine(session, make_ctx, clock):
    def run(name, status, error_code=None, **detail):
        now = clock.now()
        values = {"requested_at": now, "started_at": now, "finished_at": now, "error_code": error_code}
        made = JobRun(job_name=name, trigger="cron", state="finished", status=status, detail_json=detail, **values)
        session.add(made)
        session.flush()
        clock.advance(timedelta(minutes=1))
        return made.id

    run(job_names.GATE, "critical", decision="no_go")
    run("identity_clean_up", "success")
    run("identity_clean_up", "critical", "internal")
    run("audit_chain_verify", "critical")
    run(job_names.KPI, "critical")
    facts = {"job_name": job_names.AUTOPILOT, "finished_at": clock.now(), "acted": True, "assigned_count": 3}
    session.add(RunFact(run_id=run(job_names.AUTOPILOT, "warning"), notified_count=1, **facts))
    session.commit()

    assert said(activity.flow(make_ctx("owner"))) == [
        "Autopilot: 3 assigned, 1 told",
        "Job found something critical",
        "Job failed",
        "Gate verdict NO-GO",
    ]
    assert said(activity.flow(make_ctx("operator"))) == ["Gate verdict NO-GO"]
