"""Weeks W02 to W09 of the programme: learning to work with the console, then working by its figures."""

from __future__ import annotations

from console.domain.programme.week import (
    FRIDAY,
    MONDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    Entry,
    EntryType,
    Week,
    event,
    events,
)
from console.domain.text import N_

W02 = Week(
    code="w02",
    focus=N_("SOP and sandbox"),
    phase="Preparation",
    owner="Ops PM + QA",
    goal=N_("Nine of ten pilot dry runs pass"),
    types=(
        EntryType(
            "sop_runbook",
            N_("SOP"),
            (
                Entry("SOP-INS-01", N_("Inspect before the shift begins"), "Ops PM"),
                Entry("SOP-WO-01", N_("Take a work order from opening to cancel and reopen"), "Ops Lead"),
                Entry("SOP-SLA-01", N_("Escalate late work and send failed alerts again"), "QA Lead"),
                Entry("SOP-RPT-01", N_("Export the month with its audit trace"), "Audit Lead"),
                Entry("SOP-RBAC-01", N_("Tidy up roles and tokens every week"), "Security Admin"),
            ),
        ),
        EntryType(
            "sandbox_scenario",
            N_("Sandbox scenario"),
            (
                Entry("SX-INS-01", N_("Record a risky inspection and find its flags in the print view"), "Ops PM"),
                Entry("SX-WO-01", N_("Acknowledge and escalate a work order, then read its timeline"), "Ops Lead"),
                Entry("SX-RPT-01", N_("Produce the monthly report and find it in the audit log"), "Audit Lead"),
            ),
            evidence=True,
        ),
        events(
            event("W02", 1, MONDAY, "09:00-10:00", N_("Every SOP gets an owner"), "Ops PM"),
            event("W02", 2, TUESDAY, "14:00-15:00", N_("Inspection drill"), "Ops PM"),
            event("W02", 3, WEDNESDAY, "14:00-15:30", N_("Work order drill"), "Ops Lead"),
            event("W02", 4, THURSDAY, "16:00-17:00", N_("Report drill"), "Audit Lead"),
            event("W02", 5, FRIDAY, "17:00-17:30", N_("Sign-off of SOPs and sandbox"), "Ops PM"),
        ),
    ),
)

W03 = Week(
    code="w03",
    focus=N_("Go-live onboarding"),
    phase="Launch",
    owner="Product + Training Lead",
    goal=N_("Nine of ten people sign in during the first week"),
    types=(
        EntryType(
            "kickoff_agenda",
            N_("Kick-off agenda"),
            (
                Entry("KICKOFF-01", N_("Why we start now, and the figures we watch"), "Product"),
                Entry("KICKOFF-02", N_("What each role does from today"), "Training Lead"),
                Entry("KICKOFF-03", N_("Live demonstration from inspection to report"), "Training Lead"),
                Entry("KICKOFF-04", N_("Where to ask, and who answers"), "Product"),
                Entry("KICKOFF-05", N_("Open questions and promises for the week"), "Product"),
            ),
        ),
        EntryType(
            "role_workshop",
            N_("Role workshop"),
            (
                Entry("WS-OPR-01", N_("Operators record their first inspection"), "Training Lead"),
                Entry("WS-MGR-01", N_("Managers acknowledge, complete and chase late work"), "Training Lead"),
                Entry("WS-OWN-01", N_("Owners hold their weekly review"), "Training Lead"),
                Entry("WS-AUD-01", N_("Auditors follow a report to its trail"), "Training Lead"),
            ),
            evidence=True,
        ),
        EntryType(
            "office_hour",
            N_("Office hour"),
            (
                Entry("OH-2026-03-16", N_("What blocks the launch"), "Product", MONDAY, "17:00", "17:15"),
                Entry("OH-2026-03-17", N_("Questions from the workshops"), "Product", TUESDAY, "17:00", "17:15"),
                Entry("OH-2026-03-18", N_("Work orders and SLA"), "Product", WEDNESDAY, "17:00", "17:15"),
                Entry("OH-2026-03-19", N_("Reports"), "Product", THURSDAY, "17:00", "17:15"),
                Entry("OH-2026-03-20", N_("Looking back on the first week"), "Product", FRIDAY, "17:00", "17:15"),
            ),
        ),
        events(
            event("W03", 1, MONDAY, "09:00-10:00", N_("Go-live kick-off"), "Product"),
            event("W03", 2, MONDAY, "10:30-10:50", N_("Workshop for operators"), "Training Lead"),
            event("W03", 3, MONDAY, "11:00-11:20", N_("Workshop for managers"), "Training Lead"),
            event("W03", 4, MONDAY, "11:30-11:50", N_("Workshop for owners"), "Training Lead"),
            event("W03", 5, MONDAY, "14:00-14:20", N_("Workshop for auditors"), "Training Lead"),
            event("W03", 6, MONDAY, "17:00-17:15", N_("Office hour on Monday"), "Product"),
            event("W03", 7, TUESDAY, "17:00-17:15", N_("Office hour on Tuesday"), "Product"),
            event("W03", 8, WEDNESDAY, "17:00-17:15", N_("Office hour on Wednesday"), "Product"),
            event("W03", 9, THURSDAY, "17:00-17:15", N_("Office hour on Thursday"), "Product"),
            event("W03", 10, FRIDAY, "17:00-17:15", N_("Office hour on Friday"), "Product"),
        ),
    ),
)

