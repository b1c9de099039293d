"""What an order still needs before its work counts as done, in the order in which it is done."""

from __future__ import annotations

from dataclasses import dataclass

from console.domain.text import N_
from console.domain.work_orders.words import OPEN, OPEN_STATUSES

ASSIGNEE, ANSWER, RESUME = "assignee", "answer", "resume"
AFTER_PHOTO, MEASUREMENT, COMPLETION = "after_photo", "measurement", "completion"
SENTENCES = {
    ASSIGNEE: N_("Nobody has taken it yet"),
    ANSWER: N_("The work has not begun"),
    RESUME: N_("It still waits"),
    AFTER_PHOTO: N_("A photo after the work"),
    MEASUREMENT: N_("A measurement after the work"),
    COMPLETION: N_("What was done"),
}
# What people read once it is there, where that is another sentence.
MET = {ASSIGNEE: N_("Somebody has taken it"), ANSWER: N_("The work has begun")}


@dataclass(frozen=True)
class Progress:
    """How far an order is.

    `noted`: what was done is written down; `measured`: it was measured again; `demanded`: what its site asks for.
    """

    status: str
    assigned: bool
    waiting: bool
    photos_after: int
    noted: bool = False
    measured: bool = False
    demanded: tuple[str, ...] = ()


@dataclass(frozen=True)
class Need:
    """One thing that an order needs, and whether it is there; `sentence` is a message id.

    `demanded`: the rules of its site ask for it.
    """

    key: str
    met: bool
    demanded: bool = False

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
    there = {AFTER_PHOTO: progress.photos_after > 0, MEASUREMENT: progress.measured, COMPLETION: progress.noted}
    asked = progress.demanded
    shown = [key for key in there if key != MEASUREMENT or key in asked]
    return (*found, *(Need(key, there[key], key in asked) for key in shown))


def lacking(progress: Progress) -> tuple[str, ...]:
    """Return what the rules of the site ask for and is not there, in the order in which it is done."""
    return tuple(need.key for need in needs(progress) if need.demanded and not need.met)
