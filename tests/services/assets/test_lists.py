"""The list of assets: the same few queries whatever there is."""

import pytest

from console.core.listing import ListQuery, asked
from console.services.assets import lists
from console.services.assets.lists import ASSETS
from console.services.common import lists as engine_lists
from tests.factories.work_orders import add_asset, add_order
from tests.support.statements import statements


@pytest.mark.parametrize("many", [3, 60])
def test_page_slice_and_form_cost_the_same_whatever_there_is(ctx, session, clock, many):
    root = add_asset(session, clock.now(), "ROOT").id
    for number in range(many):
        asset = add_asset(session, clock.now(), f"P-{number:02}", parent_id=root).id
        add_order(session, clock.now(), asset_id=asset)

    with statements() as page:
        found = engine_lists.run(ctx, ASSETS, ListQuery())
    with statements() as part:
        listed = lists.listed(ctx, asked(kind="transformer"), limit=20)
    with statements() as form:
        lists.offered(ctx, "본관")

    assert (found.total, listed.total) == (many + 1, many + 1)
    assert sum(row.open_orders for row in found.rows) == min(many, 50)
    assert (len(page), len(part), len(form)) == (5, 2, 1)
