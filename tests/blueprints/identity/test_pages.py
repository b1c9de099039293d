"""The pages of users, tokens and sites: what they show, what may be done there."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from console.models.identity import Site, Token, User
from console.models.tracker import TrackerItem
from tests.factories import make_site, make_token, make_user
from tests.factories.tracker import add_item
from tests.support.page_words import words_of
from tests.support.statements import statements

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
USER = {"username": "kim", "role": "manager", "reach": "some", "sites": "본관", "display_name": "김관리"}


@pytest.fixture
def owner(browser_client):
    return browser_client("owner", username="head")


@pytest.fixture
def rows(session, clock):
    """Commit rows that a function adds; returns what it returns."""

    def build(make):
        session.rollback()
        made = make()
        session.commit()
        return made

    return build


def secret(response):
    found = re.search(r'id="secret-value"[^>]*>([^<]+)<', response.text)
    return found.group(1) if found else None


class TestUsers:
    def test_a_new_person_gets_a_password_that_is_shown_once_and_works_once(self, owner, app, session, rows, clock):
        rows(lambda: make_site(session, "본관", now=clock.now()))
        made = owner.post("/admin/users/new", data={**USER, "one_time": "y"})
        password = secret(made)

        assert made.status_code == 200
        assert password is not None
        user = session.scalar(select(User).where(User.username == "kim"))
        assert (user.role, user.site_scope, user.must_change_password) == ("manager", ("본관",), True)
        assert password not in owner.get(f"/admin/users/{user.id}").text
        newcomer = type(owner)(app, app.response_class)
        assert newcomer.sign_in("kim", password).location == "/account/password"

    def test_an_account_for_a_program_needs_no_password(self, owner, session):
        made = owner.post("/admin/users/new", data=USER)

        assert made.status_code == 303
        assert session.scalar(select(User.password_hash).where(User.username == "kim")) is None

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            ({"username": "ki"}, 422),
            ({"username": ""}, 422),
            ({"username": "head"}, 409),
            ({"username": "legacy-admin"}, 422),
            ({"role": "boss"}, 422),
            ({"reach": "everywhere"}, 422),
            ({"permissions": "a:b\nc,d"}, 422),
            ({"sites": "A,B"}, 422),
            ({"sites": []}, 422),
            ({"display_name": "x" * 121}, 422),
        ],
    )
    def test_a_form_that_will_not_do_comes_back_with_what_was_typed(self, owner, session, fields, status):
        answer = owner.post("/admin/users/new", data={**USER, "display_name": "김관리", **fields})

        assert answer.status_code == status
        assert "data-error-summary" in answer.text
        assert (fields.get("display_name") or "김관리") in answer.text
        session.rollback()
        assert session.scalars(select(User.username)).all() == ["head"]

    def test_changes_are_kept_and_an_outdated_form_loses(self, owner, session, rows, clock):
        user_id = rows(lambda: make_user(session, now=clock.now(), username="kim").id)
        fields = {"display_name": "김", "role": "auditor", "reach": "some", "sites": ["본관", "별관"], "version": "1"}

        assert owner.post(f"/admin/users/{user_id}", data=fields).location == f"/admin/users/{user_id}"
        session.rollback()
        user = session.get(User, user_id)
        assert (user.role, user.site_scope, user.display_name) == ("auditor", ("별관", "본관"), "김")
        late = owner.post(f"/admin/users/{user_id}", data={**fields, "role": "manager"})
        assert late.status_code == 409
        assert "그사이 사용자 정보가 바뀌었습니다" in late.text

    def test_switching_off_asks_for_the_name_and_names_what_ends(self, owner, session, rows, clock):
        user_id = rows(lambda: make_user(session, now=clock.now(), username="kim").id)
        page = owner.get(f"/admin/users/{user_id}").text
        assert "모든 토큰과 브라우저 세션이 바로 종료되며" in page

        assert owner.post(f"/admin/users/{user_id}/active", data={"confirm": "lee"}).status_code == 422
        assert owner.post(f"/admin/users/{user_id}/active", data={"confirm": "kim"}).status_code == 303
        session.rollback()
        assert session.get(User, user_id).is_active is False
        assert owner.post(f"/admin/users/{user_id}/active", data={"active": "1"}).status_code == 303
        session.rollback()
        assert session.get(User, user_id).is_active is True

    def test_whoever_leaves_or_moves_hands_over_the_open_work(self, owner, session, rows, clock):
        now = clock.now()

        def begin():
            for name in ("본관", "별관"):
                make_site(session, name, now=now)
            here = make_user(session, now=now, username="here", display_name="이정비")
            make_user(session, now=now, username="next", display_name="정설비", site_scope=("본관",))
            mine = {"assignee": "here", "assignee_user_id": here.id}
            found = [add_item(session, now, at, site=("본관", "별관")[at % 2], **mine) for at in (1, 2, 3)]
            return here.id, [item.id for item in found]

        user_id, items = rows(begin)
        page = f"/admin/users/{user_id}"
        assert "인계받을 사람" in owner.get(page).text  # in the dialog that switches off
        assert 'id="left-behind"' not in owner.get(page).text

        # Narrowed to one site: what is left at the other is listed, with who could take it.
        fields = {"display_name": "이정비", "role": "operator", "reach": "some", "sites": ["본관"], "version": "1"}
        moved = owner.post(page, data=fields, follow_redirects=True).text
        assert 'id="left-behind"' in moved
        assert "맡을 수 없는 열린 일 2건" in moved
        assert ">정설비" not in moved.partition('id="hand-over-to"')[2].partition("</select>")[0]

        # Switched off with one step: what the other can do is theirs, what not stays in sight.
        gone = owner.post(f"{page}/active", data={"confirm": "here", "to": "next"}, follow_redirects=True).text
        assert "인계 1건" in gone
        assert "인계하지 못함 2건" in gone
        session.rollback()
        assert [session.get(TrackerItem, item).assignee for item in items] == ["here", "next", "here"]
        assert owner.post(f"{page}/handover", data={"to": ""}).status_code == 422

    def test_a_new_one_time_password_is_shown_once(self, owner, session, rows, clock):
        user_id = rows(lambda: make_user(session, now=clock.now(), username="kim").id)

        assert secret(owner.post(f"/admin/users/{user_id}/password")) is not None
        assert owner.post("/admin/users/987654/password").status_code == 404

    def test_what_goes_beyond_the_own_rights_is_explained_in_the_form(self, browser_client):
        admin = browser_client("manager", ("본관",), permissions=("admins:manage",))
        answer = admin.post("/admin/users/new", data={**USER, "role": "owner"})

        assert answer.status_code == 403
        assert "총괄 관리자 역할을 줄 수 없습니다" in answer.text
        assert 'value="kim"' in answer.text

    def test_the_list_filters_searches_sorts_and_exports_the_same_rows(self, owner, session, rows, clock):
        def make():
            for name, role in (("aaa", "auditor"), ("bbb", "manager"), ("ccc", "auditor")):
                make_user(session, now=clock.now(), username=name, display_name=name, role=role)
            make_user(session, now=clock.now(), username="gone", role="auditor", is_active=False)

        rows(make)
        page = owner.get("/admin/users?role=auditor&state=active&sort=-username")
        assert re.findall(r'class="cell-title"[^>]*>(\w+)<', page.text) == ["ccc", "aaa"]
        lines = owner.get("/admin/users/csv?role=auditor&state=active&sort=-username").text.splitlines()
        assert lines[0].startswith("username,display_name,role,")
        assert [line.split(",")[0] for line in lines[1:]] == ["ccc", "aaa"]
        assert re.findall(r'class="cell-title"[^>]*>(\w+)<', owner.get("/admin/users?q=BB").text) == ["bbb"]

    def test_a_fragment_is_the_very_list_of_the_page(self, owner):
        fragment = owner.get("/admin/users", headers=PARTIAL).text.strip()

        assert fragment.startswith("<section")
        assert fragment in owner.get("/admin/users").text

    def test_formulas_in_names_do_not_reach_a_spreadsheet(self, owner, session, rows, clock):
        rows(lambda: make_user(session, now=clock.now(), username="=1+1", display_name="@cmd"))

        assert "'=1+1,'@cmd," in owner.get("/admin/users/csv").text

    def test_names_are_text_and_never_markup(self, owner, session, rows, clock):
        name = "<script>alert(1)</script>"
        user_id = rows(lambda: make_user(session, now=clock.now(), username=name, display_name=name).id)

        for address in ("/admin/users", f"/admin/users/{user_id}", f"/admin/users/{user_id}/tokens/new"):
            page = owner.get(address).text
            assert "&lt;script&gt;alert" in page
            assert "<script>alert" not in page

    @pytest.mark.parametrize("count", [1, 40])
    def test_the_list_needs_the_same_few_queries_for_any_number_of_users(self, owner, app, session, rows, clock, count):
        rows(lambda: [make_user(session, now=clock.now()) for _ in range(count)])
        with statements() as seen:
            owner.get("/admin/users", headers=PARTIAL)

        assert len([text for text in seen if text.lstrip().upper().startswith("SELECT")]) <= 4


class TestTokens:
    @pytest.fixture
    def kim(self, session, rows, clock):
        def make():
            user = make_user(session, now=clock.now(), username="kim", display_name="김관리", site_scope=("HQ", "본관"))
            make_token(session, user, now=clock.now(), label="ci")
            return user.id

        return rows(make)

    def test_a_token_is_issued_from_the_page_of_its_user_and_works(self, owner, client, kim, session):
        answer = owner.post(
            f"/admin/users/{kim}/tokens/new", data={"label": "nightly", "days": "3", "reach": "some", "sites": "HQ"}
        )
        body = client.get("/api/auth/me", headers={"X-Admin-Token": secret(answer)}).json

        assert (body["token_label"], body["site_scope"]) == ("nightly", ["HQ"])
        assert body["token_expires_at"].startswith("2026-03-05T00:00:00")
        token_id = session.scalar(select(Token.id).where(Token.label == "nightly"))
        assert secret(answer) not in owner.get(f"/admin/tokens/{token_id}").text

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            ({"label": ""}, 422),
            ({"days": "x"}, 422),
            ({"days": "31"}, 400),
            ({"days": "0"}, 422),
            ({"reach": "some"}, 409),
        ],
    )
    def test_a_form_that_will_not_do_comes_back(self, owner, kim, session, fields, status):
        given = {"label": "nightly", "reach": "user", **fields}
        answer = owner.post(f"/admin/users/{kim}/tokens/new", data=given)

        assert answer.status_code == status
        assert "data-error-summary" in answer.text
        session.rollback()
        assert session.scalars(select(Token.label)).all() == ["ci"]

    def test_rotating_shows_the_new_one_and_revoking_ends_it(self, owner, client, kim, session):
        old = session.scalar(select(Token.id))
        fresh = secret(owner.post(f"/admin/tokens/{old}/rotate"))
        assert client.get("/api/auth/me", headers={"X-Admin-Token": fresh}).status_code == 200
        session.rollback()
        new = session.scalar(select(Token.id).where(Token.is_active))

        assert owner.post(f"/admin/tokens/{old}/rotate").status_code == 409
        assert owner.post(f"/admin/tokens/{new}/revoke").status_code == 303
        assert client.get("/api/auth/me", headers={"X-Admin-Token": fresh}).status_code == 401
        assert "직접 폐기함" in owner.get(f"/admin/tokens/{new}").text
        assert owner.get("/admin/tokens/987654").status_code == 404

    def test_the_list_shows_what_works_and_on_request_what_ended(self, owner, kim, session, rows, clock):
        from datetime import timedelta

        def make():
            user = session.get(User, kim)
            make_token(session, user, now=clock.now(), label="late", expires_at=clock.now())
            make_token(session, user, now=clock.now(), label="soon", expires_at=clock.now() + timedelta(days=2))

        rows(make)

        def labels(query):
            return set(re.findall(r'class="cell-title"[^>]*>(\w+)<', owner.get(f"/admin/tokens{query}").text))

        assert labels("") == {"ci", "soon"}
        assert labels("?state=expiring") == {"soon"}
        assert labels("?state=ended") == {"late"}
        assert labels("?all=1") == {"ci", "soon", "late"}
        assert labels("?all=1&user=nobody") == set()
        lines = owner.get("/admin/tokens/csv?state=ended").text.splitlines()
        assert [line.split(",")[:3] for line in lines[1:]] == [["late", "kim", "expired"]]

    def test_own_tokens_are_seen_and_ended_in_the_own_account(self, browser_client, session, rows, clock, kim):
        me = browser_client("auditor", username="lee")
        mine = rows(
            lambda: make_token(
                session, session.scalar(select(User).where(User.username == "lee")), now=clock.now(), label="mine"
            )
        )
        assert mine
        ids = dict(session.execute(select(Token.label, Token.id)).all())
        assert "mine" in me.get("/account").text

        assert me.post(f"/account/tokens/{ids['ci']}/revoke").status_code == 404
        assert me.post(f"/account/tokens/{ids['mine']}/revoke").status_code == 303
        session.rollback()
        assert session.get(Token, ids["mine"]).is_active is False


class TestSites:
    def test_a_site_is_added_changed_and_taken_out_of_use(self, owner, session):
        assert owner.post("/admin/sites/new", data={"name": " 본관 ", "zone": "Asia/Seoul"}).status_code == 303
        site = session.scalar(select(Site))
        assert (site.name, site.zone, site.is_active) == ("본관", "Asia/Seoul", True)
        address = f"/admin/sites/{site.id}"
        session.rollback()

        assert owner.post(address, data={"zone": "Asia/Tokyo", "version": "1"}).status_code == 303
        assert owner.post(address, data={"zone": "Asia/Seoul", "version": "1"}).status_code == 409
        assert owner.post(f"{address}/active").status_code == 303
        assert "사용 중지" in words_of(owner.get("/admin/sites"))
        assert owner.post(f"{address}/active", data={"active": "1"}).status_code == 303
        assert "사용 중지" not in words_of(owner.get("/admin/sites"))
        session.rollback()
        site = session.scalar(select(Site))
        assert (site.zone, site.is_active, site.version) == ("Asia/Tokyo", True, 4)

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            ({"name": ""}, 422),
            ({"name": "*"}, 422),
            ({"name": "A,B"}, 422),
            ({"name": "x" * 121}, 422),
            ({"zone": "Mars/Base"}, 422),
            ({"zone": "../etc/passwd"}, 422),
            ({"name": "BONGWAN"}, 409),
            ({"name": "  bongwan "}, 409),
        ],
    )
    def test_a_site_that_cannot_be_is_explained(self, owner, session, rows, clock, fields, status):
        rows(lambda: make_site(session, "Bongwan", now=clock.now()))
        answer = owner.post("/admin/sites/new", data={"name": "본관", "zone": "Asia/Seoul", **fields})

        assert answer.status_code == status
        assert "data-error-summary" in answer.text
        session.rollback()
        assert session.scalars(select(Site.name)).all() == ["Bongwan"]

    def test_only_somebody_for_all_sites_changes_the_list(self, browser_client, session, rows, clock):
        rows(lambda: [make_site(session, name, now=clock.now()) for name in ("HQ", "본관")])
        local = browser_client("owner", ("HQ",))
        page = local.get("/admin/sites").text

        assert re.findall(r'class="cell-title"[^>]*>(\w+)<', page) == ["HQ"]
        assert "/admin/sites/new" not in page
        assert local.post("/admin/sites/new", data={"name": "별관", "zone": "Asia/Seoul"}).status_code == 403

    def test_the_api_speaks_names(self, api):
        owner = api("owner")
        made = owner.post("/api/admin/sites", json={"name": "본관"})

        assert made.status_code == 201
        assert list(made.json) == ["id", "name", "zone", "is_active", "created_at", "updated_at", "version"]
        site = f"/api/admin/sites/{made.json['id']}"
        assert owner.patch(site, json={"is_active": False, "version": 1}).json["version"] == 2
        assert owner.patch(site, json={"zone": "Asia/Tokyo", "version": 1}).status_code == 409
        assert [one["name"] for one in owner.get("/api/admin/sites").json] == ["본관"]
        assert owner.post("/api/admin/sites", json={"name": "본관"}).json["code"] == "site_exists"


USER_PAGES = ("/admin/users", "/admin/users/1", "/admin/users/csv")


@pytest.mark.parametrize(
    ("role", "address"),
    [(role, address) for role in ("operator", "auditor") for address in USER_PAGES]
    + [(role, address) for role in ("manager", "operator", "auditor") for address in ("/admin/tokens", "/admin/sites")],
)
def test_administration_is_for_administrators(browser_client, role, address):
    answer = browser_client(role).get(address)

    assert answer.status_code == 403
    assert "kaos_" not in answer.text


def test_every_page_of_identity_stands_in_english_too(owner):
    for address in (
        "/account",
        "/account/password",
        "/admin/users",
        "/admin/users/new",
        "/admin/tokens",
        "/admin/sites",
    ):
        page = owner.get(address, headers={"Accept-Language": "en"})
        title = re.search(r"<h1[^>]*>([^<]+)", page.text).group(1)
        assert page.status_code == 200
        assert title.isascii()
