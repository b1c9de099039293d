import pytest

from tests.support.people import csrf_of


def test_a_stranger_chooses_the_language_of_the_sign_in(client):
    token = csrf_of(client.get("/sign-in").text)

    response = client.post("/preferences", data={"lang": "en", "next": "/sign-in", "csrf_token": token})

    assert response.headers["Location"] == "/sign-in"
    assert '<html lang="en"' in client.get("/sign-in").text


def test_the_theme_stays(browser_client):
    client = browser_client("manager")

    client.post("/preferences", data={"theme": "dark", "next": "/views"})

    assert 'data-theme="dark"' in client.get("/views").text


@pytest.mark.parametrize("fields", [{"lang": "xx"}, {"theme": "pink"}, {"lang": "ko; Path=/x"}, {}])
def test_an_unknown_choice_is_not_kept(browser_client, fields):
    response = browser_client("manager").post("/preferences", data=fields)

    assert not [value for value in response.headers.getlist("Set-Cookie") if value.startswith(("lang=", "theme="))]


@pytest.mark.parametrize("target", ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", ""])
def test_nobody_is_sent_elsewhere(browser_client, target):
    response = browser_client("manager").post("/preferences", data={"lang": "ko", "next": target})

    assert response.headers["Location"] == "/"


def test_another_site_cannot_choose(client):
    assert client.post("/preferences", data={"lang": "en"}).status_code == 400
