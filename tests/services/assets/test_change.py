"""Assets are added, changed and retired: what is refused, what is on record, who comes first."""

import json
from datetime import date

import pytest
from sqlalchemy import select

from console.domain.assets.requests import NO_PARENT, AssetChange, NewAsset
from console.domain.errors import Conflict, Invalid, NotFound, PermissionDenied, PreconditionFailed, SiteDenied
from console.models.assets import Asset
from console.models.audit import AuditLog
from console.services.assets import change, lists, rows
from tests.factories.work_orders import add_asset


def entries(ctx):
    ctx.commit()
    asked = select(AuditLog.action, AuditLog.detail_json).where(AuditLog.resource_type == "asset").order_by(AuditLog.id)
    return [(row.action, json.loads(row.detail_json)) for row in ctx.session.execute(asked)]


def test_an_asset_is_kept_as_it_was_written_and_on_record(ctx, session):
    made = change.create(ctx, NewAsset("본관", " TR-01 ", "변압기 1호", "변압기", "전기실", "S-7", date(2020, 5, 1)))

    assert (made.code, made.name, made.installed_on, made.is_active, made.version) == (
        *("TR-01", "변압기 1호", date(2020, 5, 1)),
        *(True, 1),
    )
    assert entries(ctx)[0][0] == "asset_create"
    assert entries(ctx)[0][1]["installed_on"] == "2020-05-01"


@pytest.mark.parametrize(
    "new",
    [
        NewAsset("본관", "  ", "변압기"),
        NewAsset("본관", "TR-02", " "),
        NewAsset("본관", "TR-02", "변압기", parent_id=99),
        NewAsset("별관", "TR-02", "변압기", parent_id=1),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(ctx, session, clock, new):
    add_asset(session, clock.now())

    with pytest.raises(Invalid):
        change.create(ctx, new)
    assert entries(ctx) == []
    assert len(session.scalars(select(Asset)).all()) == 1


def test_a_code_is_there_once_in_its_site(ctx, session):
    made = change.create(ctx, NewAsset("본관", "TR-01", "변압기"))
    other = change.create(ctx, NewAsset("본관", "TR-02", "변압기"))
    change.create(ctx, NewAsset("별관", "TR-01", "변압기"))

    with pytest.raises(Conflict):
        change.create(ctx, NewAsset("본관", "TR-01", "펌프"))
    with pytest.raises(Conflict):
        change.change(ctx, other.id, AssetChange(code="TR-01"))
    assert lists.id_of(ctx, "본관", "tr-01") == made.id


def test_a_change_has_a_version_and_one_that_changes_nothing_writes_nothing(ctx, session):
    made = change.create(ctx, NewAsset("본관", "TR-01", "변압기"))

    assert change.change(ctx, made.id, AssetChange(name="변압기")).version == 1
    assert change.change(ctx, made.id, AssetChange(name="변압기 2호"), version=1).version == 2
    with pytest.raises(Conflict):
        change.change(ctx, made.id, AssetChange(name="펌프"), version=1)
    with pytest.raises(PreconditionFailed):
        change.change(ctx, made.id, AssetChange(name="펌프"), if_match=1)
    assert [action for action, _detail in entries(ctx)] == ["asset_create", "asset_update"]
    assert entries(ctx)[1][1]["name"] == {"old": "변압기", "new": "변압기 2호"}


def test_an_asset_is_retired_and_put_back_and_offered_meanwhile_nowhere(ctx, session):
    made = change.create(ctx, NewAsset("본관", "TR-01", "변압기", place="전기실"))
    assert lists.offered(ctx, "본관") == [("TR-01", "변압기 · 전기실")]

    change.change(ctx, made.id, AssetChange(is_active=False))
    assert lists.offered(ctx, "본관") == []
    with pytest.raises(Invalid):
        change.create(ctx, NewAsset("본관", "TR-02", "퓨즈", parent_id=made.id))
    change.change(ctx, made.id, AssetChange(is_active=True))
    assert [action for action, _detail in entries(ctx)] == ["asset_create", "asset_retire", "asset_restore"]


def test_nothing_belongs_to_itself_over_however_many_steps(ctx):
    ids = [change.create(ctx, NewAsset("본관", f"P-{n}", "부품")).id for n in range(4)]
    for child, parent in ((ids[1], ids[0]), (ids[2], ids[1]), (ids[3], ids[2])):
        change.change(ctx, child, AssetChange(parent_id=parent))

    for parent in ids:
        with pytest.raises(Invalid):
            change.change(ctx, ids[0], AssetChange(parent_id=parent))
    assert change.change(ctx, ids[1], AssetChange(parent_id=NO_PARENT)).parent_id is None
    assert change.change(ctx, ids[0], AssetChange(parent_id=ids[3])).parent_code == "P-3"


def test_of_two_who_would_close_a_circle_together_one_is_refused(ctx, session, clock, at_once):
    first, second = (add_asset(session, clock.now(), code=code).id for code in ("A", "B"))
    session.commit()

    came = at_once(
        lambda mine: change.change(mine, first, AssetChange(parent_id=second)),
        lambda mine: change.change(mine, second, AssetChange(parent_id=first)),
    )

    assert sorted(type(one).__name__ for one in came) == ["AssetView", "Invalid"]
    session.expire_all()
    assert [row.parent_id is None for row in session.scalars(select(Asset).order_by(Asset.id))].count(True) == 1


def test_of_two_who_change_the_same_version_one_is_told(ctx, session, clock, at_once):
    asset_id = add_asset(session, clock.now()).id
    session.commit()

    came = at_once(
        *(lambda mine, name=name: change.change(mine, asset_id, AssetChange(name=name), version=1) for name in "AB")
    )

    assert sorted(type(one).__name__ for one in came) == ["AssetView", "Conflict"]


def test_sites_and_roles_are_kept_apart(make_ctx, session, clock):
    asset_id = add_asset(session, clock.now()).id
    mine, other = make_ctx("manager", ("본관",)), make_ctx("manager", ("별관",))

    assert rows.load(mine, asset_id).code == "TR-01"
    with pytest.raises(SiteDenied):
        rows.load(other, asset_id)
    with pytest.raises(SiteDenied):
        change.create(other, NewAsset("본관", "TR-02", "변압기"))
    with pytest.raises(SiteDenied):
        change.change(other, asset_id, AssetChange(name="펌프"))
    for role in ("operator", "auditor"):
        with pytest.raises(PermissionDenied):
            change.change(make_ctx(role, ("본관",)), asset_id, AssetChange(name="펌프"))
    with pytest.raises(NotFound):
        rows.load(mine, 99)
