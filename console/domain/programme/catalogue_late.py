"""Weeks W10 to W15 of the programme: standing on one's own feet, then keeping it up."""

from __future__ import annotations

from console.domain.programme.week import (
    FRIDAY,
    MONDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    Entry,
    Week,
    event,
    events,
    guides,
    runbooks,
)
from console.domain.text import N_

W10 = Week(
    code="w10",
    focus=N_("Self-serve support"),
    phase="Autonomy",
    owner="CS Lead",
    goal=N_("A fifth fewer repeated tickets"),
    types=(
        guides(
            Entry("W10-SS-01", N_("Sort tickets that come again and again"), "CS Lead"),
            Entry("W10-SS-02", N_("Check yourself before you ask"), "Site Champion"),
            Entry("W10-SS-03", N_("Quick card for a broken SLA"), "Ops Lead"),
            Entry("W10-SS-04", N_("Repair wrong data in five steps"), "Ops PM"),
            Entry("W10-SS-05", N_("Whom to tell, and when: a decision tree"), "CS Lead"),
        ),
        runbooks(
            Entry("W10-RB-01", N_("An inspection cannot be saved"), "Ops PM"),
            Entry("W10-RB-02", N_("A work order does not move on"), "Ops Lead"),
            Entry("W10-RB-03", N_("A monthly report is empty or incomplete"), "Audit Lead"),
            Entry("W10-RB-04", N_("Alerts do not arrive"), "Platform Engineer"),
        ),
        events(
            event("W10", 1, MONDAY, "09:30-10:30", N_("Baseline of repeated tickets"), "CS Lead"),
            event("W10", 2, TUESDAY, "14:00-15:30", N_("Writing and publishing guides"), "CS Lead"),
            event("W10", 3, WEDNESDAY, "16:00-17:00", N_("Walk through the runbook"), "Ops Lead"),
            event("W10", 4, THURSDAY, "15:00-16:00", N_("Who still needs the office hour"), "CS Lead"),
            event("W10", 5, FRIDAY, "17:00-17:30", N_("Closing of the self-serve week"), "CS Lead"),
        ),
    ),
)

W11 = Week(
    code="w11",
    focus=N_("Scale readiness"),
    phase="Autonomy",
    owner="Program Manager",
    goal=N_("Nine of ten simulated site openings succeed"),
    types=(
        guides(
            Entry("W11-SR-01", N_("Checklist for one more site"), "Program Manager"),
            Entry("W11-SR-02", N_("Tokens and roles that a new site begins with"), "Security Admin"),
            Entry("W11-SR-03", N_("Keep SOPs alike across sites"), "Ops PM"),
            Entry("W11-SR-04", N_("Fallbacks that cover most of the work"), "Ops Lead"),
            Entry("W11-SR-05", N_("Go or no-go for the expansion"), "Program Manager"),
        ),
        runbooks(
            Entry("W11-RB-01", N_("The opening of a site gets stuck"), "Program Manager"),
            Entry("W11-RB-02", N_("A new colleague sees too much or too little"), "Security Admin"),
            Entry("W11-RB-03", N_("The figures of a new site are missing in reports"), "Audit Lead"),
            Entry("W11-RB-04", N_("A new site gets no alerts"), "Platform Engineer"),
        ),
        events(
            event("W11", 1, MONDAY, "09:30-10:30", N_("Baseline for the expansion"), "Program Manager"),
            event("W11", 2, TUESDAY, "14:00-15:30", N_("Drill: opening a site"), "Program Manager"),
            event("W11", 3, WEDNESDAY, "16:00-17:00", N_("Drill: working without the console"), "Ops Lead"),
            event("W11", 4, THURSDAY, "15:00-16:00", N_("Sorting the risks"), "Program Manager"),
            event("W11", 5, FRIDAY, "17:00-17:30", N_("Decision on the expansion"), "Program Manager"),
        ),
    ),
)

W12 = Week(
    code="w12",
    focus=N_("Closure and handoff"),
    phase="Autonomy",
    owner="Executive Sponsor + Ops Director",
    goal=N_("Four of five core tasks are done unaided"),
    types=(
        guides(
            Entry("W12-CH-01", N_("When the programme counts as closed"), "Ops Director"),
            Entry("W12-CH-02", N_("Scorecard of what sites do unaided"), "Ops Director"),
            Entry("W12-CH-03", N_("Package for the next quarter"), "Executive Sponsor"),
            Entry("W12-CH-04", N_("Every runbook page has an owner"), "Ops Lead"),
            Entry("W12-CH-05", N_("Risks that remain, and who carries them"), "Executive Sponsor"),
        ),
        runbooks(
            Entry("W12-RB-01", N_("A core workflow stops after the handoff"), "Ops Lead"),
            Entry("W12-RB-02", N_("A report or an audit export is questioned"), "Audit Lead"),
            Entry("W12-RB-03", N_("Somebody left and their access is still open"), "Security Admin"),
            Entry("W12-RB-04", N_("SLA guard and alerts disagree"), "Platform Engineer"),
        ),
        events(
            event("W12", 1, MONDAY, "10:00-11:00", N_("Baseline for the closure"), "Ops Director"),
            event("W12", 2, TUESDAY, "14:00-15:30", N_("Drill: a day without help"), "Ops Director"),
            event("W12", 3, WEDNESDAY, "16:00-17:00", N_("Check of the handoff package"), "Ops Lead"),
            event("W12", 4, THURSDAY, "15:00-16:30", N_("Plan for the next quarter"), "Executive Sponsor"),
            event("W12", 5, FRIDAY, "17:00-17:30", N_("Sign-off of the handoff"), "Executive Sponsor"),
        ),
    ),
)

