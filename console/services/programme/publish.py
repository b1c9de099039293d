"""The public answers of the programme as plain values, in one language (API contract, public API).

The published language is English; Korean is an addition. Words of the API, such as phases and roles, stay English.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from console.core.i18n import translate
from console.domain.programme.documents import Document, said
from console.domain.programme.layouts import LAYOUTS, ListKind
from console.domain.text import N_
from console.inputs.pack_documents import ROWS, UNPUBLISHED
from console.services.programme.editions import PUBLIC, Edition, number

Value = dict[str, Any]
SAMPLE_FILES, COMMON_MISTAKES = N_("Sample files"), N_("Common mistakes")


def timeline(found: Edition, document: Document, language: str) -> Value:
    """Return when a week is and what it is about."""
    first, last = found.days(document["code"])
    return {
        "week": number(document["code"]),
        "start_date": first.isoformat(),
        "end_date": last.isoformat(),
        "phase": document["phase"],
        "focus": document["focus"][language],
        "owner": document["owner"],
        "success_metric": document["success_metric"][language],
    }


def entries(found: Edition, document: Document, kind: ListKind, language: str) -> list[Value]:
    """Return the entries of a list as they are published: with dates, in one language."""
    hidden = UNPUBLISHED.get(kind.field, frozenset())
    names = [name for name in ROWS[kind.field].model_fields if name not in hidden]
    monday, _friday = found.days(document["code"])
    return [_entry(row, names, monday) for row in said(document["lists"][kind.field], language)]


def _entry(row: Value, names: Iterable[str], monday: date) -> Value:
    """Return an entry in the order in which its fields are published; those with hours have a date for their day."""
    if "end_time" not in row:
        return {name: row[name] for name in names}
    day = (monday + timedelta(days=row["day"])).isoformat()
    return {("date" if name == "day" else name): (day if name == "day" else row[name]) for name in names}


def pack(found: Edition, document: Document, language: str) -> Value:
    """Return a week with its lists, links and files."""
    layout = LAYOUTS[document["layout"]]
    return {
        "title": document["title"][language],
        "public": True,
        "timeline": timeline(found, document, language),
        **{one.field: entries(found, document, one, language) for one in layout.lists if one.embedded},
        **document["links"],
        "downloads": downloads(document),
    }


def downloads(document: Document) -> dict[str, str]:
    """Return the files of a week: key to address."""
    layout, base = LAYOUTS[document["layout"]], f"{PUBLIC}/{document['code']}"
    made = {
        "json": base,
        f"{layout.file}_csv": f"{base}/{layout.file}.csv",
        "schedule_ics": f"{base}/schedule.ics",
    }
    if document.get("samples"):
        made["sample_files"] = f"{base}/sample-files"
    if "common_mistakes" in document["lists"]:
        made["common_mistakes"] = f"{base}/common-mistakes"
    return made | {extra.key: f"{base}/{word}" for word, extra in layout.extras.items()}


def plan(found: Edition, language: str, today: date) -> Value:
    """Return the whole programme with every week in it; `today` is the UTC date."""
    return {
        **_head(found.plan, language),
        "timeline": {
            "start_date": found.monday.isoformat(),
            "end_date": found.end.isoformat(),
            "duration_weeks": len(found.weeks),
        },
        "weekly_execution": [week_row(found, one, language) for one in found.weeks],
        "workflow_lock_matrix": said(found.plan["workflow_lock_matrix"], language),
        **{embedded_as(one): pack(found, one, language) for one in found.with_pack},
        **{name: said(found.plan[name], language) for name in ("training_outline", "kpi_dashboard_items")},
        "campaign_kit": said(found.plan["campaign_kit"], language),
        "schedule_management": {
            "cadence": said(found.plan["cadence"], language),
            "downloads": _all_downloads(found),
            "next_review_date": _next_review(found, today).isoformat(),
        },
    }


def _head(document: Document, language: str) -> Value:
    return {"title": document["title"][language], "published_on": document["published_on"], "public": True}


def embedded_as(document: Document) -> str:
    """Return the field of a week in the whole programme, such as `w02_sop_sandbox`."""
    return f"{document['code']}_{document['slug'].replace('-', '_')}"


def week_row(found: Edition, document: Document, language: str) -> Value:
    """Return a week as one row of the calendar."""
    row = timeline(found, document, language)
    tasks = {name: said(document[name], language) for name in ("actions", "deliverables")}
    names = ("week", "start_date", "end_date", "phase", "focus")
    return {
        **{name: row[name] for name in names},
        **tasks,
        "owner": row["owner"],
        "success_metric": row["success_metric"],
    }


def _all_downloads(found: Edition) -> dict[str, str]:
    made = {"schedule_csv": f"{PUBLIC}/schedule.csv", "schedule_ics": f"{PUBLIC}/schedule.ics"}
    for document in found.with_pack:
        made |= {f"{document['code']}_{key}": address for key, address in downloads(document).items()}
    return made


def _next_review(found: Edition, today: date) -> date:
    ends = (found.days(one["code"])[1] for one in found.weeks)
    return next((end for end in ends if end >= today), found.end)


def campaign(found: Edition, language: str) -> Value:
    """Return the campaign kit alone."""
    title = said(found.plan["title"], language)
    return {"title": title, "public": True, "campaign_kit": said(found.plan["campaign_kit"], language)}


def listed(found: Edition, document: Document, word: str, language: str) -> Value | None:
    """Return a list of a week that has an address of its own; None when the week has none of that word."""
    layout = LAYOUTS[document["layout"]]
    told = layout.extras.get(word)
    if told is None:
        return None
    items = entries(found, document, layout.kind(told.field), language)
    head = {"title": translate(language, told.title), "public": True}
    if told.timeline:
        return {**head, "timeline": timeline(found, document, language), "items": items}
    return {**head, "count": len(items), "items": items}


def samples(document: Document, language: str) -> Value:
    """Return the sample files of a week with the addresses of their content."""
    base = f"{PUBLIC}/{document['code']}/sample-files"
    items = [
        {name: value for name, value in one.items() if name != "text"} | {"download_url": f"{base}/{one['sample_id']}"}
        for one in said(document["samples"], language)
    ]
    title = translate(language, SAMPLE_FILES)
    return {"title": f"{document['code'].upper()} {title}", "public": True, "count": len(items), "items": items}


def mistakes(found: Edition, document: Document, language: str, *, site: str | None, days: int) -> Value:
    """Return the common mistakes without any figure of a site (API contract, known defects, D19)."""
    rows = said(document["lists"]["common_mistakes"], language)
    return {
        "title": f"{document['code'].upper()} {translate(language, COMMON_MISTAKES)}",
        "public": True,
        "generated_at": found.stamp(document["code"]),
        "site": site,
        "window_days": days,
        "items": [{**row, "observed_count": None} for row in rows],
        "top_blockers": [],
    }


def csv_rows(found: Edition, document: Document, language: str) -> Iterator[list[Any]]:
    """Return the header and the rows of a week's CSV."""
    layout = LAYOUTS[document["layout"]]
    yield list(layout.header)
    for kind in layout.lists:
        if kind.cells:
            for row in entries(found, document, kind, language):
                yield [kind.section, *(_cell(row, name) for name in kind.cells)]


