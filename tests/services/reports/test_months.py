"""Months of a site: drafts, closing them for good, corrections; figures that never move afterwards."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import sessionmaker

from console.core.context import SYSTEM, unit_of_work
from console.domain.errors import Conflict, Invalid, NotFound, PermissionDenied, SiteDenied
from console.domain.jobs import names as job_names
from console.models.audit import AuditLog
from console.models.monthly_reports import MonthlyReportVersion
from console.models.work_orders import WorkOrder
from console.services.evidence import subjects
from console.services.evidence.files import Upload
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.services.reports import month_closing, month_facts, month_paper, month_policy, monthly, months
from console.services.work_orders import actions, evidence
from tests.conftest import actor_of
from tests.factories import make_site, make_user
from tests.factories.inspections import add_inspection
from tests.factories.work_orders import add_asset, add_order
from tests.support.files import photo
from tests.support.statements import statements
from tools import verify_audit

SITE, MONTH = "본관", "2026-02"
BEGIN = datetime(2026, 1, 31, 15, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MINE = {"ko": ["직접 쓴 문장"], "en": ["Written by hand"]}


@pytest.fixture
def writing(make_ctx, session, clock):
    """A manager of the site, who has a name."""
    user = make_user(session, now=clock.now(), username="park", display_name="박관리", role="manager")
    session.commit()
    return make_ctx("manager", (SITE,), username="park", user_id=user.id)


@pytest.fixture
def february(session):
    """Three orders: done in time, done late, open and waiting; one inspection."""
    for hours in (4, 30):
        add_order(
            session,
            BEGIN + DAY,
            trade="electric",
            status="completed",
            completed_at=BEGIN + DAY + hours * HOUR,
            resolution_notes="퓨즈 교체",
        )
    add_order(session, BEGIN + 20 * DAY, title="도어 슈", trade="elevator")
    add_inspection(session, BEGIN + DAY, risk_level="warning", risk_flags=["voltage_unbalance"])
    session.commit()


def close(ctx, edit=0, month=MONTH):
    made = month_closing.freeze(ctx, SITE, month, edit=edit)
    ctx.session.commit()
    return made


def test_a_draft_has_figures_and_sentences_in_both_languages(make_ctx, february):
    found = months.view(make_ctx("auditor"), SITE, MONTH)
    document = found.document

    assert (found.state, found.is_draft, found.edit, found.shown) == ("draft", True, 0, None)
    assert document["figures"] == {
        "received": 3,
        "completed": 2,
        "left_open": 1,
        "canceled": 0,
        "completion_rate_percent": 66.67,
        "on_time": {"kept": 1, "counted": 3, "rate_percent": 33.3},
        "inspections": 1,
        "danger": 0,
        "warning": 1,
    }
    assert [(one["trade"], one["received"], one["completed"]) for one in document["trades"]] == [
        *(("electric", 2, 2), ("elevator", 1, 0)),
    ]
    assert len(document["days"]) == 28
    assert [(one["day"], one["received"]) for one in document["days"] if one["received"]] == [
        *(("2026-02-02", 2), ("2026-02-21", 1)),
    ]
    assert sum(one["finished"] for one in document["days"]) == 2
    assert document["open"]["rows"][0]["title"] == "도어 슈"
    assert {language: len(lines) for language, lines in document["sentences"].items()} == {"ko": 3, "en": 3}
    assert "received: 3, of them done: 2; due dates kept: 33.3%" in document["sentences"]["en"][0]
    assert document["sentences"]["ko"][0] != document["sentences"]["en"][0]


def test_a_month_without_anything_says_so_in_words(make_ctx):
    document = months.view(make_ctx(), SITE, MONTH).document

    assert document["figures"]["completion_rate_percent"] is None
    assert document["figures"]["on_time"]["rate_percent"] is None
    assert document["sentences"]["en"] == [
        "No work order was received and no inspection was made in this month.",
        "No failure was mended in this month.",
        "Nothing is left open.",
    ]
    assert (document["trades"], document["faults"], document["rounds"], document["next"]) == ([], [], [], [])


def test_a_closed_month_never_moves(session, writing, make_ctx, february, clock):
    made = close(writing)
    before = months.view(make_ctx(), SITE, MONTH).document
    published = monthly.report(make_ctx(), MONTH, SITE)

    clock.advance(DAY)
    session.execute(update(WorkOrder).values(trade="fire", title="anders", due_at=BEGIN))
    session.execute(delete(WorkOrder).where(WorkOrder.status == "completed"))
    add_order(session, BEGIN + DAY)
    session.commit()
    after = months.view(make_ctx(), SITE, MONTH)

    assert after.document == before
    assert (after.state, after.shown.version, after.shown.frozen_by) == ("frozen", 1, "park")
    assert after.document["archive_sha256"] == made.archive_sha256
    assert after.document["approved_by"] == "박관리"
    assert monthly.report(make_ctx(), MONTH, SITE) == published
    assert (published.work_orders.total, published.frozen.version) == (3, 1)
    assert list(published.inspections.risk_counts) == ["normal", "warning", "danger"]
    # All sites together are told as they are now.
    assert monthly.report(make_ctx(), MONTH).work_orders.total == 2
    entry = session.scalars(select(AuditLog).where(AuditLog.action == "report_monthly_freeze")).one()
    assert (entry.resource_id, made.archive_sha256 in entry.detail_json) == (f"{MONTH}:{SITE}", True)


def test_a_month_that_lasts_is_not_closed(writing):
    with pytest.raises(Conflict, match="not over"):
        month_closing.freeze(writing, SITE, "2026-03", edit=0)
    with pytest.raises(Invalid):
        month_closing.freeze(writing, SITE, "2026-04", edit=0)


@pytest.mark.parametrize(
    ("role", "sites", "error"),
    [("auditor", ("*",), PermissionDenied), ("operator", ("*",), PermissionDenied), ("manager", ("B",), SiteDenied)],
)
def test_only_managers_of_the_site_write_and_close(make_ctx, role, sites, error):
    ctx = make_ctx(role, sites)
    acts = (
        lambda: month_closing.freeze(ctx, SITE, MONTH, edit=0),
        lambda: month_closing.write(ctx, SITE, MONTH, MINE, edit=0),
        lambda: month_closing.correct(ctx, SITE, MONTH, "x"),
        lambda: month_closing.drop(ctx, SITE, MONTH, edit=1),
        lambda: month_policy.change(ctx, SITE, freeze_day=3, offices=("", "", "")),
    )
    for act in acts:
        with pytest.raises(error):
            act()


def test_nobody_reads_the_months_of_a_foreign_site(make_ctx):
    foreign = make_ctx("manager", ("B",))
    for act in (months.listed, lambda ctx, site: months.view(ctx, site, MONTH), month_closing.document_of):
        with pytest.raises(SiteDenied):
            act(foreign, SITE, *([MONTH] if act is month_closing.document_of else []))


def test_written_sentences_stand_until_somebody_gives_them_up(writing, make_ctx, february):
    assert month_closing.write(writing, SITE, MONTH, {"ko": ["  직접   쓴 문장 ", ""]}, edit=0) == 1
    writing.session.commit()
    found = months.view(make_ctx(), SITE, MONTH)
    assert found.document["sentences"]["ko"] == ["직접 쓴 문장"]
    assert len(found.document["sentences"]["en"]) == 3
    assert found.edit == 1

    with pytest.raises(Conflict):
        month_closing.write(writing, SITE, MONTH, MINE, edit=0)
    writing.session.rollback()
    with pytest.raises(Conflict):
        month_closing.freeze(writing, SITE, MONTH, edit=0)
    writing.session.rollback()
    assert month_closing.write(writing, SITE, MONTH, MINE, edit=1) == 2
    writing.session.commit()

    close(writing, edit=2)
    closed = months.view(make_ctx(), SITE, MONTH).document
    assert (closed["sentences"], closed["prepared_by"]) == (MINE, "박관리")
    with pytest.raises(Conflict):
        month_closing.write(writing, SITE, MONTH, MINE, edit=2)


def test_sentences_have_bounds(writing):
    for lines in (["a"] * 4, ["a" * 301]):
        with pytest.raises(Invalid):
            month_closing.write(writing, SITE, MONTH, {"ko": lines}, edit=0)


def test_a_correction_is_another_version_that_says_what_is_different(session, writing, make_ctx, february):
    close(writing)
    with pytest.raises(Invalid):
        month_closing.correct(writing, SITE, MONTH, "  ")
    assert month_closing.correct(writing, SITE, MONTH, "소방 작업 1건이 빠졌습니다") == 2
    session.commit()
    with pytest.raises(Conflict):
        month_closing.correct(writing, SITE, MONTH, "x")
    session.rollback()
    add_order(session, BEGIN + 2 * DAY, trade="fire")
    session.commit()

    # Until it is closed, the first version is what counts.
    assert months.view(make_ctx(), SITE, MONTH).shown.version == 1
    draft = months.view(make_ctx(), SITE, MONTH, 2)
    assert (draft.is_draft, draft.document["replaces"]["version"]) == (True, 1)
    made = close(writing, edit=draft.edit)

    told = {one["key"]: (one["old"], one["new"]) for one in made.differences}
    assert told["figures.received"] == (3, 4)
    assert told["trades.fire.received"] == (0, 1)
    assert "figures.completed" not in told
    newest = months.view(make_ctx(), SITE, MONTH)
    assert (newest.shown.version, newest.shown.reason) == (2, "소방 작업 1건이 빠졌습니다")
    first = months.view(make_ctx(), SITE, MONTH, 1)
    assert first.document["figures"]["received"] == 3
    assert newest.document["replaces"]["archive_sha256"] == first.document["archive_sha256"]
    with pytest.raises(NotFound):
        months.view(make_ctx(), SITE, MONTH, 3)


def test_a_correction_can_be_given_up(session, writing, make_ctx, february):
    close(writing)
    month_closing.correct(writing, SITE, MONTH, "doch nicht")
    session.commit()
    month_closing.drop(writing, SITE, MONTH, edit=1)
    session.commit()

    assert [one.version for one in months.view(make_ctx(), SITE, MONTH).versions] == [1]
    with pytest.raises(Conflict):
        month_closing.drop(writing, SITE, MONTH, edit=1)


def test_of_two_who_close_at_once_one_wins(at_once, session, february):
    def shut(ctx):
        return month_closing.freeze(ctx, SITE, MONTH, edit=0)

    results = at_once(shut, shut)

    assert sorted(type(one).__name__ for one in results) == ["Conflict", "Version"]
    assert session.query(MonthlyReportVersion).count() == 1
    entries = session.scalars(select(AuditLog).where(AuditLog.action == "report_monthly_freeze")).all()
    assert len(entries) == 1


def test_of_writing_and_closing_at_once_nothing_is_lost(at_once, session, february):
    results = at_once(
        lambda ctx: month_closing.freeze(ctx, SITE, MONTH, edit=0),
        lambda ctx: month_closing.write(ctx, SITE, MONTH, MINE, edit=0),
    )

    row = session.scalars(select(MonthlyReportVersion)).one()
    won = [one for one in results if not isinstance(one, Exception)]
    assert len(won) == 1
    assert isinstance(next(one for one in results if isinstance(one, Exception)), Conflict)
    assert (row.state == "frozen") == (not isinstance(won[0], int))


def test_closing_reads_one_moment_while_orders_change(engine, config, clock, session, writing, february, monkeypatch):
    """An order that comes between two of its statements stands in all parts of the document or in none."""
    own = month_facts._trades

    def between(*arguments):
        if not fired:
            fired.append(True)
            with sessionmaker(engine)() as other:
                target = other.scalar(select(WorkOrder.id).where(WorkOrder.status == "open"))
            with unit_of_work(sessionmaker(engine), actor=actor_of(), clock=clock, config=config) as ctx:
                add_order(ctx.session, BEGIN + 3 * DAY, trade="fire")
                actions.complete(ctx, target, "x")
        return own(*arguments)

    fired = []
    monkeypatch.setattr(month_facts, "_trades", between)
    close(writing)
    document = json.loads(session.scalars(select(MonthlyReportVersion.document)).one())

    assert fired
    assert session.query(WorkOrder).count() == 4
    received = {
        document["figures"]["received"],
        document["work_orders"]["total"],
        sum(one["received"] for one in document["trades"]),
        sum(one["received"] for one in document["days"]),
    }
    assert received == {3}
    assert (document["figures"]["left_open"], document["open"]["total"]) == (1, 1)


def test_the_job_closes_on_the_day_that_a_site_chose(session, writing, make_ctx, february, clock, config):
    def run():
        session.rollback()
        ctx = make_ctx()
        ctx.actor = SYSTEM
        made = run_engine.execute(ctx, registry.get(job_names.MONTHLY_FREEZE), {}, trigger="cron", worker="test")
        return made.detail

    make_site(session, SITE, now=clock.now())
    make_site(session, "별관", now=clock.now())
    month_policy.change(writing, SITE, freeze_day=3, offices=("담당", "소장", "회장"))
    session.commit()

    assert run()["closed"] == []
    clock.set(datetime(2026, 3, 2, 23, 59, tzinfo=UTC))
    assert run()["closed"] == []
    clock.set(datetime(2026, 3, 3, 0, 2, tzinfo=UTC))
    assert [(one["site"], one["month"], one["version"]) for one in run()["closed"]] == [(SITE, MONTH, 1)]
    assert run()["closed"] == []

    found = months.view(make_ctx(), SITE, MONTH)
    assert (found.shown.frozen_by, found.document["approved_by"]) == ("system", "")
    assert found.document["offices"] == ["담당", "소장", "회장"]
    assert [one.state for one in months.listed(make_ctx(), SITE).rows[:3]] == ["open", "frozen", "draft"]


def test_a_month_that_was_missed_is_closed_later_and_none_is_promised_that_nobody_asked_for(
    session, writing, make_ctx, clock
):
    make_site(session, SITE, now=clock.now())
    clock.set(datetime(2026, 1, 20, tzinfo=UTC))
    month_policy.change(writing, SITE, freeze_day=3, offices=("", "", ""))
    # Nothing ran in February.
    clock.set(datetime(2026, 3, 5, tzinfo=UTC))

    assert [period.label for _site, period in month_closing.due(make_ctx())] == ["2026-02", "2026-01"]
    # Of March to December: that of December came before anybody chose a day.
    seen = [months.closes_at(months.period_of(make_ctx(), SITE, month), month_policy.of(make_ctx(), SITE), clock.now())
            for month in ("2026-03", "2026-01", "2025-12")]  # fmt: skip
    assert [at and f"{at:%m-%d}" for at in seen] == ["04-03", "02-03", None]


def test_what_is_planned_names_people_as_they_are_called(session, make_ctx, clock):
    make_user(session, now=clock.now(), username="lee", display_name="이정비")
    add_order(session, clock.now(), assignee="lee", due_at=BEGIN + 30 * DAY)
    session.commit()
    made = month_paper.paper(months.view(make_ctx(), SITE, MONTH).document, "ko")

    assert [row[-1] for row in made.following.rows] == ["이정비"]


def test_photos_stay_in_the_document_when_the_files_are_removed(session, make_ctx, writing, clock):
    order = add_order(session, BEGIN + DAY, title="펌프", status="acked", acknowledged_at=BEGIN + DAY)
    session.commit()
    for phase in ("before", "after"):
        upload = Upload(io.BytesIO(photo()), "사진.jpg", "image/jpeg")
        subjects.attach(make_ctx(), evidence.FILES, order.id, upload, part=phase)
        session.commit()
    done = {"status": "completed", "completed_at": BEGIN + 2 * DAY}
    session.execute(update(WorkOrder).values(**done))
    session.commit()
    close(writing)
    session.execute(text("DELETE FROM evidence_chunks"))
    session.commit()

    photos = months.view(make_ctx(), SITE, MONTH).document["faults"][0]["photos"]
    assert all(len(photos[phase]["jpeg"]) > 500 for phase in ("before", "after"))
    assert months.view(make_ctx(), SITE, "2026-01").document["faults"] == []


def test_failures_of_one_thing_are_one_line_and_counted_over_ninety_days(session, make_ctx):
    pump = add_asset(session, BEGIN, "P-2", name="배수펌프 2호기")
    for days in (-50, 2, 20):
        at = BEGIN + days * DAY
        add_order(session, at, asset_id=pump.id, status="completed", completed_at=at + HOUR, trade="mechanical")
    add_order(session, BEGIN - 100 * DAY, asset_id=pump.id, trade="mechanical")
    session.commit()

    document = months.view(make_ctx(), SITE, MONTH).document
    faults = document["faults"]

    assert (len(faults), len(faults[0]["ids"]), faults[0]["again"], faults[0]["minutes"]) == (1, 2, 3, 120)
    assert "3 times within 90 days" in document["sentences"]["en"][1]
    assert document["open"] == {**document["open"], "total": 1, "earlier": 1}


def test_the_statements_of_list_and_document_do_not_grow_with_the_rows(session, make_ctx, february):
    ctx = make_ctx()
    for act in (lambda: months.listed(ctx, SITE), lambda: months.view(ctx, SITE, MONTH)):
        act()
        with statements() as few:
            act()
        for number in range(20):
            at = BEGIN + number * DAY
            add_order(session, at, status="completed", completed_at=at + HOUR)
            add_order(session, at)
            add_inspection(session, at)
        session.commit()
        with statements() as many:
            act()
        assert len(few) <= len(many) <= 23
        assert len(many) - len(few) <= 1


def test_the_document_is_what_its_hash_says(session, writing, make_ctx, february, tmp_path, capsys):
    close(writing)
    name, content = month_closing.document_of(make_ctx("auditor"), SITE, MONTH)
    path = tmp_path / "report.json"
    path.write_bytes(content)

    assert name == "monthly-report-2026-02-본관-v1.json"
    assert verify_audit.main([str(path)]) in (0, 3)
    assert "version 1 of the report of 2026-02" in capsys.readouterr().out
    for old, new in (('"received":3', '"received":4'), ("직접", "간접"), ('"version":1', '"version":2')):
        changed = content.decode().replace(old, new)
        if changed == content.decode():
            continue
        path.write_text(changed)
        assert verify_audit.main([str(path)]) == 1
        assert "digest does not fit" in capsys.readouterr().out
