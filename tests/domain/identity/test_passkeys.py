"""Under which addresses passkeys work, and what may stand for a key."""

import pytest

from console.domain.identity.passkeys import is_base64url, place_of


@pytest.mark.parametrize(
    ("address", "host", "origin"),
    [
        ("https://console.example.com", "console.example.com", "https://console.example.com"),
        ("https://console.example.com/", "console.example.com", "https://console.example.com"),
        ("https://Console.Example.com:443/here", "console.example.com", "https://console.example.com"),
        ("https://console.example.com:8443", "console.example.com", "https://console.example.com:8443"),
        ("https://시설.example", "xn--bj4bl5a.example", "https://xn--bj4bl5a.example"),
        ("http://localhost:8001/", "localhost", "http://localhost:8001"),
        ("http://localhost:80", "localhost", "http://localhost"),
        ("http://one.localhost", "one.localhost", "http://one.localhost"),
        ("https://localhost", "localhost", "https://localhost"),
    ],
)
def test_an_address_with_a_name_and_https_is_a_place(address, host, origin):
    place = place_of(address)

    assert place is not None
    assert (place.host, place.origin) == (host, origin)


@pytest.mark.parametrize(
    "address",
    [
        *("", "console.example.com", "https://", "http://console.example.com", "ftp://localhost", "https://[::1]/"),
        *("http://127.0.0.1:8001", "https://192.0.2.7", "http://localhost.example.com", "http://notlocalhost"),
        *("https://a:99999", "https://a:b", "https://" + "x" * 64 + ".example", "https://[", "https://a..b"),
    ],
)
def test_browsers_know_no_passkeys_elsewhere(address):
    assert place_of(address) is None


@pytest.mark.parametrize("text", [None, 7, "", "a b", "a=", "가", "\ud800", "a\n", "x" * 11, b"abc", ["a"]])
def test_what_is_no_key_is_seen(text):
    assert not is_base64url(text, 10)


def test_a_key_is_taken():
    assert is_base64url("aZ09-_", 10)
