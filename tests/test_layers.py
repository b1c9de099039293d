"""What the import contracts of pyproject.toml cannot say: rooms, and a domain that depends on its arguments alone."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Standard library that reads the world around us: the domain gets the time, chance and settings as arguments.
WORLD = ("os", "random", "secrets", "socket", "subprocess", "threading", "time", "uuid")
# Packages that the domain may use: plain Python without state that asks nothing of the world around it.
PLAIN = {
    "cronsim": "the instants of cron words are a rule over the arguments alone",
    "pyotp": "a code follows from secret and time, which are arguments",
}


def modules(layer: str) -> list[Path]:
    found = sorted(ROOT.joinpath(*layer.split(".")).rglob("*.py"))
    assert found, layer
    return found


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


def test_no_module_lies_loose_in_the_console():
    """Every module has a room; only the factory of the application stands at the door."""
    assert [path.name for path in (ROOT / "console").glob("*.py")] == ["__init__.py"]


def test_every_room_says_what_it_is_for():
    silent = [
        str(path.relative_to(ROOT))
        for package in ("console", "workers")
        for path in (ROOT / package).rglob("__init__.py")
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert silent == []


def test_the_domain_reads_nothing_of_the_world():
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules("console.domain")
        for line, name in imports(path)
        if any(within(name, package) for package in WORLD)
    ]

    assert wrong == []


def test_the_domain_imports_the_standard_library_itself_and_what_is_as_plain():
    foreign = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in modules("console.domain")
        for line, name in imports(path)
        if name.partition(".")[0] not in {*sys.stdlib_module_names, *PLAIN} and not within(name, "console.domain")
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
