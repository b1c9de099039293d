import pytest
from sqlalchemy import select

from console.blueprints.public.modules import MODULES
from console.models.identity import User
from console.services.home import saved_views as views
from tests.support.statements import statements

HTML = {"Accept": "text/html"}


def test_health_touches_neither_database_nor_redis(app, client):
    with statements() as asked:
        assert client.get("/health").json == {"status": "ok"}

    assert asked == []


def test_meta_names_environment_and_database(client, backend):
    assert client.get("/meta").json == {"env": "test", "db": backend}


def test_readiness_says_what_is_missing_with_503(client):
    response = client.get("/ready")

    assert response.status_code == 503
    assert response.json == {
        "status": "unavailable",
        "checks": {"database": "ok", "migrations": "absent", "redis": "absent"},
    }


def test_the_door_tells_programs_what_there_is(client):
    response = client.get("/")

    assert response.json["service"] == "ka-facility-os"
    assert response.json == client.get("/api/service-info").json
    assert "Accept" in response.headers["Vary"]


def test_the_door_sends_strangers_to_the_sign_in(client):
    response = client.get("/", headers=HTML)

    assert (response.status_code, response.headers["Location"]) == (303, "/sign-in")


def test_the_door_leads_people_to_their_start_page(browser_client, session):
    person = browser_client("manager")
    assert person.get("/", headers=HTML).headers["Location"] == "/overview"

    person.post("/views", data={"list": "board", "name": "아침", "address": "/my-work?show=claimable"})
    person.post("/views/1", data={"action": "start"})

    assert person.get("/", headers=HTML).headers["Location"] == "/my-work?show=claimable"


def test_a_start_page_that_was_closed_meanwhile_is_passed_over(browser_client, session, make_ctx):
    person = browser_client("operator", username="lee")
    user_id = session.scalar(select(User.id).where(User.username == "lee"))
    ctx = make_ctx("operator", user_id=user_id, username="lee")
    view = views.save(ctx, list_name="users", name="x", address="/admin/users")
    views.make_start(ctx, view.id)
    session.commit()

    assert person.get("/", headers=HTML).headers["Location"] == "/overview"


@pytest.mark.parametrize("published", ["/docs", "/web/console"])
def test_the_published_addresses_of_the_documents_lead_there(client, published):
    assert client.get(published).headers["Location"] == "/api/docs"


def test_the_modules_are_listed_in_their_published_form(client):
    body = client.get("/api/public/modules").get_json()

    assert {key: body[key] for key in ("title", "published_on", "public", "main_page", "console_html")} == {
        "title": "KA Facility OS",
        "published_on": "2026-02-27",
        "public": True,
        "main_page": "/",
        "console_html": "/web/console",
    }
    ids = [module["id"] for module in body["modules"]]
    assert ids == [id_ for id_, *_ in MODULES if id_ in ids]
    assert {"sla-alerts", "rbac-governance", "kpi-operations", "operations-efficiency"} <= set(ids)
    for module in body["modules"]:
        assert list(module) == ["id", "name", "name_ko", "description", "kpi_hint", "links"]
        assert module["links"]
        assert all(link["href"].startswith("/") for link in module["links"])


@pytest.mark.parametrize("path", ["/health", "/meta", "/ready", "/api/service-info", "/api/public/modules"])
def test_open_addresses_need_no_credential_and_mind_none(client, path):
    wrong = client.get(path, headers={"X-Admin-Token": "nonsense"})

    assert wrong.status_code == client.get(path).status_code
    assert wrong.mimetype == "application/json"
