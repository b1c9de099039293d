"""Assets for automation: what is looked after at a site, and what happened to it."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.tag import Tag

from console.core.listing import asked
from console.inputs.assets import AssetHistoryQuery, AssetIn, AssetPatchIn, AssetPath, AssetsQuery
from console.inputs.response_models import array, shape
from console.services.assets import change, history, lists, readings, rows
from console.services.assets.history import HistoryLine
from console.services.assets.readings import Reading
from console.services.assets.rows import READ, WRITE, AssetView
from console.ui.idempotent import idempotent
from console.ui.responses import answer
from console.ui.slices import slice_headers
from console.web.api_blueprint import ApiBlueprint
from console.web.etags import if_match
from console.web.request import access, web_context

api = ApiBlueprint("assets_api", __name__, abp_tags=[Tag(name="assets", description="What is looked after, and where")])
ASSETS, ASSET = "/api/assets", "/api/assets/<asset_id>"
AssetOut, LineOut = shape(AssetView), shape(HistoryLine, "AssetHistoryLineOut")
ReadingOut = shape(Reading, "AssetReadingOut")
AssetList, LineList = array(AssetOut, "AssetList"), array(LineOut, "AssetHistoryList")
ReadingList = array(ReadingOut, "AssetReadingList")


@api.get(ASSETS, responses={200: AssetList})
@access(READ)
def list_assets(query: AssetsQuery) -> Response:
    """Return assets by site and code, retired ones too; `X-Total-Count` says how many match."""
    wanted = asked(**query.model_dump())
    found = lists.listed(web_context(), wanted, limit=query.limit, offset=query.offset)
    return answer(found.assets, AssetOut, headers=slice_headers(found.total))


@api.post(ASSETS, responses={201: AssetOut})
@access(WRITE)
@idempotent
def create_asset(body: AssetIn) -> Response:
    """Add an asset; 409 for a code that its site has already. Takes an `Idempotency-Key`."""
    return _asset(change.create(web_context(), body.new()), status=201)


@api.get(ASSET, responses={200: AssetOut})
@access(READ)
def get_asset(path: AssetPath) -> Response:
    """Return one asset; its `ETag` is the version that `If-Match` takes."""
    return _asset(rows.load(web_context(), path.asset_id))


@api.patch(ASSET, responses={200: AssetOut})
@access(WRITE)
def change_asset(path: AssetPath, body: AssetPatchIn) -> Response:
    """Change an asset, retire it or put it back; with `If-Match` or `version` only the one looked at (412, 409)."""
    made = change.change(web_context(), path.asset_id, body.change(), version=body.version, if_match=if_match())
    return _asset(made)


@api.get(f"{ASSET}/history", responses={200: LineList})
@access(READ)
def asset_history(path: AssetPath, query: AssetHistoryQuery) -> Response:
    """Return the work orders and inspections of an asset, newest first; the total is in `X-Total-Count`."""
    ctx = web_context()
    found = history.of_asset(ctx, rows.load(ctx, path.asset_id), limit=query.limit, offset=query.offset)
    return answer(found.lines, LineOut, headers=slice_headers(found.total))


@api.get(f"{ASSET}/readings", responses={200: ReadingList})
@access(READ)
def asset_readings(path: AssetPath) -> Response:
    """Return the newest value of each point that was measured at an asset; needs `inspections:read` as well."""
    ctx = web_context()
    return answer(readings.newest(ctx, rows.load(ctx, path.asset_id)), ReadingOut)


def _asset(made: AssetView, *, status: int = 200) -> Response:
    return answer(made, AssetOut, status=status, headers={"ETag": f'"{made.version}"'})
