"""What a database needs before people come: the newest schema, the demo company, somebody who can sign in."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from flask.cli import ScriptInfo
from flask_migrate import downgrade, upgrade

from console.core import logs
from console.services.identity import first_owner
from console.services.identity import lists as identity_lists
from console.services.identity.first_owner import FirstOwner
from console.services.runbook import health
from console.web.extensions import runtime


class FirstStart:
    """Brings the database of an application to the point where it can be used; a second time changes nothing."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.place = runtime(app)
        self.config = self.place.config

    def close(self) -> None:
        """Close the connections: what follows may be a fork."""
        self.place.engine.dispose()

    @property
    def mark(self) -> Path:
        """The file that stands while the demo company is made."""
        return self.config.path("DATA_DIR") / "demo.unfinished"

    def run(self) -> FirstOwner:
        """Migrate, make the demo company in an empty database, and return the owner who can sign in."""
        with self.app.app_context():
            self._migrate()
            if self.mark.exists():
                # Nobody could sign in yet: half a company is all there is, and it can be made anew.
                print("The first start was interrupted; the demo company is made anew.", flush=True)
                downgrade(revision="base")
                upgrade()
                self.mark.unlink()
        with self.place.reading() as ctx:
            empty = not identity_lists.all_users(ctx)
        if self.config["DEMO"] and empty:
            self._demo()
        with self.place.writing() as ctx:
            first_owner.ensure_admin_token(ctx)
            return first_owner.ensure_owner(ctx)

    def _migrate(self) -> None:
        """Bring older tables up; newer ones stay, because every release works with the tables of the next one."""
        with self.place.reading() as ctx:
            standing = health.schema(ctx)
        if standing == health.AHEAD:
            print("The tables were made by a later release; they are used as they are.", flush=True)
        else:
            upgrade()

    def _demo(self) -> None:
        """Let `flask demo seed` work; it comes before every account, because the company's past does."""
        print("Making the demo company (once; DEMO=0 leaves it out) ...", flush=True)
        self.mark.parent.mkdir(parents=True, exist_ok=True)
        self.mark.touch()
        logs.configure("warning")  # three months of runs would each have their line
        here = ScriptInfo(create_app=lambda: self.app)
        self.app.cli.main(args=["demo", "seed"], prog_name="flask", standalone_mode=False, obj=here)
        logs.configure(self.config["LOG_LEVEL"])
        self.mark.unlink()
