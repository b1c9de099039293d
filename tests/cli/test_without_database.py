"""Commands on a database without tables: one sentence, no traceback, and never the exit code of a verdict."""

import pytest

from console import create_app


@pytest.fixture
def invoke(config, tmp_path):
    """Run a command of an application whose database is an empty file."""
    app = create_app(config.replaced(DATABASE_URL=f"sqlite:///{tmp_path / 'empty.db'}"))
    return lambda *words: app.test_cli_runner().invoke(args=list(words))


@pytest.mark.parametrize(
    ("words", "code", "start"),
    [
        (("audit", "verify"), 2, "Error: "),
        (("audit", "archive"), 2, "Error: "),
        (("gate", "check"), 3, "UNDECIDED: "),
        (("owner", "ensure"), 1, "Error: "),
        (("token", "issue", "head"), 1, "Error: "),
        (("job", "run", "ops_governance_gate"), 1, "Error: "),
        (("demo", "seed"), 1, "Error: "),
    ],
)
def test_it_is_said_in_one_sentence(invoke, words, code, start):
    result = invoke(*words)

    assert result.exit_code == code
    (sentence,) = [line for line in result.stderr.splitlines() if not line.startswith("{")]
    assert sentence.startswith(f"{start}The database cannot be used: no such table")
