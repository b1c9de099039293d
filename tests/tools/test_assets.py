import gzip
import json
import re

import brotli
import pytest

from console.web.assets import HASHED_NAME
from tools import assets, vendor
from tools.node import SetupError


@pytest.fixture
def static(tmp_path):
    """A little static folder: write(name, text), and what the bundler makes of the files named."""
    folder, out = tmp_path / "static", tmp_path / "out"

    def write(name: str, text: str) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def bundle(*names: str, used: str = "") -> tuple[dict[str, str], dict[str, str]]:
        files = assets.bundle(folder, out, list(names), set(used.split()))
        return files, {name: (out / hashed).read_text(encoding="utf-8") for name, hashed in files.items()}

    write.bundle = bundle
    return write


@pytest.fixture
def cut(static):
    """What stays of a base style sheet for the words used and, if given, a style sheet of ours."""

    def bundle(base: str, used: str = "", own: str = "") -> str:
        static("vendor/tabler.css", base)
        static("css/own.css", own)
        return static.bundle("vendor/tabler.css", used=used)[1]["vendor/tabler.css"]

    return bundle


def test_a_name_follows_the_content(static):
    static("css/app.css", "a{color:red}")
    before = static.bundle("css/app.css")[0]
    static("css/app.css", "a{color:blue}")

    after = static.bundle("css/app.css")[0]

    assert before != after
    assert re.search(HASHED_NAME, after["css/app.css"])


def test_the_same_sources_give_the_same_names(static):
    static("js/app.js", 'import { toast } from "./toast.js"; toast();')
    static("js/board.js", 'import { toast } from "./toast.js"; toast(1);')
    static("js/toast.js", "export function toast(count) { console.log(count); }")

    assert static.bundle("js/app.js", "js/board.js") == static.bundle("js/app.js", "js/board.js")


def test_what_two_scripts_import_is_fetched_and_run_once(static):
    static("js/app.js", 'import { toast } from "./parts/toast.js"; toast("app");')
    static("js/board.js", 'import { toast } from "./parts/toast.js"; toast("board");')
    static("js/parts/toast.js", 'const shown = ["the only one"]; export const toast = (name) => shown.push(name);')

    files, contents = static.bundle("js/app.js", "js/board.js")

    (chunk,) = set(files) - {"js/app.js", "js/board.js"}
    assert f'from"./{files[chunk].removeprefix("js/")}"' in contents["js/app.js"]
    assert f'from"./{files[chunk].removeprefix("js/")}"' in contents["js/board.js"]
    assert [name for name, text in contents.items() if "the only one" in text] == [chunk]


def test_a_change_in_a_dependency_changes_the_name_of_what_uses_it(static):
    static("css/app.css", "a{background:url('../img/a.svg')}")
    static("img/a.svg", "<svg/>")
    before = static.bundle("css/app.css")[0]
    static("img/a.svg", "<svg></svg>")

    after, contents = static.bundle("css/app.css")

    assert after["css/app.css"] != before["css/app.css"]
    assert f"../{after['img/a.svg']}" in contents["css/app.css"]
    assert contents["img/a.svg"] == "<svg></svg>"


@pytest.mark.parametrize(
    ("name", "text", "blame"),
    [
        ("css/app.css", "a{background:url(gone.svg)}", "gone.svg"),
        ("js/app.js", '\nimport "./gone.js";', "gone.js"),
        ("css/app.css", "a{color:red", "Expected"),
        ("css/app.css", "a{color:red}}", "Unexpected"),
        ("css/app.css", 'a{content:"x\n}', "Unterminated"),
        ("js/app.js", "const = 1;", "Expected"),
        ("vendor/tabler.css", "a{color:red", "Unclosed"),
    ],
)
def test_a_broken_file_stops_the_build_with_one_sentence(static, name, text, blame):
    static(name, text)

    with pytest.raises(SetupError) as stopped:
        static.bundle(name)

    assert re.fullmatch(rf"The static files could not be built \({name}:[12]:.*{blame}.*\)\.", str(stopped.value))


def test_data_addresses_are_left_alone(static):
    static("css/app.css", 'a{background:url("data:image/svg+xml,%3csvg/%3e")}b{fill:url(#x)}')

    css = static.bundle("css/app.css")[1]["css/app.css"]

    assert "data:image/svg+xml,%3csvg/%3e" in css
    assert "url(#x)" in css


def test_a_style_sheet_of_ours_is_minified_and_strings_stay(static):
    static("css/app.css", '/* why */ .a , .b {\n  margin: calc(1px + 2em) ;\n  content: "x ;  y" ;\n}\n/*! keep */')

    css = static.bundle("css/app.css")[1]["css/app.css"]

    assert '.a,.b{margin:calc(1px + 2em);content:"x ;  y"}' in css
    assert "/*! keep */" in css
    assert "why" not in css


def test_nested_rules_are_written_out_for_browsers_that_do_not_know_them(static):
    static("css/app.css", ".card { color: red; &:hover { color: blue } .icon { margin: 0 } @media print { top: 0 } }")

    css = static.bundle("css/app.css")[1]["css/app.css"]

    assert css.strip() == (".card{color:red}.card:hover{color:#00f}.card .icon{margin:0}@media print{.card{top:0}}")


