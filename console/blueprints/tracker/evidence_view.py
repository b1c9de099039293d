"""What the evidence panel of an item shows: its files, what the reader may do, where the forms go."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from console.blueprints.tracker.urls import TrackerUrls
from console.core.context import Context
from console.domain.evidence import evidence as rules
from console.domain.evidence.kinds import ENDINGS
from console.domain.text import Text
from console.services.evidence import evidence, photos
from console.services.evidence.evidence import EvidenceView
from console.services.identity import names as people
from console.services.tracker.rows import ItemView
from console.ui.labels.evidence import photo_words
from console.web.request import current_actor


@dataclass(frozen=True)
class FileLine:
    """One file and who sent it.

    `url` downloads it (None while it is not let out), `remove_url` takes a reason (None: not allowed); `scan` is the
    state of the scan as words, tone and icon.
    """

    file: EvidenceView
    sender: str
    url: str | None
    remove_url: str | None
    scan: tuple[str, str, str]

    @property
    def why(self) -> Text | None:
        """Return why the scan came to its end, None where it told no reason."""
        reason = self.file.malware_scan_reason
        return rules.reason_told(reason) if reason else None

    @property
    def photo(self) -> str:
        """Return when a photo was taken and whether it was made smaller."""
        return photo_words(self.file.captured_at, shrunk=self.file.shrunk)

    @property
    def source(self) -> str:
        """Return who says when a photo was taken, empty where nobody does."""
        if self.file.captured_at is None:
            return ""
        return _("told by the browser that made it smaller") if self.file.shrunk else _("read from the file")


@dataclass(frozen=True)
class Taken:
    """What a form that takes files must know: kinds for the desk, the limit of one file, sentences of the script.

    `keeps_place`: photos may say where they were taken.
    """

    accept: str
    max_bytes: int
    texts: dict[str, str]
    keeps_place: bool = False


@dataclass(frozen=True)
class Panel:
    """Everything that the panel shows; `upload_url` is None for who may only look."""

    item: ItemView
    files: tuple[FileLine, ...]
    upload_url: str | None
    taken: Taken

    @property
    def missing(self) -> bool:
        """Whether the item needs evidence and has none."""
        return self.item.evidence_required and not self.item.evidence_count


def panel_of(ctx: Context, place: TrackerUrls, item: ItemView) -> Panel:
    """Return the panel of an item."""
    actor, programme = current_actor(), place.programme
    may_change = item.is_active and (place.may_write or item.owned_by(actor))
    files = evidence.listed(ctx, programme, item.id)
    names = people.names_of(ctx, [file.uploaded_by for file in files])
    lines = []
    for file in files:
        removable = may_change and evidence.may_remove(actor, programme, file.uploaded_by)
        lines.append(
            FileLine(
                file=file,
                sender=names.get(file.uploaded_by, file.uploaded_by),
                url=place.url("evidence_file", evidence_id=file.id) if file.downloadable else None,
                remove_url=place.url("evidence_remove", evidence_id=file.id) if removable else None,
                scan=scan_words(file.malware_scan_status),
            )
        )
    upload_url = place.url("attach", item_id=item.id) if may_change else None
    return Panel(item=item, files=tuple(lines), upload_url=upload_url, taken=taken(ctx))


def taken(ctx: Context) -> Taken:
    """Return what the pages take."""
    types = evidence.accepted(ctx.config, on_page=True)
    accept = "" if "*" in types else ",".join(_pickable(types))
    return Taken(accept, rules.MAX_BYTES, script_texts(), photos.keeps_place(ctx.config))


def _pickable(types: tuple[str, ...]) -> tuple[str, ...]:
    # Desks do not know every type, but all of them know endings.
    return (*types, *(f".{ending}" for kind in types for ending in ENDINGS.get(kind, ())))


def scan_words(word: str) -> tuple[str, str, str]:
    """Return the state of the scan as words, tone and icon."""
    known = {
        rules.CLEAN: (_("Scanned"), "ok", "shield-check"),
        rules.PENDING: (_("Waits for the scan"), "wait", "hourglass"),
        rules.QUARANTINED: (_("Quarantined"), "late", "ban"),
        rules.SUSPICIOUS: (_("Suspicious"), "soon", "alert-triangle"),
    }
    return known.get(word, (_("Not scanned"), "plain", "info-circle"))


def script_texts() -> dict[str, str]:
    """Return the sentences of the script."""
    return {
        "too_large": _("larger than %(limit)s MB", limit=rules.MAX_BYTES // 1024 // 1024),
        "empty": _("the file is empty"),
        "scaling": _("making it smaller"),
        "shrunk": _("%(size)s · made smaller"),
        "sending": _("sending"),
        "checking": _("being checked"),
        "failed": _("could not be sent"),
        "offline": _("no connection"),
        "leave_out": _("Leave out %(name)s"),
        "send": _("Add %(count)s files"),
        "send_one": _("Add the file"),
        "added": _("Evidence added: %(count)s"),
    }
