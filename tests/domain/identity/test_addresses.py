import pytest

from console.domain.identity.addresses import escaped_path, local_address


@pytest.mark.parametrize("text", ["/", "/board?due=overdue&site=%ED%95%9C", "/audit?q=a%2Fb"])
def test_a_place_inside_the_console_is_kept_as_it_is(text):
    assert local_address(text) == text


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "board",
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "/a\\b",
        "/board\r\nSet-Cookie: x=1",
        "/\telsewhere",
        "javascript:alert(1)",
        "/한글",
        "/" + "a" * 2001,
    ],
)
def test_anything_else_is_refused(text):
    expected = text if text == "/한글" else None

    assert local_address(text) == expected


def test_a_fragment_is_left_out():
    assert local_address("/board?view=table#list") == "/board?view=table"


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/", "/"),
        ("/board", "/board"),
        ("/\\evil.example/", "/%5Cevil.example/"),
        ("//evil.example/", "/evil.example/"),
        ("///\\//evil.example", "/%5C//evil.example"),
        ("/a b?c#d", "/a%20b%3Fc%23d"),
        ("/현장", "/%ED%98%84%EC%9E%A5"),
        ("/\tx\n", "/%09x%0A"),
    ],
)
def test_the_own_path_is_one_slash_and_nothing_that_leads_elsewhere(path, written):
    assert escaped_path(path) == written
    assert local_address(written) == written
