"""Files of the web: how an upload reaches a service, and how a stored file is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import IO, BinaryIO, cast

from flask import Response, request
from werkzeug.datastructures import FileStorage

from console.services.evidence.evidence import Fetched, Upload
from console.ui.responses import download

PIECE = 64 * 1024
# Whatever a browser makes of it: nothing inside a downloaded file may run or load.
SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"


@contextmanager
def received(file: FileStorage) -> Iterator[Upload]:
    """Return a file of a form as the service takes it; afterwards its temporary copy is gone."""
    with closing(file):
        yield Upload(cast("BinaryIO", file.stream), file.filename or "", file.content_type or "")


def sent_note() -> str:
    """Return the note of a form, digits too as the text that they were."""
    return request.form.get("note", "")


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


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    with stream:
        while piece := stream.read(PIECE):
            yield piece