W04 = Week(
    code="w04",
    focus=N_("First success acceleration"),
    phase="Adaptation",
    owner="CS + Ops Lead",
    goal=N_("Half of all people reach their first success within 15 minutes"),
    types=(
        EntryType(
            "coaching_action",
            N_("Coaching action"),
            (
                Entry("W04-CA-01", N_("Review the first steps of every site"), "Site Champion"),
                Entry("W04-CA-02", N_("Remove the biggest blocker"), "Site Champion"),
                Entry(
                    "W04-CA-03",
                    N_("Remove the second blocker and publish the fix"),
                    "Site Champion",
                ),
                Entry("W04-CA-04", N_("Remove the third blocker and test again"), "Site Champion"),
                Entry("W04-CA-05", N_("Coach the slowest people one to one"), "Manager"),
                Entry("W04-CA-06", N_("Approve the closing report"), "Owner", evidence=False),
            ),
            evidence=True,
        ),
        events(
            event("W04", 1, MONDAY, "09:30-10:00", N_("Kick-off of the first-success week"), "CS"),
            event("W04", 2, TUESDAY, "16:00-16:30", N_("Blocker triage on Tuesday"), "Ops Lead"),
            event("W04", 3, WEDNESDAY, "16:00-16:30", N_("Blocker triage on Wednesday"), "Ops Lead"),
            event("W04", 4, THURSDAY, "16:00-16:30", N_("Blocker triage on Thursday"), "Ops Lead"),
            event("W04", 5, THURSDAY, "17:00-17:30", N_("Clinic for site champions"), "CS"),
            event("W04", 6, FRIDAY, "17:00-17:30", N_("Closing review of the first-success week"), "Ops Lead"),
        ),
    ),
)

