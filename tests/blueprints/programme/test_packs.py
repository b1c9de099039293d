"""The form and the API of the documents: publish, preview, two owners at once, revisions, back to built-in."""

from __future__ import annotations

import html
import re
from copy import deepcopy

import pytest

from console.domain.programme.documents import PACKS
from console.services.programme import editor
from tests.factories import make_site

EDIT, API, PUBLIC = "/programme/packs/w02", "/api/programme/packs/w02", "/api/public/adoption-plan/w02"


@pytest.fixture
def sites(session, clock):
    make_site(session, "본관", now=clock.now())
    session.commit()


def fields(page, address=EDIT):
    """Return what the form of the page would send, as a browser does."""
    sent = {}
    begin = page.index(f'action="{address}"')
    form = page[begin : page.index("</form>", begin)]
    for mark in re.finditer(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        sent[mark[1]] = html.unescape(mark[2])
    for mark in re.finditer(r"<input[^>]*>", form):
        name, value = (re.search(rf' {key}="([^"]*)"', mark[0]) for key in ("name", "value"))
        if name:
            sent[name[1]] = html.unescape(value[1]) if value else ""
    for mark in re.finditer(r'<select[^>]*name="([^"]+)".*?</select>', form, re.DOTALL):
        chosen = re.search(r'<option[^>]*value="([^"]*)"[^>]* selected', mark[0])
        sent[mark[1]] = chosen[1] if chosen else ""
    return sent


@pytest.mark.parametrize("code", [code for code, one in PACKS.items() if one["layout"]])
def test_the_form_sends_back_the_very_document_that_it_shows(browser_client, make_ctx, code):
    owner = browser_client("owner")
    address = f"/programme/packs/{code}"
    sent = fields(owner.get(address).text, address)

    assert owner.post(address, data=sent).status_code == 303
    assert editor.pack(make_ctx("owner"), code).revision == 0


def test_an_owner_publishes_and_everybody_reads_it(browser_client, client):
    owner = browser_client("owner")
    tag = client.get(PUBLIC).headers["ETag"]
    sent = fields(owner.get(EDIT).text) | {
        "title.ko": "우리 SOP 🏢",
        "title.en": "W02 Ours 🏢",
        "lists.sop_runbooks.0.name.en": "=Round, <b>each</b> morning",
        "reason": "쉬운 말로",
    }

    assert owner.post(EDIT, data=sent).status_code == 303
    changed = client.get(PUBLIC, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json["title"]) == (200, "W02 Ours 🏢")
    assert "'=Round" in client.get(f"{PUBLIC}/checklist.csv").text
    assert "%F0%9F%8F%A2" in client.get(f"{PUBLIC}/checklist.csv?lang=ko").headers["Content-Disposition"]
    page = client.get("/web/adoption/w02?lang=en").text
    assert "=Round, &lt;b&gt;each&lt;/b&gt; morning" in page
    told = owner.get(EDIT, headers={"Accept-Language": "en"}).text
    assert "Revision 1" in told
    assert "쉬운 말로" in told


def test_what_a_week_is_about_changes_on_every_page(browser_client, client, sites):
    owner = browser_client("owner")
    sent = fields(owner.get(EDIT).text)
    assert (sent["phase"], sent["focus.en"]) == ("Preparation", "SOP and sandbox")
    ours = {"focus.ko": "우리 <초점> 🎯", "focus.en": "Our focus", "success_metric.ko": "열에 아홉", "phase": "Habit"}

    assert owner.post(EDIT, data={**sent, **ours, "phase": "Somewhen"}).status_code == 422
    assert owner.post(EDIT, data=sent | ours).status_code == 303
    for address in ("/programme", "/programme/w02", "/programme/w02?site=본관"):
        page = owner.get(address, headers={"Accept-Language": "ko"}).text
        assert "우리 &lt;초점&gt; 🎯" in page, address
        assert "열에 아홉" in page, address
        assert "Our focus" in owner.get(address, headers={"Accept-Language": "en"}).text
    assert "W02 · 우리 &lt;초점&gt; 🎯" in client.get("/web/adoption?phase=Habit&lang=ko").text
    found = client.get(PUBLIC).json["timeline"]
    assert (found["phase"], found["focus"]) == ("Habit", "Our focus")
    assert "[W02] Kickoff - Our focus" in client.get("/api/public/adoption-plan/schedule.ics").text


def test_a_preview_shows_the_page_and_stores_nothing(browser_client, client):
    owner = browser_client("owner")
    sent = fields(owner.get(EDIT).text) | {"lists.sop_runbooks.0.name.ko": "미리 보는 절차"}

    page = owner.post(f"{EDIT}/preview", data=sent)
    wrong = owner.post(f"{EDIT}/preview", data={**sent, "title.en": ""})

    assert page.status_code == 200
    assert "미리 보는 절차" in page.text
    assert "Cache-Control" in page.headers
    assert "public" not in page.headers["Cache-Control"]
    assert "미리 보는 절차" not in client.get("/web/adoption/w02?lang=ko").text
    assert wrong.status_code == 422
    assert "미리 보는 절차" in wrong.text


def test_the_loser_of_two_owners_is_told_and_keeps_the_text(browser_client, client):
    first, second = browser_client("owner"), browser_client("owner")
    mine, theirs = fields(first.get(EDIT).text), fields(second.get(EDIT).text)
    first.post(EDIT, data={**mine, "title.en": "W02 First"})

    lost = second.post(EDIT, data={**theirs, "title.en": "W02 Second", "title.ko": "둘째 문구"})

    assert lost.status_code == 412
    assert client.get(PUBLIC).json["title"] == "W02 First"
    again = fields(lost.text)
    assert (again["title.en"], again["title.ko"], again["revision"]) == ("W02 Second", "둘째 문구", "1")
    assert second.post(EDIT, data=again).status_code == 303
    assert client.get(PUBLIC).json["title"] == "W02 Second"


@pytest.mark.parametrize("value", ["", " ", "x" * 1001])
def test_a_text_that_does_not_fit_is_refused_and_kept(browser_client, client, value):
    owner = browser_client("owner")
    sent = fields(owner.get(EDIT).text) | {"title.en": value, "title.ko": "남는 문구"}

    refused = owner.post(EDIT, data=sent)

    assert refused.status_code == 422
    assert "남는 문구" in refused.text
    assert client.get(PUBLIC).json["title"] == PACKS["w02"]["title"]["en"]


def test_back_to_built_in_and_to_an_earlier_revision(browser_client, client):
    owner = browser_client("owner")
    owner.post(EDIT, data=fields(owner.get(EDIT).text) | {"title.en": "W02 Ours"})

    assert owner.post(f"{EDIT}/built-in", data={"revision": "0"}).status_code == 412
    assert owner.post(f"{EDIT}/built-in", data={"revision": "1"}).status_code == 303
    assert client.get(PUBLIC).json["title"] == PACKS["w02"]["title"]["en"]
    assert owner.post(f"{EDIT}/revisions/1", data={"revision": "2"}).status_code == 303
    assert client.get(PUBLIC).json["title"] == "W02 Ours"
    assert owner.post(f"{EDIT}/revisions/77", data={"revision": "3"}).status_code == 404
    assert "직접 작성" in owner.get("/programme/packs", headers={"Accept-Language": "ko"}).text


def test_programs_store_a_document_with_its_version(api, client):
    owner = api("owner")
    found = owner.get(API)
    document = deepcopy(found.json["document"])
    document["title"]["en"] = "W02 By API"

    assert (found.headers["ETag"], found.json["source"]) == ('"0"', "built_in")
    assert owner.put(API, json={"document": document}).status_code == 422
    made = owner.put(API, json={"document": document, "reason": "API"}, headers={"If-Match": '"0"'})
    late = owner.put(API, json={"document": document}, headers={"If-Match": '"0"'})
    assert (made.status_code, made.json["revision"], made.headers["ETag"]) == (200, 1, '"1"')
    assert (late.status_code, late.json["detail"]["current_revision"]) == (412, 1)
    assert client.get(PUBLIC).json["title"] == "W02 By API"
    assert [one["source"] for one in owner.get(f"{API}/revisions").json] == ["update"]
    assert owner.delete(API, headers={"If-Match": '"1"'}).json["source"] == "built_in"
    assert [one["code"] for one in owner.get("/api/programme/packs").json][:2] == ["w02", "w03"]


@pytest.mark.parametrize("body", [{}, {"document": 5}, {"document": {}}, {"document": {"code": "w03"}}, [], None])
def test_a_body_that_is_no_document_is_refused(api, body):
    assert api("owner").put(API, json=body, headers={"If-Match": '"0"'}).status_code == 422


@pytest.mark.parametrize("role", ["manager", "operator", "auditor"])
def test_nobody_but_an_owner_may(api, browser_client, role):
    assert api(role).get(API).status_code == 403
    assert api(role).put(API, json={"document": {}}, headers={"If-Match": '"0"'}).status_code == 403
    assert browser_client(role).get(EDIT).status_code == 403
    assert browser_client(role).post(EDIT, data={}).status_code == 403
    assert "/programme/packs" not in browser_client(role).get("/programme").text
