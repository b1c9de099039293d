"""What people do with a handover: write notes, give it, confirm its lines or ask back, accept it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from console.core.context import Context
from console.core.serialize import plain
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.handover import lines as rules
from console.domain.handover.lines import Line
from console.domain.text import T
from console.models.handover import Handover, HandoverLine, HandoverNote, HandoverQuestion
from console.services.audit import record as audit
from console.services.handover import shifts
from console.services.handover.collect import note_line
from console.services.handover.shifts import WRITE, HandoverView, load
from console.services.identity import sites
from console.services.jobs.runs import changed
from console.services.work_orders import workers

RESOURCE = "handover"
NOTE_LIMIT = 500


def add_note(ctx: Context, site: str, text: str, handover_id: int | None = None) -> int:
    """Write a note for the next shift and return its id; one for a handover that is open becomes its last line.

    It goes along with every handover of the site until one that has it is accepted.
    """
    ctx.actor.require(WRITE)
    _check_site(ctx, site)
    note = _text(text, "note")
    now = ctx.now()
    row = HandoverNote(site=site, note=note, created_by=ctx.actor.username, created_at=now)
    ctx.session.add(row)
    ctx.session.flush()
    if handover_id is not None:
        found = load(ctx, handover_id, lock=True)
        _must_be_open(found)
        _bump(ctx, found, line_count=Handover.line_count + 1)
        ctx.session.execute(insert(HandoverLine), [_stored(found.id, len(rules.KINDS) * 1000, note_line(row))])
    _record(ctx, "note_add", handover_id or row.id, site=site)
    return row.id


def give(
    ctx: Context,
    site: str,
    previous_id: int,
    *,
    taker: str | None = None,
    deadline_minutes: int = rules.DEFAULT_DEADLINE,
) -> HandoverView:
    """Hand over what a site has now, as it is collected in this transaction.

    `previous_id` is the newest handover that the giver saw, 0 for none: raises Conflict when there is another since,
    Invalid for a taker who may not work at the site or is the giver.
    """
    ctx.actor.require(WRITE)
    _check_site(ctx, site)
    now = ctx.now()
    if deadline_minutes not in rules.DEADLINES:
        raise Invalid.field("deadline", T("That is no deadline of a handover"))
    if taker is not None and (taker == ctx.actor.username or taker not in dict(workers.of_site(ctx, site))):
        raise Invalid.field("taker", T("Somebody else who works at the site has to take it over"))
    newest = shifts.newest(ctx, site)
    if previous_id != (newest.id if newest else 0):
        raise _overtaken()
    since, lines = shifts.to_give(ctx, site, now)
    row = Handover(
        site=site,
        previous_id=previous_id,
        since_at=since,
        given_by=ctx.actor.username,
        given_at=now,
        taker=taker,
        deadline_at=now + timedelta(minutes=deadline_minutes),
        line_count=len(lines),
    )
    try:
        with ctx.session.begin_nested():
            ctx.session.add(row)
            ctx.session.flush()
    except IntegrityError as error:
        # Two at once: the table lets one follow the one before.
        raise _overtaken() from error
    if lines:
        ctx.session.execute(insert(HandoverLine), [_stored(row.id, place, line) for place, line in enumerate(lines)])
    _record(ctx, "give", row.id, site=site, lines=len(lines), taker=taker, deadline_at=row.deadline_at.isoformat())
    return load(ctx, row.id)


def _check_site(ctx: Context, site: str) -> None:
    ctx.actor.require_site(site)
    if site not in sites.names(ctx):
        raise Invalid.field("site", T("There is no active site of that name"))


def _overtaken() -> Conflict:
    return Conflict(T("Somebody else handed over meanwhile: look at it again"), code="overtaken")


def confirm(ctx: Context, handover_id: int, line_id: int) -> HandoverView:
    """Confirm a line; raises Conflict when somebody was faster, or for the giver."""
    now = ctx.now()
    found = _to_take(ctx, handover_id)
    statement = _line(found.id, line_id).where(HandoverLine.state != rules.CONFIRMED)
    if changed(ctx, statement.values(state=rules.CONFIRMED, confirmed_by=ctx.actor.username, confirmed_at=now)) != 1:
        _must_be_line(ctx, found.id, line_id)
        raise Conflict(T("Somebody confirmed this line already"), code="confirmed")
    _bump(ctx, found, confirmed_count=Handover.confirmed_count + 1)
    _record(ctx, "line_confirm", found.id, site=found.site, line=line_id)
    return load(ctx, found.id)


def ask(ctx: Context, handover_id: int, line_id: int, question: str) -> HandoverView:
    """Ask the giver back about a line that is not confirmed; raises Conflict while a question is open."""
    text, now = _text(question, "question"), ctx.now()
    found = _to_take(ctx, handover_id)
    statement = _line(found.id, line_id).where(HandoverLine.state.in_((rules.OPEN, rules.ANSWERED)))
    if changed(ctx, statement.values(state=rules.ASKED)) != 1:
        _must_be_line(ctx, found.id, line_id)
        raise Conflict(T("The line is confirmed, or asked about already"), code="asked")
    made = HandoverQuestion(line_id=line_id, question=text, asked_by=ctx.actor.username, asked_at=now)
    ctx.session.add(made)
    ctx.session.flush()
    _record(ctx, "line_ask", found.id, site=found.site, line=line_id)
    return load(ctx, found.id)


def answer(ctx: Context, handover_id: int, line_id: int, text: str) -> HandoverView:
    """Answer the open question about a line; raises Conflict when there is none, and for the one who asked."""
    ctx.actor.require(WRITE)
    said, now = _text(text, "answer"), ctx.now()
    found = load(ctx, handover_id, lock=True)
    _must_be_open(found)
    _must_be_line(ctx, found.id, line_id)
    opened = update(HandoverQuestion).where(
        HandoverQuestion.line_id == line_id,
        HandoverQuestion.answered_at.is_(None),
        HandoverQuestion.asked_by != ctx.actor.username,
    )
    if changed(ctx, opened.values(answer=said, answered_by=ctx.actor.username, answered_at=now)) != 1:
        raise Conflict(T("There is no question that you could answer"), code="not_asked")
    changed(ctx, _line(found.id, line_id).where(HandoverLine.state == rules.ASKED).values(state=rules.ANSWERED))
    _record(ctx, "line_answer", found.id, site=found.site, line=line_id)
    return load(ctx, found.id)


def accept(ctx: Context, handover_id: int) -> HandoverView:
    """Accept a handover whose lines are all confirmed; its notes need not be handed over again."""
    now = ctx.now()
    found = _to_take(ctx, handover_id)
    if found.left:
        raise Conflict(T("%(count)s lines are not confirmed yet", count=found.left), code="unconfirmed")
    statement = update(Handover).where(
        Handover.id == found.id,
        Handover.state == rules.GIVEN,
        Handover.confirmed_count == Handover.line_count,
        ~exists().where(HandoverLine.handover_id == Handover.id, HandoverLine.state != rules.CONFIRMED),
    )
    values = {"state": rules.ACCEPTED, "accepted_by": ctx.actor.username, "accepted_at": now}
    if changed(ctx, statement.values(values)) != 1:
        raise Conflict(T("The handover changed meanwhile"), code="version_conflict")
    notes = select(HandoverLine.subject_id).where(
        HandoverLine.handover_id == found.id, HandoverLine.subject == rules.NOTE
    )
    settled = update(HandoverNote).where(HandoverNote.id.in_(notes), HandoverNote.settled_by.is_(None))
    changed(ctx, settled.values(settled_by=found.id))
    _record(ctx, "accept", found.id, site=found.site, lines=found.line_count, in_time=now <= found.deadline_at)
    return load(ctx, found.id)


def _to_take(ctx: Context, handover_id: int) -> HandoverView:
    """Return an open handover that the caller may take over: not the giver; it stays locked."""
    ctx.actor.require(WRITE)
    found = load(ctx, handover_id, lock=True)
    _must_be_open(found)
    if found.given_by == ctx.actor.username:
        raise Conflict(T("Somebody else has to take it over: you handed it over"), code="same_person")
    return found


def _must_be_open(found: HandoverView) -> None:
    if not found.is_open:
        raise Conflict(T("The handover is accepted already"), code="accepted")


def _must_be_line(ctx: Context, handover_id: int, line_id: int) -> None:
    mine = select(HandoverLine.id).where(HandoverLine.id == line_id, HandoverLine.handover_id == handover_id)
    if ctx.session.scalar(mine) is None:
        raise NotFound(T("There is no such line"))


def _line(handover_id: int, line_id: int) -> Any:
    return update(HandoverLine).where(HandoverLine.id == line_id, HandoverLine.handover_id == handover_id)


def _bump(ctx: Context, found: HandoverView, **values: Any) -> None:
    statement = update(Handover).where(Handover.id == found.id, Handover.state == rules.GIVEN)
    if changed(ctx, statement.values(**values)) != 1:
        raise Conflict(T("The handover is accepted already"), code="accepted")


def _stored(handover_id: int, place: int, line: Line) -> dict[str, Any]:
    return {
        "handover_id": handover_id,
        "place": place,
        "kind": line.kind,
        "subject": line.subject,
        "subject_id": line.subject_id,
        "title": line.title,
        "detail": plain(dict(line.detail)),
        "state": rules.OPEN,
    }


def _text(text: str, field: str) -> str:
    said = " ".join(text.split())
    if not said:
        raise Invalid.field(field, T("Write a few words"))
    if len(said) > NOTE_LIMIT:
        raise Invalid.field(field, T("At most %(most)s letters", most=NOTE_LIMIT))
    return said


def _record(ctx: Context, action: str, resource_id: int, **detail: Any) -> None:
    kept: Mapping[str, Any] = {key: value for key, value in detail.items() if value is not None}
    audit.record(ctx, f"handover_{action}", RESOURCE, resource_id, detail=kept)
