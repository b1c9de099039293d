"""A receiver of webhooks on loopback, in a process of its own: `python -m benchmarks.receiver` prints its port."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from benchmarks.server import HOST, ROOT


class Receiver(BaseHTTPRequestHandler):
    """Takes whatever is posted."""

    def do_POST(self) -> None:
        """Read the message and say thank you."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_words: Any) -> None:
        """Say nothing."""


@contextmanager
def receiver() -> Iterator[str]:
    """Run a receiver; give its address."""
    command = [sys.executable, "-m", "benchmarks.receiver"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            yield f"http://{HOST}:{port}/hook"
        finally:
            process.terminate()


if __name__ == "__main__":
    server = ThreadingHTTPServer((HOST, 0), Receiver)
    print(server.server_port, flush=True)
    server.serve_forever()