W13 = Week(
    code="w13",
    focus=N_("Continuous improvement"),
    phase="Sustain",
    owner="Ops Director + PMO",
    goal=N_("Most improvement actions are closed in time"),
    types=(
        guides(
            Entry("W13-CH-01", N_("One list of improvements, sorted by effect"), "PMO"),
            Entry("W13-CH-02", N_("Every improvement has an owner and a date"), "Ops Director"),
            Entry("W13-CH-03", N_("How old open improvements are"), "PMO"),
            Entry("W13-CH-04", N_("Calendar of reviews for the quarter"), "Ops Director"),
            Entry("W13-CH-05", N_("What we tried and do not try again"), "PMO"),
        ),
        runbooks(
            Entry("W13-RB-01", N_("An improvement has no owner any more"), "PMO"),
            Entry("W13-RB-02", N_("An improvement is older than a month"), "Ops Director"),
            Entry("W13-RB-03", N_("A review was skipped twice"), "Ops Director"),
            Entry("W13-RB-04", N_("An improvement made another figure worse"), "Ops Lead"),
        ),
        events(
            event("W13", 1, MONDAY, "10:00-11:00", N_("Baseline of open improvements"), "PMO"),
            event("W13", 2, TUESDAY, "14:00-15:30", N_("Owners speak for their improvements"), "Ops Director"),
            event("W13", 3, WEDNESDAY, "16:00-17:00", N_("Clinic for old improvements"), "PMO"),
            event("W13", 4, THURSDAY, "15:00-16:30", N_("Review calendar agreed"), "Ops Director"),
            event("W13", 5, FRIDAY, "17:00-17:30", N_("Closing of the improvement week"), "Ops Director"),
        ),
    ),
)

W14 = Week(
    code="w14",
    focus=N_("Stability sprint"),
    phase="Stabilize",
    owner="SRE + Ops QA",
    goal=N_("The stability score reaches 85"),
    types=(
        guides(
            Entry("W14-ST-01", N_("Baseline of API response times"), "SRE"),
            Entry("W14-ST-02", N_("Smoke test after every deployment"), "Ops QA"),
            Entry("W14-ST-03", N_("Decide on a rollback within ten minutes"), "SRE"),
            Entry("W14-ST-04", N_("Check evidence and audit files for damage"), "Ops QA"),
            Entry("W14-ST-05", N_("Sort exceptions every week and close them within seven days"), "Ops QA"),
        ),
        runbooks(
            Entry("W14-RB-01", N_("The API has become slow"), "SRE"),
            Entry("W14-RB-02", N_("The smoke test fails after a deployment"), "Ops QA"),
            Entry("W14-RB-03", N_("A rollback does not come back up"), "SRE"),
            Entry("W14-RB-04", N_("An archive file has the wrong checksum"), "Ops QA"),
        ),
        events(
            event("W14", 1, MONDAY, "09:30-10:30", N_("Baseline of stability"), "SRE"),
            event("W14", 2, TUESDAY, "14:00-15:00", N_("Drill: slow answers"), "SRE"),
            event("W14", 3, WEDNESDAY, "16:00-17:00", N_("Simulation of smoke test and rollback"), "Ops QA"),
            event("W14", 4, THURSDAY, "15:00-16:00", N_("Review of archive integrity"), "Ops QA"),
            event("W14", 5, FRIDAY, "17:00-17:30", N_("Sign-off of the stability sprint"), "SRE"),
        ),
    ),
)

W15 = Week(
    code="w15",
    focus=N_("Operations efficiency"),
    phase="Optimize",
    owner="Ops PM + Platform Engineer",
    goal=N_("The weekly report is nearly always on time"),
    types=(
        guides(
            Entry("W15-OP-01", N_("One tracker for every programme"), "Platform Engineer"),
            Entry("W15-OP-02", N_("One form of answer for every policy"), "Platform Engineer"),
            Entry("W15-OP-03", N_("The weekly report publishes itself"), "Ops PM"),
            Entry("W15-OP-04", N_("Exceptions in one digest, sent to the right people"), "Ops PM"),
            Entry("W15-OP-05", N_("Nothing stays open longer than seven days"), "Ops PM"),
        ),
        runbooks(
            Entry("W15-RB-01", N_("The tracker shows something else than the API"), "Platform Engineer"),
            Entry("W15-RB-02", N_("A policy answer has the wrong form"), "Platform Engineer"),
            Entry("W15-RB-03", N_("The weekly report did not appear"), "Ops PM"),
            Entry("W15-RB-04", N_("An exception reached nobody"), "Ops PM"),
        ),
        events(
            event("W15", 1, MONDAY, "09:30-10:30", N_("Baseline of efficiency"), "Ops PM"),
            event("W15", 2, TUESDAY, "14:00-15:00", N_("Drill with the common tracker"), "Platform Engineer"),
            event("W15", 3, WEDNESDAY, "16:00-17:00", N_("Review of policy answers"), "Platform Engineer"),
            event("W15", 4, THURSDAY, "15:00-16:00", N_("Dry run of the weekly report"), "Ops PM"),
            event("W15", 5, FRIDAY, "17:00-17:30", N_("Sign-off of the programme"), "Ops PM"),
        ),
    ),
)

WEEKS = (W10, W11, W12, W13, W14, W15)
