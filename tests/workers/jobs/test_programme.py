"""Bulk actions of a week that are too large to wait for: a worker does them on the items of that week alone."""

from sqlalchemy import select

from console.domain.jobs import names as job_names
from console.domain.programme.catalogue import WEEKS
from console.models.jobs import JobRun
from console.models.tracker import TrackerItem
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.services.programme import weeks as programme
from tests.factories import make_site


def test_a_worker_changes_the_items_of_the_week_and_no_others(ctx, session, clock):
    make_site(session, "본관", now=clock.now())
    for code in ("w02", "w03"):
        programme.bootstrap(ctx, WEEKS[code], "본관")
    wanted = {"action": "assign", "assignee": "lee", "everything": True, "tracker": "w02"}

    found = run_engine.execute(ctx, registry.get(job_names.BULK), wanted)

    assert (found.run.status, found.run.detail["changed"]) == ("success", 13)
    given = session.execute(select(TrackerItem.tracker, TrackerItem.assignee).distinct()).all()
    assert sorted(given, key=str) == [("w02", "lee"), ("w03", None)]


def test_a_page_hands_many_items_of_a_week_to_a_worker(make_app, ctx, session, clock, browser_client):
    make_site(session, "본관", now=clock.now())
    programme.bootstrap(ctx, WEEKS["w02"], "본관")
    ctx.commit()
    client = browser_client("manager", ("본관",))
    client.application = make_app(TRACKER_BULK_DIRECT_ROWS=5)

    chosen = {"all": "1", "query": "", "action": "assign", "value": "lee"}
    answer = client.post("/programme/w02/bulk/apply", data=chosen)

    assert answer.status_code == 303
    run = session.scalars(select(JobRun).where(JobRun.job_name == job_names.BULK)).one()
    assert (run.options_json["tracker"], run.options_json["assignee"]) == ("w02", "lee")
    assert set(session.scalars(select(TrackerItem.assignee))) == {None}


def test_whoever_asked_for_it_sees_it_go_without_the_right_to_see_all_jobs(
    make_app, ctx, session, clock, browser_client
):
    make_site(session, "본관", now=clock.now())
    programme.bootstrap(ctx, WEEKS["w02"], "본관")
    ctx.commit()
    app = make_app(TRACKER_BULK_DIRECT_ROWS=5)
    client, other = browser_client("operator", ("본관",)), browser_client("operator", ("본관",), username="other")
    client.application = other.application = app

    client.post("/programme/w02/bulk/apply", data={"all": "1", "query": "", "action": "assign", "value": "lee"})

    run = session.scalars(select(JobRun).where(JobRun.job_name == job_names.BULK)).one()
    address = f"/programme/w02/bulk/runs/{run.id}"
    partial = {"HX-Request": "true", "HX-Request-Type": "partial"}
    assert run.trigger == "manual"
    assert client.get(address, headers=partial).status_code == 200
    assert other.get(address, headers=partial).status_code == 404
