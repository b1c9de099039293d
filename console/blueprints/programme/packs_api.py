"""The documents of the programme for those who edit them: read, store with a version, look back, back to built-in."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.tag import Tag
from pydantic import RootModel

from console.domain.errors import Invalid
from console.domain.text import T
from console.inputs.packs import PackPath, PackStoreIn, PackViewOut
from console.inputs.policies import RevisionOut
from console.services.programme import editor
from console.services.programme.editor import MANAGE, PackView
from console.ui.responses import answer
from console.web.api_blueprint import ApiBlueprint
from console.web.etags import if_match
from console.web.request import access, web_context

PACKS = "/api/programme/packs"


class PackViews(RootModel[list[PackViewOut]]):
    """A bare array of documents."""


class Revisions(RootModel[list[RevisionOut]]):
    """A bare array of changes."""


api = ApiBlueprint("packs_api", __name__, abp_tags=[Tag(name="packs", description="The documents of the programme")])


def _told(found: PackView) -> Response:
    return answer(found, PackViewOut, headers={"ETag": f'"{found.revision}"'})


def _version() -> int:
    version = if_match()
    if version is None:
        raise Invalid.field("If-Match", T("Say in If-Match which revision you change"), where="header")
    return version


@api.get(PACKS, responses={200: PackViews})
@access(MANAGE)
def packs() -> Response:
    """Return the documents of all weeks."""
    return answer(editor.packs(web_context()), PackViewOut)


@api.get(f"{PACKS}/<pack:week>", responses={200: PackViewOut})
@access(MANAGE)
def pack(path: PackPath) -> Response:
    """Return the document of a week; its revision is the `ETag`."""
    return _told(editor.pack(web_context(), path.week))


@api.put(f"{PACKS}/<pack:week>", responses={200: PackViewOut})
@access(MANAGE)
def store(path: PackPath, body: PackStoreIn) -> Response:
    """Store the document of a week for everybody; 412 when it is not at the revision in `If-Match` any more."""
    made = editor.save(web_context(), path.week, body.document, if_match=_version(), reason=body.reason)
    return _told(made)


@api.delete(f"{PACKS}/<pack:week>", responses={200: PackViewOut})
@access(MANAGE)
def reset(path: PackPath) -> Response:
    """Let the built-in document count again."""
    return _told(editor.to_built_in(web_context(), path.week, if_match=_version()))


@api.get(f"{PACKS}/<pack:week>/revisions", responses={200: Revisions})
@access(MANAGE)
def revisions(path: PackPath) -> Response:
    """Return the changes of a week, newest first."""
    return answer(editor.revisions(web_context(), path.week), RevisionOut)
