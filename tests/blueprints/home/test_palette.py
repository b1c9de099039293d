import pytest

from tests.factories.tracker import add_item


def entries(client, query=""):
    return client.get(f"/palette?q={query}" if query else "/palette").json["entries"]


def test_the_palette_offers_only_what_opens(browser_client):
    client = browser_client("operator")

    addresses = [entry["url"] for entry in entries(client)]

    assert "/my-work" in addresses
    assert "/admin/users" not in addresses
    assert {client.get(address.partition("#")[0]).status_code for address in addresses} == {200}


def test_labels_are_in_the_readers_language_and_found_in_english_too(browser_client):
    client = browser_client("manager")

    mine = next(entry for entry in entries(client) if entry["url"] == "/my-work")

    assert mine["label"] == "내 업무"
    assert "My work" in mine["words"]


@pytest.mark.parametrize("words", ["운영 증거", "operations evidence"])
def test_a_place_with_tabs_is_found_by_its_own_name(browser_client, words):
    found = [one for one in entries(browser_client("manager")) if words in f"{one['label']} {one['words']}".casefold()]

    assert {"/ops/preflight", "/ops/security"} <= {one["url"] for one in found}


def test_saved_views_are_in_it(browser_client):
    client = browser_client("manager")
    client.post("/views", data={"list": "board", "name": "아침 회의", "address": "/my-work?show=assigned"})

    assert ("아침 회의", "/my-work?show=assigned") in {(one["label"], one["url"]) for one in entries(client)}


def test_the_search_page_works_without_script(browser_client):
    client = browser_client("manager")

    found = client.get("/search?q=업무").text
    nothing = client.get("/search?q=없는말").text

    assert 'href="/my-work"' in found.split('id="content"')[1]
    assert "검색 결과가 없습니다" in nothing


def test_what_is_searched_for_cannot_become_markup(browser_client):
    page = browser_client("manager").get("/search?q=<script>alert(1)</script>").text

    assert "&lt;script&gt;alert" in page
    assert "<script>alert" not in page


@pytest.fixture
def item(session, clock):
    made = add_item(session, clock.now(), 7, site="한빛마을 3단지", item_name="집수정 펌프 누수")
    session.commit()
    return made.id


@pytest.mark.parametrize("text", ["펌프", "GR-007"])
def test_items_are_found_by_words_and_number(browser_client, item, text):
    found = entries(browser_client("manager"), text)

    assert [(one["label"], one["url"]) for one in found] == [("GR-007 · 집수정 펌프 누수", f"/board/items/{item}")]


def test_items_of_other_sites_are_not_found(browser_client, item):
    assert entries(browser_client("operator", ("푸른숲 타워",)), "펌프") == []


def test_people_are_found_by_those_who_manage_them(browser_client):
    owner = browser_client("owner")
    browser_client("operator", username="lee.jb", display_name="이정비")

    assert [one["label"] for one in entries(owner, "이정")] == ["lee.jb · 이정비"]
    assert entries(browser_client("manager"), "이정") == []


@pytest.mark.parametrize("text", ["%", "_", "\\", "'", '"', "a" * 5000, " "])
def test_odd_texts_find_nothing_and_break_nothing(browser_client, item, text):
    response = browser_client("owner").get("/palette", query_string={"q": text})

    assert response.status_code == 200


def test_actions_are_offered_to_those_who_may_do_them(browser_client):
    def offered(client):
        return {one["url"] for one in entries(client)}

    for role in ("owner", "manager"):
        assert "/admin/users/new" in offered(browser_client(role))
    assert "/admin/users/new" not in offered(browser_client("operator"))


def test_strangers_get_nothing(client):
    assert client.get("/palette").status_code == 401
