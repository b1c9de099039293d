"""Whatever is typed into any form of the pages, the answer is an answer: never a 500, and words of the reader."""

import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from console.domain.programme.catalogue import WEEKS
from console.services.programme import weeks as programme
from tests.blueprints.conftest import SITE
from tests.contract.test_access import ENDS_ITSELF

WORDS = ["", "-1", "9" * 30, "²", "0001-01-01T00:00", "가" * 6_000]
# What the databases may take differently once a form lets it through.
TO_EITHER = ["", "9" * 30, "가" * 6_000]
ENGLISH = re.compile(r"Input should|Value error|Field required|Extra inputs|String should|This field")
# What ends the session of whoever asks, and the page of samples, which keeps nothing.
LEFT_OUT = re.compile("|".join([*ENDS_ITSELF, "/account/password", "/account/sessions/", "/components"]))


class Page(HTMLParser):
    """The links and the forms of a page: each form with its address and what it would send as it is drawn."""

    def __init__(self, address, text):
        super().__init__()
        self.address, self.links, self.forms = address, [], []
        self.sent, self.choice = None, ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        name = given.get("name")
        if tag == "a" and given.get("href"):
            self.links.append(urljoin(self.address, given["href"]))
        elif tag == "form":
            self.sent = {}
            if (given.get("method") or "").lower() == "post":
                self.forms.append((urljoin(self.address, given.get("action") or self.address), self.sent))
        elif self.sent is not None and name not in (None, "csrf_token", "once"):
            self.choice = name
            self.sent.setdefault(name, given.get("value") or "")
        elif self.sent is not None and tag == "option" and "selected" in given:
            self.sent[self.choice] = given.get("value") or ""

    def handle_endtag(self, tag):
        if tag == "form":
            self.sent = None


@pytest.fixture
def reached(ctx, app, browser_client, items):
    """Every form that an owner can reach over links, one for each address of the application and its fields."""
    programme.bootstrap(ctx, WEEKS["w02"], SITE)
    ctx.commit()
    client, rules = browser_client("owner"), app.url_map.bind("localhost")
    seen, found, waiting = set(), {}, ["/", f"/programme/w02?site={SITE}"]

    def endpoint_of(address, method):
        try:
            return rules.match(urlsplit(address).path, method)[0]
        except (HTTPException, RequestRedirect):
            return None

    while waiting:
        address = waiting.pop(0)
        endpoint = endpoint_of(address, "GET")
        if urlsplit(address).netloc or endpoint in seen or endpoint in (None, "static"):
            continue
        seen.add(endpoint)
        answer = client.get(address)
        if answer.mimetype == "text/html":
            page = Page(address, answer.text)
            waiting += page.links
            for action, sent in page.forms:
                found.setdefault((endpoint_of(action, "POST"), *sorted(sent)), (action, sent))
        answer.close()
    return client, [form for form in found.values() if not LEFT_OUT.match(form[0])]


def test_what_is_typed_into_any_form_never_breaks_it(reached, backend):
    client, forms = reached
    words = WORDS if backend == "postgresql" else TO_EITHER
    wrong = []
    assert len(forms) > 20
    for action, sent in forms:
        for name in sent:
            for word in words:
                answer = client.post(action, data={**sent, name: word})
                if answer.status_code >= 500 or (answer.status_code == 422 and ENGLISH.search(answer.text)):
                    wrong.append(f"{action} {name}={word[:20]!r}: {answer.status_code}")
                answer.close()

    assert wrong == []
    assert client.get("/account").status_code == 200, "whoever asked was signed out, so nothing was asked"
