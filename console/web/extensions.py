"""Flask extensions, unbound; `create_app` binds them."""

from __future__ import annotations

from flask import Flask, current_app
from flask_babel import Babel
from flask_compress import Compress
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from htmx_flask import Htmx

from console.core.process import ProcessRuntime
from console.models.base import Base

db = SQLAlchemy(metadata=Base.metadata, disable_autonaming=True)
htmx = Htmx()
csrf = CSRFProtect()
babel = Babel()
compress = Compress()


def runtime(app: Flask | None = None) -> ProcessRuntime:
    """Return what an application, or the running one, works with outside of requests: commands, background work."""
    found: ProcessRuntime = (app or current_app).extensions["console_runtime"]
    return found
