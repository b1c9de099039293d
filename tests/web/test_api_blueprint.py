"""Routes of the API work from the start; what the OpenAPI document says of them is made when somebody asks."""

import subprocess
import sys

from flask_openapi3.models.info import Info
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel

from console.web.api_blueprint import ApiBlueprint, DescribedLater


class ThingOut(BaseModel):
    name: str


class ThingQuery(BaseModel):
    size: int = 1


def _application():
    api = ApiBlueprint("things", __name__, abp_tags=[Tag(name="things", description="Things")])

    @api.get("/things", responses={200: ThingOut})
    def things(query: ThingQuery):
        """Return a thing."""
        return {"name": "x" * query.size}

    app = DescribedLater(__name__, info=Info(title="Things", version="1"), doc_ui=False)
    app.register_api(api)
    return app, api


def test_a_route_answers_and_checks_its_input_without_a_description():
    app, api = _application()
    client = app.test_client()

    assert client.get("/things?size=3").json == {"name": "xxx"}
    assert client.get("/things?size=many").status_code == 422
    assert (api.paths, api.components_schemas) == ({}, {})


def test_the_document_describes_every_route_once_for_every_application():
    app, api = _application()
    other = DescribedLater(__name__, info=Info(title="Others", version="1"), doc_ui=False)
    other.register_api(api)

    for one in (app, other):
        document = one.api_doc
        assert document["paths"]["/things"]["get"]["summary"] == "Return a thing."
        assert [tag["name"] for tag in document["tags"]] == ["things"]
        assert "ThingOut" in document["components"]["schemas"]


def test_the_start_describes_nothing():
    """In a process of its own: in this one somebody may have asked for the document."""
    code = (
        "from console import create_app; from console.core.config import Config; "
        "app = create_app(Config.for_tests()); "
        "assert app.view_functions and not app.paths and not app.components_schemas"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
