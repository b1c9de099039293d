"""Files of the web: how an upload reaches a service, and how a stored file is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import BinaryIO, cast

from flask import Response, request
from werkzeug.datastructures import FileStorage

from console.domain.errors import Invalid
from console.inputs.base import unwritable
from console.responses import download
from console.services.evidence import Fetched, Upload

PIECE = 64 * 1024
# Whatever a browser makes of it: nothing inside a downloaded file may run or load.
SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"


@contextmanager
def received(file: FileStorage) -> Iterator[Upload]:
    """Give a file of a form as the service takes it; afterwards its temporary copy is gone."""
    with closing(file):
        yield Upload(cast("BinaryIO", file.stream), file.filename or "", file.content_type or "")


def sent_note() -> str:
    """Give the note of a form as it was sent; raises Invalid for text that cannot be stored."""
    note = request.form.get("note", "")
    if unwritable(note):
        raise Invalid.field("note", "must not contain NUL or broken characters")
    return note


def send(file: Fetched) -> Response:
    """Send a stored file to be saved, never to be shown; it is closed whatever becomes of the connection."""
    response = download(
        _pieces(file.stream),
        file.name,
        file.content_type,
        headers={
            "Content-Length": str(file.size),
            "X-Download-Options": "noopen",
            "X-Evidence-SHA256": file.sha256,
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": SANDBOX,
            # Compressed on the way, it would no longer have the length and the hash that the headers promise.
            "Cache-Control": "no-store, no-transform",
            "Content-Encoding": "identity",
        },
    )
    response.call_on_close(file.stream.close)
    return response


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        while piece := stream.read(PIECE):
            yield piece
