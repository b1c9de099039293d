"""The pages of the monthly reports: the months of a site, one of them, its paper, and closing it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.core.context import Context
from console.domain.errors import Conflict, DomainError, Invalid, PreconditionFailed
from console.domain.ids import number_in
from console.domain.reports.council import FROZEN, LANGUAGES, OPEN, SENTENCE_MAX, SENTENCES
from console.domain.text import N_
from console.services.identity import sites
from console.services.reports import month_closing, month_paper, month_policy, monthly, months, repairs
from console.services.reports.month_paper import CouncilPaper
from console.services.reports.month_policy import FREEZE, READ
from console.services.reports.monthly import EXPORT
from console.services.reports.months import MonthView
from console.ui.errors import words_of
from console.ui.frame import leave_toast
from console.ui.labels.common import Word
from console.ui.navigation import NavItem
from console.ui.reader import locale
from console.ui.responses import csv_download, download, wants_bom
from console.ui.times import month_name
from console.web.request import abandon, access, web_context

pages = Blueprint("months", __name__)
NAV = NavItem("facility", 50, "months.page", N_("Reports"), "report", permission=READ, any_of=(FREEZE,))
STATES = {
    OPEN: Word(N_("Month under way"), "plain", "clock"),
    "draft": Word(N_("Draft of the report"), "soon", "pencil"),
    FROZEN: Word(N_("Closed report"), "ok", "lock"),
}


@pages.app_template_filter()
def month_state(word: str) -> Word:
    """Return how the state of a month is shown."""
    return STATES[word]


@pages.app_template_filter()
def month_of_label(label: str) -> str:
    """Return a month as people read it."""
    return month_name(date.fromisoformat(f"{label}-01"))


def _site() -> str | None:
    """Return the site of the address, else the first one of the caller."""
    asked = request.args.get("site", "").strip()
    return asked or next(iter(sites.names(web_context())), None)


def _wanted() -> str:
    site = _site()
    if site is None:
        abort(404)
    return site


@pages.get("/reports/monthly")
@access(READ, FREEZE)
def page() -> str:
    """Show the months of a site, the newest first."""
    return _page()


def _page(refusal: DomainError | None = None) -> str:
    ctx, site = web_context(), _site()
    return render_template(
        "reports/months.html",
        data=months.listed(ctx, site) if site is not None else None,
        sites=sites.names(ctx),
        may_close=ctx.actor.can(FREEZE),
        refusal=words_of(refusal) if refusal else None,
    )


@pages.get("/reports/monthly/<month>")
@access(READ, FREEZE)
def detail(month: str) -> str:
    """Show a month: the version that is asked for, else the newest closed one, else the draft."""
    return _detail(month)


def _detail(month: str, refusal: DomainError | None = None, typed: dict[str, list[str]] | None = None) -> str:
    ctx, site = web_context(), _wanted()
    data = months.view(ctx, site, month, _version())
    return render_template(
        "reports/month.html",
        data=data,
        paper=_paper(data, locale()),
        sentences=typed or data.document["sentences"],
        may_close=ctx.actor.can(FREEZE),
        may_export=ctx.actor.can(EXPORT),
        over=data.period.finished(ctx.now()),
        address=lambda endpoint, **more: url_for(f"months.{endpoint}", month=month, site=site, **more),
        bounds=(SENTENCES, SENTENCE_MAX),
        refusal=words_of(refusal) if refusal else None,
    )


def _version() -> int | None:
    return number_in(request.args.get("version", ""))


def _paper(data: MonthView, language: str) -> CouncilPaper:
    frozen_at = data.shown.frozen_at if data.shown is not None else None
    return month_paper.paper(data.document, language, frozen_at=frozen_at)


@pages.get("/reports/monthly/<month>/paper")
@access(READ, FREEZE)
def paper(month: str) -> str:
    """Show the paper of a month to be printed (A4)."""
    data = months.view(web_context(), _wanted(), month, _version())
    return render_template("reports/month_paper.html", paper=_paper(data, _language()))


def _language() -> str:
    asked = request.args.get("lang", "")
    return asked if asked in LANGUAGES else locale()


@pages.get("/reports/monthly/<month>/paper.pdf")
@access(EXPORT, writes=False)
def pdf(month: str) -> Response:
    """Download the paper of a month as PDF."""
    ctx, site = web_context(), _wanted()
    data = months.view(ctx, site, month, _version())
    language = _language()
    content = month_paper.draw(_paper(data, language))
    # Drawn before the transaction may write: nobody waits for the drawing.
    ctx.begin_write()
    monthly.record_paper(ctx, data.period.label, site, version=data.document["version"], language=language)
    version = f"v{data.shown.version}" if data.shown and data.shown.state == FROZEN else "draft"
    name = f"monthly-report-{data.period.label}-{site.replace(' ', '_')}-{version}.{language}.pdf"
    return download(content, name, "application/pdf")


@pages.get("/reports/monthly/<month>/document.json")
@access(EXPORT, writes=True)
def document(month: str) -> Response:
    """Download the closed document of a month as it was sealed, for the offline verifier."""
    name, content = month_closing.document_of(web_context(), _wanted(), month, _version())
    return download(content, name, "application/json")


@pages.get("/reports/monthly/<month>/repairs.csv")
@access(EXPORT, writes=True)
def repairs_csv(month: str) -> Response:
    """Download the repairs of a month for the public register, with `words` as people read them."""
    ctx, site = web_context(), _wanted()
    period = repairs.begin(ctx, site, month)
    name = f"repairs-{period.label}-{site.replace(' ', '_')}.csv"
    told = "words" in request.args
    columns = repairs.columns_for_people(period, locale()) if told else repairs.COLUMNS
    return csv_download(columns, lambda own: repairs.rows(own, site, period), name, bom=told or wants_bom())


@pages.post("/reports/monthly/<month>/sentences")
@access(FREEZE, writes=False)
def write(month: str) -> ResponseReturnValue:
    """Keep the sentences of a draft."""
    typed = {language: request.form.getlist(f"sentence_{language}") for language in LANGUAGES}
    return _do(
        month,
        lambda ctx, site: month_closing.write(ctx, site, month, typed, edit=_edit()),
        _("The sentences are kept"),
        typed,
    )


@pages.post("/reports/monthly/<month>/freeze")
@access(FREEZE, writes=False)
def freeze(month: str) -> ResponseReturnValue:
    """Close a month, or a correction of one."""
    return _do(
        month,
        lambda ctx, site: month_closing.freeze(ctx, site, month, edit=_edit()),
        _("The month is closed; its figures stay as they are"),
    )


@pages.post("/reports/monthly/<month>/correct")
@access(FREEZE, writes=False)
def correct(month: str) -> ResponseReturnValue:
    """Begin a correction of a closed month."""
    reason = request.form.get("reason", "")
    return _do(
        month,
        lambda ctx, site: month_closing.correct(ctx, site, month, reason),
        _("The correction is begun; close it when it is right"),
        to_draft=True,
    )


@pages.post("/reports/monthly/<month>/drop")
@access(FREEZE, writes=False)
def drop(month: str) -> ResponseReturnValue:
    """Give a draft up."""
    return _do(
        month,
        lambda ctx, site: month_closing.drop(ctx, site, month, edit=_edit()),
        _("The draft was given up"),
    )


def _edit() -> int:
    return number_in(request.form.get("edit", "")) or 0


def _do(
    month: str,
    act: Callable[[Context, str], Any],
    said: str,
    typed: dict[str, list[str]] | None = None,
    *,
    to_draft: bool = False,
) -> ResponseReturnValue:
    ctx, site = web_context(), _wanted()
    try:
        made = act(ctx, site)
    except (Conflict, Invalid) as refusal:
        abandon()
        return _detail(month, refusal, typed), refusal.status
    leave_toast(said)
    version = made if to_draft else _version() if typed is not None else None
    return redirect(url_for("months.detail", month=month, site=site, version=version), 303)


@pages.post("/reports/monthly/policy")
@access(FREEZE)
def policy() -> ResponseReturnValue:
    """Set on which day a site closes its months, and who signs."""
    site = _wanted()
    offices = tuple(request.form.get(f"office_{place}", "").strip() for place in (1, 2, 3))
    day = number_in(request.form.get("freeze_day", "")) or 0
    seen = number_in(request.form.get("revision", ""))
    try:
        month_policy.change(web_context(), site, freeze_day=day, offices=offices, if_match=seen)
    except (Invalid, PreconditionFailed) as refusal:
        abandon()
        return _page(refusal), refusal.status
    leave_toast(_("Kept"))
    return redirect(url_for("months.page", site=site), 303)
