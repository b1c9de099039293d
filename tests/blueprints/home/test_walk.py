"""Whatever happens in whatever order and at once: an answer that is given again is the one that would be made now."""

from __future__ import annotations

import os
import random
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from difflib import unified_diff

import pytest
from sqlalchemy import func, select, update

from console.models.identity import User
from console.models.jobs import JobRun
from console.models.tracker import TrackerItem
from console.services.audit import record as audit
from console.services.common import query_cache
from console.services.tracker import completion as tracker_completion
from console.ui import markup_cache
from console.web.extensions import db
from tests.contract.routes import routes
from tests.factories import make_site
from tests.factories.tracker import add_item
from tests.support.people import without_tokens

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
# Views of one page that read other rows.
VIEWS = ("/board?view=table", "/board?view=table&due=overdue", "/programme/w02", "/programme/w02?view=table")
# Downloads are streams and on record; what tells the state of this process is no matter of the reader; the first reader
# of a release's checklist binds its version.
ELSEWHERE = re.compile(
    r"csv|pdf|export|archive|integrity|package|performance|posture|latency|/ready|/health|/meta|/metrics|/openapi"
    r"|/static|/runbook/checks|/deploy/checklist"
)
# Answers of the API say when they were read.
READ_AT = re.compile(r'("(?:generated|checked|evaluated)_at": ?")[^"]+')


def addresses(app):
    """Return every page and every list of the API that needs no argument, so that new ones are in it by themselves."""
    read = [route for route in routes(app) if route.method == "GET" and "<" not in route.rule]
    return sorted({route.rule for route in read if not ELSEWHERE.search(route.rule)} | set(VIEWS))


class World:
    """What may change beside a reader: each step is one transaction of somebody else."""

    def __init__(self, session, clock, make_ctx, chance):
        self.session, self.clock, self.make_ctx, self.chance = session, clock, make_ctx, chance

    def item(self):
        found = select(TrackerItem.id).where(TrackerItem.status != "done").order_by(TrackerItem.id)
        return self.chance.choice(self.session.scalars(found).all())

    def write(self, **values):
        changed = update(TrackerItem).where(TrackerItem.id == self.item())
        self.session.execute(changed.values(version=TrackerItem.version + 1, updated_at=self.clock.now(), **values))

    def move(self):
        self.write(status=self.chance.choice(["pending", "in_progress", "blocked"]))

    def rename_item(self):
        self.write(item_name=f"일 {self.chance.random()}", texts={})

    def postpone(self):
        self.write(due_at=self.clock.now() + timedelta(minutes=self.chance.randint(-90, 90)))

    def comment(self):
        counted = update(TrackerItem).where(TrackerItem.id == self.item())
        self.session.execute(counted.values(comment_count=TrackerItem.comment_count + 1))

    def add(self):
        number = (self.session.scalar(select(func.max(TrackerItem.number))) or 0) + 1
        add_item(self.session, self.clock.now(), number, assignee="lee")

    def rename_person(self):
        self.session.execute(
            update(User).where(User.username == "lee").values(display_name=f"이 {self.chance.random()}")
        )

    def retire_person(self):
        self.session.execute(update(User).where(User.username == "lee").values(is_active=self.chance.random() < 0.5))

    def open_site(self):
        make_site(self.session, f"새 건물 {self.chance.random()}", now=self.clock.now())

    def close_tracker(self):
        ctx = self.make_ctx("owner")
        tracker_completion.complete(ctx, note=f"{self.chance.random()}", force=True)
        ctx.commit()

    def record(self):
        ctx = self.make_ctx("owner")
        audit.record(ctx, "walk_step", "walk", self.chance.randint(1, 9))
        ctx.commit()

    def end_run(self):
        now = self.clock.now()
        self.session.add(
            JobRun(
                job_name="audit_checkpoint",
                trigger="api",
                status=self.chance.choice(["success", "critical"]),
                state="finished",
                executed=True,
                requested_by="system",
                requested_at=now,
                started_at=now,
                finished_at=now,
            )
        )

    def wait(self):
        self.clock.set(self.clock.now() + timedelta(minutes=self.chance.randint(1, 5)))

    def nothing(self):
        """Leave everything as it is."""


