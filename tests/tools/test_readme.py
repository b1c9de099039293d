from tools.readme import README, updated


def test_the_table_of_settings_in_the_readme_is_current():
    text = README.read_text("utf-8")

    assert updated(text) == text
