"""A client that believes nothing: one request, and the bytes that came back, however they ended."""

import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fakes.clients import Door

PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
HEADERS = {"openai": {}, "anthropic": {"anthropic-version": "2023-06-01"}}


@dataclass(frozen=True)
class Heard:
    """`complete` is False when the connection ended before the body did."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool = True

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[tuple[str, str]]:
        """Name and data of each event of a stream; comments are none."""
        return list(_events(self.body.decode()))


def _events(text: str) -> Iterator[tuple[str, str]]:
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if lines:
            fields = dict(line.split(": ", 1) for line in lines)
            yield fields.get("event", ""), fields.get("data", "")


def ask(door: Door, dialect: str, model: str, *, stream: bool = False, **more: Any) -> Heard:
    """One small request in `dialect`, as a client of that dialect would send it."""
    body = {"model": door.model(model), "messages": [{"role": "user", "content": "Hello?"}], "stream": stream, **more}
    if dialect == "anthropic":
        body["max_tokens"] = 64
    return send(door, "POST", PATHS[dialect], json.dumps(body).encode(), dialect=dialect)


def send(door: Door, method: str, path: str, body: bytes | None = None, *, dialect: str = "openai") -> Heard:
    address = urlsplit(door.root)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=15)
    headers = {"authorization": f"Bearer {door.key}", "content-type": "application/json", **HEADERS[dialect]}
    try:
        connection.request(method, path, body, headers)
        return _heard(connection.getresponse())
    finally:
        connection.close()


def _heard(answer: http.client.HTTPResponse) -> Heard:
    headers = {name.lower(): value for name, value in answer.getheaders()}
    try:
        return Heard(answer.status, headers, answer.read())
    except http.client.IncompleteRead as cut:
        return Heard(answer.status, headers, cut.partial, complete=False)
    except ConnectionError:
        return Heard(answer.status, headers, b"", complete=False)
