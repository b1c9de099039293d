"""Can this process serve? Asked by load balancers and by the launcher; nothing secret is in the answer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import redis
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from console.core.context import Context

MIGRATIONS = Path(__file__).resolve().parents[3] / "migrations"
PATIENCE_SECONDS = 0.5


@dataclass(frozen=True)
class Health:
    """The parts that a request needs: "ok", "away", "behind" (tables older than the code) or "absent" (not set up)."""

    database: str
    migrations: str
    redis: str

    @property
    def ready(self) -> bool:
        """Return whether requests can be answered; without Redis pages still work and runs wait."""
        return self.database == "ok" and self.migrations == "ok"

    @property
    def status(self) -> str:
        """Return "ready", "degraded" (Redis is away) or "unavailable"."""
        if not self.ready:
            return "unavailable"
        return "degraded" if self.redis == "away" else "ready"


def check(ctx: Context) -> Health:
    """Ask database, schema version and Redis; never raises for a part that is away."""
    try:
        ctx.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        ctx.session.rollback()
        return Health("away", "away", _redis(ctx.config["REDIS_URL"]))
    return Health("ok", _migrations(ctx), _redis(ctx.config["REDIS_URL"]))


@cache
def newest_migration() -> str | None:
    """Return the head of the migrations that this code came with."""
    # Ten megabytes that a server whose readiness nobody asks for can do without.
    from alembic.config import Config as AlembicConfig
    from alembic.script import ScriptDirectory

    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(config).get_current_head()


def _migrations(ctx: Context) -> str:
    try:
        found = set(ctx.session.scalars(text("SELECT version_num FROM alembic_version")))
    except SQLAlchemyError:
        ctx.session.rollback()
        return "absent"
    return "ok" if found == {newest_migration()} else "behind"


def _redis(url: str) -> str:
    if not url:
        return "absent"
    try:
        client = redis.Redis.from_url(url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS)
        client.ping()
        client.close()
    except (redis.RedisError, ValueError, OSError):
        return "away"
    return "ok"
