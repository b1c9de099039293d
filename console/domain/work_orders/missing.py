"""What an order still needs before its work counts as done, in the order in which it is done."""

from __future__ import annotations

from dataclasses import dataclass

from console.domain.text import N_
from console.domain.work_orders.words import OPEN, OPEN_STATUSES

ASSIGNEE, ANSWER, RESUME, AFTER_PHOTO, COMPLETION = "assignee", "answer", "resume", "after_photo", "completion"
SENTENCES = {
    ASSIGNEE: N_("Nobody has taken it yet"),
    ANSWER: N_("The work has not begun"),
    RESUME: N_("It still waits"),
    AFTER_PHOTO: N_("A photo after the work"),
    COMPLETION: N_("What was done"),
}
# What people read once it is there, where that is another sentence.
MET = {ASSIGNEE: N_("Somebody has taken it"), ANSWER: N_("The work has begun")}


@dataclass(frozen=True)
class Progress:
    """How far an order is."""

    status: str
    assigned: bool
    waiting: bool
    photos_after: int


@dataclass(frozen=True)
class Need:
    """One thing that an order needs, and whether it is there; `sentence` is a message id."""

    key: str
    met: bool

    @property
    def sentence(self) -> str:
        """Return what is needed, or that it is there, in words."""
        return MET.get(self.key, SENTENCES[self.key]) if self.met else SENTENCES[self.key]


def needs(progress: Progress) -> tuple[Need, ...]:
    """Return what an order needs from beginning to end; nothing once it is closed."""
    if progress.status not in OPEN_STATUSES:
        return ()
    found = [Need(ASSIGNEE, progress.assigned), Need(ANSWER, progress.status != OPEN)]
    if progress.waiting:
        found.append(Need(RESUME, False))
    return (*found, Need(AFTER_PHOTO, progress.photos_after > 0), Need(COMPLETION, False))


def next_need(progress: Progress) -> Need | None:
    """Return the first thing that is missing: the one large button of a phone."""
    return next((need for need in needs(progress) if not need.met), None)