STEPS = [name for name, step in vars(World).items() if callable(step) and name not in ("__init__", "item", "write")]


def forget_everything(engine, monkeypatch):
    """Let the next page be read and drawn as in a process that just started."""
    monkeypatch.setattr(markup_cache, "_drawings", markup_cache.Drawings())
    query_cache.forget(engine)


def body(client, address, **headers):
    """Return what a reader gets, without what belongs to one answer alone."""
    answer = client.get(address, headers=headers)
    assert answer.status_code < 500, (address, answer.text[-2000:])
    return answer.status_code, READ_AT.sub("", without_tokens(answer.text))


@pytest.fixture
def engine_of(app):
    with app.app_context():
        return db.engine


@pytest.mark.parametrize("seed", range(2))
def test_a_page_given_again_is_the_page_of_now(
    browser_client, items, session, clock, make_ctx, app, engine_of, monkeypatch, seed
):
    chance = random.Random(seed)
    world = World(session, clock, make_ctx, chance)
    readers = [browser_client("owner"), browser_client("manager", ("한빛마을 3단지",))]
    pages = addresses(app)

    for step in chance.choices(STEPS, k=12):
        getattr(world, step)()
        session.commit()
        reader, page = chance.choice(readers), chance.choice(pages)
        given = [body(reader, page), body(reader, page)]
        forget_everything(engine_of, monkeypatch)
        assert given == [body(reader, page)] * 2, (step, page)


@pytest.mark.parametrize("seed", range(2))
def test_a_tag_that_still_holds_stands_for_the_very_same_answer(
    browser_client, items, session, clock, make_ctx, app, engine_of, monkeypatch, seed
):
    chance = random.Random(seed)
    world = World(session, clock, make_ctx, chance)
    reader = browser_client("owner")
    lists = [page for page in addresses(app) if reader.get(page, headers=PARTIAL).headers.get("HX-PTag")]
    assert len(lists) > 8
    held = 0
    for step in chance.choices(STEPS, k=12):
        page = chance.choice(lists)
        first = reader.get(page, headers=PARTIAL)
        getattr(world, step)()
        session.commit()
        again = reader.get(page, headers={**PARTIAL, "HX-PTag": first.headers["HX-PTag"]})
        forget_everything(engine_of, monkeypatch)
        if again.status_code == 304:
            held += 1
            assert READ_AT.sub("", without_tokens(first.text)) == body(reader, page, **PARTIAL)[1], (step, page)
    assert held


def test_a_crowd_at_once_gets_what_each_would_get_alone(browser_client, items, app, engine_of, monkeypatch, session):
    """Sixteen people of every role and scope, eight threads, warm and cold: nobody ever gets anybody else's answer."""
    scopes = (("*",), ("한빛마을 3단지",), ("푸른숲 타워",), ())
    people = [browser_client(role, sites) for role in ("owner", "manager", "operator", "auditor") for sites in scopes]
    for number, person in enumerate(people):
        person.set_cookie("lang", ("ko", "en")[number % 2])
        person.set_cookie("theme", ("light", "dark", "auto")[number % 3])
    pages = addresses(app)
    chance = random.Random(7)
    shares = [chance.sample(pages, len(pages) if os.environ.get("SOAK") else 8) for _ in people]
    # A refusal leaves a line in the audit log, which would change what others read meanwhile.
    shares = [[page for page in shares[at] if person.get(page).status_code == 200] for at, person in enumerate(people)]
    forget_everything(engine_of, monkeypatch)

    def visit(number):
        return [[body(people[number], page) for page in shares[number]] for _again in range(2)]

    with ThreadPoolExecutor(8) as crowd:
        warm = list(crowd.map(visit, range(len(people))))

    for number, person in enumerate(people):
        for page, *given in zip(shares[number], *warm[number], strict=True):
            forget_everything(engine_of, monkeypatch)
            now = body(person, page)
            assert [list(unified_diff(one[1].splitlines(), now[1].splitlines(), n=0)) for one in given] == [[], []], (
                number,
                page,
            )
            assert {one[0] for one in given} == {now[0]}
