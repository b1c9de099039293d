"""Photos of inspections: of a point, kept once, before their round refused until it is there."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import select

from console.domain.errors import Conflict, Invalid, NotFound, PermissionDenied, SiteDenied
from console.models.audit import AuditLog
from console.models.evidence import EvidenceFile
from console.services.evidence import subjects
from console.services.evidence.files import Upload
from console.services.inspections import create, evidence, read
from console.services.inspections.evidence import FILES
from tests.services.inspections.test_create import SITE, a_round, made


@pytest.fixture(params=["fs", "db"])
def writing(ctx, request):
    """A context that keeps files in one of the backends, with a round that came from a phone."""
    ctx.config = ctx.config.replaced(EVIDENCE_STORAGE_BACKEND=request.param)
    ctx.round = create.create(ctx, a_round(made(ctx), round_key="phone-0001")).id
    ctx.commit()
    return ctx


def attach(ctx, code="oil", content=b"measured", **more):
    upload = Upload(io.BytesIO(content), "a.txt", "text/plain")
    kept = evidence.attach(ctx, more.pop("inspection", None) or ctx.round, code, upload, **more)
    ctx.commit()
    return kept


def test_a_photo_belongs_to_a_point_and_changes_nothing_else(writing):
    before = read.detail(writing, writing.round)
    first, mapped, whole = attach(writing), attach(writing, "ins", b"b"), attach(writing, "", b"c")

    assert (first.part, mapped.part, whole.part) == ("oil", "insulation_mohm", "")
    assert [file.id for file in subjects.listed(writing, FILES, writing.round)] == [whole.id, mapped.id, first.id]
    assert read.detail(writing, writing.round) == before
    with subjects.fetch(writing, FILES, first.id).stream as stream:
        assert stream.read() == b"measured"
    subjects.remove(writing, FILES, first.id, "wrong photo")
    writing.commit()
    actions = writing.session.scalars(
        select(AuditLog.action).where(AuditLog.action.contains("evidence")).order_by(AuditLog.id)
    )
    assert list(actions) == [
        *["inspection_evidence_upload"] * 3,
        "inspection_evidence_download",
        "inspection_evidence_remove",
    ]


def test_a_photo_that_is_sent_again_is_kept_once(writing):
    sent = {attach(writing, sent_key="k" * 64).id for _time in range(3)}

    assert len(sent) == 1
    assert len(writing.session.scalars(select(EvidenceFile)).all()) == 1


def test_a_photo_waits_for_its_round(writing, make_ctx):
    assert evidence.of_round(writing, "phone-0001") == writing.round
    with pytest.raises(Conflict):
        evidence.of_round(writing, "phone-0002")
    # The key is the sender's own: somebody else's round is not there for them.
    with pytest.raises(Conflict):
        evidence.of_round(make_ctx("operator", username="lee"), "phone-0001")


def test_who_may_send_and_read_photos(writing, make_ctx):
    kept = attach(writing)

    with pytest.raises(Invalid):
        attach(writing, "nothing")
    with pytest.raises(PermissionDenied):
        attach(make_ctx("auditor"), inspection=writing.round)
    with pytest.raises(SiteDenied):
        attach(make_ctx("operator", ("Site B",)), inspection=writing.round)
    with pytest.raises(SiteDenied):
        subjects.listed(make_ctx("operator", ("Site B",)), FILES, writing.round)
    with pytest.raises(NotFound):
        attach(writing, "", inspection=999)
    assert len(subjects.listed(make_ctx("auditor", (SITE,)), FILES, writing.round)) == 1
    with pytest.raises(PermissionDenied):
        subjects.remove(make_ctx("operator", username="lee"), FILES, kept.id, "not mine")
