"""What the page of a published week shows, for readers and for those who look before they publish."""

from __future__ import annotations

from datetime import date
from typing import Any

from console.domain.programme.documents import Document
from console.domain.programme.layouts import EVENTS, LAYOUTS
from console.services.programme import portal, publish
from console.services.programme.editions import Edition
from console.ui.labels import packs as labels


def week_values(found: Edition, document: Document, today: date, language: str) -> dict[str, Any]:
    """Return the values of the page of a week, on a day (UTC) and in a language."""
    layout, code = LAYOUTS[document["layout"]], document["code"]
    (shown,) = [one for one in portal.calendar(found, today, language).all_weeks if one.code == code]
    return {
        "language": language,
        "data": shown,
        "lists": [(one, document["lists"][one.field]) for one in layout.lists if one.field != EVENTS],
        "events": [
            {**one, "date": date.fromisoformat(one["date"])}
            for one in publish.entries(found, document, layout.kind(EVENTS), language)
        ],
        "files": publish.downloads(document),
        "samples": document.get("samples", ()),
        "neighbours": portal.neighbours(found, code),
        "labels": labels,
    }
