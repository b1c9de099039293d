"""Pictures of the pages, from a demo company of their own: `make screenshots` writes them to ./screenshots.

`python -m tools.screenshots` takes all pages, wide and phone, light and dark; with addresses behind it, these only.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tools.node import ROOT

FOLDER = ROOT / "screenshots"
PASSWORD = "a picture for every page"
PAGES = (
    "/overview",
    "/my-work",
    "/board",
    "/board?view=table",
    "/gate",
    "/jobs",
    "/audit",
    "/admin/users",
    "/admin/tokens",
    "/admin/sites",
    "/account",
    "/ops/preflight",
    "/ops/security",
    "/components",
    "/sign-in",
)
SIZES = {"wide": (1440, 820), "phone": (390, 844)}
SCHEMES = ("light", "dark")


@contextmanager
def console(folder: str) -> Iterator[str]:
    """Run the console with the demo company on a data folder; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environ = {**os.environ, "DATA_DIR": folder, "PORT": str(port), "ADMIN_PASSWORD": PASSWORD, "DEMO": "1"}
    for name in ("DATABASE_URL", "REDIS_URL"):
        environ.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "-m", "workers.supervisor"],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        if not any("Ctrl-C stops everything" in line for line in process.stdout):
            raise RuntimeError("The console did not start.")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()


def name_of(page: str) -> str:
    """Give the file name of a page's pictures."""
    return page.strip("/").translate(str.maketrans("/?=&", "--__")) or "start"


def take(browser: Any, address: str, pages: list[str]) -> None:
    """Sign in as the owner and take every picture."""
    for size, (width, height) in SIZES.items():
        for scheme in SCHEMES:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,
                locale="ko-KR",
                timezone_id="Asia/Seoul",
            )
            page = context.new_page()
            page.goto(f"{address}/sign-in")
            page.fill("input[name=username]", "owner")
            page.fill("input[name=password]", PASSWORD)
            page.press("input[name=password]", "Enter")
            page.wait_for_load_state("networkidle")
            for path in pages:
                if path == "/sign-in":
                    context.clear_cookies()
                page.goto(address + path)
                page.wait_for_load_state("networkidle")
                page.screenshot(path=FOLDER / f"{name_of(path)}-{size}-{scheme}.png", full_page=size == "phone")
            context.close()
            print(f"{size}, {scheme}: {len(pages)} pictures", flush=True)


def main(arguments: list[str]) -> int:
    """Take the pictures; gives the exit code."""
    from playwright.sync_api import sync_playwright

    from tests.support.chromium import chromium_launch_options

    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="kaos-pictures-") as folder,
        console(folder) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(**chromium_launch_options())
        take(browser, address, arguments or list(PAGES))
        browser.close()
    print(f"in {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
