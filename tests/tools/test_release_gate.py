"""The release gate as one command: its stages, its words for pipelines, and what it does when something fails."""

import json
import xml.etree.ElementTree as ET

import pytest

from tests.deploy.test_verify import at, honest, liar
from tools import release_gate
from tools.release_gate import Bad, Gate, compiled, junit, run_tests

ANSWERS = {
    "/": {"service": "ka-facility-os"},
    "/api/public/modules": {"title": "KA Facility OS"},
    "/api/service-info": {"service": "ka-facility-os"},
    "/api/ops/runbook/checks": {"overall_status": "ok", "checks": [{"id": "a", "status": "ok"}]},
    "/api/ops/security/posture": {"env": "test", "rate_limit": {"active_backend": "memory"}},
}


def gate(*words):
    return release_gate.main(["--token", "token-of-the-test", *words])


@pytest.fixture
def quick(monkeypatch):
    """Tests that pass at once: what they are is not looked at here."""
    monkeypatch.setattr(release_gate, "run_tests", lambda _arguments, _root: "3 passed")
    monkeypatch.setattr(release_gate, "compiled", lambda: "2 files")


@pytest.mark.usefixtures("quick")
def test_when_everything_passes_it_says_so_and_writes_both_files(tmp_path, capsys):
    with liar(honest(**ANSWERS)) as server:
        code = gate("--base-url", at(server), "--junit", str(tmp_path / "g.xml"), "--json", str(tmp_path / "g.json"))

    assert (code, capsys.readouterr().out.splitlines()[-1]) == (0, "RELEASE_GATE_OK")
    suite = ET.fromstring((tmp_path / "g.xml").read_text())
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("8", "0", "0")
    told = json.loads((tmp_path / "g.json").read_text())
    assert (told["result"], [stage["name"] for stage in told["stages"]]) == (
        "RELEASE_GATE_OK",
        [
            "compile", "tests", "GET /", "GET /api/public/modules", "GET /api/service-info",
            "GET /api/ops/runbook/checks", "GET /api/ops/security/posture", "smoke",
        ],
    )  # fmt: skip


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("path", ANSWERS)
def test_an_endpoint_without_its_key_fails_and_the_others_are_looked_at(path, capsys):
    with liar(honest(**ANSWERS | {path: {"checks": [{"id": "a", "status": "ok"}], "rate_limit": {}}})) as server:
        code = gate("--base-url", at(server))

    said = capsys.readouterr().out
    assert (code, said.splitlines()[-1]) == (1, "RELEASE_GATE_FAILED")
    assert f"failed   GET {path} " in said
    assert said.count("GET ") == len(ANSWERS)


@pytest.mark.usefixtures("quick")
def test_a_smoke_that_fails_names_its_step(capsys):
    with liar(honest(**ANSWERS, **{"/health": {"status": "down"}})) as server:
        assert gate("--base-url", at(server)) == 1

    assert "health: /health does not say ok" in capsys.readouterr().out


@pytest.mark.usefixtures("quick")
def test_without_tests_it_is_not_judged(capsys):
    with liar(honest(**ANSWERS)) as server:
        assert gate("--base-url", at(server), "--skip-tests") == 3

    assert capsys.readouterr().out.splitlines()[-1] == "RELEASE_GATE_INCOMPLETE"


@pytest.mark.usefixtures("quick")
def test_an_address_that_will_not_do_is_a_failure(capsys):
    assert gate("--base-url", "http://console.example") == 1
    assert "unencrypted" in capsys.readouterr().out


def test_a_running_installation_needs_a_token(monkeypatch, capsys):
    monkeypatch.delenv("KA_DEPLOY_TOKEN", raising=False)

    with pytest.raises(SystemExit) as ended:
        release_gate.main(["--base-url", "http://127.0.0.1:1"])

    assert ended.value.code == 2
    assert "KA_DEPLOY_TOKEN" in capsys.readouterr().err


def test_a_file_that_cannot_be_compiled_is_named(tmp_path):
    (tmp_path / "console").mkdir()
    (tmp_path / "console" / "good.py").write_text("x = 1\n")
    assert compiled(tmp_path) == "1 files"
    (tmp_path / "console" / "bad.py").write_text("def broken(:\n")

    with pytest.raises(Bad, match=r"console/bad\.py"):
        compiled(tmp_path)


def test_tests_that_fail_are_told_with_their_last_lines(tmp_path):
    (tmp_path / "test_it.py").write_text("def test_it():\n    assert 1 == 2\n")

    with pytest.raises(Bad, match="1 failed"):
        run_tests(["-p", "no:cacheprovider", "-n", "0", "--dist", "no"], tmp_path)


def test_the_report_bears_whatever_a_stage_says():
    seen = Gate(lambda _line: None)
    seen.take("odd", lambda: (_ for _ in ()).throw(Bad("<\x00\x1b & 루트\nmore")))

    failure = ET.fromstring(junit(seen)).find("testcase/failure")

    assert (failure.get("message"), failure.text) == ("< & 루트", "< & 루트\nmore")


@pytest.mark.usefixtures("quick")
def test_it_brings_an_installation_of_its_own(capsys):
    assert release_gate.main([]) == 0, capsys.readouterr().out
