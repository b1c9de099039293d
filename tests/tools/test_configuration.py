from tools.configuration import DOCUMENT, updated


def test_the_table_of_settings_is_current():
    text = DOCUMENT.read_text("utf-8")

    assert updated(text) == text
