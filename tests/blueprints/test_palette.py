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


def test_saved_views_are_in_it(browser_client):
    client = browser_client("manager")
    client.post("/views", data={"list": "board", "name": "아침 회의", "address": "/my-work?show=assigned"})

    assert ("아침 회의", "/my-work?show=assigned") in {(one["label"], one["url"]) for one in entries(client)}


def test_the_search_page_works_without_script(browser_client):
    client = browser_client("manager")

    found = client.get("/search?q=업무").text
    nothing = client.get("/search?q=없는말").text

    assert 'href="/my-work"' in found.split('id="content"')[1]
    assert "찾은 것이 없습니다" in nothing


def test_what_is_searched_for_cannot_become_markup(browser_client):
    page = browser_client("manager").get("/search?q=<script>alert(1)</script>").text

    assert "<script>alert" not in page


def test_strangers_get_nothing(client):
    assert client.get("/palette").status_code == 401
