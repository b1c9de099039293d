"""Answers that are the same for everybody and may be kept by every cache: tag, lifetime, 304."""

from __future__ import annotations

from flask import Response, request

from console.services.programme.files import JSON, Published
from console.ui.responses import attachment
from console.web.headers import authenticated
from console.web.negotiation import TOKEN_HEADER

# How long a cache may hand it out without asking, in seconds.
LIFETIME = 300


def publish(made: Published) -> Response:
    """Answer what is published: in full, or 304 to those who hold it already.

    Whoever sent a credential gets the same content, but nothing on the way keeps it. JSON that a person opens becomes
    a page about it, which belongs to its reader.
    """
    response = Response(made.body, content_type=made.mimetype)
    if made.filename is not None:
        response.headers["Content-Disposition"] = attachment(made.filename, made.plain)
    if made.mimetype == JSON and "text/html" in request.headers.get("Accept", ""):
        return response
    return kept(response, made.digest)


def for_its_reader(response: Response) -> Response:
    """Mark an answer that tells more to those who may know more: no cache hands one reader the answer of another."""
    response.vary.update(("Cookie", TOKEN_HEADER))
    return response


def kept(response: Response, digest: str) -> Response:
    """Let caches keep an answer under a tag that follows from its content.

    A page follows the cookies of its reader, so it is kept for everybody only when it was asked for without any.
    """
    response.set_etag(digest, weak=True)
    if response.mimetype == "text/html":
        response.vary.update(("Accept-Language", "Cookie"))
        private = authenticated() or bool(request.cookies)
    else:
        private = authenticated()
    if not private:
        response.headers["Cache-Control"] = f"public, max-age={LIFETIME}"
    response.make_conditional(request)
    return response
