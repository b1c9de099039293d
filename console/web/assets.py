"""Static files: their hashed names for templates, and the layer that serves them before Flask is asked.

`tools/assets.py` builds console/static/dist; everything in it carries a content hash and may be cached for ever.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whitenoise import WhiteNoise

if TYPE_CHECKING:
    from wsgiref.headers import Headers

    from flask import Flask

DIST = Path(__file__).parents[1] / "static" / "dist"
PREFIX = "/static/"
HASHED_NAME = r"\.[A-Z2-7]{8}\.[a-z0-9]+$"


class AssetsMissingError(RuntimeError):
    """The static files were not built, or a template names one that does not exist."""


@cache
def manifest(folder: Path = DIST) -> dict[str, str]:
    """Return logical name -> hashed name; raises AssetsMissingError before the first build."""
    try:
        files: dict[str, str] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    except FileNotFoundError:
        raise AssetsMissingError("The static files are not built: run `make setup`.") from None
    return files


def asset_url(name: str) -> str:
    """Return the address of a static file such as "css/app.css"; raises AssetsMissingError for an unknown one."""
    try:
        return PREFIX + manifest()[name]
    except KeyError:
        raise AssetsMissingError(f"No static file {name!r}: check the name, then run `make setup`.") from None


def wrap(app: Callable[..., Any], folder: Path = DIST) -> Callable[..., Any]:
    """Return the WSGI application that answers PREFIX itself: compressed twins, immutable caching, same origin only."""
    if not folder.is_dir():  # asset_url() explains it to the first page that needs a file
        return app
    served: Callable[..., Any] = WhiteNoise(
        app,
        root=str(folder),
        prefix=PREFIX,
        allow_all_origins=False,
        immutable_file_test=HASHED_NAME,
        add_headers_function=_headers,
    )
    return served


def _headers(headers: Headers, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"


def init_app(app: Flask) -> None:
    """Return templates `asset_url` and put the file layer in front of the application."""
    app.jinja_env.globals["asset_url"] = asset_url
    app.wsgi_app = wrap(app.wsgi_app)
