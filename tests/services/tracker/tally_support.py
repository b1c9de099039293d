"""The numbers of items as the database keeps them, and as somebody counts them one by one."""

from collections import Counter

from sqlalchemy import func, select

from console.models.tallies import COUNTERS, TrackerTally
from console.models.tracker import TrackerItem

NAMES = (*COUNTERS, "due_open")


def kept(session):
    """The numbers as they are kept: {(tracker, site, day, name): number}, without those that are zero."""
    scope = (TrackerTally.tracker, TrackerTally.site_key, TrackerTally.due_on)
    sums = (func.sum(getattr(TrackerTally, name)) for name in NAMES)
    found = {}
    for tracker, site_key, due_on, *numbers in session.execute(select(*scope, *sums).group_by(*scope)):
        for name, number in zip(NAMES, numbers, strict=True):
            if number:
                found[tracker, site_key, due_on, name] = number
    return found


def counted(session):
    """The same, counted one by one."""
    found = Counter()
    for item in session.scalars(select(TrackerItem).execution_options(populate_existing=True)):
        scope = (item.tracker, item.site_key, None)
        is_open = item.is_active and item.status != "done"
        true = {
            item.status: item.is_active,
            "closed": not item.is_active,
            "unassigned": item.is_active and item.assignee is None,
            "unassigned_open": is_open and item.assignee is None,
            "critical_open": is_open and item.required and item.rule_status == "fail",
            "missing_evidence": item.is_active and item.evidence_required and not item.evidence_count,
        }
        found.update((*scope, name) for name, holds in true.items() if holds)
        if item.is_active and item.evidence_count:
            found[*scope, "evidence_total"] += item.evidence_count
        if is_open and item.due_at:
            found[item.tracker, item.site_key, item.due_at.date(), "due_open"] += 1
    return dict(found)