W07 = Week(
    code="w07",
    focus=N_("SLA quality"),
    phase="Habit",
    owner="Ops Lead + QA",
    goal=N_("The first response is a tenth faster"),
    types=(
        EntryType(
            "sla_checklist",
            N_("SLA check"),
            (
                Entry("W07-SLA-01", N_("Sort out late work every morning at nine"), "Ops Lead"),
                Entry("W07-SLA-02", N_("Follow up escalations every afternoon"), "QA"),
                Entry("W07-SLA-03", N_("Review the quality in the middle of the week"), "QA"),
                Entry("W07-SLA-04", N_("Close the week with its figures"), "Ops Lead"),
            ),
            evidence=True,
        ),
        EntryType(
            "coaching_play",
            N_("Coaching play"),
            (
                Entry("W07-CP-01", N_("Coach sites that take over an hour to respond"), "Ops Lead"),
                Entry("W07-CP-02", N_("Look into sites with many escalations"), "Ops Lead"),
                Entry("W07-CP-03", N_("Repair channels that lose alerts"), "Platform Engineer"),
                Entry("W07-CP-04", N_("Bring the weekly SLA run back"), "QA"),
            ),
            evidence=True,
        ),
        events(
            event("W07", 1, MONDAY, "09:30-10:00", N_("SLA baseline"), "Ops Lead"),
            event("W07", 2, TUESDAY, "14:00-15:00", N_("Coaching clinic"), "QA"),
            event("W07", 3, WEDNESDAY, "16:00-16:30", N_("Mid-week SLA review"), "QA"),
            event("W07", 4, THURSDAY, "15:00-16:00", N_("Checkpoint on resent alerts"), "Platform Engineer"),
            event("W07", 5, FRIDAY, "17:00-17:30", N_("Closing of the SLA week"), "Ops Lead"),
        ),
    ),
)

W09 = Week(
    code="w09",
    focus=N_("Shift to KPI operation"),
    phase="Autonomy",
    owner="Head of Ops",
    goal=N_("Every KPI has an owner"),
    types=(
        EntryType(
            "kpi_threshold",
            N_("KPI threshold"),
            (
                Entry("W09-KPI-01", N_("Two-week retention"), "Ops Manager"),
                Entry("W09-KPI-02", N_("Weekly active rate"), "Ops Lead"),
                Entry("W09-KPI-03", N_("Escalation rate"), "Site Champion"),
                Entry("W09-KPI-04", N_("Report discipline score"), "Audit Lead"),
                Entry("W09-KPI-05", N_("Rate of data quality issues"), "Ops PM"),
            ),
            evidence=True,
        ),
        EntryType(
            "kpi_escalation",
            N_("KPI escalation"),
            (
                Entry("W09-ESC-01", N_("Win people back after a red week of retention"), "Head of Ops"),
                Entry("W09-ESC-02", N_("Talk to the sites that stay away"), "Owner"),
                Entry("W09-ESC-03", N_("Stop a rise of escalations within three days"), "Ops Lead + QA"),
                Entry("W09-ESC-04", N_("Save the report score before the month closes"), "Audit Lead"),
            ),
            evidence=True,
        ),
        events(
            event("W09", 1, MONDAY, "10:00-11:00", N_("Owners of the KPIs are fixed"), "Head of Ops"),
            event("W09", 2, TUESDAY, "14:00-15:00", N_("Clinic on thresholds"), "Ops PM"),
            event("W09", 3, WEDNESDAY, "16:00-16:30", N_("Review of red KPIs"), "Head of Ops"),
            event("W09", 4, THURSDAY, "15:00-16:00", N_("Dry run of the escalation path"), "Ops Lead"),
            event("W09", 5, FRIDAY, "17:00-17:30", N_("Closing of the KPI week"), "Head of Ops"),
        ),
    ),
)

# Weeks that are figures alone: nothing is worked off in them.
W05 = Week(
    code="w05",
    focus=N_("Usage consistency"),
    phase="Adaptation",
    owner="Ops PM + Site Champions",
    goal=N_("Two of three people come back after two weeks"),
    types=(),
)
W06 = Week(
    code="w06",
    focus=N_("Operational rhythm"),
    phase="Habit",
    owner="Ops Manager",
    goal=N_("Three of four people work here on three days of the week"),
    types=(),
)
W08 = Week(
    code="w08",
    focus=N_("Report discipline"),
    phase="Habit",
    owner="Auditor + Ops PM",
    goal=N_("The monthly report is exported on time"),
    types=(),
)

WEEKS = (W02, W03, W04, W07, W09)
FIGURES = (W05, W06, W08)
