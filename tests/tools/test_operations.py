"""docs/OPERATIONS.md, command by command: from nothing to two of everything, backup, restore, upgrade and back."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from tests.support.postgres import postgres_programs, postgres_url
from workers.launch import children

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "OPERATIONS.md"
# No package brings curl along: this one says what the page wants from it.
CURL = """curl() { python - "$2" <<'END'
import sys, urllib.error, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode())
except OSError as error:
    sys.exit(1)
END
}
"""


def blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def free_ports(count: int) -> list[str]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [str(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def test_the_page_is_what_it_says(backend, tmp_path, own_redis):
    first, second = free_ports(2)
    home, backups = tmp_path / "home", tmp_path / "backups"
    url = postgres_url("page") if backend == "postgresql" else f"sqlite:///{home}/facility.db"
    said = {
        "postgresql://console:secret@db.example.com/console": f"'{url}'",
        "redis://redis.example.com:6379/0": f"'{own_redis.url}'",
        "/var/lib/ka-facility-os": str(home),
        "/var/backups/ka-facility-os": str(backups),
        "8001": first,
        "8002": second,
    }
    script = CURL + "\n".join(blocks())
    for example, here in said.items():
        assert example in script
        script = script.replace(example, here)
    path = os.pathsep.join([str(Path(sys.executable).parent), str(postgres_programs()), os.environ["PATH"]])
    environ = {name: value for name, value in os.environ.items() if name not in {"ENV", "DATA_DIR", "PORT"}}
    process = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env={**environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        told, _ = process.communicate(timeout=600)
    finally:
        children.kill_session(process.pid)

    assert process.returncode == 0, told[-3000:]
    assert told.count('"status":"ready"') == 3, told[-3000:]
    for words in ("password", "Backed up schema", "Put back schema", "Traceback"):
        assert (words in told) == (words != "Traceback"), told[-3000:]
