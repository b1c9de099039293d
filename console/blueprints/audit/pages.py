"""The pages of the audit trail: log with drawer, months with their verification, downloads."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console.core import listing
from console.core.i18n import translate
from console.domain.audit.detail import read_detail
from console.domain.jobs import names as job_names
from console.domain.text import N_, T, Text
from console.inputs.audit import MAX_ENTRIES
from console.services.audit import exports as audit_exports
from console.services.audit import lists as audit_list
from console.services.audit import log as audit_log
from console.services.audit import months as audit_months
from console.services.audit import record as audit
from console.services.audit.exports import CsvVersion
from console.services.audit.log import READ
from console.services.audit.months import PageData
from console.services.common import lists
from console.services.jobs import registry, runs
from console.services.jobs.runs import Run
from console.ui import reader
from console.ui import runs as running
from console.ui.addresses import url_if
from console.ui.labels import audit as audit_words
from console.ui.labels import audit_entries
from console.ui.labels.common import status_word
from console.ui.lists import list_download, opened
from console.ui.navigation import NavItem
from console.ui.responses import download, fragment_of, menu_of, vary
from console.web.negotiation import wants_fragment
from console.web.request import access, web_context

pages = Blueprint("audit", __name__)
VERIFIER = Path(__file__).parents[3] / "tools" / "verify_audit.py"
SPEC = audit_list.spec(audit_entries.action_said, lambda word: status_word(word).label, audit_entries.kind_said)
NAV = NavItem("administration", 40, "audit.page", N_("Audit log"), "history", permission=READ[0], any_of=READ[1:])


@pages.app_template_filter()
def audit_action(action: str) -> str:
    """Return the message id of an action."""
    return audit_words.action_label(action)


@pages.app_template_filter()
def audit_reason(reason: str) -> str:
    """Return the message id of what a verification found."""
    return audit_words.reason_label(reason)


def _list() -> dict[str, Any]:
    ctx = web_context()
    found = opened(SPEC, lambda query: lists.run(ctx, SPEC, query))
    named = replace(found, rows=audit_entries.read_entries(ctx, found.rows))
    return {"data": named, "url": url_for("audit.page"), "csv_url": url_for("audit.export")}


def _whole(drawer: dict[str, Any] | None = None) -> Response:
    """Return the page with everything around the list, and an entry beside it."""
    ctx = web_context()
    values = {
        "entries": _list(),
        "chain": audit.chain_status(ctx),
        "drawer": drawer,
    }
    return vary(Response(render_template("audit/page.html", **values)))


@pages.get("/audit")
@access(*READ)
def page() -> Response:
    """Show the log and what is known about the chain."""
    made = _list()
    if (asked := menu_of(made["data"], made["url"])) is not None:
        return asked
    if wants_fragment():
        return vary(Response(fragment_of("audit.entries", made.pop("data"), **made)))
    return _whole()


@pages.get("/audit/entries.csv")
@access(*READ, writes=True)
def export() -> Response:
    """Download the entries that the list shows, as CSV; the export goes on record."""
    query = listing.parse(SPEC, request.args)
    ctx = web_context()
    filters = {name: list(words) for name, words in query.filters.items()}
    audit.record(
        ctx, "admin_audit_log_export_csv", "admin_audit_log", "list", detail={"filters": filters, "q": query.search}
    )
    named = partial(audit_entries.read_entries, say=partial(translate, reader.locale()), linked=False)
    return list_download(SPEC, "audit-log.csv", named)


@pages.get("/audit/entries/<int:entry_id>")
@access(*READ)
def entry(entry_id: int) -> Response:
    """Show one entry beside the list: what changed, its proofs, and what else the same request did."""
    ctx = web_context()
    found = audit_log.get(ctx, entry_id)
    entry, *siblings = audit_entries.read_entries(ctx, (found.entry, *found.siblings))
    found = replace(found, entry=entry, siblings=tuple(siblings))
    query = listing.parse(SPEC, request.args)
    values = {
        "read": audit_entries.detail_words(read_detail(found.entry.detail)),
        "close_url": url_for("audit.page") + query.url(page=query.page).rstrip("?"),
    }
    if wants_fragment():
        return vary(Response(fragment_of("audit.drawer", found, **values)))
    return _whole(drawer={"data": found, **values})


def _card(look: PageData) -> dict[str, Any]:
    name = look.month.text
    return {
        "data": look,
        "verify_url": url_for("audit.month", month=name, verify=1),
        "verifier_url": url_for("audit.verifier"),
        "json_url": url_for("audit.archive_json", month=name),
        "csv_url": url_for("audit.archive_csv", month=name),
        "csv2_url": url_for("audit.archive_csv", month=name, format_version="v2"),
    }


@pages.get("/audit/month")
@access(*READ)
def month() -> Response:
    """Show a month and the verification of everything; with `verify=1` the month is verified first."""
    look = audit_months.page_data(
        web_context(), request.args.get("month") or None, verify=request.args.get("verify") == "1"
    )
    card = _card(look)
    if wants_fragment():
        return vary(Response(fragment_of("audit.month_card", card.pop("data"), **card)))
    return vary(Response(render_template("audit/month.html", **card, verification=_panel(_verification()))))


@pages.get("/audit/verify_audit.py")
@access(*READ)
def verifier() -> Response:
    """Download the program that checks an archive without the product."""
    return download(VERIFIER.read_bytes(), VERIFIER.name, "text/x-python; charset=utf-8")


@pages.get("/audit/months/<month>.json")
@access(*READ)
def archive_json(month: str) -> Response:
    """Download the signed archive of a month."""
    made = audit_exports.export_json(web_context(), month=month, max_entries=MAX_ENTRIES)
    return download(made.as_answer(), f"audit-archive-{made.month.text}.json", "application/json")


@pages.get("/audit/months/<month>.csv")
@access(*READ)
def archive_csv(month: str) -> Response:
    """Download a month as CSV, in the first form or, with `format_version=v2`, in the second."""
    version: CsvVersion = "v2" if request.args.get("format_version") == "v2" else "v1"
    made = audit_exports.export_csv(web_context(), month=month, max_entries=MAX_ENTRIES, version=version)
    return download(made.content, made.name, headers=made.headers)


@pages.post("/audit/verification")
@access(*READ)
def verify() -> ResponseReturnValue:
    """Ask a worker to verify the whole log."""
    audit_log.check_whole(web_context())
    made = running.ask(registry.get(job_names.AUDIT_VERIFY))
    if not wants_fragment():
        return redirect(url_for("audit.month"), 303)
    return vary(Response(_panel_text(made)))


@pages.get("/audit/verification")
@access(*READ)
def verification() -> ResponseReturnValue:
    """Return the panel of the full verification again; 286 ends the asking."""
    if not wants_fragment():
        return redirect(url_for("audit.month"), 303)
    found = _verification()
    status = 200 if found is not None and found.state != "finished" else 286
    return vary(Response(_panel_text(found), status))


def _verification() -> Run | None:
    """Return the full verification that waits or runs, or the last one."""
    ctx = web_context()
    audit_log.check_whole(ctx)
    return runs.current(ctx, job_names.AUDIT_VERIFY)


def _panel(found: Run | None) -> dict[str, Any]:
    job = registry.get(job_names.AUDIT_VERIFY)
    return {
        "run": found and running.panel_of(found, _summary(found)),
        "job": {"name": job.name, "title": job.title, "text": job.sentence},
        "start_url": url_for("audit.verify"),
        "panel_url": url_for("audit.verification"),
        "run_url": url_if("jobs.run", run_id=found.id) if found else None,
    }


def _panel_text(found: Run | None) -> str:
    values = _panel(found)
    return fragment_of("audit.verification", values.pop("run"), **values)


def _summary(found: Run) -> Text | None:
    detail = found.detail
    if "chain_ok" not in detail:
        return None
    if detail["chain_ok"]:
        return T("%(count)s entries verified, nothing wrong.", count=detail["checked_count"])
    first = detail.get("first_issue") or {}
    return T(
        "%(count)s problems; the first at entry %(seq)s.", count=detail["issue_count"], seq=first.get("seq") or "–"
    )
