"""The calendars of the programme: which events they have, and what these say (API contract, ICS rules; D20)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from console.adapters.ics import CalendarEvent, calendar
from console.core.i18n import translate
from console.domain.programme.documents import Document, said
from console.domain.programme.layouts import EVENTS
from console.domain.text import N_
from console.services.programme.editions import Edition

PLAN_PRODUCT, RELEASES_PRODUCT = "User Adoption Plan", "Post-MVP Releases"
# The meetings of every week, and how many days after its Monday they are.
MEETINGS = ((0, "Kickoff", N_("Kickoff")), (2, "Checkpoint", N_("Checkpoint")), (4, "Review", N_("Review")))
ONE_DAY = timedelta(days=1)
PHASE, OWNER, METRIC = N_("Phase"), N_("Owner role"), N_("Success metric")
OUTPUT, GOAL = N_("Output"), N_("Goal")


def plan(found: Edition, language: str) -> bytes:
    """Return the calendar of the whole programme: three whole-day events for each week."""
    return calendar(PLAN_PRODUCT, _meetings(found, language), found.stamp())


def _meetings(found: Edition, language: str) -> Iterator[CalendarEvent]:
    for document in found.weeks:
        monday, _friday = found.days(document["code"])
        text = said({name: document[name] for name in ("focus", "success_metric", "actions")}, language)
        lines = [
            f"{translate(language, PHASE)}: {translate(language, document['phase'])}",
            f"{translate(language, OWNER)}: {owner(document['owner'], language)}",
            f"{translate(language, METRIC)}: {text['success_metric']}",
            *(f"- {action}" for action in text["actions"][:3]),
        ]
        for offset, word, label in MEETINGS:
            day = monday + timedelta(days=offset)
            yield CalendarEvent(
                uid=f"ka-facility-os-adoption-{document['code']}-{word}@public",
                summary=f"[{document['code'].upper()}] {translate(language, label)} - {text['focus']}",
                description="\n".join(lines),
                start=day,
                end=day + ONE_DAY,
            )


def week(found: Edition, document: Document, language: str, zone: ZoneInfo) -> bytes:
    """Return the calendar of one week: its scheduled events at their hours in `zone`."""
    stamp = found.stamp(document["code"])
    return calendar(document["calendar"], _events(found, document, language, zone), stamp)


def _events(found: Edition, document: Document, language: str, zone: ZoneInfo) -> Iterator[CalendarEvent]:
    code = document["code"]
    monday, _friday = found.days(code)
    for row in said(document["lists"][EVENTS], language):
        day = monday + timedelta(days=row["day"])
        start, end = (datetime.combine(day, time.fromisoformat(row[name]), zone) for name in ("start_time", "end_time"))
        lines = [
            f"{translate(language, OWNER)}: {owner(row['owner'], language)}",
            f"{translate(language, OUTPUT)}: {row['output']}",
        ]
        yield CalendarEvent(
            uid=f"ka-facility-os-{code}-{row['id'].lower()}@public",
            summary=f"[{code.upper()}] {row['title']}",
            description="\n".join(lines),
            start=start,
            end=end,
        )


def releases(found: Edition, language: str) -> bytes:
    """Return the calendar of what follows after the programme: one whole-day event for each release."""
    return calendar(RELEASES_PRODUCT, _releases(found, language), found.published_at)


def _releases(found: Edition, language: str) -> Iterator[CalendarEvent]:
    for row in said(found.post_mvp["milestones"], language):
        day = date.fromisoformat(row["date"])
        lines = [
            f"{translate(language, OWNER)}: {owner(row['owner'], language)}",
            f"{translate(language, GOAL)}: {row['goal']}",
        ]
        yield CalendarEvent(
            uid=f"ka-facility-os-post-mvp-{row['release'].replace('.', '-')}-release@public",
            summary=f"[Post-MVP] {row['release']} - {row['name']}",
            description="\n".join(lines),
            start=day,
            end=day + ONE_DAY,
        )


def owner(roles: str, language: str) -> str:
    """Return a role of work, or several joined by a plus, in a language; other texts stand for themselves."""
    return " + ".join(translate(language, one) for one in roles.split(" + "))
