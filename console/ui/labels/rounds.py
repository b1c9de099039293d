"""Sentences that the script of a round says on the phone, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext as _

from console.domain.inspections.readings import AMBIGUOUS, BETWEEN, NO_NUMBER
from console.domain.text import N_

TEXTS: Mapping[str, str] = {
    "danger": N_("Danger"),
    "warning": N_("Caution"),
    "normal": N_("Normal"),
    "recorded": N_("On record"),
    "unmeasured": N_("Not measured"),
    "fine": N_("Fine, recorded"),
    "uneven": N_("Voltage unbalance"),
    "higher": N_("%(value)s higher than last time"),
    "lower": N_("%(value)s lower than last time"),
    "same": N_("the same as last time"),
    "last": N_("Last time %(value)s"),
    "no_number": NO_NUMBER,
    "ambiguous": AMBIGUOUS,
    "between": BETWEEN,
    "sure": N_("Really %(value)s? Last time it was %(last)s."),
    "missing": N_("needs an answer or a reason why not"),
    "open": N_("Still open"),
    "kept": N_("Kept on this phone %(time)s"),
    "kept_offline": N_("Offline · kept on this phone %(time)s"),
    "not_kept": N_("This browser keeps nothing. Please do not close the page before the round is sent."),
    "elsewhere": N_("This round was finished in another tab; what is written here is not kept."),
    "offline": N_("No signal. Press, and it is kept and sent once as soon as there is one."),
    "next": N_("Next: %(name)s"),
    "check": N_("Check and send"),
    "order": N_("With a work order"),
    "no_order": N_("Recorded without a work order"),
    "change": N_("Change"),
    "toggle": N_("Order or not"),
    "photo": N_("Photo"),
    "photos": N_("Photos: %(count)s"),
    "shrunk": N_("%(before)s made into %(after)s"),
    "photo_out": N_("Leave the photo out"),
    "too_large": N_("larger than %(limit)s MB"),
    "begun": N_("begun at %(time)s"),
    "draft": N_("Not finished: %(place)s of %(count)s"),
    "waiting": N_("Kept, waits for the signal"),
    "sending": N_("Is being sent"),
    "sent": N_("Sent"),
    "sent_photos": N_("Sent, photos to go: %(count)s"),
    "send_now": N_("Send now"),
    "refused": N_("Not taken: %(why)s"),
    "signed_out": N_("Kept. Sign in, and it is sent."),
    "again": N_("Go on"),
    "correct": N_("Correct"),
    "look": N_("Open"),
    "drop": N_("Throw away"),
    "drop_sure": N_("Everything that this round has is lost. Throw it away?"),
    "no_signal": N_("No signal. A round that was opened once can be done all the same; everything is kept."),
    "nobody": N_("Nobody is signed in on this phone. What was kept stays and is shown after the sign-in."),
    "away": N_("This page needs a signal. It was not opened on this phone before."),
}


def texts() -> dict[str, str]:
    """Return every sentence by its key."""
    return {key: _(text) for key, text in TEXTS.items()}
