"""What the pages of a tracker are made of: the list, the card beside it, the drawer, and answers to changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from console.blueprints.tracker import measures
from console.blueprints.tracker.evidence_view import panel_of
from console.blueprints.tracker.urls import WORK_LISTS, TrackerUrls, place_of
from console.core import listing
from console.core.context import Context
from console.core.listing import ListQuery, ListResult
from console.domain.alerts.snooze import CHOICES
from console.domain.errors import Conflict
from console.domain.programme.catalogue import FIGURES, calendar
from console.domain.programme.week import Week, permissions
from console.domain.remediation.plan import REMEDIES
from console.domain.tracker.requests import ItemChange
from console.forms.tracker import EditForm, edit_form
from console.services.identity.names import names_of
from console.services.programme import weeks as programme
from console.services.tracker import assignees, snooze
from console.services.tracker import board as tracker_board
from console.services.tracker import completion as tracker_completion
from console.services.tracker import items as tracker_items
from console.services.tracker import lists as tracker_lists
from console.services.tracker.board import BoardColumn
from console.services.tracker.columns import STATUS_LABELS, spec
from console.services.tracker.completion import Completion
from console.services.tracker.items import Changed
from console.services.tracker.rows import ItemView
from console.ui.addresses import url_if
from console.ui.errors import render_error
from console.ui.formats import owner_role, tr
from console.ui.frame import frame, leave_toast
from console.ui.labels.common import choices
from console.ui.labels.tracker import conflict_changes, mentioned, timeline
from console.ui.reader import zone_named, zone_of_site
from console.ui.responses import fragment_of, toast, trigger, vary
from console.web.negotiation import wants_fragment
from console.web.request import current_actor, web_context

VIEWS = ("board", "table")
# What every link of a list keeps beside its filters: board or table, and the column that is shown in full.
CARRIED = ("view", "expand")
# Which rows stand behind each closing rule.
BEHIND: dict[str, dict[str, str]] = {
    "pending": {"status": "pending"},
    "in_progress": {"status": "in_progress"},
    "blocked": {"status": "blocked"},
    "missing_assignee": {"unassigned": "1"},
    "missing_completion_checked": {"unchecked": "1"},
    "critical_open": {"critical": "1"},
    "overdue": {"due": "overdue"},
    "missing_required_evidence": {"evidence": "1"},
}


@dataclass(frozen=True)
class Items:
    """The list as the page shows it: by status or as a table, under the same filters."""

    view: str
    data: ListResult
    columns: tuple[BoardColumn, ...]


def query_of_url(place: TrackerUrls) -> ListQuery:
    """Read the filters, the view and the column that is shown in full from the URL."""
    return listing.parse(spec(place.programme, web_context().now()), request.args, extra=CARRIED)


def _view(query: ListQuery) -> str:
    chosen = query.extra.get("view", "")
    return chosen if chosen in VIEWS else VIEWS[0]


def items_of(ctx: Context, place: TrackerUrls, query: ListQuery, closing: Completion | None = None) -> Items:
    """Read the list as board or table; `closing` has counted the items already, if nothing is filtered."""
    view = _view(query)
    counts = None
    if closing is not None and not query.search and not any(query.filters.values()):
        counts = {status: getattr(closing.readiness, f"{status}_count") for status in STATUS_LABELS}
    columns: tuple[BoardColumn, ...] = ()
    if view == "table":
        data = tracker_lists.table_page(ctx, place.programme, query, total=sum(counts.values()) if counts else None)
    else:
        expand = query.extra.get("expand", "")
        board = tracker_board.board(ctx, place.programme, query, expand=expand, counts=counts)
        rows = tuple(item for column in board.columns for item in column.items)
        listed = spec(place.programme, board.computed_at)
        choices = {item.key: item.options(ctx) for item in listed.filters}
        data = ListResult(listed, query, rows, board.total, False, board.computed_at, choices)
        columns = board.columns
    chosen = {word: word for word in query.filters.get("assignee", ()) if word}
    people = {person.username: person.name for person in assignees.candidates(ctx, programme=place.programme)}
    kinds = place.week.types if place.week else ()
    more = {
        "site": tuple((site.name, site.name) for site in frame().sites),
        "item_type": tuple((kind.word, _(kind.label)) for kind in kinds),
        "assignee": tuple((people | {word: people.get(word, word) for word in chosen}).items()),
        "priority": tuple((str(number), str(number)) for number in (1, 2, 3, 4)),
        "owner_role": tuple((role, owner_role(role)) for role in _owners(place)),
    }
    return Items(view, replace(data, choices={**data.choices, **more}), columns)


def _owners(place: TrackerUrls) -> list[str]:
    if place.week:
        return sorted({one.entry.owner for one in place.week.entries})
    return sorted({remedy.owner_role for remedy in REMEDIES.values()})


def addresses(place: TrackerUrls, query: ListQuery) -> dict[str, str]:
    """Return the addresses of the items, with the filters of the list."""
    suffix = query.url(page=query.page)
    return {"path": place.url("item", item_id=0).removesuffix("0"), "suffix": "" if suffix == "?" else suffix}


def item_suffix(place: TrackerUrls) -> str:
    """Return what follows the address of an item: the filters of the list, and the list of My work it came from."""
    suffix, work = addresses(place, query_of_url(place))["suffix"], _work()
    return suffix if work is None else f"{suffix}{'&' if suffix else '?'}work={work}"


def _work() -> str | None:
    """Return the list of My work that the item was opened from."""
    word = request.args.get("work")
    return word if word in WORK_LISTS else None


def _list_values(place: TrackerUrls, items: Items) -> dict[str, Any]:
    query, data = items.data.query, items.data
    url = place.url("page")
    other = {view: url + query.url(page=1, extra={**query.extra, "view": view}) for view in VIEWS}
    return {
        "view": items.view,
        "data": data,
        "columns": items.columns,
        "url": url,
        "place": place,
        "csv_url": place.url("csv"),
        "at": addresses(place, query),
        "editable": place.may_write,
        "views": other,
        "poll": url + query.url(page=query.page),
    }


def show_list(place: TrackerUrls, items: Items, status: int = 200) -> Response:
    """Answer the list alone."""
    return vary(make_response(render_template("tracker/_list.html", **_list_values(place, items)), status))


def show_page(
    ctx: Context, place: TrackerUrls, query: ListQuery, drawer: dict[str, Any] | None = None, status: int = 200
) -> Response:
    """Answer the whole page, with an item in the drawer when there is one."""
    site = chosen_site(place)
    closing = tracker_completion.completion(ctx, place.programme, site) if site or place.week is None else None
    items = items_of(ctx, place, query, closing)
    values = {
        **_list_values(place, items),
        "drawer": drawer,
        "loads_url": place.url("loads", site=frame().site),
        **side_values(place, closing),
        **(_week_values(ctx, place, place.week, site) if place.week else _board_values(place)),
    }
    return vary(make_response(render_template(place.template, **values), status))


def _board_values(place: TrackerUrls) -> dict[str, Any]:
    return {
        "sync_url": place.url("sync") if place.may(*place.programme.manage) else None,
        "new_url": place.url("new") if place.may_write else None,
    }


def _week_values(ctx: Context, place: TrackerUrls, week: Week, site: str | None) -> dict[str, Any]:
    view = request.args.get("view")
    standing = programme.standing(ctx, week)
    return {
        "standing": standing,
        "chosen": next((cell for cell in standing if cell.site == site), None),
        "site": site,
        "site_url": lambda name: place.list_url(site=name, view=view),
        "package_url": place.url("package", site=site) if site else None,
        "begin_url": place.url("begin", site=site) if site and place.may_write else None,
        "neighbours": neighbours(ctx, week.code),
        "only": _only_blocking(place, site),
        "blocking": programme.blocking(ctx, week, site),
        **measures.values_of(ctx, week.code, site),
    }


def _only_blocking(place: TrackerUrls, site: str | None) -> tuple[str, bool]:
    """Return the address of what keeps the week from being closed, or of everything while that alone is shown."""
    shown = request.args.get("blocking") == "1"
    view = request.args.get("view")
    return place.list_url(site=frame().site or site, view=view, blocking=None if shown else "1"), shown


def neighbours(ctx: Context, code: str) -> list[tuple[str, str, bool]]:
    """Return the weeks before and after one that the reader may see, and itself: label, address, whether it is it."""
    codes = {week.code for week in programme.readable(ctx)} | {
        one for one in FIGURES if ctx.actor.can(permissions(one)[0])
    }
    weeks = calendar()
    found = [one for one in weeks if one in codes]
    at, view, site = found.index(code), request.args.get("view"), frame().site
    return [(weeks[one].label, _page_of(one, site, view), one == code) for one in found[max(0, at - 1) : at + 2]]


def _page_of(code: str, site: str | None, view: str | None) -> str:
    if code in FIGURES:
        return url_for(f"week.figures_{code}", site=site)
    return place_of(code).list_url(site=site, view=view)


def chosen_site(place: TrackerUrls) -> str | None:
    """Return the site that a tracker closed per site is looked at for: the chosen one, or the only one there is."""
    if not place.programme.site_runs:
        return None
    names = [site.name for site in frame().sites]
    return frame().site or (names[0] if len(names) == 1 else None)


def side_values(place: TrackerUrls, closing: Completion | None) -> dict[str, Any]:
    """Return what the readiness card and the completion panel need; without `closing` there is neither."""
    site = closing.site if closing else None
    may_close = place.may(*place.programme.manage) and (place.programme.site_runs or current_actor().all_sites)
    at = {"site": frame().site or site}
    return {
        "place": place,
        "closing": closing,
        "names": names_of(web_context(), [closing.completed_by if closing else None]),
        "links": {code: place.list_url(**at, view="table", **words) for code, words in BEHIND.items()},
        "readiness_url": place.url("readiness", site=site),
        "complete_url": place.url("complete", site=site) if closing and may_close else None,
        "history_url": place.url("history", site=site),
    }


def form_zone(item: ItemView) -> ZoneInfo:
    """Return the zone of an item's forms: as the form itself says, else that of the item's site.

    A form is read in the zone in which it was drawn, whatever page it stands on.
    """
    return zone_named(request.form.get("zone") or zone_of_site(item.site))


def show_drawer(
    ctx: Context,
    place: TrackerUrls,
    shown: ItemView,
    *,
    form: EditForm | None = None,
    conflict: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    """Answer one item: the drawer alone for htmx, else the page with the drawer open."""
    drawer = _drawer(ctx, place, shown, form, conflict)
    if wants_fragment():
        return vary(make_response(render_template("tracker/_drawer.html", drawer=drawer), status))
    return show_page(ctx, place, query_of_url(place), drawer, status)


def _drawer(
    ctx: Context, place: TrackerUrls, shown: ItemView, form: EditForm | None, conflict: dict[str, Any] | None
) -> dict[str, Any]:
    suffix, work = item_suffix(place), _work()
    own, write = shown.owned_by(current_actor()), place.may_write
    if (write or own) and shown.is_active and form is None:
        form = edit_form(shown, assignees.candidates(ctx, shown.site, place.programme), form_zone(shown))
    events, _total = tracker_items.events_of(ctx, shown.id, place.programme, limit=100)
    names = names_of(ctx, [*mentioned(events), shown.created_by if shown.manual else None])
    free = write and shown.is_open and shown.assignee is None
    closable = write and shown.manual and shown.is_active and shown.status == "done"

    def address(name: str) -> str:
        return place.url(name, item_id=shown.id) + suffix

    return {
        "item": shown,
        "events": timeline(events, names),
        "names": names,
        "form": form,
        "zone": form_zone(shown).key,
        "action": address("change"),
        "conflict": conflict,
        "comment_url": address("comment") if write or own else None,
        "claim_url": address("claim") if free else None,
        "close_item_url": address("close") if closable else None,
        "close_url": url_for("my_work.page", show=work) if work else place.url("page") + suffix,
        "item_url": address("item"),
        "work": work,
        "reports": own and shown.is_active and shown.status == "in_progress",
        "place": place,
        "evidence": panel_of(ctx, place, shown),
        "snooze": _snooze(ctx, place, shown, suffix, may=write or own),
        "source_url": _source_of(shown),
    }


def _snooze(ctx: Context, place: TrackerUrls, shown: ItemView, suffix: str, *, may: bool) -> dict[str, Any] | None:
    """Return what the drawer says of the reminders of an item; None where nobody is ever reminded."""
    if place.week is not None or not shown.is_open:
        return None
    found = snooze.standing(ctx, shown)

    def address(name: str) -> str:
        return url_for(f"board_snoozes.{name}", item_id=shown.id) + suffix

    return {
        "now": found,
        "begin_url": address("begin") if may and found is None else None,
        "end_url": address("finish") if may else None,
        "times": choices(CHOICES),
    }


def _source_of(shown: ItemView) -> str | None:
    """Return the address of the rule or the check that asks for an item; None where nothing does, or if not allowed."""
    if shown.check_id:
        return url_if("daily_check.page", _anchor=f"check-{shown.check_id}")
    if not shown.from_gate:
        return None
    return url_if("gate.page", _anchor="sites" if shown.site else f"rule-{shown.rule_id}")


def show_refused(ctx: Context, place: TrackerUrls, shown: ItemView, form: EditForm, *, from_drawer: bool) -> Response:
    """Answer a form that does not fit: in the drawer with its errors, in the row as a toast."""
    if from_drawer or not wants_fragment():
        people = assignees.candidates(ctx, shown.site, place.programme)
        again = edit_form(shown, people, form_zone(shown), request.form)
        again.validate()
        return show_drawer(ctx, place, shown, form=again, status=422)
    message = " ".join(str(error) for errors in form.errors.values() for error in errors)
    return toast(nothing(422), message, kind="error")


def show_conflict(
    ctx: Context, place: TrackerUrls, stored: ItemView, wanted: ItemChange, conflict: Conflict, *, from_drawer: bool
) -> Response:
    """Show both versions; the form keeps what was typed and carries the version that it would now write over."""
    if conflict.code != "version_conflict":
        return refuse(conflict)
    ctx.rollback()
    changes, by = both_values(ctx, stored, wanted)
    if from_drawer or not wants_fragment():
        people = assignees.candidates(ctx, stored.site, place.programme)
        form = edit_form(stored, people, form_zone(stored), request.form, version=stored.version)
        conflicting = {"changes": changes, "by": by, "at": stored.updated_at}
        return show_drawer(ctx, place, stored, form=form, conflict=conflicting, status=409)
    message = told_shortly(changes, by, stored)
    return trigger(toast(nothing(409), message, kind="error"), **{"tracker-changed": {}})


def told_shortly(changes: list[dict[str, Any]], by: str, stored: ItemView) -> str:
    """Say in a sentence who was faster, and for each field what is stored and what was typed."""
    values = [{"field": tr(one["field"]), "old": one["old"] or "–", "new": one["new"] or "–"} for one in changes]
    told = "; ".join(_("%(field)s: stored %(old)s, yours %(new)s", **one) for one in values)
    return _("%(name)s was faster. %(changes)s", name=by, changes=told or stored.item_id)


def both_values(ctx: Context, stored: ItemView, wanted: ItemChange) -> tuple[list[dict[str, Any]], str]:
    """Return, for each field that differs, what is stored and what was wanted, and who stored it last."""
    names = names_of(ctx, [stored.updated_by, stored.assignee, wanted.assignee])
    return conflict_changes(stored, vars(wanted), names), names.get(stored.updated_by, stored.updated_by)


def refuse(error: Conflict) -> Response:
    """Answer what the state of an item does not allow, and let the list read itself again."""
    if wants_fragment():
        detail = error.detail["message"] if isinstance(error.detail, dict) else error.detail
        return trigger(toast(nothing(error.status), tr(detail), kind="error"), **{"tracker-changed": {}})
    response: Response = render_error(error.status, error.detail, error.code)
    return response


def nothing(status: int = 200) -> Response:
    """Return an answer that swaps nothing in."""
    response = make_response("", status)
    response.headers["HX-Reswap"] = "none"
    return response


def show_changed(ctx: Context, place: TrackerUrls, changed: Changed, message: str, *, from_drawer: bool) -> Response:
    """Answer a change with a toast that can take it back; the list and the card read themselves again."""
    undo = place.url("undo") if changed.undo else None
    if not wants_fragment():
        leave_toast(message, undo=undo, token=changed.undo)
        return see_other(place.url("item", item_id=changed.item.id) + item_suffix(place))
    response = show_drawer(ctx, place, changed.item) if from_drawer else nothing()
    told = {"id": changed.item.id, "version": changed.item.version}
    return trigger(toast(response, message, undo=undo, token=changed.undo), **{"tracker-changed": told})


def show_history(ctx: Context, place: TrackerUrls, shown: ItemView) -> Response:
    """Answer the history of an item alone, with a new form for the next comment."""
    drawer = _drawer(ctx, place, shown, None, None)
    values = {"events": drawer["events"], "comment_url": drawer["comment_url"]}
    return vary(make_response(fragment_of("tracker/tracker_item.history", shown, **values)))


def see_other(address: str) -> Response:
    """Lead on after a plain submit."""
    return make_response(redirect(address, 303))


def change_message(before: ItemView, changed: Changed) -> str:
    """Say what was done, shortest first."""
    after = changed.item
    if not changed.undo:
        return _("%(name)s: nothing to change", name=after.item_id)
    if before.status != after.status:
        word = _(STATUS_LABELS[after.status])
        return _("%(name)s: %(status)s", name=after.item_id, status=word)
    if before.assignee != after.assignee:
        who = after.assignee_name or after.assignee
        return (
            _("%(name)s: given to %(who)s", name=after.item_id, who=who)
            if who
            else _("%(name)s: nobody has it now", name=after.item_id)
        )
    if before.due_at != after.due_at:
        return _("%(name)s: new due date", name=after.item_id)
    return _("%(name)s: saved", name=after.item_id)


def show_card(place: TrackerUrls, closing: Completion, status: int = 200) -> Response:
    """Answer the readiness card alone."""
    return vary(make_response(render_template("tracker/_readiness.html", **side_values(place, closing)), status))
