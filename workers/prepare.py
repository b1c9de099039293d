"""The part of a start that needs the application: settings, migrations, first owner, demo company.

Runs in a process of its own beside the launcher, which stays small that way and pays for one import only. They talk
in JSON lines: it tells the settings, waits for the word to go on (with the address of the embedded Redis), works, and
tells the result. Whatever the application prints goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from console.config import Config, ConfigError

NEEDED = ("HOST", "PORT", "WEB_WORKERS", "WEB_THREADS", "REDIS_URL")


class Problem(Exception):
    """A sentence for the person at the terminal, and the exit code."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


def settings() -> dict[str, Any]:
    """Give what the launcher has to know; raises ConfigError."""
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
    """Migrate, make the first owner and the demo company; gives who can sign in."""
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

    from console import create_app
    from workers.first_start import FirstStart

    try:
        owner = FirstStart(create_app()).run()
    except (ArgumentError, NoSuchModuleError):
        raise Problem("DATABASE_URL: this is not the address of a database (postgresql://user@host/name).", 2) from None
    except OperationalError as error:
        raise Problem(f"The database cannot be used: {_first_line(error.orig)}.") from None
    return {"owner": owner.username, "created": owner.created, "password": owner.password}


def _first_line(error: object) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")


@contextmanager
def _channel() -> Iterator[IO[str]]:
    """Keep the pipe to the launcher for ourselves; prints go to standard error from now on."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as channel:
        os.dup2(2, 1)
        yield channel


def main() -> int:
    """Speak with the launcher; gives the exit code."""
    with _channel() as channel:

        def tell(**message: Any) -> None:
            channel.write(json.dumps(message) + "\n")
            channel.flush()

        try:
            tell(settings=settings())
            word = sys.stdin.readline()
            if not word:  # the launcher has found a reason not to start
                return 1
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
    return 0


if __name__ == "__main__":
    sys.exit(main())
