"""Flask extensions, unbound; `create_app` binds them."""

from __future__ import annotations

from flask_babel import Babel
from flask_compress import Compress
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from htmx_flask import Htmx

from console.models.base import Base

db = SQLAlchemy(metadata=Base.metadata, disable_autonaming=True)
htmx = Htmx()
csrf = CSRFProtect()
babel = Babel()
compress = Compress()
