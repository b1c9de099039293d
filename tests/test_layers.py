"""Imports point downwards: doors -> services -> models -> domain. pyproject.toml says the same to the linter."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOORS = ("console.blueprints", "console.cli", "workers")
WEB = ("flask", "werkzeug", "flask_sqlalchemy", "flask_openapi3", "flask_wtf", "flask_babel", "htmx_flask", "wtforms")
# Standard library that reads the world around us: the domain gets the time, chance and settings as arguments.
WORLD = ("os", "random", "secrets", "socket", "subprocess", "threading", "time", "uuid")

# What may not be imported, directly, from each layer.
FORBIDDEN = {
    "console.domain": (
        *WEB,
        *DOORS,
        "sqlalchemy",
        "pydantic",
        "rq",
        "redis",
        "console.services",
        "console.models",
        *WORLD,
    ),
    "console.models": (*WEB, *DOORS, "rq", "redis", "console.services", "console.inputs"),
    "console.services": (*WEB, *DOORS, "rq", "console.forms", "console.web.request", "console.ui.responses"),
    "console.inputs": (*DOORS, "console.services", "console.models", "sqlalchemy", "rq"),
    "console.blueprints": ("console.cli", "console.models", "sqlalchemy", "redis", "rq"),
    "console.cli": ("console.blueprints", "console.models", "redis", "rq"),
    "workers": ("console.models", "console.blueprints", "console.cli"),
}


def modules(layer: str) -> list[Path]:
    return sorted(ROOT.joinpath(*layer.split(".")).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            # `from console import models` names the module in its second half
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize("layer", FORBIDDEN)
def test_a_layer_imports_only_what_lies_below_it(layer):
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules(layer)
        for line, name in imports(path)
        if any(within(name, package) for package in FORBIDDEN[layer])
    ]

    assert modules(layer)
    assert wrong == []


def test_the_domain_imports_the_standard_library_and_itself():
    foreign = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules("console.domain")
        for line, name in imports(path)
        if name.partition(".")[0] not in sys.stdlib_module_names and not within(name, "console.domain")
    ]

    assert foreign == []


def test_the_domain_never_asks_what_time_it_is():
    asking = [
        f"{path.relative_to(ROOT)}:{node.lineno} calls {node.func.attr}()"
        for path in modules("console.domain")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"now", "today", "utcnow"}
    ]

    assert asking == []
