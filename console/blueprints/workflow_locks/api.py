"""Workflow locks for automation (API contract, workflow locks)."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response
from flask_openapi3.models.tag import Tag

from console.core.listing import asked
from console.domain.workflow_locks.locks import APPROVE, LOCK, REJECT, SUBMIT, UNLOCK
from console.inputs.response_models import array, shape
from console.inputs.workflow_locks import DraftIn, LockIn, LockPath, LocksQuery, StepIn
from console.services.workflow_locks import lists, locks
from console.services.workflow_locks.locks import READ_ACCESS, LockEvent, LockView
from console.ui.responses import answer
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, web_context

L = "/api/workflow-locks"
LockOut, LockEventOut = shape(LockView, "WorkflowLockOut"), shape(LockEvent, "WorkflowLockEventOut")
LockList, LockHistory = array(LockOut, "WorkflowLockList"), array(LockEventOut, "WorkflowLockHistory")
api = ApiBlueprint(
    "workflow_locks_api", __name__, abp_tags=[Tag(name="workflow locks", description="Agreed ways of working")]
)


@api.get(L, responses={200: LockList})
@access(READ_ACCESS)
def all_locks(query: LocksQuery) -> Response:
    """Return locks of the caller's sites, newest first; X-Total-Count tells how many there are."""
    wanted = asked(**query.model_dump())
    found = lists.listed(web_context(), wanted, limit=query.limit, offset=query.offset)
    return answer(found.items, LockOut, headers={"X-Total-Count": str(found.total)})


@api.post(L, responses={201: LockOut})
@access(READ_ACCESS)
def create(body: LockIn) -> Response:
    """Begin a draft."""
    made = locks.create(
        web_context(),
        site=body.site,
        workflow_key=body.workflow_key,
        content=body.content,
        ticket=body.requested_ticket,
    )
    return answer(made, LockOut, status=201)


@api.get(f"{L}/<lock_id>", responses={200: LockOut})
@access(READ_ACCESS)
def one(path: LockPath) -> Response:
    """Return one lock."""
    return answer(locks.get(web_context(), path.lock_id), LockOut)


@api.get(f"{L}/<lock_id>/history", responses={200: LockHistory})
@access(READ_ACCESS)
def history(path: LockPath) -> Response:
    """Return what happened to a lock, newest first."""
    return answer(locks.history(web_context(), path.lock_id), LockEventOut)


@api.patch(f"{L}/<lock_id>/draft", responses={200: LockOut})
@access(READ_ACCESS)
def change(path: LockPath, body: DraftIn) -> Response:
    """Change a draft; what is null stays."""
    changed = locks.change(
        web_context(), path.lock_id, content=body.content, ticket=body.requested_ticket, comment=body.comment
    )
    return answer(changed, LockOut)


def _step(action: str, sentence: str) -> Callable[[LockPath, StepIn], Response]:
    def step(path: LockPath, body: StepIn) -> Response:
        taken = locks.take(
            web_context(),
            path.lock_id,
            action,
            comment=body.comment,
            reason=body.reason,
            ticket=body.requested_ticket,
        )
        return answer(taken, LockOut)

    step.__name__, step.__doc__ = action, sentence
    return step


for _action, _sentence in (
    (SUBMIT, "Hand a draft in for review."),
    (APPROVE, "Approve what is in review; not by who handed it in."),
    (REJECT, "Send what is in review back to its draft."),
    (LOCK, "Lock what is approved."),
    (UNLOCK, "Open a lock; needs a reason and a ticket."),
):
    api.post(f"{L}/<lock_id>/{_action}", responses={200: LockOut})(access(READ_ACCESS)(_step(_action, _sentence)))
