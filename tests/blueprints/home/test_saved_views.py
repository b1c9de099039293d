import html
import re
from urllib.parse import urlencode

import pytest

from console.domain.programme.catalogue import WEEKS
from console.services.programme import weeks
from tests.blueprints.tracker.board_support import OTHER, SITE
from tests.factories import make_site

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
ADDRESS = "/my-work?show=assigned"


def save(client, **fields):
    return client.post("/views", data={"list": "board", "name": "아침 회의", "address": ADDRESS, **fields})


def test_saving_leads_back_to_the_list_and_says_so(browser_client):
    client = browser_client("manager")

    response = save(client)

    assert (response.status_code, response.headers["Location"]) == (302, ADDRESS)
    assert "“아침 회의” 보기를 저장했습니다" in client.get(ADDRESS).text
    assert "저장했습니다" not in client.get(ADDRESS).text


@pytest.mark.parametrize(
    "address", ["https://elsewhere.example/", "//x.example", "/api/auth/me", "/nothing", "", "/board?q=%00"]
)
def test_only_pages_of_the_console_are_saved(browser_client, address):
    assert save(browser_client("manager"), address=address).status_code == 422


def test_a_shared_view_hides_from_those_who_may_not_open_it(browser_client):
    owner = browser_client("owner")
    save(owner, name="사용자", address="/admin/users", shared="1")
    save(owner, name="모두", shared="1")
    operator = browser_client("operator")

    shown = operator.get("/views/menu?list=board", headers=PARTIAL).text

    assert "모두" in shown
    assert "사용자" not in shown


def test_the_menu_offers_to_save_the_address_it_was_opened_on(browser_client):
    client = browser_client("manager")

    menu = client.get("/views/menu", query_string={"list": "board", "at": "/board?due=overdue"}, headers=PARTIAL).text
    elsewhere = client.get("/views/menu", query_string={"list": "board", "at": "//x"}, headers=PARTIAL).text

    assert 'value="/board?due=overdue"' in menu
    assert 'name="address"' not in elsewhere


def test_a_view_is_deleted_by_its_owner_only(browser_client):
    mine, other = browser_client("manager"), browser_client("manager")
    save(mine, shared="1")

    assert other.post("/views/1", data={"action": "delete"}).status_code == 404
    assert mine.post("/views/1", data={"action": "delete"}).status_code == 302
    mine.get("/views")  # the message of the saving is read once
    assert "아침 회의" not in mine.get("/views").text


def test_the_table_shows_the_columns_of_the_record(browser_client):
    client = browser_client("manager")
    save(client, shared="1")

    shown = client.get("/views", headers={"Accept-Language": "en"}).text

    for label, value in (("Name", "아침 회의"), ("List", "board"), ("Seen by", "Everybody"), ("Owner", "User")):
        assert f'<th scope="col">{label}</th>' in shown
        assert value in shown.split(f'data-label="{label}"')[1].split("</td>")[0]


def test_an_unknown_action_changes_nothing(browser_client):
    client = browser_client("manager")
    save(client)

    assert client.post("/views/1", data={"action": "burn"}).status_code == 422
    assert "아침 회의" in client.get("/views").text


def test_a_request_without_the_token_of_the_page_is_refused(browser_client):
    client = browser_client("manager")
    client.csrf = ""

    assert save(client).status_code == 400


OLD = "/board?view=table&status=gone&status=blocked&sort=gone&columns=gone,item_id&vanished=1"


@pytest.mark.parametrize(
    "address",
    [
        OLD,
        "/board?status=gone",
        "/board?view=table&sort=-gone",
        "/board?view=table&columns=gone",
        "/board?gone=1",
        "/programme/w02?view=table&due=gone",
        "/late?of=gone",
        "/jobs?status=gone&since=tomorrow&page=0",
        "/audit?sort=gone&status=gone",
        "/alerts?status=gone",
        "/admin/users?role=gone&per_page=9999",
        "/gate/history?decision=gone",
        "/autopilot/runs?outcome=gone",
    ],
)
def test_a_view_that_no_longer_fits_opens_with_what_is_known(browser_client, ctx, address):
    for name in ("North", "South"):
        make_site(ctx.session, name, now=ctx.now())
    weeks.bootstrap(ctx, WEEKS["w02"], "North")
    ctx.commit()
    client = browser_client("owner", language="en")
    save(client, address=address)
    client.post("/views/1", data={"action": "start"})
    client.get("/views")
    landed = client.get("/", headers={"Accept": "text/html"}, follow_redirects=True)

    assert landed.status_code == 200
    assert landed.text.count("Part of the view “아침 회의” could not be used.") == 1
    assert "gone”" in landed.text
    # What it offers to save opens without a word, and stays the start page.
    form = landed.text.split("Part of the view")[1].split("</form>")[0]
    fields = {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form)}
    again = client.post("/views", data=fields)
    assert again.status_code == 302
    landed = client.get("/", headers={"Accept": "text/html"}, follow_redirects=True)
    assert (landed.status_code, "could not be used" in landed.text) == (200, False)


