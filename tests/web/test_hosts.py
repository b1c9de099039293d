"""Which host names are answered."""

import pytest

PRODUCTION = {"ENV": "production", "PREFLIGHT_FAIL_ON_ERROR": False}
OWN = {**PRODUCTION, "PUBLIC_URL": "https://Console.example:8443"}


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setattr("console.core.background.Background.ensure_started", lambda self: None)


@pytest.mark.parametrize(
    ("settings", "host", "status"),
    [
        ({}, "anything.example", 200),
        (PRODUCTION, "anything.example", 200),
        (OWN, "console.example", 200),
        (OWN, "CONSOLE.example:443", 200),
        (OWN, "evil.example", 400),
        (OWN, "console.example.evil.example", 400),
        (OWN, "10.0.0.1", 400),
        ({"ALLOWED_HOSTS": ("a.example", ".b.example")}, "a.example:8001", 200),
        ({"ALLOWED_HOSTS": ("a.example", ".b.example")}, "x.b.example", 200),
        ({"ALLOWED_HOSTS": ("a.example", ".b.example")}, "x.a.example", 400),
        ({**OWN, "ALLOWED_HOSTS": ("a.example",)}, "console.example", 400),
        ({**OWN, "ALLOWED_HOSTS": ("*",)}, "anything.example", 200),
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/meta"])
def test_only_the_own_host_names_are_answered(make_app, settings, host, status, path):
    answer = make_app(**settings).test_client().get(path, headers={"Host": host})

    assert answer.status_code == status
    assert "evil.example" not in answer.text


def test_a_forwarded_host_is_judged_when_the_proxy_is_believed(make_app):
    client = make_app(**OWN, TRUSTED_PROXIES=1).test_client()
    sent = {"Host": "console.example", "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Host": "evil.example"}

    assert client.get("/meta", headers=sent).status_code == 400


def test_probes_know_an_address_and_no_name(make_app):
    assert make_app(**OWN).test_client().get("/health", headers={"Host": "10.0.0.1:8001"}).status_code == 200
