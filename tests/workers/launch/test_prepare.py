import io
import json

import pytest

from workers.launch import prepare


@pytest.fixture
def converse(tmp_path, monkeypatch):
    """Let the launcher say its word under some variables; returns what it is told and whether serving goes on."""
    for name in ("DATABASE_URL", "REDIS_URL", "ADMIN_TOKEN", "ADMIN_PASSWORD", "PORT", "HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("ENV", "test")
    monkeypatch.setenv("DEMO", "0")

    def talk(redis_url: str | None, **variables: str):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("REDIS_URL", redis_url or "")  # restored after the test, whoever changes it
        word = "" if redis_url is None else json.dumps({"redis_url": redis_url}) + "\n"
        mouth = io.StringIO()
        go = prepare.handshake(io.StringIO(word), mouth)
        return [json.loads(line) for line in mouth.getvalue().splitlines()], go

    return talk


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"PORT": "eighty"}, "PORT: 'eighty' is not a number."),
        ({"PORT": "70000"}, "PORT: '70000' is above 65535."),
        ({"WEB_THREADS": "many"}, "WEB_THREADS: 'many' is not a number."),
        ({"DEMO": "perhaps"}, "DEMO: 'perhaps' is neither true nor false"),
    ],
)
def test_a_wrong_variable_is_told_before_anything_happens(converse, variables, sentence):
    (told,), go = converse("redis://127.0.0.1:1/0", **variables)

    assert told["problem"].startswith(sentence)
    assert told["code"] == 2
    assert not go


def test_no_word_from_the_launcher_means_not_to_start(converse, tmp_path):
    (told,), go = converse(None, PORT="8002", HOST="127.0.0.1")

    assert told["settings"] == {
        "HOST": "127.0.0.1",
        "PORT": 8002,
        "REDIS_URL": "",
        "DATA_DIR": str(tmp_path / "data"),
    }
    assert not go
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("address", "sentence", "code"),
    [
        ("nonsense", "REDIS_URL: this is not the address of a Redis (redis://host:6379/0).", 2),
        ("redis://:secret@127.0.0.1:1/0", "REDIS_URL: no Redis answers there (", 1),
    ],
)
def test_a_redis_that_is_not_there_is_told_without_its_password(converse, address, sentence, code):
    (_, told), go = converse(address)

    assert told["problem"].startswith(sentence)
    assert "secret" not in told["problem"]
    assert told["code"] == code
    assert not go


@pytest.mark.parametrize(
    ("address", "sentence", "code"),
    [
        ("nonsense", "DATABASE_URL: this is not the address of a database", 2),
        ("mumble://host/name", "DATABASE_URL: this is not the address of a database", 2),
        ("postgresql://x:secret@127.0.0.1:1/y", "The database cannot be used: ", 1),
    ],
)
def test_a_database_that_is_not_there_is_told_without_its_password(converse, monkeypatch, address, sentence, code):
    monkeypatch.setattr(prepare, "check_redis", lambda url: None)

    (_, told), go = converse("redis://127.0.0.1:1/0", DATABASE_URL=address)

    assert told["problem"].startswith(sentence)
    assert "secret" not in told["problem"]
    assert told["code"] == code
    assert not go


def test_anything_else_that_goes_wrong_is_one_sentence_with_its_trace_beside_it(converse, monkeypatch, capsys):
    def broken():
        raise RuntimeError("the wheel came off.\nin two lines")

    monkeypatch.setattr(prepare, "check_redis", lambda url: None)
    monkeypatch.setattr(prepare, "prepare", broken)

    (_, told), go = converse("redis://127.0.0.1:1/0")

    assert told == {"problem": "The start failed: the wheel came off.", "code": 1}
    assert "Traceback" in capsys.readouterr().err
    assert not go


def test_the_result_names_who_can_sign_in(converse, monkeypatch):
    monkeypatch.setattr(prepare, "check_redis", lambda url: None)

    (_, told), go = converse("redis://127.0.0.1:1/0", ADMIN_PASSWORD="a long and quiet sentence")

    assert told == {"result": {"owner": "owner", "created": True, "password": None}}
    assert go
