"""Write the table of settings into docs/CONFIGURATION.md (`make configuration`); a test holds that it is current."""

from __future__ import annotations

from itertools import groupby

from console.core.settings import SETTINGS, Setting
from tools.structure import ROOT, between

DOCUMENT = ROOT / "docs" / "CONFIGURATION.md"
MARKS = ("<!-- settings: written by `make configuration` -->\n", "<!-- end of settings -->")


def _default(setting: Setting) -> str:
    value = setting.default
    if isinstance(value, bool):
        return "true" if value else "false"
    text = ", ".join(value) if isinstance(value, tuple) else str(value)
    return f"`{text}`" if text else "–"


def _bounds(setting: Setting) -> str:
    if setting.choices:
        return ", ".join(setting.choices)
    ends = (("≥", setting.minimum), ("≤", setting.maximum))
    return ", ".join(f"{sign} {int(end) if end == int(end) else end}" for sign, end in ends if end is not None)


def table() -> str:
    """Return the settings as Markdown tables, a section each."""
    made = []
    for section, settings in groupby(SETTINGS, key=lambda setting: setting.section):
        made.append(
            f"## {section}\n\n| variable | type | default | bounds | meaning |\n| --- | --- | --- | --- | --- |\n"
        )
        for one in settings:
            meaning = one.help + (" (secret)" if one.secret else "")
            made.append(f"| `{one.name}` | {one.kind} | {_default(one)} | {_bounds(one)} | {meaning} |\n")
        made.append("\n")
    return "".join(made)


def updated(text: str) -> str:
    """Return the document's text with the current table in it."""
    return between(text, MARKS, f"\n{table()}")


def main() -> None:
    """Write the current table into the document."""
    DOCUMENT.write_text(updated(DOCUMENT.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
