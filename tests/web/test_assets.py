import json

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from console.web import assets
from console.web.assets import AssetsMissingError


@pytest.fixture
def dist(tmp_path):
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "app.K7Q3ZOFT.css").write_text("a{color:red}")
    (tmp_path / "css" / "app.K7Q3ZOFT.css.gz").write_bytes(b"gz")
    (tmp_path / "css" / "app.K7Q3ZOFT.css.br").write_bytes(b"b")
    manifest = {"files": {"css/app.css": "css/app.K7Q3ZOFT.css"}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


@pytest.fixture
def visitor(dist):
    return Client(assets.wrap(Response("from the application", status=404), dist))


def test_a_name_becomes_the_address_of_its_content():
    assert assets.asset_url("vendor/htmx.min.js").startswith("/static/vendor/htmx.min.")


def test_an_unknown_name_says_what_to_do():
    with pytest.raises(AssetsMissingError, match=r"No static file 'css/gone\.css': .* `make setup`"):
        assets.asset_url("css/gone.css")


def test_a_checkout_without_built_files_says_what_to_do(tmp_path):
    with pytest.raises(AssetsMissingError, match="not built: run `make setup`"):
        assets.manifest(tmp_path)


@pytest.mark.parametrize(
    ("accepted", "encoding", "body"), [("br, gzip", "br", b"b"), ("gzip", "gzip", b"gz"), ("", None, b"a{color:red}")]
)
def test_a_file_comes_compressed_and_for_ever(visitor, accepted, encoding, body):
    with visitor.get("/static/css/app.K7Q3ZOFT.css", headers={"Accept-Encoding": accepted}) as answer:
        content = answer.data

    assert content == body
    assert answer.headers.get("Content-Encoding") == encoding
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_everything_else_goes_to_the_application(visitor):
    assert visitor.get("/static/css/gone.css").text == "from the application"
    assert visitor.get("/health").text == "from the application"


def test_a_file_is_only_read(visitor):
    assert visitor.post("/static/css/app.K7Q3ZOFT.css").status_code == 405


def test_nothing_built_leaves_the_application_as_it_is(tmp_path):
    app = Response("from the application")

    assert assets.wrap(app, tmp_path / "gone") is app
