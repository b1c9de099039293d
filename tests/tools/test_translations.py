import pytest

from tools import translations


@pytest.fixture
def fragment(tmp_path, monkeypatch):
    """Write fragments of a language into a folder of their own."""
    monkeypatch.setattr(translations, "FOLDER", tmp_path)
    monkeypatch.setattr(translations, "ROOT", tmp_path)

    def write(name: str, *pairs: tuple[str, str], language: str = "ko") -> None:
        folder = tmp_path / language
        folder.mkdir(exist_ok=True)
        entries = (f'msgid "{msgid}"\nmsgstr "{msgstr}"\n' for msgid, msgstr in pairs)
        (folder / f"{name}.po").write_text("\n".join(entries), encoding="utf-8")

    return write


def test_fragments_become_one_catalogue(fragment):
    fragment("board", ("Assign", "배정"))
    fragment("gate", ("Run", "실행"))

    whole = translations.merged("ko")

    assert whole["Assign"].string == "배정"
    assert whole["Run"].string == "실행"


def test_compiling_happens_once_per_change(fragment):
    fragment("board", ("Assign", "배정"))

    assert translations.compile_all() == ["ko"]
    assert translations.compile_all() == []

    fragment("board", ("Assign", "담당 지정"))
    assert translations.compile_all() == ["ko"]


def test_two_fragments_that_disagree_are_named(fragment):
    fragment("board", ("Run", "실행"))
    fragment("gate", ("Run", "판정 실행"))

    (problem,) = translations.contradictions("ko")

    assert "board.po" in problem
    assert "gate.po" in problem


def test_saying_the_same_twice_is_no_contradiction(fragment):
    fragment("board", ("Run", "실행"))
    fragment("gate", ("Run", "실행"))

    assert translations.contradictions("ko") == []


@pytest.mark.parametrize(
    ("msgid", "msgstr", "fits"),
    [
        ("%(count)s late", "%(count)s건 지남", True),
        ("%(count)s late", "지남", False),
        ("%(count)s late", "%(number)s건 지남", False),
        ("%(done)s of %(all)s", "전체 %(all)s 중 %(done)s", True),
        ("100% done", "100% 완료", True),
    ],
)
def test_placeholders_must_be_those_of_the_text(fragment, msgid, msgstr, fits):
    fragment("board", (msgid, msgstr))

    assert (translations.mismatches("ko") == []) is fits


def test_a_text_without_translation_is_missing(fragment, monkeypatch):
    fragment("board", ("Assign", "배정"), ("Run", ""))
    found = [translations.Found("a.html:1", text) for text in ("Assign", "Run", "Stop")]
    monkeypatch.setattr(translations, "texts", lambda: iter(found))

    assert translations.missing("ko") == ["a.html:1: 'Run'", "a.html:1: 'Stop'"]


def test_a_broken_fragment_is_named(fragment, tmp_path):
    fragment("board", ("Assign", "배정"))
    (tmp_path / "ko" / "board.po").write_text('msgid "Assign"\nmsgid "Run"\n', encoding="utf-8")

    with pytest.raises(ValueError, match=r"ko/board\.po"):
        translations.merged("ko")
