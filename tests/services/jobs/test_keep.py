"""What a run keeps besides its effect: facts of dry runs survive, those of a failed closing do not."""

import pytest
from sqlalchemy import select

from console.domain.jobs.runs import LeaseLost, Outcome
from console.models.identity import Site
from console.models.jobs import JobRun
from console.services.jobs import engine as run_engine
from console.services.jobs.runs import changed
from tests.factories import make_site
from tests.services.jobs.run_support import job_of, open_sites


def keeping(ctx, options):
    open_sites(ctx, options)

    def keep(ctx, run):
        make_site(ctx.session, f"kept by run {run.id} as {run.status}", now=ctx.now())

    return Outcome({"told": True}, "warning", keep=keep)


def sites(session):
    session.rollback()
    return session.scalars(select(Site.name).order_by(Site.id)).all()


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_dry_run_keeps_its_facts_and_nothing_of_its_effect(ctx, session, dry_run):
    found = run_engine.execute(ctx, job_of(keeping), {"name": "HQ"}, dry_run=dry_run)

    kept = f"kept by run {found.run.id} as warning"
    assert sites(session) == ([kept] if dry_run else ["HQ0", kept])


def test_facts_are_not_kept_for_a_run_that_somebody_else_closed(ctx, session):
    def stolen(ctx, options):
        taken = JobRun.__table__.update().values(claim_token="another")
        changed(ctx, taken)
        return keeping(ctx, options)

    with pytest.raises(LeaseLost):
        run_engine.execute(ctx, job_of(stolen), {"name": "HQ"})

    assert sites(session) == []
