import pytest

from tools import stylesheet

SHEET = """@charset "UTF-8";/*! Base, MIT */
:root{--b-used:#fff;--b-chained:var(--b-used);--b-unused:#000}
body{color:var(--b-chained)}
.card{padding:1rem}.card-table{margin:0}
.btn,.badge{border:0}
.btn:not(.disabled):hover{opacity:1}
:is(.menu,.sheet) a{color:red}
.icon{background:url("data:image/svg+xml,%3csvg xmlns='http://www.w3.org/2000/svg' fill='%23fff;}'%3e%3c/svg%3e")}
@media (min-width:768px){.card{padding:2rem}.d-md-none{display:none}}
@media print{.no-print{display:none}}
@keyframes spin{to{transform:rotate(1turn)}}@keyframes pulse{50%{opacity:.5}}
.spinner{animation:1s linear infinite spin}
"""


def test_only_rules_of_used_classes_stay():
    css = stylesheet.prune(SHEET, {"card", "btn", "icon"})

    assert ".card{padding:1rem}" in css
    assert ".btn{border:0}" in css
    assert ".btn:not(.disabled):hover" in css
    assert "@media (min-width:768px){.card{padding:2rem}}" in css
    for gone in ("card-table", "badge", "d-md-none", "print", "spin", "pulse"):
        assert gone not in css


def test_rules_without_a_required_class_stay():
    css = stylesheet.prune(SHEET, set())

    assert "body{color:var(--b-chained)}" in css
    assert ":is(.menu,.sheet) a{color:red}" in css


def test_custom_properties_stay_while_something_reads_them():
    css = stylesheet.prune(SHEET, set())

    assert "--b-used" in css
    assert "--b-chained" in css
    assert "--b-unused" not in css


def test_what_our_own_files_read_stays():
    css = stylesheet.prune(SHEET, set(), [".own{color:var(--b-unused);animation:pulse 1s}"])

    assert "--b-unused:#000" in css
    assert "@keyframes pulse{50%{opacity:.5}}" in css


def test_key_frames_stay_with_the_rule_that_runs_them():
    css = stylesheet.prune(SHEET, {"spinner"})

    assert "@keyframes spin{" in css
    assert "pulse" not in css


def test_the_licence_and_strings_with_braces_survive():
    css = stylesheet.prune(SHEET, {"icon"})

    assert "/*! Base, MIT */" in css
    assert "fill='%23fff;}'" in css


def test_words_know_names_that_are_no_identifiers():
    found = stylesheet.words(["<div class=\"w-1/2 card-{{ tone }}\" data-x='d-md-none'>"])

    assert {"w-1/2", "card-", "d-md-none"} <= found


def test_classes_are_read_from_selectors_only():
    assert stylesheet.class_names(".a .b-c:hover,.w-1\\/2>p{margin:.5rem}@media print{.d{top:1.5em}}") == {
        "a",
        "b-c",
        "w-1/2",
        "d",
    }


@pytest.mark.parametrize("broken", ["a{color:red", "a{color:red}}", "a{b{color:red}}"])
def test_a_broken_style_sheet_is_refused(broken):
    with pytest.raises(ValueError, match="character|closed|early"):
        stylesheet.parse(broken)


def test_squeezing_keeps_strings_and_what_white_space_means():
    css = stylesheet.squeeze('/* why */ .a , .b {\n  margin: calc(1px + 2px) ;\n  content: "x ;  y" ;\n}\n/*! keep */')

    assert css == '.a,.b{margin: calc(1px + 2px);content: "x ;  y"}/*! keep */\n'
