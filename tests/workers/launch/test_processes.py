import os
import signal
import sys
import time

import pytest

from workers.launch import children, processes
from workers.launch.processes import Group, Program


@pytest.fixture
def group(monkeypatch):
    """A group whose pauses are short; everything in it is ended afterwards."""
    monkeypatch.setattr(processes, "BACK_OFF", (0.01, 0.02, 60))
    group = Group()
    yield group
    group.hurry = True
    group.stop(list(group._programs))


def add(group: Group, script: str, name: str = "probe", stop_seconds: float = 5) -> Program:
    return group.add(name, lambda: children.spawn([sys.executable, "-uc", script]), stop_seconds)


def tend_until(group: Group, reached) -> None:
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline
        group.tend(0.02)


def test_output_comes_with_the_name_in_front(group, capsys):
    add(group, "print('one\\ntwo'); import time; time.sleep(60)")
    group.start("probe")
    seen = []

    tend_until(group, lambda: seen.append(capsys.readouterr().out) or "two" in "".join(seen))

    assert "".join(seen) == "probe     | one\nprobe     | two\n"


def test_last_words_without_an_end_of_line_are_said_before_the_next_start(group, capsys):
    add(group, "print('half', end='')")
    group.start("probe")

    tend_until(group, lambda: group.failures("probe") == 2)

    assert capsys.readouterr().out.splitlines().count("probe     | half") == 2


def test_noise_of_redis_is_left_out(group, capsys):
    add(group, "print('# WARNING Memory overcommit must be enabled!'); print('real'); input()", name="redis")
    group.start("redis")
    seen = []

    tend_until(group, lambda: seen.append(capsys.readouterr().out) or "real" in "".join(seen))

    assert "overcommit" not in "".join(seen)


def test_a_program_that_ends_is_started_again_a_little_later_each_time(group, capsys):
    add(group, "print('up')")
    group.start("probe")

    tend_until(group, lambda: group.failures("probe") == 3)

    said = capsys.readouterr().out
    assert said.count("up") == 3
    assert "ended with code 0; it is started again in 60 s" in said


def test_a_killed_program_is_started_again(group):
    program = add(group, "import time; time.sleep(60)")
    group.start("probe")
    first = program.process.pid
    os.kill(first, signal.SIGKILL)

    tend_until(group, lambda: program.process is not None and program.process.pid != first)

    assert program.process.poll() is None


def test_a_program_that_cannot_be_started_again_is_tried_later(group, capsys):
    attempts = []

    def launch():
        attempts.append(1)
        if len(attempts) == 2:
            raise OSError("disk full")
        return children.spawn([sys.executable, "-c", "pass" if len(attempts) == 1 else "import time; time.sleep(60)"])

    group.add("probe", launch, 5)
    group.start("probe")

    tend_until(group, lambda: len(attempts) == 3)

    assert "does not start (disk full)" in capsys.readouterr().out


def test_stopping_lets_a_program_finish_what_it_does(group, capsys):
    script = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.3), print('finished'), sys.exit(0)))\n"
        "print('ready'); time.sleep(60)"
    )
    program = add(group, script)
    group.start("probe")
    seen = []
    tend_until(group, lambda: seen.append(capsys.readouterr().out) or "ready" in "".join(seen))

    group.stop(["probe"])

    assert "finished" in capsys.readouterr().out
    assert program.process is None
    assert program.restart_at is None


@pytest.mark.parametrize(("stop_seconds", "hurry"), [(0.2, False), (60, True)])
def test_a_program_that_does_not_listen_is_killed_with_its_children(group, capsys, stop_seconds, hurry):
    script = (
        "import signal, subprocess, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "subprocess.Popen(['sleep', '60']); print('ready'); time.sleep(60)"
    )
    program = add(group, script, stop_seconds=stop_seconds)
    group.start("probe")
    seen = []
    tend_until(group, lambda: seen.append(capsys.readouterr().out) or "ready" in "".join(seen))
    session = program.process.pid
    assert len(children.session_members(session)) == 2
    group.hurry = hurry

    group.stop(["probe"])

    assert children.session_members(session) == []
