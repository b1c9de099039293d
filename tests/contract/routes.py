"""The routes of the application as the guards see them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from werkzeug.routing import Rule

from console import ConsoleApp
from console.web.request import SIGNED_IN, Access

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# A number, a text and a month that no test ever makes.
NOBODY = {"month": "1999-01", "name": "nobody", "token": "nobody", "filename": "nobody", "path": "nobody"}
# A week of the programme stands for all of them: permissions follow from its code.
WEEK = "w02"


@dataclass(frozen=True)
class Route:
    """One method of one address, and what it demands."""

    method: str
    rule: str
    address: str
    access: Access

    @property
    def is_api(self) -> bool:
        return self.rule.startswith("/api/") and self.rule != "/api/docs"

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


def _address(rule: Rule) -> str:
    values = {**NOBODY, "week": WEEK}
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda argument: values.get(argument[1], "987654321"), rule.rule)


def _access(demand: Access) -> Access:
    return replace(demand, permissions=demand.at({"week": WEEK}))


def routes(app: ConsoleApp) -> list[Route]:
    """Return every route of the application in order of its address."""
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        demand = _access(getattr(view, "access", SIGNED_IN))
        methods = rule.methods or set()
        found += [Route(method, rule.rule, _address(rule), demand) for method in METHODS if method in methods]
    return sorted(found, key=lambda route: (route.rule, route.method))
