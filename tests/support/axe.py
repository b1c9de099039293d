"""The automated accessibility check (axe-core, from a package) on a page of the browser tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

AXE = Path(__file__).resolve().parent.parent.parent / "node_modules" / "axe-core" / "axe.min.js"
# WCAG 2.2 AA and what it builds on; best practices are advice, not rules.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@cache
def _source() -> str:
    return AXE.read_text(encoding="utf-8")


def violations(page: Any, *, within: str = "html") -> list[str]:
    """Give a line per violation on a playwright page: rule, what it says, and the first elements that break it."""
    page.evaluate(_source())
    found = page.evaluate(
        "([within, rules]) => axe.run(within, { runOnly: { type: 'tag', values: rules } }).then(r => r.violations)",
        [within, RULES],
    )
    return [f"{one['id']} ({one['impact']}): {one['help']}: {_elements(one['nodes'])}" for one in found]


def _elements(nodes: list[dict[str, Any]]) -> str:
    return ", ".join(str(node["target"][0]) for node in nodes[:3])
