import gzip
import json
import re
from pathlib import Path

import brotli
import pytest

from tools import assets, vendor
from tools.node import SetupError


@pytest.fixture
def static(tmp_path):
    """A little static folder: write(name, text) and the finished build of it."""
    files: dict[str, Path] = {}

    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        files[name] = path

    write.build = lambda: assets.Build(files, used=set())
    return write


def test_a_name_follows_the_content(static):
    static("css/app.css", "a{color:red}")
    before = static.build().add("css/app.css")
    static("css/app.css", "a{color:blue}")

    after = static.build().add("css/app.css")

    assert before != after
    assert re.fullmatch(r"css/app\.[0-9a-f]{12}\.css", after)


def test_references_lead_to_hashed_names(static):
    static("js/app.js", 'import { toast } from "./parts/toast.js";\nimport("./late.js");\n')
    static("js/parts/toast.js", 'import "../late.js"; export const toast = 1;')
    static("js/late.js", "export {};")
    build = static.build()

    script = build.contents[build.add("js/app.js")].decode()

    assert f'from "./{build.names["js/parts/toast.js"].removeprefix("js/")}"' in script
    assert f'import("./{build.names["js/late.js"].removeprefix("js/")}")' in script
    assert b"../late." in build.contents[build.names["js/parts/toast.js"]]


def test_a_change_in_a_dependency_changes_the_name_of_what_uses_it(static):
    static("css/app.css", "@font-face{src:url('../img/a.svg')}")
    static("img/a.svg", "<svg/>")
    before = static.build().add("css/app.css")
    static("img/a.svg", "<svg></svg>")

    assert static.build().add("css/app.css") != before


@pytest.mark.parametrize(
    ("name", "text"),
    [("css/app.css", "a{background:url(gone.svg)}"), ("js/app.js", 'import "./gone.js";')],
)
def test_a_reference_to_nothing_stops_the_build(static, name, text):
    static(name, text)

    with pytest.raises(SetupError, match="refers to .*gone.*, which does not exist"):
        static.build().add(name)


def test_a_circle_stops_the_build(static):
    static("js/a.js", 'import "./b.js";')
    static("js/b.js", 'import "./a.js";')

    with pytest.raises(SetupError, match="circle"):
        static.build().add("js/a.js")


def test_data_addresses_are_left_alone(static):
    static("css/app.css", 'a{background:url("data:image/svg+xml,%3csvg/%3e")}b{fill:url(#x)}')
    build = static.build()

    css = build.contents[build.add("css/app.css")].decode()

    assert 'url("data:image/svg+xml,%3csvg/%3e")' in css
    assert "url(#x)" in css


def test_the_built_files_are_complete():
    names = json.loads(assets.MANIFEST.read_text(encoding="utf-8"))["files"]

    assert {"vendor/htmx.min.js", "vendor/tabler.css", "vendor/pretendard.css", "vendor/icons.svg"} <= set(names)
    for hashed in names.values():
        plain = (assets.DIST / hashed).read_bytes()
        if hashed.endswith(assets.TEXT):
            assert brotli.decompress((assets.DIST / f"{hashed}.br").read_bytes()) == plain
            assert gzip.decompress((assets.DIST / f"{hashed}.gz").read_bytes()) == plain


def test_a_first_visit_costs_at_most_a_hundred_kilobytes():
    names = json.loads(assets.MANIFEST.read_text(encoding="utf-8"))["files"].values()
    compressed = {name: (assets.DIST / f"{name}.gz").stat().st_size for name in names if name.endswith(assets.TEXT)}

    assert sum(compressed.values()) <= 100_000, compressed


def test_nothing_to_do_is_noticed():
    assert assets.build() is False


def test_the_sprite_holds_every_icon_of_the_list_once():
    sprite = (vendor.VENDOR / "icons.svg").read_text(encoding="utf-8")
    ids = re.findall(r'<symbol id="([^"]+)"', sprite)

    assert ids == [name.replace("/", "-") for name in vendor.icon_names()]
    assert 'style="' not in sprite


def test_an_unknown_icon_stops_the_build():
    with pytest.raises(SetupError, match=r"no-such-icon\.svg is missing"):
        vendor.sprite(["no-such-icon"])
