"""Files of work orders: kept once, counted on the order, in its history, within site and quota."""

import io
from datetime import timedelta

import pytest
from sqlalchemy import select

from console.core.context import start_writing
from console.domain.errors import Gone, Invalid, NotFound, PermissionDenied, SiteDenied, TooLarge
from console.domain.evidence.evidence import Scan
from console.models.audit import AuditLog
from console.models.evidence import EvidenceChunk, EvidenceFile
from console.services.evidence import subjects, upkeep
from console.services.evidence.files import Upload
from console.services.runbook import integrity
from console.services.work_orders import events, rows
from console.services.work_orders.evidence import FILES
from tests.factories.work_orders import add_order

BEFORE, AFTER = "before", "after"


@pytest.fixture(params=["fs", "db"])
def writing(make_ctx, session, clock, request):
    """A technician of 본관 with an order there and one of another site, for one backend."""
    here, far = add_order(session, clock.now()), add_order(session, clock.now(), site="별관")
    session.commit()
    ctx = make_ctx("operator", ("본관",), username="lee")
    ctx.config = ctx.config.replaced(EVIDENCE_STORAGE_BACKEND=request.param)
    ctx.order, ctx.far = here.id, far.id
    return ctx


def attach(ctx, content=b"measured", part=AFTER, order=None, **more):
    upload = Upload(io.BytesIO(content), "a.txt", "text/plain")
    made = subjects.attach(ctx, FILES, order or ctx.order, upload, part=part, **more)
    ctx.commit()
    return made


def counted(ctx):
    order = rows.load(ctx, ctx.order, ctx.now())
    return order.evidence_before, order.evidence_after


def history(ctx):
    return [(event.event_type, event.note) for event in events.listed(ctx, ctx.order)[0]]


def actions(ctx):
    return list(ctx.session.scalars(select(AuditLog.action).order_by(AuditLog.id)))


def test_a_file_is_counted_listed_sent_back_and_in_the_history(writing, clock):
    before = rows.load(writing, writing.order, clock.now())
    clock.advance(timedelta(minutes=1))
    first, second = attach(writing, part=BEFORE, note=" seen "), attach(writing, b"after", note="done")

    assert counted(writing) == (1, 1)
    assert [file.id for file in subjects.listed(writing, FILES, writing.order)] == [second.id, first.id]
    assert (first.work_order_id, first.inspection_id, first.part, first.note, first.site) == (
        *(writing.order, None, BEFORE, "seen", "본관"),
    )
    with subjects.fetch(writing, FILES, first.id).stream as stream:
        assert stream.read() == b"measured"
    assert history(writing) == [("evidence_added", "a.txt")] * 2
    writing.commit()
    assert actions(writing) == [*["work_order_evidence_upload"] * 2, "work_order_evidence_download"]
    order = rows.load(writing, writing.order, clock.now())
    # Like a comment, a file neither moves the order in a list nor stands in the way of an editor.
    assert (order.version, order.updated_at) == (before.version, before.updated_at)


def test_what_is_sent_twice_under_one_key_is_kept_once(writing):
    first, again = attach(writing, sent_key="k" * 64), attach(writing, sent_key="k" * 64)

    assert first.id == again.id
    assert counted(writing) == (0, 1)
    assert attach(writing, sent_key="m" * 64).id != first.id
    upload = Upload(io.BytesIO(b"measured"), "b.txt", "text/plain")
    assert subjects.is_there(writing, FILES, writing.order, upload)


def test_another_site_is_closed_and_an_unknown_order_is_not_there(writing, make_ctx):
    with pytest.raises(SiteDenied):
        attach(writing, order=writing.far)
    with pytest.raises(NotFound):
        attach(writing, order=99_999)
    with pytest.raises(Invalid):
        attach(writing, part="later")
    far = make_ctx("operator", ("별관",), username="choi")
    far.config = writing.config
    made = attach(far, order=writing.far)
    for ask in (subjects.fetch, lambda ctx, files, key: subjects.remove(ctx, files, key, "no")):
        with pytest.raises(SiteDenied):
            ask(writing, FILES, made.id)
    with pytest.raises(NotFound):
        subjects.fetch(writing, FILES, made.id + 1)
    auditor = make_ctx("auditor")
    with pytest.raises(PermissionDenied):
        attach(auditor, order=writing.order)
    assert len(subjects.listed(auditor, FILES, writing.far)) == 1


def test_removal_is_for_its_sender_and_for_those_who_escalate(writing, make_ctx, session):
    made, other = attach(writing), attach(writing, b"other")
    colleague = make_ctx("operator", ("본관",), username="park")
    colleague.config = writing.config
    with pytest.raises(PermissionDenied):
        subjects.remove(colleague, FILES, made.id, "wrong order")
    with pytest.raises(Invalid):
        subjects.remove(writing, FILES, made.id, " ")
    subjects.remove(writing, FILES, made.id, "wrong order")
    writing.commit()
    manager = make_ctx("manager", ("본관",), username="boss")
    manager.config = writing.config
    subjects.remove(manager, FILES, other.id, "blurred")
    manager.commit()

    assert counted(writing) == (0, 0)
    assert subjects.listed(writing, FILES, writing.order) == ()
    assert history(writing)[-1] == ("evidence_removed", "a.txt: blurred")
    assert session.scalars(select(EvidenceChunk.evidence_id)).all() == []
    with pytest.raises(NotFound):
        subjects.fetch(writing, FILES, made.id)
    with pytest.raises(NotFound):
        subjects.remove(writing, FILES, made.id, "again")


def test_the_quota_of_the_site_holds_for_them_too(writing):
    writing.config = writing.config.replaced(EVIDENCE_QUOTA_SITE_MB=1)
    attach(writing, b"x" * 600_000)
    with pytest.raises(TooLarge):
        attach(writing, b"y" * 600_000)
    writing.session.rollback()
    assert counted(writing) == (0, 1)


def test_integrity_reads_them_and_tells_of_a_damaged_one(writing, make_ctx):
    made = attach(writing)
    owner = make_ctx()
    owner.config = writing.config
    assert integrity.batch(owner).issue_count == 0
    owner.commit()
    start_writing(owner.session)
    row = owner.session.get(EvidenceFile, made.id)
    row.sha256 = "0" * 64
    owner.commit()
    found = integrity.batch(owner)
    assert [(one["module"], one["reason"]) for one in found.issues] == [("work_orders", "sha256_mismatch")]


def test_what_the_scanner_condemns_later_counts_no_more(writing, monkeypatch, make_ctx):
    monkeypatch.setattr("console.services.evidence.scan.scan", lambda *_args: Scan("pending", "clamd"))
    made = attach(writing)
    monkeypatch.setattr("console.services.evidence.scan.scan", lambda *_args: Scan("infected", "clamd", "Eicar"))
    told = upkeep.scan_pending(writing, subjects={FILES.module: FILES})
    writing.commit()

    assert (told.quarantined_count, counted(writing)) == (1, (0, 0))
    assert history(writing)[-1] == ("evidence_quarantined", "a.txt: Eicar")
    assert actions(writing)[-1] == "work_order_evidence_quarantine"
    with pytest.raises(Gone):
        subjects.fetch(writing, FILES, made.id)
