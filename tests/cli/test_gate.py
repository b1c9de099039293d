"""`flask gate check`: what it prints, what it keeps, and its four exit codes."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from console.models.audit import AuditLog
from console.models.jobs import JobRun
from console.services.gate import gate
from console.services.runbook import preflight
from console.web.extensions import db
from tests.services.gate.test_gate import add_run


@pytest.fixture
def invoke(app):
    return lambda *words: app.test_cli_runner().invoke(args=["gate", "check", *words])


@pytest.fixture
def go(ctx):
    """Facts for GO with one accepted warning: no deploy smoke test yet."""
    add_run(ctx, gate.DAILY_CHECK)
    add_run(ctx, gate.DR_REHEARSAL, detail_json={"restore_valid": True})
    add_run(ctx, gate.WEEKLY_REPORT)
    ctx.session.commit()


def test_no_go_is_1_and_says_why(invoke):
    result = invoke()

    assert result.exit_code == 1
    assert result.stdout.startswith("NO-GO: 3 of 7 rules pass\n  The weighted score of 47.5 % is below 75")
    assert "warning daily_check_recent: No daily check has run yet." in result.stdout


@pytest.mark.usefixtures("go")
@pytest.mark.parametrize(("words", "code"), [((), 0), (("--strict",), 2)])
def test_go_with_warnings_depends_on_how_strict_one_is(invoke, words, code):
    result = invoke(*words)

    assert result.exit_code == code
    assert result.stdout.startswith("GO: 6 of 7 rules pass")


def test_the_whole_verdict_as_json(invoke):
    verdict = json.loads(invoke("--json").stdout)

    assert verdict["decision"] == "no_go"
    assert len(verdict["rules"]) == 7


def test_checking_keeps_nothing_and_running_keeps_the_verdict(invoke, session):
    invoke()
    assert session.scalar(select(func.count()).select_from(JobRun)) == 0
    session.rollback()

    told = json.loads(invoke("--run", "--json").stdout)

    row = session.scalars(select(JobRun)).one()
    assert (row.id, row.trigger, row.status, row.executed) == (told["run_id"], "manual", "critical", True)
    assert row.detail_json["decision"] == "no_go"
    assert session.scalar(select(func.count()).select_from(AuditLog)) == 0


def test_a_gate_that_cannot_be_judged_is_3(invoke, monkeypatch):
    def broken(_ctx):
        raise OSError("disk on fire")

    monkeypatch.setattr(preflight, "facts", broken)

    result = invoke()
    assert result.exit_code == 3
    assert "UNDECIDED" in result.stderr
    assert invoke("--run").exit_code == 3


def test_a_run_that_breaks_off_is_no_verdict(invoke, make_ctx, monkeypatch, clock):
    invoke("--run")
    clock.advance(timedelta(hours=1))
    monkeypatch.setattr(preflight, "facts", lambda _ctx: 1 / 0)
    invoke("--run")

    ctx = make_ctx()
    assert gate.latest(ctx).decision == "no_go"
    assert gate.history(ctx).total == 1


def test_a_database_that_is_away_is_3(make_app, tmp_path):
    app = make_app(DATABASE_URL=f"sqlite:///{tmp_path}/empty.db")

    result = app.test_cli_runner().invoke(args=["gate", "check"])
    with app.app_context():
        db.engine.dispose()

    assert result.exit_code == 3


def test_a_misspelt_option_is_no_verdict(invoke):
    assert invoke("--stritc").exit_code == 3


@pytest.fixture
def exported(invoke, tmp_path):
    """Return `exported(**changes)`: a file with the verdict of this moment."""

    def write(**changes):
        file = tmp_path / "snapshot.json"
        file.write_text(json.dumps(json.loads(invoke("--json").stdout) | changes))
        return str(file)

    return write


def test_an_exported_verdict_is_decided_with_its_cheapest_actions(invoke, exported):
    result = invoke("--offline", exported())

    assert result.exit_code == 1
    assert result.stdout.startswith("NO-GO: 3 of 7 rules pass")
    assert [line.split(" (")[0] for line in result.stdout.splitlines()[-3:]] == [
        "Cheapest actions to GO:", "  1. daily_check_recent", "  2. dr_restore_valid_recent",
    ]  # fmt: skip


@pytest.mark.usefixtures("go")
@pytest.mark.parametrize(("words", "code"), [((), 0), (("--strict",), 2)])
def test_an_exported_go_needs_nothing(invoke, exported, words, code):
    result = invoke("--offline", exported(), *words)

    assert (result.exit_code, "Cheapest" in result.stdout) == (code, False)


def test_an_exported_verdict_as_json_has_its_actions(invoke, exported):
    told = json.loads(invoke("--offline", exported(), "--json").stdout)

    assert told["decision"] == "no_go"
    assert told["cheapest_actions"][0]["rule_id"] == "daily_check_recent"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"decision": "go"}, "but its rules make it 'no_go'"), ({"rules": []}, "each once"),
        ({"rules": None}, "no rules"), ({"policy": {}}, "no usable allow_warning"),
        ({"generated_at": "soon"}, "when it was judged"),
    ],
)  # fmt: skip
def test_an_export_that_contradicts_itself_is_undecided(invoke, exported, changes, said):
    result = invoke("--offline", exported(**changes))

    assert (result.exit_code, said in result.stderr, result.stdout) == (3, True, "")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_file_that_is_no_export_is_undecided(invoke, tmp_path, content):
    file = tmp_path / "snapshot.json"
    file.write_bytes(content)

    assert invoke("--offline", str(file)).exit_code == 3


def test_an_export_is_not_kept(invoke, exported):
    assert invoke("--offline", exported(), "--run").exit_code == 3
    assert invoke("--offline", "nowhere.json").exit_code == 3
