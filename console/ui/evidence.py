"""What an evidence panel shows, whatever the files belong to: lines, the form that takes more, its sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from flask import url_for
from flask_babel import gettext as _

from console.core.context import Context
from console.domain.evidence import evidence as rules
from console.domain.evidence.content import BUILT_IN_SCANS
from console.domain.evidence.kinds import ENDINGS
from console.domain.text import Text
from console.services.evidence import files as evidence_files
from console.services.evidence import photos, subjects
from console.services.evidence.evidence import EvidenceView
from console.services.evidence.subjects import FileView, Subject
from console.services.identity import names as people
from console.ui.labels.evidence import photo_words

Shown = TypeVar("Shown", EvidenceView, FileView)


@dataclass(frozen=True)
class FileLine:
    """One file and who sent it.

    `url` downloads it (None while it is not let out), `picture` is its small copy (None without one), `remove_url`
    takes a reason (None: not allowed); `scan` is the state of the scan as words, tone and icon.
    """

    file: EvidenceView | FileView
    sender: str
    url: str | None
    remove_url: str | None
    scan: tuple[str, str, str]
    picture: str | None = None

    @property
    def why(self) -> Text | None:
        """Return why the scan came to its end, None where it told no reason."""
        reason = self.file.malware_scan_reason
        return rules.reason_told(reason) if reason else None

    @property
    def engine(self) -> str:
        """Return which scanner said so: the built-in one by what it is, another one by its name."""
        name = self.file.malware_scan_engine
        return _("built-in checks") if name in BUILT_IN_SCANS else name or "–"

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
    """Everything that a panel shows; `upload_url` is None for who may only look.

    `key` tells it apart from others of the page; `missing` says that files are needed and there are none.
    """

    key: str
    title: str
    files: tuple[FileLine, ...]
    upload_url: str | None
    taken: Taken
    missing: str | None = None


def lines_of(
    ctx: Context,
    files: Iterable[Shown],
    *,
    url: Callable[[int], str],
    picture: Callable[[int], str],
    remove_url: Callable[[Shown], str | None],
) -> tuple[FileLine, ...]:
    """Return files as lines with the names of their senders; `remove_url` is None where the reader may not."""
    shown = list(files)
    names = people.names_of(ctx, [file.uploaded_by for file in shown])
    return tuple(
        FileLine(
            file=file,
            sender=names.get(file.uploaded_by, file.uploaded_by),
            url=url(file.id) if file.downloadable else None,
            remove_url=remove_url(file),
            scan=scan_words(file.malware_scan_status),
            picture=picture(file.id) if file.thumbnail_size and file.malware_scan_status == rules.CLEAN else None,
        )
        for file in shown
    )


def panel_of(
    ctx: Context,
    subject: Subject,
    files: Iterable[FileView],
    *,
    key: str,
    title: str,
    pages: str,
    may_change: bool,
    upload_url: str | None = None,
) -> Panel:
    """Return a panel with files of a subject; `pages` is the blueprint of their `file`, `thumbnail` and `remove`.

    Whoever `may_change` them may send more to `upload_url`, if there is one, and remove those that they sent.
    """

    def at(endpoint: str) -> Callable[[int], str]:
        return lambda evidence_id: url_for(f"{pages}.{endpoint}", evidence_id=evidence_id)

    def remove_url(file: FileView) -> str | None:
        removable = may_change and subjects.may_remove(ctx.actor, subject, file.uploaded_by)
        return at("remove")(file.id) if removable else None

    return Panel(
        key=key,
        title=title,
        files=lines_of(ctx, files, url=at("file"), picture=at("thumbnail"), remove_url=remove_url),
        upload_url=upload_url if may_change else None,
        taken=taken(ctx),
    )


def taken(ctx: Context) -> Taken:
    """Return what the pages take."""
    types = evidence_files.accepted(ctx.config, on_page=True)
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
