"""Links to the page itself: they lead nowhere else, however the address was written."""

import re
from urllib.parse import urljoin, urlsplit

import pytest

PATHS = (
    "/%5Cevil.example/",
    "/%5C%5Cevil.example/",
    "/%2F%2Fevil.example/",
    "/%09/evil.example",
    "/%2F%5Cevil.example",
)


def addresses_in(page):
    return re.findall(r'(?:href|action|value|hx-get|hx-post|src)="([^"]*)"', page)


@pytest.mark.parametrize("path", [*PATHS, *(f"/api{path}" for path in PATHS)])
@pytest.mark.parametrize("signed_in", [True, False])
def test_no_link_of_an_error_page_leads_to_another_host(client, browser_client, path, signed_in):
    browser = browser_client() if signed_in else client
    answer = browser.get(f"{path}?site=a", headers={"Accept": "text/html"})
    found = [*addresses_in(answer.text), answer.headers.get("Location", "")]

    assert answer.status_code in (303, 404, 308)
    for address in found:
        # What a browser makes of it: tabs are dropped, backslashes are slashes.
        read = address.replace("&amp;", "&").replace("\\", "/").replace("\t", "")
        assert urlsplit(urljoin("http://localhost/x", read)).hostname in ("localhost", None), address
