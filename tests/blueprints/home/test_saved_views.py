import pytest

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


@pytest.mark.parametrize("address", ["https://elsewhere.example/", "//x.example", "/api/auth/me", "/nothing", ""])
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
