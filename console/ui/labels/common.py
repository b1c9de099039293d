"""The words of the API as people read them: label, status tone and icon. Pages show words through this table only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask_babel import gettext as _

from console.domain.text import N_


@dataclass(frozen=True)
class Word:
    """How a status word is shown; `label` is a message id."""

    label: str
    tone: str = "plain"
    icon: str | None = None


def choices(labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return words with their labels in the reader's language, in their order: what a form offers."""
    return [(word, _(label)) for word, label in labels.items()]


STATUS: dict[str, Word] = {
    # verdicts
    "go": Word("GO", "ok", "circle-check"),
    "no_go": Word("NO-GO", "late", "circle-x"),
    "undecided": Word(N_("Undecided"), "wait", "help-circle"),
    "pass": Word(N_("Pass"), "ok", "check"),
    "fail": Word(N_("Fail"), "late", "x"),
    # results
    "ok": Word(N_("OK"), "ok", "check"),
    "success": Word(N_("Success"), "ok", "check"),
    "warning": Word(N_("Warning"), "soon", "alert-triangle"),
    "missing": Word(N_("Not on record"), "wait", "minus"),
    "error": Word(N_("Error"), "late", "alert-triangle"),
    "critical": Word(N_("Critical"), "late", "alert-triangle"),
    "failed": Word(N_("Failed"), "late", "x"),
    "denied": Word(N_("Denied"), "late", "ban"),
    "info": Word(N_("Note"), "plain", "info-circle"),
    "healthy": Word(N_("Healthy"), "ok", "check"),
    "idle": Word(N_("Idle"), "wait", "minus"),
    "unknown": Word(N_("Unknown"), "wait", "help-circle"),
    # runs
    "queued": Word(N_("Queued"), "wait", "hourglass"),
    "running": Word(N_("Running"), "accent", "player-play"),
    "finished": Word(N_("Finished"), "ok", "check"),
    "cancelled": Word(N_("Cancelled"), "plain", "ban"),
    "refused": Word(N_("Refused"), "soon", "ban"),
    "skipped": Word(N_("Skipped"), "plain", "minus"),
    "missed": Word(N_("Missed"), "late", "alert-triangle"),
    # items
    "pending": Word(N_("Waiting"), "wait", "circle-dashed"),
    "in_progress": Word(N_("In progress"), "accent", "player-play"),
    "blocked": Word(N_("Blocked"), "wait", "ban"),
    "done": Word(N_("Done"), "ok", "check"),
    "open": Word(N_("Open"), "plain", "circle-dashed"),
    "closed": Word(N_("Closed"), "plain", "lock"),
    "completed": Word(N_("Completed"), "ok", "check"),
    "completed_with_exceptions": Word(N_("Completed with exceptions"), "soon", "check"),
    "active": Word(N_("Under way"), "plain", "circle-dashed"),
    "late": Word(N_("Late"), "late", "alert-triangle"),
    "due_soon": Word(N_("Due soon"), "soon", "clock"),
    "escalated": Word(N_("Escalated"), "late", "bolt"),
    # workflow locks
    "draft": Word(N_("Draft"), "wait", "circle-dashed"),
    "review": Word(N_("In review"), "accent", "hourglass"),
    "approved": Word(N_("Approved"), "ok", "check"),
    "locked": Word(N_("Locked"), "ok", "lock"),
    # levels
    "low": Word(N_("Low"), "plain"),
    "medium": Word(N_("Medium"), "soon", "alert-triangle"),
    "high": Word(N_("High"), "late", "alert-triangle"),
    # accounts and tokens
    "live": Word(N_("Valid"), "ok", "check"),
    "inactive": Word(N_("Inactive"), "plain", "ban"),
    "revoked": Word(N_("Revoked"), "plain", "ban"),
    "expired": Word(N_("Expired"), "late", "clock"),
    "expiring": Word(N_("Expiring"), "soon", "clock"),
}

ROLES = {"owner": N_("Owner"), "manager": N_("Manager"), "operator": N_("Operator"), "auditor": N_("Auditor")}

# The roles that own items and checks, as the API names them; any other text may stand for a role as well.
OWNER_ROLES = {
    role: role
    for role in (
        *(N_("Ops Lead"), N_("Ops Manager"), N_("Ops PM"), N_("Ops Director"), N_("Head of Ops"), N_("Ops QA")),
        *(N_("QA"), N_("QA Lead"), N_("Platform Owner"), N_("Platform Engineer"), N_("SRE"), N_("Security Manager")),
        *(N_("Security Admin"), N_("DR Owner"), N_("Release Manager"), N_("Operations Excellence Lead")),
        *(N_("Audit Lead"), N_("CS"), N_("CS Lead"), N_("Product"), N_("Training Lead"), N_("Program Manager")),
        *(N_("PMO"), N_("Executive Sponsor"), N_("Site Champion"), N_("Owner"), N_("Manager")),
        *(N_("Site Champions"), N_("PM"), N_("Auditor")),
    )
}
ENVIRONMENTS = {"local": N_("local"), "test": N_("test"), "staging": N_("staging"), "production": N_("production")}

ERROR_TITLES = {
    400: N_("The request makes no sense as it stands"),
    401: N_("Please sign in"),
    403: N_("You may not do this"),
    404: N_("There is no such page"),
    405: N_("This address cannot be used like that"),
    409: N_("Someone else changed it first"),
    410: N_("This is no longer kept"),
    412: N_("Someone else changed it first"),
    413: N_("That is too large"),
    414: N_("The address is too long"),
    415: N_("This kind of content is not understood"),
    422: N_("Something in the form does not fit"),
    429: N_("Too many requests"),
    500: N_("Something broke on our side"),
    503: N_("A part of the system is away"),
}
ERROR_TEXTS = {
    401: N_("You are not signed in, or your session has ended."),
    403: N_("Your role or your sites do not include this. An owner can change that."),
    404: N_("It may have been moved, or it belongs to a site that you do not see."),
    409: N_("The record was changed meanwhile. Load it again and repeat what you wanted to do."),
    412: N_("The record was changed meanwhile. Load it again and repeat what you wanted to do."),
    429: N_("Please wait a minute before you go on."),
    500: N_("Nothing was changed. It has been logged; please try again in a moment."),
    503: N_("Nothing was changed. Please try again in a moment."),
}


def status_word(word: object) -> Word:
    """Return how a status word is shown; an unknown word is shown as it is."""
    return STATUS.get(str(word).lower()) or Word(str(word))


def owner_role(role: str | None, say: Callable[[str], str]) -> str:
    """Return a role of work, or several joined by a plus, as people call it; other texts stand for themselves."""
    return " + ".join(say(OWNER_ROLES[one]) if one in OWNER_ROLES else one for one in (role or "").split(" + "))


def initials(name: str | None) -> str:
    """Return up to two characters for a person: two syllables of a Korean name, else the initials."""
    parts = (name or "").split()
    if not parts:
        return "?"
    first = parts[0]
    if "가" <= first[0] <= "힣":
        return first[:2]
    return (first[0] + (parts[1][0] if len(parts) > 1 else first[1:2])).upper()
