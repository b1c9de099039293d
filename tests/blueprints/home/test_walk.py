"""Whatever happens in whatever order: a page that is given again is the page that would be drawn now."""

from __future__ import annotations

import random
import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from console.models.identity import User
from console.models.jobs import JobRun
from console.models.tracker import TrackerItem
from console.services.audit import record as audit
from console.services.tracker import completion as tracker_completion
from console.ui import markup_cache
from console.web.extensions import db
from tests.factories import make_site
from tests.services.tracker.tracker_support import add_item

PAGES = (
    *("/board", "/board?view=table", "/board?view=table&due=overdue", "/overview", "/my-work"),
    *("/gate", "/gate/history", "/jobs", "/audit", "/ops/preflight", "/programme"),
)
# Tokens are signed anew with every page, and every request has its own number.
OWN = re.compile(r'(name="csrf_token" value="|name="csrf-token" content=")[^"]+')


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


@pytest.mark.parametrize("seed", range(2))
def test_a_page_given_again_is_the_page_of_now(browser_client, items, session, clock, make_ctx, app, monkeypatch, seed):
    chance = random.Random(seed)
    world = World(session, clock, make_ctx, chance)
    readers = [browser_client("owner"), browser_client("manager", ("한빛마을 3단지",))]

    def look(reader, page):
        return OWN.sub("", reader.get(page).text)

    for step in chance.choices(STEPS, k=10):
        getattr(world, step)()
        session.commit()
        reader, page = chance.choice(readers), chance.choice(PAGES)
        given = [look(reader, page), look(reader, page)]
        monkeypatch.setattr(markup_cache, "_drawings", markup_cache.Drawings())
        with app.app_context():
            db.engine.dispose()
        assert given == [look(reader, page)] * 2, (step, page)
