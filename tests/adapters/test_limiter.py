from __future__ import annotations

import pytest

from console.adapters import limiter as module
from console.adapters.limiter import Limiter, MemoryWindow
from tests.support.redis import redis_url

NOWHERE = "redis://127.0.0.1:1/0"


class Seconds:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_a_window_slides_so_that_no_double_burst_slips_through():
    clock = Seconds()
    window = MemoryWindow(seconds=clock)
    assert [window.acquire_entry("a", 2, 60) for _ in range(3)] == [True, True, False]
    clock.now += 59.9
    assert not window.acquire_entry("a", 2, 60)
    clock.now += 0.1
    assert window.acquire_entry("a", 2, 60)


def test_looking_counts_nothing_and_clearing_gives_everything_back():
    window = MemoryWindow(seconds=Seconds())
    window.acquire_entry("a", 5, 60)

    assert window.get_moving_window("a", 5, 60) == window.get_moving_window("a", 5, 60) == (1000.0, 1)
    window.clear("a")
    assert window.get_moving_window("a", 5, 60)[1] == 0


def test_strangers_cannot_fill_the_memory():
    window = MemoryWindow(max_keys=100, seconds=Seconds())
    window.acquire_entry("regular", 5, 60)
    for number in range(1000):
        window.acquire_entry(f"stranger {number}", 5, 60)
        window.acquire_entry("regular", 2000, 60)

    assert len(window) == 100
    assert window.get_moving_window("regular", 2000, 60)[1] == 1001


def test_the_budget_tells_what_is_left_and_until_when():
    limiter = Limiter("memory", "", "test")
    found = [limiter.hit("a", 2, 60) for _ in range(3)]

    assert [(b.allowed, b.remaining, b.limit, b.backend) for b in found] == [
        (True, 1, 2, "memory"),
        (True, 0, 2, "memory"),
        (False, 0, 2, "memory"),
    ]
    assert all(1 <= budget.reset <= 60 for budget in found)
    assert limiter.peek("a", 2, 60).allowed is False
    limiter.forget("a", 60)
    assert limiter.peek("a", 2, 60).remaining == 2


@pytest.mark.parametrize(
    ("store", "url", "production", "status", "backend"),
    [
        ("memory", "", False, "ok", "memory"),
        ("memory", "", True, "warning", "memory"),
        ("auto", "", False, "warning", "memory"),
        ("auto", NOWHERE, False, "warning", "memory"),
        ("redis", "", False, "critical", "memory"),
        ("redis", NOWHERE, False, "critical", "memory"),
    ],
)
def test_the_posture_names_a_missing_redis(store, url, production, status, backend):
    found = Limiter(store, url, "test").status(production=production)

    assert (found.status, found.active_backend, found.configured_store) == (status, backend, store)
    assert (found.redis_url_configured, found.redis_ping_ok) == (bool(url), False)
    assert found.redis_client_ready is bool(url and store != "memory")


def test_without_redis_it_counts_in_memory_and_asks_again_only_after_a_while(monkeypatch):
    limiter = Limiter("redis", NOWHERE, "test")
    asked = []
    monkeypatch.setattr(limiter._redis, "acquire_entry", lambda *_: asked.append(1) or _refuse())

    assert [limiter.hit("a", 1, 60).allowed for _ in range(2)] == [True, False]
    assert len(asked) == 1
    monkeypatch.setattr(module.time, "monotonic", lambda: limiter._try_again_at + 1)
    limiter.hit("a", 1, 60)
    assert len(asked) == 2


def _refuse():
    raise module.redis.ConnectionError("gone")


def test_an_address_that_is_none_degrades_instead_of_crashing():
    found = Limiter("auto", "nonsense://x", "test")

    assert found.hit("a", 1, 60).backend == "memory"
    assert found.status(production=False).redis_error == "ValueError"


class TestWithRedis:
    @pytest.fixture
    def make(self, worker_id, request):
        made = []

        def build():
            made.append(Limiter("auto", redis_url(worker_id), f"test:{request.node.name}"))
            return made[-1]

        yield build
        for limiter in made:
            limiter.forget("a", 60)
            limiter.close()

    def test_all_processes_count_together(self, make):
        first, second = make(), make()

        found = [limiter.hit("a", 3, 60) for limiter in (first, second, first, second)]
        assert [(b.allowed, b.remaining, b.backend) for b in found] == [
            (True, 2, "redis"),
            (True, 1, "redis"),
            (True, 0, "redis"),
            (False, 0, "redis"),
        ]
        assert second.peek("a", 3, 60).allowed is False
        first.forget("a", 60)
        assert second.peek("a", 3, 60).remaining == 3

    def test_the_posture_is_well(self, make):
        found = make().status(production=True)

        assert (found.status, found.active_backend, found.redis_ping_ok, found.redis_error) == (
            "ok",
            "redis",
            True,
            None,
        )

    def test_keys_end_with_their_window(self, make, worker_id):
        make().hit("a", 3, 60)
        with module.redis.Redis.from_url(redis_url(worker_id)) as client:
            [key] = client.keys("test:test_keys_end*")
            assert 0 < client.ttl(key) <= 60


@pytest.mark.parametrize("poison", [("set", "x"), ("rpush", "x"), ("hset", "a", "b"), ("rpush", b"\xff")])
def test_a_window_that_cannot_be_read_begins_anew(worker_id, poison):
    limiter = Limiter("auto", redis_url(worker_id), "poisoned")
    client = limiter._redis.get_connection()
    client.delete(*client.keys("*poisoned*"), "none")
    limiter.hit("a", 3, 60)
    (key,) = client.keys("*poisoned*")
    for look in (limiter.hit, limiter.peek):
        client.delete(key)
        getattr(client, poison[0])(key, *poison[1:])
        found = look("a", 3, 60)
        assert (found.allowed, found.backend) == (True, "redis")
    limiter.close()
