"""Where the pages of a tracker are, and what is said on them: the board of the gate and every week alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import url_for
from flask_babel import gettext as _

from console.domain.programme.catalogue import FIGURES, WEEKS
from console.domain.programme.week import Week
from console.domain.tracker.tracker import REMEDIATION, TrackerKind
from console.services.tracker.rows import ItemView
from console.ui.weeks import week_title
from console.web.request import current_actor

# The lists of My work.
WORK_LISTS = ("today", "assigned", "claimable")
# The page of the remediation board, and that of a week, which stands on it.
TEMPLATES = ("tracker/board.html", "programme/week.html")


@dataclass(frozen=True)
class TrackerUrls:
    """The pages of one tracker; `week` is None for the remediation board."""

    programme: TrackerKind
    week: Week | None = None

    def url(self, name: str, **values: Any) -> str:
        """Return the address of one of its pages, such as `page`, `item` or `complete`; None leaves a value out."""
        if self.week is None:
            return url_for(f"board.{name}", **values)
        return url_for("programme.week" if name == "page" else f"programme.{name}", week=self.week.code, **values)

    def list_url(self, **words: str | None) -> str:
        """Return the address of its list with filters."""
        chosen = {key: word for key, word in words.items() if word}
        return self.url("page") + ("?" + urlencode(chosen) if chosen else "")

    @property
    def template(self) -> str:
        """Return the template of its page."""
        return TEMPLATES[1] if self.week else TEMPLATES[0]

    @property
    def file_stem(self) -> str:
        """Return what the names of its downloads begin with."""
        return f"adoption-{self.week.code}" if self.week else "ops-governance-remediation"

    @property
    def title(self) -> str:
        """Return the title of its page in the reader's language."""
        return week_title(self.week) if self.week else _("Remediation board")

    @property
    def nothing(self) -> tuple[str, str]:
        """Return what an empty list says: a heading and a sentence."""
        if self.week:
            return _("Nothing here yet"), _("The week has not begun at this site, or none of its items is for you.")
        text = _("The gate found nothing that needs work, or it has not been asked yet. Sync the board to look again.")
        return _("Nothing to do"), text

    def may(self, *permissions: str) -> bool:
        """Return whether the reader holds any of the permissions."""
        return any(map(current_actor().can, permissions))

    @property
    def may_write(self) -> bool:
        """Return whether the reader may change items."""
        return self.may(*self.programme.write)

    @property
    def may_force(self) -> bool:
        """Return whether the reader may close it although something is open."""
        return self.may(*self.programme.force)


BOARD = TrackerUrls(REMEDIATION)


def place_of(week: str | None = None) -> TrackerUrls:
    """Return the pages of a week, or the remediation board without one."""
    return TrackerUrls(WEEKS[week].programme, WEEKS[week]) if week else BOARD


def place_of_item(item: ItemView) -> TrackerUrls:
    """Return the pages of the tracker that an item belongs to."""
    return place_of(item.tracker if item.tracker in WEEKS else None)


def item_page(tracker: str, item_id: int) -> str:
    """Return the page of an item of the tracker with that key."""
    return place_of(tracker if tracker in WEEKS else None).url("item", item_id=item_id)


def item_url(item: ItemView, **values: Any) -> str:
    """Return the page of an item; `work` names the list of My work that it is opened from, and leads back to."""
    return place_of_item(item).url("item", item_id=item.id, **values)


def week_url(code: str, site: str | None) -> str:
    """Return the page of a week at a site; a week without items has a page of figures alone."""
    return url_for(f"week.figures_{code}", site=site) if code in FIGURES else place_of(code).list_url(site=site)
