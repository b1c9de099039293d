"""The routes of the application as the guards see them."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.routing import Rule

from console import ConsoleApp
from console.web import SIGNED_IN, Access

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# A number, a text and a month that no test ever makes.
NOBODY = {"month": "1999-01", "name": "nobody", "token": "nobody", "filename": "nobody", "path": "nobody"}


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
    address = rule.rule
    for argument in rule.arguments:
        for form in (f"<int:{argument}>", f"<string:{argument}>", f"<path:{argument}>", f"<{argument}>"):
            address = address.replace(form, NOBODY.get(argument, "987654321"))
    return address


def routes(app: ConsoleApp) -> list[Route]:
    """Give every route of the application in order of its address."""
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        demand = getattr(view, "access", SIGNED_IN)
        found += [Route(method, rule.rule, _address(rule), demand) for method in METHODS if method in rule.methods]
    return sorted(found, key=lambda route: (route.rule, route.method))
