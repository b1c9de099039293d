"""The web server's first start under the launcher: settings, migrations, demo company, first owner, then it serves.

The launcher stays small and leaves to this process what needs the application; and because the same process then
becomes the web server, a start pays for loading the application once. The two talk in JSON lines over pipes of their
own: this one tells the settings, waits for the word to go on (with the address of Redis), and tells how it went.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from contextlib import closing
from typing import IO, Any

from console.core.config import Config, ConfigError
from console.core.umask import keep_private

NEEDED = ("HOST", "PORT", "REDIS_URL")


class Problem(Exception):
    """A sentence for the person at the terminal, and the exit code."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


def settings() -> dict[str, Any]:
    """Return what the launcher has to know; raises ConfigError."""
    config = Config.load()
    return {**{name: config[name] for name in NEEDED}, "DATA_DIR": str(config.path("DATA_DIR"))}


def check_redis(url: str) -> None:
    """Raise Problem when no Redis answers at an address that somebody chose."""
    import redis

    try:
        with redis.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3) as client:
            client.ping()
    except ValueError:
        raise Problem("REDIS_URL: this is not the address of a Redis (redis://host:6379/0).", code=2) from None
    except redis.RedisError as error:
        raise Problem(f"REDIS_URL: no Redis answers there ({_first_line(error)}).") from None


def prepare() -> dict[str, Any]:
    """Migrate, make the demo company and the first owner; returns who can sign in."""
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

    from console import create_app
    from console.core.database import problem_of
    from console.services.runbook.preflight import BadStart
    from workers.launch.first_start import FirstStart

    try:
        with closing(FirstStart(create_app())) as start:
            owner = start.run()
    except (ArgumentError, NoSuchModuleError):
        raise Problem("DATABASE_URL: this is not the address of a database (postgresql://user@host/name).", 2) from None
    except OperationalError as error:
        raise Problem(problem_of(error)) from None
    except BadStart as error:
        raise Problem(str(error)) from None
    return {"owner": owner.username, "created": owner.created, "password": owner.password}


def _first_line(error: object) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")


def handshake(reader: IO[str], writer: IO[str]) -> bool:
    """Speak with the launcher until everything is prepared; tells whether to serve."""

    def tell(**message: Any) -> None:
        writer.write(json.dumps(message) + "\n")
        writer.flush()

    try:
        tell(settings=settings())
        word = reader.readline()
        if not word:  # the launcher has found a reason not to start
            return False
        os.environ["REDIS_URL"] = json.loads(word)["redis_url"]
        check_redis(os.environ["REDIS_URL"])
        tell(result=prepare())
    except ConfigError as error:
        tell(problem=f"{error}.", code=2)
    except Problem as error:
        tell(problem=str(error), code=error.code)
    except Exception as error:
        traceback.print_exc()
        tell(problem=f"The start failed: {_first_line(error) or type(error).__name__}.", code=1)
    else:
        return True
    return False


def main(arguments: list[str]) -> int:
    """Prepare and serve; the arguments are the numbers of the two pipes. Returns the exit code."""
    from workers.launch import web

    keep_private()
    read, write = map(int, arguments)
    with os.fdopen(read, encoding="utf-8") as reader, os.fdopen(write, "w", encoding="utf-8") as writer:
        go = handshake(reader, writer)
    if go:
        web.serve(Config.load())
    return 0 if go else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
