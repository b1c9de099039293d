"""`Idempotency-Key`: a request of a program that is sent again is answered as the first one was, and done once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, request

from console.services.common import idempotency
from console.web.request import web_context

REPLAYED = "Idempotency-Replayed"


def idempotent(view: Callable[..., Response]) -> Callable[..., Response]:
    """Let a writing view of the API take an `Idempotency-Key`; write it below `@access`.

    The answer of an earlier request with the same key and body comes with `Idempotency-Replayed: true`; the same key
    with another body is 422. Without the header nothing is kept.
    """

    @wraps(view)
    def once(*args: Any, **values: Any) -> Response:
        sent = request.headers.get(idempotency.HEADER)
        if sent is None:
            return view(*args, **values)
        ctx, address = web_context(), f"{request.method} {request.path}"
        key_hash = idempotency.key_of(ctx, sent, address)
        earlier = idempotency.claim(ctx, key_hash, address, request.get_data())
        if earlier is not None:
            headers = {**earlier["headers"], REPLAYED: "true"}
            return Response(earlier["body"], earlier["status"], headers, mimetype="application/json")
        response = view(*args, **values)
        kept = {name: response.headers[name] for name in ("ETag",) if name in response.headers}
        told = {"status": response.status_code, "body": response.get_data(as_text=True), "headers": kept}
        idempotency.answered(ctx, key_hash, told)
        return response

    return once