def test_scripts_of_packages_stay_as_they_are(static):
    static("vendor/tool.min.js", "var tool = 1 ;\n//# sourceMappingURL=tool.min.js.map\n")

    assert static.bundle("vendor/tool.min.js")[1]["vendor/tool.min.js"].strip() == "var tool = 1 ;"


@pytest.mark.parametrize(
    ("base", "used", "stays"),
    [
        (".card{top:0}.card-table{top:1px}", "card", ".card{top:0}"),
        (".btn,.badge{top:0}", "btn", ".btn{top:0}"),
        (".btn:not(.disabled):hover{top:0}", "btn", ".btn:not(.disabled):hover{top:0}"),
        (".btn:not(.disabled):hover{top:0}", "disabled", ""),
        (":is(.menu,.sheet) a{top:0}", "menu a", ":is(.menu) a{top:0}"),
        (":is(.menu,.sheet) a{top:0}", "a", ""),
        (".card:has(.badge){top:0}", "card", ".card:has(.badge){top:0}"),
        ("@media print{.card{top:0}.badge{top:0}}", "card", "@media print{.card{top:0}}"),
        ("@media print{.no-print{top:0}}", "card", ""),
        ("@supports (top:0){@media print{.card{top:0}.badge{top:0}}}", "card", "@media print{.card{top:0}}"),
        (".card{top:0;&:hover{top:1px}.badge{top:2px}}", "card", ".card{top:0}.card:hover{top:1px}"),
        (".card{&.badge{top:0}>.icon{top:1px}}", "card icon", ".card>.icon{top:1px}"),
        ("body{top:0}sup{top:1px}", "body", "body{top:0}"),
        ("input[type=radio]{top:0}", "input", "input[type=radio]{top:0}"),
        ("::selection{top:0}:focus-visible{top:1px}", "", "::selection{top:0}:focus-visible{top:1px}"),
        ('.a{content:"} .badge{"}.badge{top:0}', "a", '.a{content:"} .badge{"}'),
        (".a{background:url(\"data:image/svg+xml,%3csvg fill='%23fff;}'/%3e\")}", "a", "fill='%23fff;}'"),
    ],
)
def test_of_the_base_style_sheet_stays_what_can_match(cut, base, used, stays):
    css = cut(base, used).strip()

    assert stays in css
    assert bool(stays) == bool(css)
    assert not re.search(r"\.(badge|card-table|sheet)\b(?!\{\"|\))", css)


def test_custom_properties_stay_while_something_reads_them(cut):
    base = ":root{--b-used:red;--b-chained:var(--b-used);--b-unused:tan}body{color:var(--b-chained)}"

    css = cut(base, "body")

    assert "--b-used:red" in css
    assert "--b-chained:" in css
    assert "--b-unused" not in css


def test_what_our_own_files_read_stays(cut):
    base = ":root{--b-a:red;--b-b:var(--b-a);--b-c:tan}@keyframes pulse{50%{top:0}}@keyframes spin{to{top:0}}"

    css = cut(base, own=".own{color:var(--b-b);animation:pulse 1s}")

    assert "--b-a:red" in css
    assert "--b-b:" in css
    assert "--b-c" not in css
    assert "@keyframes pulse" in css
    assert "spin" not in css


def test_key_frames_stay_with_the_rule_that_runs_them(cut):
    css = cut("@keyframes spin{to{top:0}}@keyframes pulse{to{top:1px}}.spinner{animation:1s infinite spin}", "spinner")

    assert "@keyframes spin" in css
    assert "pulse" not in css


def test_the_licence_of_the_base_style_sheet_survives(cut):
    assert "/*! Base, MIT */" in cut('@charset "UTF-8";/*! Base, MIT */.card{top:0}', "card")


def test_words_are_what_could_be_a_name(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<div class=\"w-50 card-{{ tone }}\" data-x='d-md-none'>var(--b-used)", encoding="utf-8")

    assert {"div", "class", "w-50", "card-", "data-x", "d-md-none", "--b-used"} <= assets.words([page])


def test_pages_ask_for_style_sheets_pictures_and_the_named_scripts():
    names = assets.entries(["css/a.css", "img/a.svg", "js/app.js", "js/dom.js", "vendor/a.js", "vendor/fonts/a.woff2"])

    assert names == ["css/a.css", "img/a.svg", "js/app.js", "vendor/a.js"]


def test_every_property_of_the_base_style_sheet_that_is_read_is_there():
    names = json.loads(assets.MANIFEST.read_text(encoding="utf-8"))["files"].values()
    built = "".join((assets.DIST / name).read_text(encoding="utf-8") for name in names if name.endswith(".css"))
    base = (vendor.VENDOR / "tabler.css").read_text(encoding="utf-8")
    offered = set(re.findall(r"(--[\w-]+)\s*:", "".join(re.findall(r":root[^{}]*\{([^{}]*)\}", base))))

    read = set(re.findall(r"var\(\s*(--[\w-]+)", built)) & offered

    assert read
    assert read - set(re.findall(r"(--[\w-]+)\s*:", built)) == set()


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
