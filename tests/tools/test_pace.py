"""The other machines that a run of the tests can pretend (PACE): they are what they say, and leave nothing behind."""

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from tests.support.pace import pace
from tests.support.wait import until

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def start():
    """Give `start(*arguments)`: a Python program that is gone after the test."""
    started = []

    def begin(*arguments: str) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, *arguments], cwd=ROOT, start_new_session=True))
        return started[-1]

    yield begin
    for program in started:
        program.kill()
        program.wait()


def test_the_clock_stands_until_the_end():
    with pace("still"):
        first = datetime.now(UTC)
        time.sleep(0.01)
        assert datetime.now(UTC) == first


def test_a_process_is_held_up_let_go_and_free_at_the_end(start):
    held = start("-c", "import time; time.sleep(60)")
    seen = psutil.Process(held.pid)
    brake = start("-m", "tests.support.pace", str(held.pid))

    until(lambda: seen.status() == psutil.STATUS_STOPPED)
    until(lambda: seen.status() != psutil.STATUS_STOPPED)
    until(lambda: seen.status() == psutil.STATUS_STOPPED)
    brake.terminate()

    assert brake.wait(60) == 0
    assert seen.status() != psutil.STATUS_STOPPED


def test_the_brake_ends_with_the_process_that_it_holds_up(start):
    held = start("-c", "pass")

    assert start("-m", "tests.support.pace", str(held.pid)).wait(60) == 0


def test_another_word_is_refused():
    with pytest.raises(KeyError), pace("quick"):
        pass
