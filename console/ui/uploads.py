"""Files of the web: how an upload reaches a service, and how a stored file is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from console.core.context import Context
from console.domain.errors import Invalid
from console.domain.evidence.photos import captured
from console.services.evidence.files import Fetched, Upload
from console.services.evidence.thumbnails import Thumbnail
from console.ui.frame import leave_toast
from console.ui.responses import download, toast, trigger
from console.web.negotiation import wants_fragment
from console.web.request import web_context

PIECE = 64 * 1024
# Whatever a browser makes of it: nothing inside a downloaded file may run or load.
SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"


@dataclass(frozen=True)
class Told:
    """What a browser says of a photo: whether it was made smaller, and when it was taken before that."""

    shrunk: bool = False
    captured_at: str | None = None


@contextmanager
def received(file: FileStorage, told: Told | None = None) -> Iterator[Upload]:
    """Return a file of a form as the service takes it; afterwards its temporary copy is gone."""
    told = told or Told()
    with closing(file):
        stream, name = cast("BinaryIO", file.stream), file.filename or ""
        yield Upload(stream, name, file.content_type or "", told.shrunk, told.captured_at)


def sent_told() -> Told:
    """Return what the script says of the one file that it sends; a clock that tells no time says nothing."""
    if request.form.get("shrunk") != "1":
        return Told()
    taken, offset = (request.form.get(name, "") for name in ("taken", "taken_offset"))
    return Told(shrunk=True, captured_at=captured(taken, offset))


def sent_note() -> str:
    """Return the note of a form, digits too as the text that they were."""
    return request.form.get("note", "")


def take_files(
    is_there: Callable[[Context, Upload], bool],
    attach: Callable[[Context, Upload, str], object],
    panel: Callable[[Context], Response],
    page: str,
) -> ResponseReturnValue:
    """Take the files of a form: the script sends one at a time, a plain form all that were chosen, or none of them.

    One that is there already is named and not taken again. Answers with the panel, or with the way to `page`. Raises
    Invalid without a file, and what both functions raise.
    """
    # The form is read before the transaction begins: the sender may be slow.
    sent = [file for file in request.files.getlist("file") if file.filename]
    note, told = sent_note(), sent_told() if len(sent) == 1 else None
    if not sent:
        raise Invalid(_("Please choose a file"))
    ctx = web_context()
    known = []
    for file in sent:
        with received(file, told) as upload:
            if is_there(ctx, upload):
                known.append(upload.file_name)
            else:
                attach(ctx, upload, note)
    there = _("It is there already: %(names)s", names=", ".join(known))
    if wants_fragment():
        made = panel(ctx)
        return toast(made, there) if known else made
    if len(sent) > len(known):
        leave_toast(_("Evidence added: %(count)s", count=len(sent) - len(known)))
    if known:
        leave_toast(there)
    return redirect(page, 303)


def removed(name: str, panel: Callable[[], Response], page: str, **events: object) -> ResponseReturnValue:
    """Answer that a file was removed: with the panel, whose page hears `events`, or with the way to `page`."""
    message = _("%(name)s was removed", name=name)
    if not wants_fragment():
        leave_toast(message)
        return redirect(page, 303)
    return trigger(toast(panel(), message), **events)


def send(file: Fetched) -> Response:
    """Send a stored file to be saved, never to be shown; it is closed whatever becomes of the connection."""
    headers = {
        "X-Download-Options": "noopen",
        "X-Evidence-SHA256": file.sha256,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": SANDBOX,
    }
    return send_stream(file.stream, file.name, file.content_type, file.size, headers)


def send_stream(stream: IO[bytes], name: str, content_type: str, size: int, headers: Mapping[str, str]) -> Response:
    """Send `size` bytes as they are; the stream is closed whatever becomes of the connection."""
    # Compressed on the way, they would no longer have the length and the hash that the headers promise.
    plain = {"Content-Length": str(size), "Cache-Control": "no-store, no-transform", "Content-Encoding": "identity"}
    response = download(_pieces(stream), name, content_type, headers={**headers, **plain})
    response.call_on_close(stream.close)
    return response


def send_thumbnail(found: Thumbnail) -> Response:
    """Send a small copy to be shown in a page; whoever has it asks whether it still may, and gets a few bytes."""
    response = Response(found.content, content_type="image/jpeg")
    response.headers.update(
        {
            "Cache-Control": "private, no-cache",
            "Content-Disposition": "inline",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": SANDBOX,
        }
    )
    response.set_etag(found.tag)
    response.make_conditional(request)
    return response


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    with stream:
        while piece := stream.read(PIECE):
            yield piece
