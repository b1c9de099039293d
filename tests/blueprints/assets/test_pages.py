"""The pages of assets: the list and its CSV, one asset, the form, and what other pages say of assets."""

from datetime import timedelta

import pytest

from tests.factories import make_site
from tests.factories.work_orders import add_asset, add_order

DAY = timedelta(days=1)
PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def person(browser_client):
    return browser_client("manager", ("본관",), username="park", display_name="박시설")


@pytest.fixture
def assets(session, clock):
    """A transformer with an open order, its fuse, one that was retired, and one of another site."""
    now = clock.now()
    make_site(session, "본관", now=now)
    root = add_asset(session, now)
    made = {
        "root": root,
        "part": add_asset(session, now, "FU-01", name="퓨즈", kind="fuse", parent_id=root.id),
        "old": add_asset(session, now, "TR-00", name="구형 변압기", is_active=False),
        "far": add_asset(session, now, "TR-09", site="별관"),
    }
    add_order(session, now, asset_id=root.id, title="Hot winding")
    ids = {name: row.id for name, row in made.items()}
    session.commit()
    return ids


def test_the_list_shows_what_is_in_use_at_the_sites_of_the_reader(person, assets):
    page = person.get("/assets").text

    assert "TR-01" in page
    assert "FU-01" in page
    assert "TR-00" not in page
    assert "TR-09" not in page
    fragment = person.get("/assets?kind=fuse", headers=PARTIAL).text
    assert ("FU-01" in fragment, "변압기</" in fragment, "<html" in fragment) == (True, False, False)
    assert "TR-00" in person.get("/assets?state=retired").text
    assert "FU-01" in person.get(f"/assets?part_of={assets['root']}").text
    assert person.get("/assets?site=별관").status_code == 403


def test_the_csv_has_exactly_the_rows_of_the_list(person, assets):
    told = person.get("/assets/csv?kind=fuse").text.splitlines()

    assert told[0].lstrip("\ufeff").startswith("code,name,kind,site,")
    assert len(told) == 2
    assert "FU-01" in told[1]


def test_one_asset_names_its_orders_its_parts_and_what_it_belongs_to(person, assets):
    page = person.get(f"/assets/{assets['root']}").text

    assert "Hot winding" in page
    assert "열린 작업지시 1건" in page
    assert "FU-01" in page
    assert "변압기" in person.get(f"/assets/{assets['part']}").text
    assert person.get(f"/assets/{assets['far']}").status_code == 403
    assert person.get("/assets/999").status_code == 404


def test_an_asset_is_added_changed_retired_and_put_back(person, assets, session):
    sent = {"site": "본관", "code": "P-1", "name": "펌프", "parent": "tr-01", "installed_on": "2021-04-01"}
    made = person.post("/assets/new", data=sent)
    assert made.status_code == 303
    path = made.headers["Location"]
    assert "TR-01 변압기" in person.get(path).text

    form = person.get(f"{path}/edit").text
    assert 'value="2021-04-01"' in form
    changed = person.post(f"{path}/edit", data={**sent, "name": "급수 펌프", "parent": "", "version": "1"})
    assert changed.status_code == 303
    assert "급수 펌프" in person.get(path).text
    late = person.post(f"{path}/edit", data={**sent, "name": "다른 펌프", "version": "1"})
    assert late.status_code == 409
    assert "다른 펌프" in late.text

    assert person.post(f"{path}/retire", data={"version": "2"}).status_code == 303
    assert "철거" in person.get(path).text
    assert person.post(f"{path}/retire", data={"version": "2"}).status_code == 409
    assert person.post(f"{path}/restore", data={"version": "3"}).status_code == 303


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("code", "TR-01", "다른 설비가 쓰는 코드"),
        ("code", "", "code"),
        ("parent", "TR-09", "이 사업장에 없는 설비 코드"),
        ("installed_on", "yesterday", "installed_on"),
        ("name", "x" * 201, "name"),
    ],
)
def test_a_refused_form_keeps_what_was_written(person, assets, field, value, said):
    sent = {"site": "본관", "code": "P-1", "name": "펌프", "place": "기계실 <b>", field: value}

    refused = person.post("/assets/new", data=sent)

    assert refused.status_code in (409, 422)
    assert said in refused.text
    assert "기계실 &lt;b&gt;" in refused.text


def test_who_may_only_read_has_no_buttons(browser_client, assets):
    reader = browser_client("auditor", ("본관",), username="choi")
    page = reader.get(f"/assets/{assets['root']}").text

    assert "/edit" not in page
    assert "/work-orders/new" not in page
    assert reader.post(f"/assets/{assets['root']}/retire").status_code == 403


def test_a_new_order_takes_the_code_of_an_asset_of_its_site(person, assets):
    form = person.get("/work-orders/new?site=본관&asset=TR-01&location=전기실").text
    assert 'value="TR-01"' in form
    assert '<option value="FU-01">' in form

    sent = {"title": "Hot", "site": "본관", "asset": "tr-01", "trade": "electric"}
    made = person.post("/work-orders/new", data=sent)
    assert made.status_code == 303
    page = person.get(made.headers["Location"]).text
    assert f"/assets/{assets['root']}" in page
    assert "전기실" in page
    refused = person.post("/work-orders/new", data={**sent, "asset": "TR-09"})
    assert refused.status_code == 422
    assert 'value="TR-09"' in refused.text
    taken = person.post(f"{made.headers['Location']}/edit", data={"asset": "", "version": "1"})
    assert taken.status_code == 303
    assert f"/assets/{assets['root']}" not in person.get(made.headers["Location"]).text


def test_the_third_time_is_said_in_the_form_on_the_order_and_at_the_asset(person, assets, session, clock):
    for days in (30, 10):
        add_order(session, clock.now() - days * DAY, asset_id=assets["root"], trade="electric")
    session.commit()
    said = "90일 안에 3번째"

    assert said in person.get("/work-orders/new?site=본관&asset=TR-01&trade=electric").text
    beside = person.get("/work-orders/new?site=본관&asset=TR-01&trade=electric", headers=PARTIAL).text
    assert (said in beside, "<html" in beside) == (True, False)
    assert said not in person.get("/work-orders/new?site=본관&asset=TR-01&trade=fire", headers=PARTIAL).text
    assert said not in person.get(f"/assets/{assets['root']}").text
    sent = {"title": "Hot", "site": "본관", "asset": "TR-01", "trade": "electric"}
    made = person.post("/work-orders/new", data=sent)
    assert said in person.get(made.headers["Location"]).text
    assert said in person.get(f"/assets/{assets['root']}").text


def test_search_and_palette_find_assets_by_code_and_name(person, assets):
    told = person.get("/palette?q=TR-01").json["entries"]
    assert [one["url"] for one in told if one["kind"] == "설비"] == [f"/assets/{assets['root']}"]
    assert [one["url"] for one in told if one["kind"] == "작업지시"] != []
    assert f"/assets/{assets['part']}" in person.get("/search?q=퓨즈").text
    assert person.get("/palette?q=TR-09").json["entries"] == []
