"""Who serves the page that attacks a gateway, and the browser that somebody opens it in.

The server answers at any name that leads to it. What is asked of it beside the page goes on to a gateway as it came,
as if the page's name had been made to lead there since (DNS rebinding); or is answered by nobody's gateway, which lets
everybody do everything, so that a test can see what the page really sends.
"""

import http.client
import json
import os
import platform
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

PAGE = Path(__file__).with_name("attack_page.html")
NAME = "attacker.example.com"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OF_NPM = 'console.log(await (await import("@sparticuz/chromium")).default.executablePath())'
"""Prints where it has unpacked the browser that comes in the package."""
PATIENCE = 75.0
"""Seconds in which a page reports."""
LETS_ALL = b'{"told": "to everybody"}'


class Came(NamedTuple):
    """A request that the page sent to a gateway that is none."""

    method: str
    path: str
    origin: str | None
    body: bytes


class Attacker:
    """`gateway` is where its name leads to now, "" for nobody's."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.gateway = ""
        self.target = ""
        self.report: list[Any] = []
        self.reported = threading.Event()
        self.came: list[Came] = []

    def page(self) -> bytes:
        return PAGE.read_bytes().replace(b"TARGET", self.target.encode())

    @contextmanager
    def visited(self, browser: Path, name: str, folder: Path) -> Iterator[Sequence[Any]]:
        """What the page reports that is opened at this name of the machine; the browser stays open with it."""
        self.reported.clear()
        options = [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            f"--user-data-dir={folder}", f"--host-resolver-rules=MAP {NAME} 127.0.0.1",
        ]  # fmt: skip
        command = [str(browser), *options, f"http://{name}:{self.port}/page"]
        with (folder / "browser.log").open("wb") as log:
            running = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            assert self.reported.wait(PATIENCE), (folder / "browser.log").read_text(errors="replace")[-3000:]
            yield self.report
        finally:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()


class _Handler(BaseHTTPRequestHandler):
    attacker: Attacker
    protocol_version = "HTTP/1.1"

    def handle_one(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        path = urlsplit(self.path).path
        if path == "/page":
            self._answer(200, self.attacker.page(), "text/html")
        elif path == "/report":
            self.attacker.report = json.loads(body)
            self._answer(200, b"{}", "application/json")
            self.attacker.reported.set()
        elif self.attacker.gateway:
            self._pass_on(body)
        else:
            self.attacker.came.append(Came(self.command, self.path, self.headers.get("origin"), body))
            self._answer(200, LETS_ALL, "application/json")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = handle_one  # noqa: N815

    def _pass_on(self, body: bytes) -> None:
        """As it came: its Host is the page's own."""
        parts = urlsplit(self.attacker.gateway)
        onward = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        try:
            onward.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                onward.putheader(name, value)
            onward.endheaders(body or None)
            answer = onward.getresponse()
            self._answer(answer.status, answer.read(), answer.headers.get("content-type") or "text/plain")
        finally:
            onward.close()

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """A browser hangs up as it likes."""


@contextmanager
def open_attacker() -> Iterator[Attacker]:
    handler = type("Handler", (_Handler,), {})
    with _Server(("127.0.0.1", 0), handler) as server:
        attacker = Attacker(server.server_address[1])
        handler.attacker = attacker
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield attacker
        server.shutdown()


def find_browser(clients: Path) -> Path | None:
    """One of this machine, else the one that came from npm, which is for Linux on x86-64."""
    if found := next(filter(None, map(shutil.which, BROWSERS)), None):
        return Path(found)
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return None
    into = clients / "browser"
    into.mkdir(exist_ok=True)
    unpacked = subprocess.run(
        ["node", "--input-type=module", "--eval", OF_NPM],
        cwd=clients, env={**os.environ, "TMPDIR": str(into)}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return Path(unpacked.stdout.strip())
