import pytest

from console.blueprints.public.api_docs import readers
from console.blueprints.public.openapi_rows import operations, type_words
from console.core.config import Config


def test_every_route_of_the_api_is_in_the_document_and_on_the_page(app, client):
    document = client.get("/openapi.json").json
    page = client.get("/api/docs").text

    assert document["openapi"].startswith("3.1")
    for path in document["paths"]:
        assert f'<code class="operation-path">{path}</code>' in page


def test_the_page_loads_nothing_from_elsewhere_and_keeps_the_policy(client):
    response = client.get("/api/docs")

    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert "http://" not in response.text
    assert "https://" not in response.text


@pytest.mark.parametrize(
    ("settings", "who"),
    [
        ({}, "public"),
        ({"ENV": "production"}, "owner"),
        ({"ENV": "production", "API_DOCS": "public"}, "public"),
        ({"API_DOCS": "off"}, "off"),
    ],
)
def test_production_keeps_the_documents_to_owners_unless_told_otherwise(settings, who):
    assert readers(Config.for_tests(**settings)) == who


@pytest.mark.parametrize(("setting", "status"), [("public", 200), ("owner", 401), ("off", 404)])
def test_the_setting_says_what_a_stranger_gets(make_app, setting, status):
    client = make_app(API_DOCS=setting).test_client()

    assert client.get("/openapi.json").status_code == status
    assert client.get("/api/docs").status_code == status


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("manager", 403)])
def test_only_owners_read_what_is_kept_to_owners(make_app, session, clock, role, status):
    from tests.factories import make_token, make_user

    user = make_user(session, now=clock.now(), role=role)
    token = make_token(session, user, now=clock.now())
    session.commit()
    client = make_app(API_DOCS="owner").test_client()

    assert client.get("/openapi.json", headers={"X-Admin-Token": token}).status_code == status


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer"}, "integer"),
        ({"$ref": "#/components/schemas/UserOut"}, "UserOut"),
        ({"type": "array", "items": {"$ref": "#/x/UserOut"}}, "array of UserOut"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"enum": ["a", "b"]}, "a | b"),
        ({"const": "x"}, "x"),
        ({}, "any"),
    ],
)
def test_types_are_said_in_words(schema, words):
    assert type_words(schema, {}) == words


def test_bounds_are_said():
    schema = {"type": "integer", "minimum": 1.0, "maximum": 200, "default": 50}
    parameter = {"name": "limit", "in": "query", "schema": schema}
    document = {"paths": {"/api/x": {"get": {"summary": "X", "parameters": [parameter], "responses": {}}}}}

    ((_tag, (operation,)),) = operations(document)

    assert operation.parameters[0].note == "≥ 1; ≤ 200; default 50"
