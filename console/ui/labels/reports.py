"""Words of the quality reports and of archives for people."""

from __future__ import annotations

from console.domain.archives import archives
from console.domain.text import N_
from console.ui.labels.common import Word

ARCHIVE_STATES: dict[str, Word] = {
    archives.INTACT: Word(N_("Intact"), "ok", "check"),
    archives.CHANGED: Word(N_("Changed since"), "late", "alert-triangle"),
    archives.MISSING: Word(N_("File missing"), "late", "x"),
    archives.UNREADABLE: Word(N_("Not readable"), "late", "alert-triangle"),
    archives.UNFILED: Word(N_("In the database only"), "wait", "minus"),
}


def archive_state(state: str) -> Word:
    """Return the word of what became of an archive; an unknown state stands for itself."""
    return ARCHIVE_STATES.get(state, Word(state))
