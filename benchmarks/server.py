"""Start the product for a measurement: one web process with its threads, on loopback, in a folder of its own."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
THREADS = 8
PASSWORD = "benchmark-password-of-the-owner-1"


def free_port() -> int:
    """Return a port of the loopback address that nobody uses."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, url: str, redis_url: str) -> dict[str, str]:
    """Return the variables of a server whose limits do not stop the measurement."""
    limits = ("PUBLIC", "PUBLIC_HEAVY", "AUTH", "AUTH_HEAVY", "AUTH_ADMIN", "AUTH_WRITE", "AUTH_UPLOAD")
    return {
        **os.environ,
        "DATA_DIR": str(folder),
        "DATABASE_URL": url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": "benchmark-secret-key-of-this-run-only",
        "ADMIN_PASSWORD": PASSWORD,
        "LOG_LEVEL": "warning",
        **{f"API_RATE_LIMIT_MAX_{name}": "100000000" for name in limits},
        "PAGE_RATE_LIMIT_MAX": "100000000",
    }


@contextmanager
def web_server(environ: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """Run the web server as in production; give its port and the id of the process that answers requests."""
    port = free_port()
    own = {"HOST": HOST, "PORT": str(port), "WEB_WORKERS": "1", "WEB_THREADS": str(THREADS)}
    command = [sys.executable, "-m", "workers.web"]
    process = subprocess.Popen(command, cwd=ROOT, env={**environ, **own}, stdout=subprocess.DEVNULL)
    try:
        _wait(port)
        yield port, answering(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(port: int) -> None:
    for _attempt in range(300):
        try:
            connection = http.client.HTTPConnection(HOST, port, timeout=2)
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the web server did not start")


def answering(parent: int) -> int:
    """Return the id of the process of a web server that answers requests."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii").split()
    # The largest child is the one that has loaded the application.
    return max((int(child) for child in children), key=memory_kib, default=parent)


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kib(pid: int, what: str = "Rss") -> int:
    """Return the resident memory of a process in KiB, or with "Pss" only its share of what it has in common."""
    found = re.search(rf"^{what}:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text("ascii"), re.MULTILINE)
    return int(found.group(1)) if found else 0


def sign_in(port: int, username: str = "owner", password: str = PASSWORD) -> str:
    """Sign in as a person would and return the Cookie header of the session."""
    cookie, text = _exchange(port, "GET", "/sign-in", "", "")
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', text)
    if token is None:
        raise SystemExit("the sign-in page has no form")
    body = urlencode({"csrf_token": token.group(1), "username": username, "password": password})
    cookie, _text = _exchange(port, "POST", "/sign-in", cookie, body)
    # The first page adds the token of the forms to the cookie; a browser sends that from then on.
    cookie, _text = _exchange(port, "GET", "/overview", cookie, "")
    return cookie


def _exchange(port: int, method: str, path: str, cookie: str, body: str) -> tuple[str, str]:
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://{HOST}:{port}"}
    connection.request(method, path, body=body or None, headers={**headers, **({"Cookie": cookie} if cookie else {})})
    response = connection.getresponse()
    text = response.read().decode()
    sent = [value.split(";")[0] for name, value in response.getheaders() if name.lower() == "set-cookie"]
    return "; ".join(sent) or cookie, text
