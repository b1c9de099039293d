"""What the runbook, its page and the verdict cost the database, frozen: none of it grows with what is stored."""

import pytest

from console.domain.jobs import names as job_names
from console.services.audit import record as audit
from console.services.audit import verify
from console.services.gate import gate
from console.services.jobs import engine
from console.services.jobs.registry import get as job_of
from console.services.runbook import daily_page, runbook
from tests.support.statements import statements

MOST = 15


@pytest.fixture(params=[1, 40])
def lived(ctx, request, clock):
    """An installation with a checkpoint, entries after it, and so many runs of what is judged."""
    for name in (job_names.AUDIT_VERIFY, job_names.AUDIT_CHECKPOINT, job_names.EVIDENCE_INTEGRITY):
        engine.execute(ctx, job_of(name))
    for _ in range(min(request.param, 5)):
        engine.execute(ctx, job_of(job_names.DAILY_CHECK))
    for number in range(request.param):
        audit.record(ctx, "noted", "thing", number)
    ctx.commit()
    return ctx


def count(work, *args):
    with statements() as seen:
        work(*args)
    return len(seen)


def test_the_runbook_takes_fifteen_statements_at_most(lived):
    assert count(runbook.snapshot, lived) <= MOST - 1


def test_so_it_does_with_more_new_entries_than_are_looked_at(lived, monkeypatch):
    monkeypatch.setattr(verify, "STATUS_ROWS", 2)
    book = runbook.snapshot(lived)
    if next(one for one in book.checks if one.id == "audit_chain_integrity").fields["partial"]:
        assert count(runbook.snapshot, lived) <= MOST


def test_facts_that_are_known_are_not_read_again(lived):
    known = runbook.facts(lived)
    assert count(lambda: runbook.snapshot(lived, known=known)) == 0


def test_the_page_and_the_verdict_add_a_fixed_number(lived):
    assert count(daily_page.page_data, lived) <= MOST + 5
    assert count(gate.snapshot, lived) <= MOST + 3