def _cell(row: Mapping[str, Any], name: str) -> Any:
    if not name:
        return ""
    if name.startswith("="):
        return name[1:]
    if name in ("@time", "@when"):
        hours = f"{row['start_time']}-{row['end_time']}"
        return hours if name == "@time" else f"{row['date']} {hours}"
    value = row[name.removesuffix(",")]
    return (", " if name.endswith(",") else " | ").join(value) if isinstance(value, list) else value


PLAN_HEADER = ("week", "start_date", "end_date", "phase", "focus", "owner", "actions", "deliverables", "success_metric")


def plan_rows(found: Edition, language: str) -> Iterator[list[Any]]:
    """Return the header and one row for each week of the calendar."""
    yield list(PLAN_HEADER)
    for document in found.weeks:
        row = week_row(found, document, language)
        yield [" | ".join(row[name]) if isinstance(row[name], list) else row[name] for name in PLAN_HEADER]


BACKLOG_HEADER = (
    *("id", "epic", "item", "priority", "owner", "estimate_points", "target_release", "status", "success_kpi"),
)


def backlog_rows(found: Edition, language: str) -> Iterator[list[Any]]:
    """Return the header and the rows of the backlog of what follows after the programme."""
    yield list(BACKLOG_HEADER)
    for row in said(found.post_mvp["execution_backlog"], language):
        yield [row[name] for name in BACKLOG_HEADER]


def post_mvp(found: Edition, language: str) -> Value:
    """Return what follows after the programme."""
    made = said(found.post_mvp, language)
    return {
        **_head(found.post_mvp, language),
        "timeline": post_mvp_timeline(found),
        "roadmap": made["roadmap"],
        "execution_backlog": made["execution_backlog"],
        "release_calendar": {
            "milestones": made["milestones"],
            "downloads": {
                "backlog_csv": "/api/public/post-mvp/backlog.csv",
                "release_ics": "/api/public/post-mvp/releases.ics",
            },
        },
        **{name: made[name] for name in ("kpi_dashboard_spec", "risk_register", "governance")},
    }


def post_mvp_timeline(found: Edition) -> Value:
    """Return from when to when it runs; the weeks are those of the calendar, first to last (D22)."""
    first, last = (date.fromisoformat(found.post_mvp[name]) for name in ("start_date", "end_date"))
    weeks = ((last - first).days + 7) // 7
    return {"start_date": first.isoformat(), "end_date": last.isoformat(), "duration_weeks": weeks}


def post_mvp_part(found: Edition, name: str, language: str) -> Value:
    """Return one list of it with its title."""
    title = found.post_mvp["title"][language]
    timeline_ = post_mvp_timeline(found)
    return {"title": title, "public": True, "timeline": timeline_, name: said(found.post_mvp[name], language)}
