"""Which asset may belong to which."""

import random

from console.domain.assets.tree import refused


def test_a_new_asset_may_belong_to_any_of_its_site():
    assert refused(None, "본관", "본관", {1, 2}) is None
    assert "another site" in str(refused(None, "본관", "별관", {1}))


def test_what_it_belongs_to_may_not_belong_to_it():
    assert refused(3, "본관", "본관", {1, 2}) is None
    assert "itself" in str(refused(1, "본관", "본관", {1}))
    assert "itself" in str(refused(1, "본관", "본관", {3, 2, 1}))


def test_whatever_is_moved_in_whatever_order_there_is_no_circle():
    chance = random.Random(7)
    for _round in range(50):
        parents: dict[int, int | None] = dict.fromkeys(range(1, 9))
        for _move in range(60):
            asset, parent = chance.randint(1, 8), chance.randint(1, 8)
            above, at = set(), parent
            while at is not None and at not in above:
                above.add(at)
                at = parents[at]
            if refused(asset, "본관", "본관", above) is None:
                parents[asset] = parent
        for asset in parents:
            walked, at = [], asset
            while at is not None:
                assert at not in walked
                walked.append(at)
                at = parents[at]
