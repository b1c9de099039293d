"""Policies of the weeks under two hands, and what follows for those who look."""

from sqlalchemy import select

from console.domain.programme.repeats import REPEATS
from console.models.policies import PolicyRevision
from console.services.programme import policies, week_page
from tests.factories import make_site
from tests.factories.programme import SITE


def test_two_who_change_a_site_for_the_first_time_leave_two_revisions(at_once, session, clock):
    made = at_once(
        lambda ctx: policies.put(ctx, "w10", {"readiness_target": 60}, site=SITE).revision,
        lambda ctx: policies.put(ctx, "w10", {"repeat_rate_green_threshold": 10}, site=SITE).revision,
    )

    assert sorted(made) == [1, 2]
    newest = session.scalars(select(PolicyRevision).order_by(PolicyRevision.revision.desc())).first()
    assert newest.policy_json == {"readiness_target": 60.0, "repeat_rate_green_threshold": 10.0}


def test_a_form_sets_only_what_differs(ctx, session, clock):
    make_site(session, SITE, now=clock.now())
    values = {"enabled": True, **REPEATS["w11"].defaults()}
    unchanged = policies.put_fields(ctx, "w11", values, site=SITE, if_match=0, reason="")
    assert (unchanged.source, unchanged.revision) == ("built_in", 0)
    changed = policies.put_fields(
        ctx, "w11", {**values, "risk_rate_green_threshold": "15"}, site=SITE, if_match=0, reason=""
    )
    assert (changed.source, changed.values["risk_rate_green_threshold"]) == ("site", 15.0)
    session.commit()
    shown = week_page.measured(ctx, "w11", SITE).policy
    assert (shown.source, shown.inherited, shown.values[0][1]) == ("site", False, 15.0)
