"""The jobs pages: what they show, what may be done there, and that fragments and pages agree."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import sessionmaker

from console.core.clock import FixedClock
from console.core.context import SYSTEM, unit_of_work
from console.inputs.base import BodyModel
from console.models.jobs import JobRun
from console.services.jobs import registry
from console.services.jobs import schedule as run_schedule
from console.services.jobs.job import read_options
from console.web.extensions import db
from tests.services.jobs.run_support import job_of
from tests.support.runs import add_run
from tests.support.statements import statements
from workers.schedule import ENTRIES

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def add(session, clock):
    """Store a run of five minutes ago; one that is over did its work."""

    def build(name="job_runs_retention", state="finished", status="success", **values) -> int:
        did = {"executed": True} if state == "finished" else {}
        return add_run(session, clock.now() - timedelta(minutes=5), name, status, state, **{**did, **values})

    return build


@pytest.fixture
def look(app, session, config):
    """Let a scheduler look once at a given time."""

    def once(at) -> None:
        with unit_of_work(
            sessionmaker(session.get_bind()), actor=SYSTEM, clock=FixedClock(at), config=config, write=False
        ) as ctx:
            run_schedule.tick(ctx, ENTRIES, registry.find)

    return once


def row_of(page: str, words: str) -> str:
    """Return the one row of a table that holds the words."""
    (row,) = [found for found in re.findall(r"<tr\b.*?</tr>", page, re.DOTALL) if words in found]
    return row


def test_the_page_says_that_nothing_moves_the_schedule_and_that_the_queue_is_away(api):
    text = api().get("/jobs", headers=ENGLISH).text

    assert "The scheduler has stopped" in text
    assert "The queue cannot be reached" in text
    assert "No scheduler is running." in text


def test_the_page_tells_late_and_missed_in_the_readers_language(api, look, clock):
    look(clock.now() - timedelta(hours=5))
    look(clock.now() - timedelta(hours=5) + timedelta(minutes=30))
    look(clock.now())

    english = api().get("/jobs", headers=ENGLISH).text
    korean = api().get("/jobs").text

    assert "jobs late" in english
    assert "지연" in korean
    # 25 past of four hours: one run stands in for the other three
    assert "3 missed" in row_of(english, "Every hour at 25 past")
    assert "3회 누락" in row_of(korean, "매시 25분")


@pytest.mark.parametrize(
    ("role", "status", "may_run"),
    [("owner", 200, True), ("manager", 200, True), ("auditor", 200, False), ("operator", 403, False)],
)
def test_the_page_offers_what_the_reader_may_do(api, add, role, status, may_run):
    failed = add(status="critical", error_code="worker_lost")
    client = api(role)
    response = client.get("/jobs", headers=ENGLISH)

    assert response.status_code == status
    assert ("Run a job" in response.text) is may_run
    detail = client.get(f"/jobs/runs/{failed}", headers=ENGLISH)
    assert detail.status_code == status
    assert ("Try again" in detail.text) is (role == "owner")
    assert client.get("/jobs/job_runs_retention/start").status_code == ({"owner": 200, "manager": 404}.get(role, 403))


def test_a_list_fragment_stands_in_the_page_word_for_word(api, add):
    add()
    client = api()

    fragment = client.get("/jobs", headers=PARTIAL).text
    page = client.get("/jobs").text

    assert fragment.strip().startswith('<section class="listing" id="list-runs"')
    assert "".join(fragment.split()) in "".join(page.split())


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 4),
        ("?job=gate", 1),
        ("?status=critical&status=warning", 2),
        ("?trigger=manual", 1),
        ("?dry_run=1", 1),
        ("?missed=1", 1),
        ("?who=lee", 1),
        ("?q=LATE", 0),
        ("?q=GATE", 1),
        ("?q=%232", 1),
        ("?since=2026-03-02", 4),
        ("?until=2026-03-01", 0),
        ("?idle=only", 1),
        ("?all=1", 5),
    ],
)
def test_the_list_is_narrowed_by_its_address_and_the_csv_has_the_same_rows(api, add, register, query, count):
    register(job_of(name="gate"))
    add("gate", trigger="manual", requested_by="lee")
    add(status="critical")
    add(status="warning", dry_run=True)
    add(catch_up=True)
    add(executed=False)
    client = api()

    rows = client.get(f"/jobs{query}", headers=PARTIAL).text.count("<tr data-row")
    csv = client.get(f"/jobs/runs.csv{query}").text.splitlines()

    assert rows == count
    assert len(csv) == count + 1
    assert csv[0].startswith("id,job_name,status,trigger,finished_at,seconds")


@pytest.mark.parametrize("query", ["?since=tomorrow", "?until=0001-01-01", "?status=x", "?sort=nothing", "?page=0"])
def test_an_address_that_makes_no_sense_is_refused(api, query):
    client = api()

    assert client.get(f"/jobs{query}").status_code == 422
    assert client.get(f"/jobs/runs.csv{query}").status_code == 422


def test_the_page_needs_the_same_few_queries_for_any_number_of_runs(api, add, session, app):
    client = api()
    client.get("/jobs")
    counts = []
    for more in (1, 1, 60):
        for _ in range(more):
            add()
        with app.app_context(), statements(db.engine) as seen:
            client.get("/jobs?per_page=250")
        counts.append(len(seen))

    assert counts[1] == counts[2] <= 14


def test_an_open_run_asks_again_and_a_finished_one_ends_that(api, add):
    running, done = add(state="running", progress_done=3, progress_total=10), add("b")
    client = api()

    page = client.get(f"/jobs/runs/{running}", headers=ENGLISH)
    fragment = client.get(f"/jobs/runs/{running}", headers=PARTIAL)
    ended = client.get(f"/jobs/runs/{done}", headers=PARTIAL)

    assert 'data-poll-every="1"' in page.text
    assert 'value="3" max="10"' in page.text
    assert fragment.status_code == 200
    assert ended.status_code == 286
    assert 'data-poll-every="0"' in ended.text
    assert client.get(f"/jobs/runs/{done}").status_code == 200


def test_a_run_shows_its_log_and_why_it_failed(api, add):
    run_id = add(
        status="critical",
        error_code="work_failed",
        error_id="abc",
        detail_json={"message": "<b>no</b>"},
        log_json=[{"at": "2026-03-02T00:00:00+00:00", "msgid": "Reading %(count)s items", "params": {"count": 7}}],
    )

    text = api().get(f"/jobs/runs/{run_id}", headers=ENGLISH).text

    assert "Reading 7 items" in text
    assert "09:00:00" in text
    assert "It failed. Nothing of it was kept." in text
    assert "&lt;b&gt;no" in text
    assert "abc" in text


class Wishes(BodyModel):
    """Every kind of option that a form can ask for."""

    site: str = Field("HQ", max_length=10)
    times: int = Field(2, ge=1, le=9)
    loud: bool = True
    days: int | None = Field(None, ge=1)


def test_a_job_is_started_with_the_options_of_its_form(api, register, session):
    register(job_of(lambda _ctx, _options: {}, name="wish", options=Wishes))
    client = api()

    form = client.get("/jobs/wish/start", headers=ENGLISH).text
    response = client.post("/jobs/wish/start", data={"site": "본사", "times": "3", "days": "", "dry_run": "1"})

    assert 'max="9"' in form
    assert 'maxlength="10"' in form
    assert response.status_code == 303
    row = session.scalars(select(JobRun)).one()
    assert row.options_json == {"site": "본사", "times": 3, "loud": False, "days": None}
    assert (row.state, row.trigger, row.dry_run) == ("queued", "manual", True)
    assert response.headers["Location"] == f"/jobs/runs/{row.id}"


def test_a_form_with_an_error_comes_back_with_what_was_typed(api, register, session):
    register(job_of(lambda _ctx, _options: {}, name="wish", options=Wishes))

    response = api().post("/jobs/wish/start", data={"times": "77", "site": "x"}, headers={**PARTIAL, **ENGLISH})

    assert response.status_code == 422
    assert 'value="77"' in response.text
    assert "invalid-feedback" in response.text
    assert response.text.strip().startswith("<form")
    assert session.scalars(select(JobRun)).all() == []


@pytest.mark.parametrize(("lang", "words"), [("ko", "값을 확인해 주십시오"), ("en", "less than or equal to 9")])
def test_what_does_not_fit_is_told_in_the_language_of_the_reader(api, register, lang, words):
    register(job_of(lambda _ctx, _options: {}, name="wish", options=Wishes))

    response = api().post("/jobs/wish/start", data={"times": "77", "site": "x"}, headers={"Accept-Language": lang})

    assert response.status_code == 422
    assert words in response.text
    assert ("Input should" in response.text) == (lang == "en")


def test_asking_twice_gives_the_run_that_waits_already(api, register, session):
    register(job_of(name="wish"))
    client = api()

    first = client.post("/jobs/wish/start", data={"name": "a"}).headers["Location"]
    again = client.post("/jobs/wish/start", data={"name": "a"}).headers["Location"]
    other = client.post("/jobs/wish/start", data={"name": "b"}).headers["Location"]

    assert first == again != other


def test_runs_are_stopped_and_tried_again_from_their_page(api, add, register, session):
    register(job_of(name="gate"))
    waiting, failed = add("gate", state="queued"), add("gate", status="critical")
    client = api()

    stopped = client.post(f"/jobs/runs/{waiting}/cancel", headers=PARTIAL)
    again = client.post(f"/jobs/runs/{failed}/retry")

    assert (stopped.status_code, stopped.headers["HX-Redirect"]) == (204, f"/jobs/runs/{waiting}")
    assert again.status_code == 303
    session.rollback()
    assert session.get_one(JobRun, waiting, populate_existing=True).error_code == "cancelled"
    assert session.scalars(select(JobRun.retry_of).where(JobRun.retry_of.is_not(None))).all() == [failed]


@pytest.mark.parametrize("name", [job.name for job in registry.all_jobs()])
def test_every_job_has_words_for_people(name):
    job = registry.get(name)

    assert job.title
    assert job.sentence.endswith(".")


def test_every_line_of_the_schedule_names_a_job_and_fits_its_options():
    assert len({line.key for line in ENTRIES}) == len(ENTRIES)
    for line in ENTRIES:
        assert line.sentence
        read_options(registry.get(line.job), line.options)