def test_what_is_known_of_a_view_still_narrows_and_sorts(browser_client, items):
    client = browser_client("manager", language="en")
    save(client, address=OLD)

    page = client.get(OLD).text

    assert set(re.findall(r"GR-\d+(?=</span>)", page)) == {"GR-002", "GR-006", "GR-010"}
    assert "status=blocked&amp;columns=item_id" in page
    for sentence in ("ordered by “gone”", "“gone” is not a choice", "no column “gone”", "no filter “vanished”"):
        assert sentence in page


def test_an_address_that_is_no_view_is_refused_as_before(browser_client):
    owner, other = browser_client("owner"), browser_client("owner")
    save(other, address="/board?sort=gone")

    assert owner.get("/board?sort=gone").status_code == 422
    assert owner.get("/jobs?status=gone").status_code == 422
    assert owner.get("/board?vanished=1&view=table&columns=gone").status_code == 200


def test_a_shared_view_of_a_site_that_the_reader_does_not_see_opens_without_it(browser_client, items):
    owner, reader = browser_client("owner"), browser_client("manager", (SITE,), language="en")
    save(owner, address="/board?" + urlencode({"site": [OTHER, SITE]}, doseq=True), shared="1")

    page = reader.get("/board", query_string={"site": [OTHER, SITE]})

    assert page.status_code == 200
    assert f"“{OTHER}” is not a choice of “site”" in page.text
    assert reader.get("/board", query_string={"site": OTHER}).status_code == 403


def test_somebody_elses_view_that_no_longer_fits_is_saved_as_ones_own(browser_client):
    owner, reader = browser_client("owner"), browser_client("manager", language="en")
    save(owner, address="/board?sort=gone", shared="1")
    reader.post("/views/1", data={"action": "start"})
    form = reader.get("/board?sort=gone").text.split("could not be used")[1].split("</form>")[0]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))

    assert reader.post("/views", data=fields).status_code == 302
    assert reader.get("/", headers={"Accept": "text/html"}).headers["Location"] == "/board"
    assert reader.get("/views").text.count("cell-title") == 2


def test_the_start_page_is_each_persons_own(browser_client):
    owner, reader = browser_client("owner", language="en"), browser_client("manager", language="en")
    save(owner, shared="1")
    owner.post("/views/1", data={"action": "start"})
    owner.get("/views")

    assert "k-tag-accent" in owner.get("/views").text
    page = reader.get("/views").text
    assert "k-tag-accent" not in page
    assert 'value="start"' in page
    assert "view-change-1" not in page
    assert 'value="delete"' not in page
    assert reader.post("/views/1", data={"action": "start"}).status_code == 302
    assert "“아침 회의” opens after the sign-in now" in reader.get("/views").text
    assert reader.post("/views/1", data={"action": "unstart"}).status_code == 302
    assert "The overview opens after the sign-in now" in reader.get("/views").text
    assert owner.get("/", headers={"Accept": "text/html"}).headers["Location"] == ADDRESS


def test_a_view_is_renamed_shared_and_asked_about_before_it_goes(browser_client):
    client, other = browser_client("manager", language="en"), browser_client("manager")
    save(client)
    save(client, name="다른 것", list="tracker_remediation")

    assert client.post("/views/1", data={"action": "change", "name": "저녁", "shared": "1"}).status_code == 302
    page = client.get("/views").text
    assert "View “저녁” saved" in page
    assert "저녁" in other.get("/views").text
    assert "Delete the view “저녁”?" in page
    assert "It disappears for everybody" in page
    assert "Remediation board" in page
    assert "tracker_remediation" not in page
    assert other.post("/views/1", data={"action": "change", "name": "x"}).status_code == 404
    assert client.post("/views/1", data={"action": "change", "name": ""}).status_code == 422


def test_a_name_that_is_taken_is_asked_about(browser_client):
    client = browser_client("manager", language="en")
    save(client)
    asked = save(client, address="/board")

    assert asked.status_code == 409
    assert "Replace the view “아침 회의”?" in asked.text
    assert ADDRESS.replace("&", "&amp;") in client.get("/views").text
    assert save(client, address="/board", name="둘째").status_code == 302
    assert save(client, address="/board", replace="1").status_code == 302
    assert ADDRESS.replace("&", "&amp;") not in client.get("/views/menu?list=board", headers=PARTIAL).text


def test_a_long_name_is_cut_and_told_in_full_on_hover(browser_client):
    client = browser_client("manager")
    name = "가" * 80
    save(client, name=name)

    for address in ("/views", "/views/menu?list=board"):
        assert re.search(rf'class="[^"]*truncate[^"]*" title="{name}"', client.get(address).text)
